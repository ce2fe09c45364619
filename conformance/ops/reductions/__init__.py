"""Reductions along axes."""

from conformance.ops.reductions import mean, sum  # noqa: A004, F401 - for their registration
