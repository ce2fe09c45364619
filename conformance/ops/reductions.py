"""Sums and means, and the `reduction` parameter of the loss functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.ground import dtypes
from conformance.ground.dtypes import DTYPES, DType
from conformance.ops.base import Array, Backward, Flag, MaybeAxis, operation, same_dtype, summation_growth
from conformance.ops.conventions import IEEE, Conventional, finite
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


def _sum_dtype(x: np.ndarray, **parameters: Any) -> DType | None:
    """Integers and bools add up in int64, as they do in the document's framework."""
    return same_dtype(x) or DTYPES["int64"]


@operation(document="torch.sum(x, dim=axis, keepdim=keepdims)", family="reductions", result_dtype=_sum_dtype)
def sum_(x: Array, *, axis: MaybeAxis = None, keepdims: Flag = False) -> Balls:
    """The sum of the elements along `axis`, or of all.

    Args:
        x: any numeric dtype, any shape; an empty sum is 0.
        axis: the axis that is reduced; all of them where null. Rank 0 counts as one element along axis 0.
        keepdims: whether a reduced axis stays, with length 1.

    Returns:
        The dtype of `x` where that is floating, else int64.
    """
    return balls.as_balls(x.sum(axis=axis, keepdims=keepdims))


@operation(document="torch.mean(x, dim=axis, keepdim=keepdims)", family="reductions", backward=Backward(basics=2))
def mean(x: Array, *, axis: MaybeAxis = None, keepdims: Flag = False) -> Balls:
    """The mean of the elements along `axis`, or of all.

    Args:
        x: floating, any shape.
        axis: the axis that is reduced; all of them where null. Rank 0 counts as one element along axis 0.
        keepdims: whether a reduced axis stays, with length 1.

    Returns:
        The dtype of `x`. The mean of nothing is not defined.
    """
    return sum_.exact(x, axis=axis, keepdims=keepdims) / _count(x, axis)


def _count(x: np.ndarray, axis: int | None) -> int:
    return x.size if axis is None or x.ndim == 0 else x.shape[axis]


@sum_.by_convention(IEEE)
def _(x: np.ndarray, *, axis: int | None = None, keepdims: bool = False) -> Conventional:
    return _reduced_specials(x, axis, keepdims)


@mean.by_convention(IEEE)
def _(x: np.ndarray, *, axis: int | None = None, keepdims: bool = False) -> Conventional:
    return _reduced_specials(x, axis, keepdims)


def _reduced_specials(x: np.ndarray, axis: int | None, keepdims: bool) -> Conventional:
    """A sum with a NaN, or with infinities of both signs, is NaN; with infinities of one sign it is infinite."""
    special = ~np.isfinite(x)
    total = np.where(special, x, 0.0).sum(axis=axis, keepdims=keepdims)
    return {"x": finite(x)}, special.any(axis=axis, keepdims=keepdims), np.asarray(total)


def reduced_by_convention(special: np.ndarray, values: np.ndarray, reduction: str) -> tuple[np.ndarray, np.ndarray]:
    """Where single losses are what a convention says, and those losses, after their reduction."""
    if reduction == "none":
        return special, values
    return np.asarray(special.any()), np.asarray(np.where(special, values, 0.0).sum())


_SUMMATION = (
    "summation of n terms in any order, min(n - 1, 3 sqrt n) units roundoff of the sum of their magnitudes (Higham "
    "2002, section 4.2; Higham & Mary 2019)"
)


@sum_.budget(_SUMMATION + ", and the rounding of the result")
def _(result: Rounded, x: np.ndarray, *, axis: int | None = None, keepdims: bool = False) -> np.ndarray:
    magnitudes = np.abs(x).sum(axis=axis, keepdims=keepdims)
    return relative_to(result, summation_growth(_count(x, axis)) * magnitudes) + 0.5


@mean.budget(_SUMMATION + ", the division, and the rounding of the result")
def _(result: Rounded, x: np.ndarray, *, axis: int | None = None, keepdims: bool = False) -> np.ndarray:
    n = max(_count(x, axis), 1)
    magnitudes = np.abs(x).sum(axis=axis, keepdims=keepdims) / n
    return relative_to(result, (summation_growth(n) + 1) * magnitudes) + 0.5


def relative_to(result: Rounded, units_roundoff: np.ndarray) -> np.ndarray:
    """Absolute errors, given in units roundoff of the result's dtype, as ULP of the exact values."""
    return np.asarray(units_roundoff) * dtypes.of(result.value).unit_roundoff / result.ulp()


def reduced(losses: Balls, reduction: str) -> Balls:
    """Losses as they are ('none'), their sum, or their mean."""
    losses = balls.as_balls(losses)  # NumPy unpacks arrays of rank 0
    if reduction == "none":
        return losses
    return sum_.exact(losses) if reduction == "sum" else mean.exact(losses)


def reduced_bound(result: Rounded, losses: np.ndarray, errors: np.ndarray, reduction: str) -> np.ndarray:
    """ULP allowed to a reduced loss.

    Args:
        result: the exact result.
        losses: the magnitudes of the single losses, float64.
        errors: the absolute errors allowed to the single losses, in units roundoff, of the same shape.
        reduction: 'none', 'sum' or 'mean'.
    """
    if reduction == "none":
        return relative_to(result, errors) + 0.5
    total = errors.sum() + (summation_growth(losses.size) + 1) * losses.sum()
    return relative_to(result, total if reduction == "sum" else total / max(losses.size, 1)) + 0.5
