"""Logarithm of softmax along an axis."""

from __future__ import annotations

import numpy as np
from flint import arb

from conformance.ops.base import Array, Axis, elementary, operation, summation_growth
from conformance.ops.reductions import relative_to
from conformance.ops.softmax import shift_distances
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.nn.LogSoftmax(dim=axis)(x)")
def log_softmax(x: Array, *, axis: Axis) -> Balls:
    """x minus the logarithm of the sum of exp(x) along `axis`.

    Args:
        x: floating, any shape of rank 1 or more.
        axis: the axis that is normalised; negative counts from the last.

    Returns:
        The shape and dtype of `x`.
    """
    shifted = x - balls.largest(x, axis)
    # The ball 0 to start with: the sum over an axis without elements would be a plain 0.
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True, initial=arb(0)))


@log_softmax.budget(
    "Blanchard, Higham & Higham (2021), section 3, for the shifted log-sum-exp: the rounding of the shift and of the "
    "final difference, one logarithm, and the relative error of the sum, which the logarithm turns into an absolute one"
)
def _(result: Rounded, x: np.ndarray, *, axis: int) -> np.ndarray:
    below, mean_below = shift_distances(x, axis)
    log_sum = np.abs(result.magnitude() - below)
    of_the_sum = elementary(result) + mean_below + summation_growth(x.shape[axis])
    return relative_to(result, below + elementary(result) * log_sum + of_the_sum) + 1
