"""`timing.html`: how fast the operations are on each backend, against a memory copy and against each other."""

from conformance.reports.timing.rendering import write

__all__ = ["write"]
