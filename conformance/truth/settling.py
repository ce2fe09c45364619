"""From balls to correctly rounded values: precision doubles until every value's rounding is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb

from conformance.ground.dtypes import DType
from conformance.truth import balls
from conformance.truth.balls import Balls, UndecidedError, UndefinedError
from conformance.truth.rounding import Rounded, from_columns, round_dyadic

_GUARD_BITS = 42
_HOPELESS_PRECISION = 1024
_TIE_PRECISION = 4096
"""With so many bits, what is still not told apart from a tie between two values is taken for one."""
_SAFELY_NORMAL = 2.0**-900  # above it, a float64's rounding error is a float64 too


def settle(compute: Callable[[], Balls], dtype: DType, informational: bool = False) -> Rounded:
    """Evaluate `compute` at rising precision until its result rounds to `dtype` without doubt.

    Args:
        compute: gives an object array of balls, from exact inputs, at the current working precision.
        dtype: a floating dtype.
        informational: nothing is judged by it. What is not told apart from a tie at once is taken for one, residuals
            are as true as they come, and what 1,024 bits don't tell stays untold: a chain of steps, of which one
            undoes another, can be arbitrarily near a tie everywhere.

    Returns:
        The correctly rounded values with their residuals, of the result's shape. A residual is true to 2**-42 ULP. Of a
        value within some 2**-4000 ULP of a tie, the even neighbour: either is half a ULP off, and errors and verdicts
        are the same whichever is written down.

    Raises:
        UndefinedError: an element has no finite real value (a logarithm of a negative number, say).
        UndecidedError: 16,384 bits don't tell what an element is.
    """
    precision = dtype.precision + _GUARD_BITS + 30
    before: list[tuple[int, list[arb]]] = []
    while True:
        balls.working_precision(precision)
        result = None
        try:
            result = compute()
            rounded = _rounded(result, dtype, precision, informational)
            return _signs_of_their_own(rounded, before, dtype, informational)
        except UndecidedError:
            if precision >= (_HOPELESS_PRECISION if informational else balls.MAX_PRECISION):
                raise
        except UndefinedError:
            if precision >= _HOPELESS_PRECISION:
                raise
        if result is not None:
            before.append((precision, balls.plain(result)))
        precision *= 2


def _signs_of_their_own(
    rounded: Rounded, before: Sequence[tuple[int, list[arb]]], dtype: DType, informational: bool
) -> Rounded:
    """Values that round to zero without the signs that only the precision for other elements has told.

    Args:
        rounded: the values.
        before: the precisions that did not settle all of them, ascending, and what was worked out.
        dtype: what they were rounded to.
        informational: as for `settle`: no sign is judged.
    """
    tiny = np.flatnonzero((rounded.units == 0) & (rounded.residual != 0))
    if informational or not before or not tiny.size:
        return rounded
    units, quantum, residual = (part.ravel().copy() for part in (rounded.units, rounded.quantum, rounded.residual))
    for index in tiny.tolist():
        for precision, elements in before:
            try:
                settled = _settled(elements[index], dtype, precision, informational, 0, ())
                units[index], quantum[index], residual[index] = settled
                break
            except (UndecidedError, UndefinedError):
                continue
    shape = rounded.units.shape
    return from_columns(units.reshape(shape), quantum.reshape(shape), residual.reshape(shape), dtype)


def _rounded(result: Balls, dtype: DType, precision: int, informational: bool) -> Rounded:
    """Round balls, if they are narrow enough to tell how.

    Most values are rounded all at once from their two leading float64 parts, which is proof enough wherever the
    residual stays clear of a half. The others (near a tie, at the ends of float64's range) are rounded one by one in
    integers, at both ends of their ball if need be.
    """
    elements = balls.plain(result)
    high = np.array([float(e) for e in elements], dtype=np.float64)
    low = np.array([float(e - h) for e, h in zip(elements, high.tolist(), strict=True)], dtype=np.float64)
    accuracy = np.array([e.rel_accuracy_bits() for e in elements], dtype=np.float64)
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(high)
        binade = np.minimum(np.maximum(exponent - 1, dtype.min_exponent), dtype.max_exponent).astype(np.int64)
        quantum = binade - dtype.precision + 1
        scaled = np.ldexp(high, -quantum)
        units = np.rint(scaled)
        residual = (scaled - units) + np.ldexp(low, -quantum)
        clear = (
            (np.abs(residual) < 0.5 - 2.0 ** (2 - _GUARD_BITS))
            & (accuracy >= dtype.precision + _GUARD_BITS)
            & (np.abs(high) > _SAFELY_NORMAL)
            & (np.abs(units) < 2.0**dtype.precision)
        )
    for index in np.flatnonzero(~clear).tolist():
        settled = _settled(elements[index], dtype, precision, informational, index, result.shape)
        units[index], quantum[index], residual[index] = settled
    shape = result.shape
    return from_columns(units.reshape(shape), quantum.reshape(shape), residual.reshape(shape), dtype)


def _settled(
    ball: arb, dtype: DType, precision: int, informational: bool, index: int, shape: tuple[int, ...]
) -> tuple[int, int, float]:
    """One ball, worked out with so many bits, rounded in integers.

    Raises:
        UndefinedError: it is not finite.
        UndecidedError: its ends round differently, or leave the residual open.
    """
    if not ball.is_finite():
        where = np.unravel_index(index, shape) if shape else ()
        raise UndefinedError(f"no finite real value at element {tuple(int(i) for i in where)}")
    if not ball.is_exact():
        low, high = (_round_midpoint(end, dtype) for end in (ball.lower(), ball.upper()))
        if not _same_value(low, high):
            if (informational or precision >= _TIE_PRECISION) and _around_a_tie(low, high):
                return low if low[0] % 2 == 0 else high
            raise UndecidedError("the rounding is not settled")
        # How far past the largest number an overflow lies matters to nobody: infinity is as right wherever it is.
        fits = abs(low[0]) < 1 << dtype.precision
        open_ = low[1] == high[1] and abs(low[2] - high[2]) > _NARROW
        if fits and open_ and precision < balls.MAX_PRECISION and not informational:
            raise UndecidedError("the residual is not settled")
        if low[0] == 0 and ball.contains(0):  # which zero is not told, so no sign is due
            return 0, low[1], 0.0
    return _round_midpoint(ball, dtype)


_NARROW = 2.0**-_GUARD_BITS


def _around_a_tie(low: tuple[int, int, float], high: tuple[int, int, float]) -> bool:
    """Whether two ends that round to different values lie on either side of a tie, and next to it."""
    below, above = sorted((low, high), key=lambda end: (end[1], abs(end[0])))  # of two binades the lower one first
    halves = abs(abs(below[2]) - 0.5) <= _NARROW and abs(abs(above[2]) - 0.5 / 2.0 ** (above[1] - below[1])) <= _NARROW
    return halves and (abs(above[0]) << (above[1] - below[1])) - abs(below[0]) == 1


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
