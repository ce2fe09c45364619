"""Exact arithmetic: NumPy object arrays of Arb balls (python-flint).

A ball is a midpoint and a radius; every operation on balls returns one that surely holds the exact result.
NumPy's ufuncs call the elements' own methods (``np.exp`` calls ``exp``), so definitions are written as NumPy
expressions. The helpers here are what such expressions need beyond that. They also take the `Traced` elements
of `conformance.truth.gradient`, which is how derivatives come from the same definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

Balls = np.ndarray
"""An object array whose elements are balls (or traced balls)."""

MAX_PRECISION = 1 << 14
AMPLE_PRECISION = 160
"""Bits for balls that are shown or compared and not rounded: three times float64's."""

FAR = 1 << 20
_FAR_BALL = arb(FAR)


class UndecidedError(ArithmeticError):
    """More precision is needed to tell which way a definition goes, or which way a value rounds."""


class UndefinedError(ArithmeticError):
    """A definition has no finite real value on these inputs."""


def working_precision(bits: int) -> None:
    """Set the precision, in bits, of every ball operation from here on."""
    ctx.prec = bits


def exact(array: np.ndarray) -> Balls:
    """The elements of a finite numeric array as balls of radius 0."""
    if array.dtype.kind in "iub":
        flat = [arb(int(v)) for v in array.ravel().tolist()]
    else:
        # float64 holds every value of the narrower floating dtypes.
        flat = [arb(v) for v in array.astype(np.float64).ravel().tolist()]
    return _shaped(flat, array.shape)


def intervals(midpoints: list[Fraction], radii: list[Fraction], shape: tuple[int, ...]) -> Balls:
    """Balls around rational midpoints with rational radii, in C order."""
    flat = [
        arb(fmpq(m.numerator, m.denominator)) + arb(0, _upper(fmpq(r.numerator, r.denominator)) if r else 0)
        for m, r in zip(midpoints, radii, strict=True)
    ]
    return _shaped(flat, shape)


def _upper(value: fmpq) -> arb:
    return arb(value).abs_upper()


def _shaped(flat: list[Any], shape: tuple[int, ...]) -> Balls:
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(shape)


def value_of(element: Any) -> arb:
    """The ball of an element, traced or not; plain numbers become balls."""
    value = getattr(element, "ball", element)
    return value if isinstance(value, arb) else arb(value)


def elementwise(function: Callable[..., Any], *arrays: Balls) -> Balls:
    """Apply a scalar function over broadcast object arrays; the result is an object array also for rank 0."""
    result = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return as_balls(result)


def as_balls(value: Any) -> Balls:
    """A definition's result as an object array: NumPy unpacks arrays of rank 0, and sums nothing to the int 0."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value
    if isinstance(value, np.ndarray):
        return exact(value)
    result = np.empty((), dtype=object)
    result[()] = value if _traced(value) or isinstance(value, arb) else arb(value)
    return result


def _traced(element: Any) -> bool:
    return hasattr(element, "ball")


def plain(x: Balls) -> list[arb]:
    """The balls of all elements, traced or not."""
    flat = x.ravel().tolist()
    return flat if not flat or isinstance(flat[0], arb) else [value_of(element) for element in flat]


def log(x: Balls) -> Balls:
    """Natural logarithm, with log 0 = -inf (as a ball), which Arb itself leaves undefined."""
    result = np.log(x)
    return _with_infinities(x, as_balls(result), lambda ball: ball.is_zero())


def log1p(x: Balls) -> Balls:
    """log(1 + x), with log1p(-1) = -inf."""
    result = np.log1p(x)
    return _with_infinities(x, as_balls(result), lambda ball: (ball + 1).is_zero())


def _with_infinities(x: Balls, logarithms: Balls, at_zero: Callable[[arb], bool]) -> Balls:
    if all(ball.is_finite() for ball in plain(logarithms)):
        return logarithms
    # A traced logarithm of 0 is -inf already, and knows that it has no finite slope.
    return elementwise(lambda e, r: arb.neg_inf() if not _traced(r) and at_zero(e) else r, x, logarithms)


def at_least(x: Balls, low: int) -> Balls:
    """max(x, low) for an integer `low`. A traced element below `low` becomes a constant.

    Raises:
        UndecidedError: if a traced element's ball holds `low`, so that its derivative can't be told.
    """
    bound = arb(low)
    if all(ball > bound for ball in plain(x)):
        return x

    def one(element: Any) -> Any:
        if isinstance(element, arb):
            return element.max(bound)
        if element.ball > bound:
            return element
        if element.ball < bound:
            return bound
        raise UndecidedError(f"the derivative of max(x, {low}) at x = {low}")

    return elementwise(one, x)


def far_above_zero(x: Balls) -> np.ndarray:
    """Where a ball lies above 2**20: there exp(x) leaves what Arb represents, so another form is due."""
    return np.array([ball > _FAR_BALL for ball in plain(x)], dtype=bool).reshape(x.shape)


def largest(x: Balls, axis: int | None) -> Balls:
    """The largest midpoint along an axis (kept, with length 1), as exact constants without a derivative.

    Subtracting any constant from every exponent leaves a softmax as it is; this one keeps exponentials representable.
    """
    midpoints = elementwise(lambda e: value_of(e).mid(), x)
    return as_balls(np.maximum.reduce(midpoints, axis=axis, keepdims=True, initial=arb.neg_inf()))


def to_decimal(ball: arb, digits: int = 20) -> str:
    """A ball as a decimal string of up to `digits` significant digits, without its radius."""
    if ball.is_zero():
        return "0"
    return str(ball.str(digits, radius=False))


def widened(x: Balls, by: np.ndarray) -> Balls:
    """Balls with their radii enlarged by float64 amounts (infinite ones give balls that hold everything)."""
    return elementwise(lambda e, r: value_of(e) + arb(0, float(r)), x, by.astype(object))
