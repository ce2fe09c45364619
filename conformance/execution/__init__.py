"""A variant's expression as steps, and what came of them on a backend. Imports backends, casefile, ops, truth."""
