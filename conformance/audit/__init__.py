"""Backends that are wrong on purpose, and whether the cases catch them. `conformance audit` runs it."""
