"""Logarithm of the logistic sigmoid, and the softplus it is made of."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, Backward, operation
from conformance.ops.bounds import ELEMENTARY_SLACK, elementary, exponential_error
from conformance.ops.conventions import LIMITS, Conventional, limits
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


def softplus(x: Balls) -> Balls:
    """log(1 + exp(x)), exact.

    Far above zero exp(x) leaves what Arb represents; there the identity softplus(x) = x + softplus(-x) is used.
    Elsewhere it is not, because a ball that appears twice makes the result's ball wider than it need be.
    """
    x = balls.as_balls(x)  # NumPy unpacks the negative of an array of rank 0
    far = balls.far_above_zero(x)
    if not far.any():
        return np.log1p(np.exp(x))
    return np.where(far, x, 0) + np.log1p(np.exp(np.where(far, -x, x)))


@operation(document="torch.nn.LogSigmoid()(x)", backward=Backward(functions=2, basics=5))
def log_sigmoid(x: Array) -> Balls:
    """log(1 / (1 + exp(-x))), element by element.

    Args:
        x: floating, any shape.

    Returns:
        The shape and dtype of `x`, at most 0.
    """
    return -softplus(-x)


@log_sigmoid.by_convention(LIMITS)
def _(x: np.ndarray) -> Conventional:
    return limits(x, -np.inf, 0.0)


@log_sigmoid.inherits(
    "the slope exp(-x + y) of the rounded result, as logaddexp has it: what y may be off by; that is its relative error"
)
def _(wrt: str, result: Rounded, error: np.ndarray, cotangent: np.ndarray, *, x: np.ndarray) -> np.ndarray:
    # y = -(max(-x, 0) + what is not negative) never rounds to more than min(x, 0): the exponent is not positive.
    return np.abs(cotangent) * exponential_error(-np.logaddexp(0, x), error)


@log_sigmoid.budget(
    "error analysis of min(x, 0) - log1p(exp(-|x|)), two terms of one sign: one exponential and one log1p (8 units "
    "roundoff each, neither amplified) and one addition",
    ELEMENTARY_SLACK,
)
def _(result: Rounded, x: np.ndarray) -> float:
    return 2 * elementary(result) + 1
