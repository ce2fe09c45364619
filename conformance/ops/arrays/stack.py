"""Stacking arrays along a new axis."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Arrays, Axis, common_dtype, operation


@operation(document="torch.stack(arrays, dim=axis)", moves=True, result_dtype=common_dtype)
def stack(arrays: Arrays, *, axis: Axis = 0) -> np.ndarray:
    """Arrays of one shape joined along a new axis.

    Args:
        arrays: one or more arrays of one shape and dtype, of any dtype.
        axis: where the new axis stands in the result; negative counts from the last.

    Returns:
        Their dtype; their shape with ``len(arrays)`` inserted at `axis`.
    """
    return np.stack(arrays, axis=axis)
