"""From YAML text to cases to variants. Knows no framework. Imports words, ops, truth, ground."""
