"""Softmax along an axis."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, Axis, elementary, operation, summation_growth
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.nn.Softmax(dim=axis)(x)")
def softmax(x: Array, *, axis: Axis) -> Balls:
    """exp(x) divided by its sum along `axis`.

    Args:
        x: floating, any shape of rank 1 or more.
        axis: the axis whose elements then sum to 1; negative counts from the last.

    Returns:
        The shape and dtype of `x`.
    """
    e = np.exp(x - balls.largest(x, axis))
    return e / e.sum(axis=axis, keepdims=True)


def shift_distances(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """How far each element lies below the largest of its slice, and the mean of that, weighted by the softmax.

    The first is what rounding the shifted argument costs a numerator, in units roundoff; the second what it costs
    the denominator.
    """
    # Numbers further apart than float64 reaches: an infinite distance times a weight of 0 would be NaN.
    below = np.minimum(x.max(axis=axis, keepdims=True, initial=-np.inf) - x, np.finfo(np.float64).max)
    weights = np.exp(-below)
    weights /= weights.sum(axis=axis, keepdims=True)
    return below, (weights * below).sum(axis=axis, keepdims=True)


@softmax.budget(
    "Blanchard, Higham & Higham, Accurately Computing the Log-Sum-Exp and Softmax Functions (2021), section 4, for the "
    "shifted formula: one exponential each in numerator and denominator, the rounding of the shifted arguments "
    "(|x - max| units roundoff), the sum, and the division"
)
def _(result: Rounded, x: np.ndarray, *, axis: int) -> np.ndarray:
    numerator, denominator = shift_distances(x, axis)
    return numerator + denominator + (2 * elementary(result) + summation_growth(x.shape[axis]) + 1)
