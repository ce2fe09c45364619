"""`diff.html`: what changed from one run to another. Imports what pages share, diffing, words."""

from conformance.reports.diff.rendering import render, write

__all__ = ["render", "write"]
