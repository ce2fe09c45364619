"""Means."""

from __future__ import annotations

import numpy as np
from flint import arb

from conformance.ops.base import Array, Backward, Flag, MaybeAxes, operation
from conformance.ops.bounds import relative_to, summation_growth
from conformance.ops.conventions import IEEE, Conventional
from conformance.ops.reductions.sum import SUMMATION, Axes, count, reduced_axes, reduced_specials, sum_
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.mean(x, dim=axis, keepdim=keepdims)", backward=Backward(basics=2))
def mean(x: Array, *, axis: MaybeAxes = None, keepdims: Flag = False) -> Balls:
    """The mean of the elements along `axis`, along several axes, or of all.

    Args:
        x: floating, any shape.
        axis: what is reduced: an axis, a list of axes (none twice; along none of them, `[]`, each element is a mean of
            its own, as the array API and NumPy have it), or all of them where null. Rank 0 counts as one element
            along axis 0.
        keepdims: whether a reduced axis stays, with length 1.

    Returns:
        The dtype of `x`. The mean of nothing is not defined.
    """
    total = sum_.exact(x, axis=axis, keepdims=keepdims)
    return total / n if (n := count(x, axis)) else balls.elementwise(lambda _: arb.nan(), total)


@mean.by_convention(f"{IEEE}; the mean of nothing is 0 / 0, NaN")
def _(x: np.ndarray, *, axis: Axes = None, keepdims: bool = False) -> Conventional:
    stand_ins, special, values = reduced_specials(x, axis, keepdims)
    return stand_ins, special | (count(x, axis) == 0), values if count(x, axis) else np.full(values.shape, np.nan)


@mean.budget(SUMMATION + ", the division (exact by 1), and the rounding of the result")
def _(result: Rounded, x: np.ndarray, *, axis: Axes = None, keepdims: bool = False) -> np.ndarray:
    n = max(count(x, axis), 1)
    magnitudes = np.abs(x).sum(axis=reduced_axes(x, axis), keepdims=keepdims) / n
    return relative_to(result, (summation_growth(n) + (n > 1)) * magnitudes) + 0.5
