"""The operations: one file each, with signature, exact definition and error budget. Knows no framework.

To add one, write its file here, import it below, write its idiom in each adapter, and give it cases.
"""

from conformance.ops import (  # noqa: F401 - imported for their registration
    arithmetic,
    asarray,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    log_sigmoid,
    log_softmax,
    reductions,
    reshape,
    sigmoid,
    softmax,
    stack,
)
from conformance.ops.base import Operation, Parameter, registry

OPERATIONS = registry()

__all__ = ["OPERATIONS", "Operation", "Parameter"]
