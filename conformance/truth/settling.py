"""From balls to correctly rounded values: precision doubles until every value's rounding is settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from conformance.dtypes import DType
from conformance.truth import balls
from conformance.truth.balls import Balls, UndecidedError, UndefinedError
from conformance.truth.rounding import Rounded, assemble, round_dyadic

_GUARD_BITS = 42
_HOPELESS_PRECISION = 1024


def settle(compute: Callable[[], Balls], dtype: DType) -> Rounded:
    """Evaluate `compute` at rising precision until its result rounds to `dtype` without doubt.

    Args:
        compute: gives an object array of balls, from exact inputs, at the current working precision.
        dtype: a floating dtype.

    Returns:
        The correctly rounded values with their residuals, of the result's shape.

    Raises:
        UndefinedError: an element has no finite real value (a logarithm of a negative number, say).
        UndecidedError: an element lies so near a rounding boundary that 16,384 bits don't tell on which side.
    """
    precision = dtype.precision + _GUARD_BITS + 30
    while True:
        balls.working_precision(precision)
        try:
            result = compute()
            parts = _rounded(result, dtype)
        except UndecidedError:
            if precision >= balls.MAX_PRECISION:
                raise
        except UndefinedError:
            if precision >= _HOPELESS_PRECISION:
                raise
        else:
            return assemble(parts, result.shape, dtype)
        precision *= 2


def _rounded(result: Balls, dtype: DType) -> list[tuple[int, int, float]]:
    enough = dtype.precision + _GUARD_BITS
    margin = 0.5 - 2.0 ** (2 - _GUARD_BITS)
    parts = []
    for index, element in enumerate(result.ravel().tolist()):
        ball: arb = balls.value_of(element)
        if not ball.is_finite():
            where = np.unravel_index(index, result.shape) if result.shape else ()
            raise UndefinedError(f"no finite real value at element {tuple(int(i) for i in where)}")
        part = _round_midpoint(ball, dtype)
        # A radius below 2**-enough of the value can't reach a boundary that is `margin` away; else ask both ends.
        if not (ball.rel_accuracy_bits() >= enough and abs(part[2]) < margin) and not ball.is_exact():
            low, high = (_round_midpoint(end, dtype) for end in (ball.lower(), ball.upper()))
            if not _same_value(low, high):
                raise UndecidedError("the rounding is not settled")
        parts.append(part)
    return parts


def _round_midpoint(ball: arb, dtype: DType) -> tuple[int, int, float]:
    mantissa, exponent = ball.mid().man_exp()
    return round_dyadic(int(mantissa), int(exponent), dtype)


def _same_value(a: tuple[int, int, float], b: tuple[int, int, float]) -> bool:
    if a[0] == 0 or b[0] == 0:
        return a[0] == b[0]
    shift = a[1] - b[1]
    return (a[0] << shift) == b[0] if shift >= 0 else a[0] == (b[0] << -shift)


def midpoints_and_radii(result: Balls) -> tuple[np.ndarray, np.ndarray]:
    """Balls as float64 midpoints and radii, for showing how far something reaches (not for judging).

    A ball that isn't finite has an infinite radius.
    """
    elements: list[Any] = [balls.value_of(e) for e in result.ravel().tolist()]
    middles = np.array([float(e.mid()) if e.is_finite() else np.nan for e in elements])
    radii = np.array([float(e.rad()) if e.is_finite() else np.inf for e in elements])
    return middles.reshape(result.shape), radii.reshape(result.shape)
