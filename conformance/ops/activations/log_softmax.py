"""Logarithm of softmax along an axis."""

from __future__ import annotations

import numpy as np
from flint import arb

from conformance.ground import dtypes
from conformance.ops.activations.softmax import (
    NOTHING_TO_SHIFT_BY,
    poisoned,
    shift_distances,
    slice_length,
    sliced,
    stand_ins,
)
from conformance.ops.base import Array, Backward, OptionalAxis, operation
from conformance.ops.bounds import ELEMENTARY_SLACK, elementary, exponential_error, relative_to, summation_growth
from conformance.ops.conventions import Conventional
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(
    document="torch.nn.LogSoftmax(dim=axis)(x)",
    backward=Backward(functions=1, basics=5, summed=slice_length),
)
def log_softmax(x: Array, *, axis: OptionalAxis = None) -> Balls:
    """x minus the logarithm of the sum of exp(x) along `axis`.

    Args:
        x: floating, any shape; rank 0 counts as one element along axis 0.
        axis: the axis that is normalised; negative counts from the last. Left out: as for `softmax`.

    Returns:
        The shape and dtype of `x`.
    """
    slices, along = sliced(x, axis)
    shifted = slices - balls.largest(slices, along)
    # The ball 0 to start with: the sum over an axis without elements would be a plain 0.
    return (shifted - np.log(np.exp(shifted).sum(axis=along, keepdims=True, initial=arb(0)))).reshape(x.shape)


@log_softmax.by_convention(NOTHING_TO_SHIFT_BY.replace("exp(-inf) is 0", "-inf stays -inf"))
def _(x: np.ndarray, *, axis: int | None = None) -> Conventional:
    lost, vanishing = poisoned(x, axis)
    # A number alone among minus infinities has log 1; with a stand-in for them it would be a little less.
    slices, along = sliced(vanishing, axis)
    hidden = slices.sum(axis=along, keepdims=True)
    lonely = np.broadcast_to((hidden > 0) & (hidden == slices.shape[along] - 1), slices.shape).reshape(x.shape)
    values = np.where(lost, np.nan, np.where(vanishing, -np.inf, 0.0))
    return {"x": stand_ins(np.where(lonely, 0.0, x), axis)}, lost | vanishing | lonely, values


@log_softmax.inherits(
    "the slopes c_i - exp(y_i) sum c_j of the rounded result: what y_i may be off by is the relative error of exp(y_i)"
)
def _(
    wrt: str,
    result: Rounded,
    error: np.ndarray,
    cotangent: np.ndarray,
    *,
    x: np.ndarray,
    axis: int | None = None,
) -> np.ndarray:
    y, along = sliced(-result.magnitude(), axis)
    cotangent = cotangent.reshape(y.shape)
    rounding = dtypes.of(result.value).unit_roundoff * summation_growth(slice_length(x, axis))
    total = np.abs(cotangent.sum(axis=along, keepdims=True)) + rounding * np.abs(cotangent).sum(
        axis=along, keepdims=True
    )
    return np.asarray((total * exponential_error(y, error.reshape(y.shape))).reshape(x.shape))


@log_softmax.budget(
    "Blanchard, Higham & Higham (2021), section 3, for the shifted log-sum-exp: the rounding of the shift and of the "
    "final difference, one logarithm, and the relative error of the sum, which the logarithm turns into an absolute "
    "one",
    ELEMENTARY_SLACK,
)
def _(result: Rounded, x: np.ndarray, *, axis: int | None = None) -> np.ndarray:
    below, mean_below = shift_distances(x, axis)
    log_sum = np.abs(result.magnitude().reshape(below.shape) - below)
    of_the_sum = elementary(result) + mean_below + summation_growth(slice_length(x, axis))
    return relative_to(result, (below + elementary(result) * log_sum + of_the_sum).reshape(x.shape)) + 1
