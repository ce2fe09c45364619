"""From YAML text to cases to variants. Knows no framework. Imports operations, truth, words, ground."""
