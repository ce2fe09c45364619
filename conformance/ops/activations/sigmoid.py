"""The logistic sigmoid."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, Backward, operation
from conformance.ops.bounds import ELEMENTARY_SLACK, elementary
from conformance.ops.conventions import LIMITS, Conventional, limits
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.nn.Sigmoid()(x)", backward=Backward(functions=1, basics=5))
def sigmoid(x: Array) -> Balls:
    """1 / (1 + exp(-x)), element by element.

    Args:
        x: floating, any shape.

    Returns:
        The shape and dtype of `x`, in [0, 1]: closed, since results round to both ends.
    """
    # Below -2**20 every dtype's result is zero, while exp(-x) would leave what Arb represents.
    return 1 / (1 + np.exp(-balls.at_least(x, -balls.FAR)))


@sigmoid.by_convention(LIMITS)
def _(x: np.ndarray) -> Conventional:
    return limits(x, 0.0, 1.0)


@sigmoid.inherits("the slope y (1 - y) of the rounded result: what y may be off by, times |1 - 2 y| <= 1")
def _(wrt: str, result: Rounded, error: np.ndarray, cotangent: np.ndarray, **arguments: np.ndarray) -> np.ndarray:
    return np.abs(cotangent) * error


@sigmoid.budget(
    "error analysis of 1 / (1 + exp(-x)): one exponential (8 units roundoff, 2 in 16 bits), whose relative error the "
    "sum can only damp, one addition and one division",
    ELEMENTARY_SLACK,
)
def _(result: Rounded, x: np.ndarray) -> float:
    return elementary(result) + 2
