"""Operations that make arrays or move their elements."""

from conformance.ops.arrays import asarray, reshape, stack  # noqa: F401 - for their registration
