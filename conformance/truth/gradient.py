"""Exact derivatives of the operations' own definitions.

No derivative of any operation is written down. A definition is run once on `Traced` elements, which remember
how each number came from others; the local slope of every elementary step is the second coefficient that power
series arithmetic (Arb's `arb_series`) gives for that step. Slopes are then multiplied and added up backwards.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, arb_series

from conformance.truth.balls import Balls, as_balls, elementwise, value_of


class Traced:
    """A ball that remembers the step it came from: its parents, and its slope with respect to each."""

    __slots__ = ("ball", "parents", "sensitivity", "slopes", "spread")

    def __init__(self, ball: arb, parents: tuple[Traced, ...] = (), slopes: tuple[arb, ...] = ()) -> None:
        self.ball = ball
        self.parents = parents
        self.slopes = slopes
        self.sensitivity = arb(0)
        self.spread = arb(0)

    def _unary(self, series: arb_series) -> Traced:
        return Traced(series[0], (self,), (series[1],))

    def _binary(self, other: Any, function: Callable[[arb_series, arb_series], arb_series]) -> Any:
        if isinstance(other, Traced):
            left = function(arb_series([self.ball, 1], 2), arb_series([other.ball], 2))
            right = function(arb_series([self.ball], 2), arb_series([other.ball, 1], 2))
            return Traced(left[0], (self, other), (left[1], right[1]))
        if not isinstance(other, (arb, int, float)):
            return NotImplemented
        return self._unary(function(arb_series([self.ball, 1], 2), arb_series([arb(other)], 2)))

    def __add__(self, other: Any) -> Any:
        return self._binary(other, operator.add)

    def __sub__(self, other: Any) -> Any:
        return self._binary(other, operator.sub)

    def __mul__(self, other: Any) -> Any:
        return self._binary(other, operator.mul)

    def __truediv__(self, other: Any) -> Any:
        return self._binary(other, _quotient)

    def __radd__(self, other: Any) -> Any:
        return self._binary(other, operator.add)

    def __rmul__(self, other: Any) -> Any:
        return self._binary(other, operator.mul)

    def __rsub__(self, other: Any) -> Any:
        return self._unary(arb_series([arb(other)], 2) - arb_series([self.ball, 1], 2))

    def __rtruediv__(self, other: Any) -> Any:
        return self._unary(_quotient(arb_series([arb(other)], 2), arb_series([self.ball, 1], 2)))

    def __neg__(self) -> Traced:
        return Traced(-self.ball, (self,), (arb(-1),))

    def exp(self) -> Traced:
        """What ``np.exp`` calls."""
        return self._unary(arb_series([self.ball, 1], 2).exp())

    def log(self) -> Traced:
        """What ``np.log`` calls."""
        if self.ball.is_zero():
            return self._log_of_zero()
        return self._unary(arb_series([self.ball, 1], 2).log())

    def log1p(self) -> Traced:
        """What ``np.log1p`` calls."""
        if (1 + self.ball).is_zero():
            return self._log_of_zero()
        return self._unary(arb_series([1 + self.ball, 1], 2).log())

    def _log_of_zero(self) -> Traced:
        """-inf, as in `balls.log`, without a finite slope: harmless only where what follows cuts it off."""
        return Traced(arb.neg_inf(), (self,), (arb.pos_inf(),))


def _quotient(a: arb_series, b: arb_series) -> arb_series:
    """a / b; not finite where b may be 0, as with balls (dividing the series would raise)."""
    return arb_series([arb.nan(), arb.nan()], 2) if b[0].contains(0) else a / b


def trace(x: Balls) -> Balls:
    """Fresh traced elements over balls."""
    return elementwise(Traced, x)


def backward(output: Balls, cotangent: Balls) -> None:
    """Accumulate, in every traced element behind `output`, the slope of ``sum(cotangent * output)``.

    `sensitivity` receives the slope itself, `spread` the sum of the magnitudes of what was added up to it: their
    ratio tells how much of a slope is cancellation, which is what an error budget for it must allow for.
    """
    order: list[Traced] = []
    seen: set[int] = set()
    for element, weight in zip(as_balls(output).ravel(), as_balls(cotangent).ravel(), strict=True):
        if isinstance(element, Traced):
            element.sensitivity += weight
            element.spread += abs(weight)
            _topological(element, order, seen)
    for node in reversed(order):
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            parent.sensitivity += node.sensitivity * slope
            parent.spread += node.spread * abs(slope)


def _topological(root: Traced, order: list[Traced], seen: set[int]) -> None:
    """Append `root` and all it came from to `order`, parents first (iteratively: sums make deep chains)."""
    stack: list[tuple[Traced, bool]] = [(root, False)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents if id(parent) not in seen)


def slopes(x: Balls) -> tuple[Balls, Balls]:
    """What `backward` left in traced inputs: their sensitivities and their spreads."""
    return elementwise(lambda e: e.sensitivity, x), elementwise(lambda e: value_of(e.spread), x)


def reached(output: Balls, where: np.ndarray, x: Balls) -> np.ndarray:
    """Which traced elements `x` lie behind the elements of `output` at `where`, whatever their slopes: of x's shape."""
    behind: set[int] = set()
    for element, asked in zip(as_balls(output).ravel(), where.ravel().tolist(), strict=True):
        if asked and isinstance(element, Traced):
            _topological(element, [], behind)
    return np.array([id(element) in behind for element in x.ravel()], dtype=bool).reshape(x.shape)


def default_cotangent(shape: tuple[int, ...]) -> np.ndarray:
    """Weights of the outputs in the scalar whose gradient is checked: float64, multiples of 1/4 in [-1, 1].

    They differ along each axis (with equal weights the gradient of a softmax is zero and shows nothing), and along each
    axis otherwise (or a gradient that was transposed would be right). All are exact in every floating dtype, and none
    is zero.
    """
    pattern = np.array([1.0, -0.5, 0.75, -1.0, 0.25, 0.5, -0.75])
    place, taken, stride = np.zeros(shape, dtype=np.int64), [], 1
    for axis in reversed(range(len(shape))):
        if shape[axis] > 1:
            # In C order where that is a step of its own through the pattern; else the least that is free.
            wanted = (stride % 7, *range(1, 7))
            step = next((n for n in wanted if n and n not in taken), 1)
            taken.append(step)
            place += step * np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - axis - 1))
        stride *= shape[axis]
    return np.asarray(pattern[place % 7])
