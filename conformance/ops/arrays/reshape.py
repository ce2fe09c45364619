"""Reshaping, the document's ``view``."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, Shape, common_dtype, operation


@operation(document="x.view(shape)", moves=True, result_dtype=common_dtype)
def reshape(x: Array, shape: Shape) -> np.ndarray:
    """The same elements, in row-major order, in another shape.

    Args:
        x: any dtype, any shape.
        shape: the new shape; one length may be -1 and is then worked out.

    Returns:
        The dtype of `x`, in the new shape.
    """
    return x.reshape(tuple(shape))
