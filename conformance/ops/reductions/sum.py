"""Sums, and what all reductions have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from conformance.ground import dtypes
from conformance.ground.dtypes import DTYPES, DType
from conformance.ops.base import Array, Flag, MaybeAxes, operation
from conformance.ops.bounds import relative_to, summation_growth
from conformance.ops.conventions import IEEE, Conventional, finite
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded

SUMMATION = (
    "summation of n terms in any order, min(n - 1, 3 sqrt n) units roundoff of the sum of their magnitudes (Higham "
    "2002, section 4.2; Higham & Mary 2019)"
)


def _sum_dtype(x: np.ndarray, **parameters: Any) -> DType | None:
    """Integers and bools add up in int64, as they do in the document's framework, and all others in their own dtype."""
    own = dtypes.of(x)
    return DTYPES["int64"] if own.kind in ("integer", "bool") else own


@operation(document="torch.sum(x, dim=axis, keepdim=keepdims)", result_dtype=_sum_dtype)
def sum_(x: Array, *, axis: MaybeAxes = None, keepdims: Flag = False) -> Balls:
    """The sum of the elements along `axis`, along several axes, or of all.

    Args:
        x: any numeric dtype, any shape; an empty sum is 0.
        axis: what is reduced: an axis, a list of axes (none twice; along none of them, `[]`, each element is a sum of
            its own, as the array API and NumPy have it), or all of them where null. Rank 0 counts as one element
            along axis 0.
        keepdims: whether a reduced axis stays, with length 1.

    Returns:
        The dtype of `x` where that is floating, else int64.
    """
    return balls.as_balls(x.sum(axis=reduced_axes(x, axis), keepdims=keepdims))


Axes = int | Sequence[int] | None
"""What may be reduced."""


def reduced_axes(x: np.ndarray, axis: Axes) -> tuple[int, ...]:
    """The axes of an array that are reduced, counted from the first. Rank 0 has none.

    Raises:
        AxisError: one that the array has not. Rank 0 counts as rank 1.
        ValueError: one that is given twice.
    """
    if axis is None:
        return tuple(range(x.ndim))
    axes = normalize_axis_tuple(axis, max(x.ndim, 1))
    return axes if x.ndim else ()


def count(x: np.ndarray, axis: Axes) -> int:
    """How many elements are reduced to one: 1 of rank 0, and along no axis."""
    return math.prod(x.shape[k] for k in reduced_axes(x, axis))


@sum_.by_convention(IEEE)
def _(x: np.ndarray, *, axis: Axes = None, keepdims: bool = False) -> Conventional:
    return reduced_specials(x, axis, keepdims)


def reduced_specials(x: np.ndarray, axis: Axes, keepdims: bool) -> Conventional:
    """A sum with a NaN, or with infinities of both signs, is NaN; with infinities of one sign it is infinite."""
    special, axes = ~np.isfinite(x), reduced_axes(x, axis)
    total = np.where(special, x, 0.0).sum(axis=axes, keepdims=keepdims)
    return {"x": finite(x)}, special.any(axis=axes, keepdims=keepdims), np.asarray(total)


@sum_.budget(SUMMATION + ", and the rounding of the result")
def _(result: Rounded, x: np.ndarray, *, axis: Axes = None, keepdims: bool = False) -> np.ndarray:
    magnitudes = np.abs(x).sum(axis=reduced_axes(x, axis), keepdims=keepdims)
    return relative_to(result, summation_growth(count(x, axis)) * magnitudes) + 0.5
