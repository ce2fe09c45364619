"""Softmax along an axis."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, Backward, OptionalAxis, operation
from conformance.ops.bounds import ELEMENTARY_SLACK, elementary, summation_growth
from conformance.ops.conventions import Conventional
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


def sliced(x: np.ndarray, axis: int | None) -> tuple[np.ndarray, int]:
    """An array of rank 1 or more and the axis meant in it."""
    if axis is None:
        axis = 0 if x.ndim in (0, 1, 3) else 1
    return (x.reshape(1) if x.ndim == 0 else x), axis


def slice_length(x: np.ndarray, axis: int | None = None) -> int:
    """How many elements a slice along the axis that is meant has."""
    slices, along = sliced(x, axis)
    return slices.shape[along]


@operation(
    document="torch.nn.Softmax(dim=axis)(x)",
    backward=Backward(functions=2, basics=6, summed=slice_length),
)
def softmax(x: Array, *, axis: OptionalAxis = None) -> Balls:
    """exp(x) divided by its sum along `axis`.

    Args:
        x: floating, any shape; rank 0 counts as one element along axis 0.
        axis: the axis whose elements then sum to 1; negative counts from the last. Left out: what
            ``torch.nn.Softmax()`` takes, axis 0 for the ranks 0, 1 and 3, and axis 1 for the others.

    Returns:
        The shape and dtype of `x`.
    """
    slices, along = sliced(x, axis)
    e = np.exp(slices - balls.largest(slices, along))
    return (e / e.sum(axis=along, keepdims=True)).reshape(x.shape)


def poisoned(x: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Where a slice holds a NaN or an infinity, or nothing but minus infinities; and minus infinities elsewhere.

    Both have the shape of `x`. In a slice of the first kind the shift by the largest element is inf - inf.
    """
    slices, along = sliced(x, axis)
    largest = np.max(slices, axis=along, keepdims=True, initial=-np.inf)
    lost = np.isnan(largest) | np.isinf(largest)
    lost = np.broadcast_to(lost, slices.shape).reshape(x.shape)
    return lost, np.isneginf(x) & ~lost


NOTHING_TO_SHIFT_BY = (
    "exp(-inf) is 0; a slice with a NaN or an infinity, or of minus infinities alone, is NaN, since the shift by its "
    "largest element is inf - inf"
)
_FAR_BELOW = 2000.0
"""The exponential of a number so far below another rounds to nothing beside that one's, in every dtype."""


def stand_ins(x: np.ndarray, axis: int | None) -> np.ndarray:
    """`x` with 0 throughout the slices that are NaN, and a number far below the largest in place of -inf."""
    lost, vanishing = poisoned(x, axis)
    slices, along = sliced(np.where(lost, 0.0, x), axis)
    if not vanishing.any():
        return slices.reshape(x.shape)
    largest = np.max(slices, axis=along, keepdims=True, initial=-np.inf)
    # Where nothing lies far below the largest number, the numbers of its slice are within a factor of 2 of it, so that
    # their distances from it are exact (Sterbenz), and a softmax depends on nothing else.
    lowest = largest < -np.finfo(np.float64).max / 2
    slices, largest = np.where(lowest & np.isfinite(slices), slices - largest, slices), np.where(lowest, 0.0, largest)
    low = largest - np.maximum(np.abs(largest), _FAR_BELOW)
    return np.where(np.isinf(slices), low, slices).reshape(x.shape)


@softmax.by_convention(NOTHING_TO_SHIFT_BY)
def _(x: np.ndarray, *, axis: int | None = None) -> Conventional:
    lost, vanishing = poisoned(x, axis)
    return {"x": stand_ins(x, axis)}, lost | vanishing, np.where(lost, np.nan, 0.0)


def shift_distances(x: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """How far each element lies below the largest of its slice, and the mean of that, weighted by the softmax.

    The first is what rounding the shifted argument costs a numerator, in units roundoff; the second what it costs
    the denominator.
    """
    x, axis = sliced(x, axis)
    # Numbers further apart than float64 reaches: an infinite distance times a weight of 0 would be NaN.
    below = np.minimum(x.max(axis=axis, keepdims=True, initial=-np.inf) - x, np.finfo(np.float64).max)
    weights = np.exp(-below)
    weights /= weights.sum(axis=axis, keepdims=True)
    return below, (weights * below).sum(axis=axis, keepdims=True)


@softmax.inherits(
    "the slopes y_i (c_i - sum c_j y_j) of the rounded result: what y_i may be off by times the bracket, and y_i times "
    "what the y_j of the sum may be off by, each with its weight c_j"
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
    y, along = sliced(result.magnitude(), axis)
    error, cotangent = error.reshape(y.shape), cotangent.reshape(y.shape)
    bracket = np.abs(cotangent - (cotangent * y).sum(axis=along, keepdims=True))
    of_the_sum = (np.abs(cotangent) * error).sum(axis=along, keepdims=True)
    return np.asarray((error * bracket + (y + error) * of_the_sum).reshape(x.shape))


@softmax.budget(
    "Blanchard, Higham & Higham, Accurately Computing the Log-Sum-Exp and Softmax Functions (2021), section 4, for the "
    "shifted formula: one exponential each in numerator and denominator, the rounding of the shifted arguments "
    "(|x - max| units roundoff), the sum, and the division",
    ELEMENTARY_SLACK,
)
def _(result: Rounded, x: np.ndarray, *, axis: int | None = None) -> np.ndarray:
    numerator, denominator = shift_distances(x, axis)
    bound = numerator + denominator + (2 * elementary(result) + summation_growth(slice_length(x, axis)) + 1)
    return np.asarray(bound.reshape(x.shape))
