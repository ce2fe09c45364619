"""Loss functions."""

from conformance.ops.losses import (  # noqa: F401 - for their registration
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
)
