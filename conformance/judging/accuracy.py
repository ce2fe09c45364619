"""Where over its range an operation errs, and by how much: the errors of a result, put into bins by exponent.

The bins are those of the element's own input, a pair (one a sign) for each power of two: the errors of a function
mostly depend on where it is computed. Where a result has no element's own input (a sum has many), they are those of the
exact result.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from conformance.ground import dtypes
from conformance.ops.base import arrays_in
from conformance.truth.rounding import Rounded

_LARGEST = float(np.finfo(np.float64).max)
_DIGITS = 6
_ZERO_RANK = 1
_FIRST_RANK = 1200
"""Of the exponent 0. All exponents of float64, from -1074 up, then have ranks above that of zero."""


class Bin(Struct, frozen=True, array_like=True):
    """The elements of one sign and exponent, with their errors in ULP of the exact values.

    Attributes:
        sign: 1 or -1. That of a zero counts: -0.0 has a bin of its own.
        exponent: `e` of the numbers from ``2**e`` up to, not including, ``2**(e + 1)``, subnormal ones too; None of
            zeros.
        count: how many elements an error was measured of; finite ones.
        largest: the largest error; None where there is none.
        p99: the 99th percentile of the errors' sizes: the smallest one that at least 99 % of them do not exceed, one of
            those that came (the nearest-rank definition).
        mean: of the errors with their signs, positive where results are too large.
        budget: what the element with the largest error was allowed.
        over: how many exceed their own budgets.
        lost: how many results are NaN or infinite and must not be; no error is measured of them.
        overflowed: how many results are infinite and must be: the exact values lie past the largest number.
        flushed: how many results are zeros where subnormal numbers are due, and the budget does not allow it: their
            distance is no rounding error.
    """

    sign: int
    exponent: int | None
    count: int
    largest: float | None = None
    p99: float | None = None
    mean: float | None = None
    budget: float | None = None
    over: int = 0
    lost: int = 0
    overflowed: int = 0
    flushed: int = 0

    @property
    def rank(self) -> int:
        """Its place on the axis from the most negative numbers by zero to the largest; no two bins share one."""
        return self.sign * (_ZERO_RANK if self.exponent is None else self.exponent + _FIRST_RANK)


class Profile(Struct, frozen=True, omit_defaults=True):
    """The errors of one result, in bins.

    Numbers are rounded to six digits.

    Attributes:
        by: the name of the input whose sign and exponent choose an element's bin: the first floating one, broadcast to
            the result's shape. Empty where that is no such shape: those of the correctly rounded exact result do.
        bins: those that hold elements, ascending along the axis.
        special: how many elements are in no bin: an operation's convention says what they must be, and not arithmetic,
            or their own input is not finite.
    """

    by: str
    bins: list[Bin]
    special: int = 0

    @property
    def size(self) -> int:
        """How many elements the result has."""
        return self.special + sum(one.count + one.lost + one.overflowed + one.flushed for one in self.bins)

    def contradiction(self) -> str:
        """What in it can't be so; empty for what `profile` makes."""
        ranks = [one.rank for one in self.bins]
        if any(a >= b for a, b in itertools.pairwise(ranks)):
            return "its bins don't ascend"
        for one in self.bins:
            told = (one.largest, one.p99, one.mean, one.budget)
            if one.sign not in (-1, 1) or not -_FIRST_RANK < (one.exponent or 0) - _ZERO_RANK < _FIRST_RANK:
                return f"a bin of sign {one.sign} and exponent {one.exponent}"
            if min(one.count, one.over, one.lost, one.overflowed, one.flushed) < 0 or one.over > one.count:
                return f"a bin of {one.count} elements, {one.over} of them over their budgets"
            if any((number is None) != (one.count == 0) for number in told):
                return "errors without elements, or elements without errors"
            if one.count and not (abs(one.mean or 0) <= (one.largest or 0) >= (one.p99 or 0) >= 0):
                return f"a largest error of {one.largest}, with a mean of {one.mean} and a percentile of {one.p99}"
        return ""


def profile(
    exact: Rounded, budget: np.ndarray, special: np.ndarray | None, got: np.ndarray, arguments: Mapping[str, Any]
) -> Profile:
    """The errors of a result, in bins.

    Args:
        exact: the exact values.
        budget: ULP allowed to each element, of the same shape.
        special: where a convention says the result; None where nowhere.
        got: the result, of the same shape.
        arguments: what the operation received, by name.
    """
    name, ranks, placed = _places(exact, arguments)
    if special is not None:
        placed = placed & ~special
    of_bins, number = np.unique(ranks[placed], return_inverse=True)
    wide, error, allowed = got.astype(np.float64)[placed], exact.error(got)[placed], np.asarray(budget)[placed]
    overflowed = np.isinf(wide) & (wide == exact.value.astype(np.float64)[placed])
    lost = ~np.isfinite(wide) & ~overflowed
    over = np.abs(error) > allowed
    flushed = over & (wide == 0) & exact.subnormal()[placed]
    measured = ~(overflowed | lost | flushed)

    def counted(flags: np.ndarray) -> list[int]:
        return [int(n) for n in np.bincount(number[flags], minlength=of_bins.size)]

    apart = zip(*map(counted, (over & measured, lost, overflowed, flushed)), strict=True)
    owner, error, allowed = number[measured], np.clip(error[measured], -_LARGEST, _LARGEST), allowed[measured]
    size = np.abs(error)
    order = np.lexsort((size, owner))
    counts = np.bincount(owner, minlength=of_bins.size)
    ends = np.cumsum(counts)
    with np.errstate(over="ignore"):
        sums = np.bincount(owner, weights=error, minlength=of_bins.size)
    bins = []
    for rank, count, end, total, others in zip(of_bins.tolist(), counts, ends, sums, apart, strict=True):
        told: tuple[float | None, ...] = (None,) * 4
        if count:
            # The last in order is the largest; the percentile is the ceil(0.99 count)-th.
            last, within = order[end - 1], order[end - count + -(-99 * count // 100) - 1]
            told = tuple(map(_short, (size[last], size[within], total / count, allowed[last])))
        exponent = None if abs(rank) == _ZERO_RANK else abs(rank) - _FIRST_RANK
        largest, p99, mean, there = told
        bins.append(Bin(1 if rank > 0 else -1, exponent, int(count), largest, p99, mean, there, *others))
    return Profile(name, bins, got.size - wide.size)


def _places(exact: Rounded, arguments: Mapping[str, Any]) -> tuple[str, np.ndarray, np.ndarray]:
    """What the bins are of, each element's rank on the axis, and whether it has one; both of the result's shape."""
    shape = exact.units.shape
    for name, value in arguments.items():
        if isinstance(value, np.ndarray) and dtypes.of(value).kind == "floating":
            if _fits(value.shape, shape):
                wide = np.broadcast_to(value, shape).astype(np.float64)
                placed = np.isfinite(wide)
                return name, _ranks(np.where(placed, wide, 0.0), np.signbit(wide), 0), placed
            break
    # An overflow counts as the first value that no longer fits, so nothing is left without a place.
    negative = np.signbit(exact.value.astype(np.float64))
    return "", _ranks(exact.units, negative, exact.quantum), np.ones(shape, dtype=bool)


def _fits(shape: tuple[int, ...], result: tuple[int, ...]) -> bool:
    """Whether an array of a shape broadcasts to the result's."""
    try:
        return np.broadcast_shapes(shape, result) == result
    except ValueError:
        return False


def _ranks(significand: np.ndarray, negative: np.ndarray, scale: np.ndarray | int) -> np.ndarray:
    """Ranks on the axis of ``significand * 2**scale``, with the sign that is given."""
    exponent = np.frexp(significand)[1].astype(np.int64) - 1 + scale
    rank = np.where(significand == 0, _ZERO_RANK, exponent + _FIRST_RANK)
    return np.asarray(np.where(negative, -rank, rank))


def curve(arguments: Mapping[str, Any], exact: np.ndarray) -> list[tuple[float, float]]:
    """Points of an operation's exact curve, ascending: of each bin that of its input of the least magnitude.

    For drawing: numbers are rounded to six digits. Points without a finite result are left out.

    Args:
        arguments: what the operation received, by name; only of one array is there a curve.
        exact: the exact result, rounded, of that array's shape.
    """
    arrays = arrays_in(arguments.values())
    if len(arrays) != 1 or arrays[0].shape != exact.shape:
        return []
    x, y = arrays[0].astype(np.float64).ravel(), exact.astype(np.float64).ravel()
    finite = np.isfinite(x)
    x, y = x[finite], y[finite]
    ranks = _ranks(x, np.signbit(x), 0)
    order = np.lexsort((np.abs(x), ranks))
    _, firsts = np.unique(ranks[order], return_index=True)
    chosen = order[firsts]
    return [(_short(a), _short(b)) for a, b in zip(x[chosen], y[chosen], strict=True) if np.isfinite(b)]


def _short(number: float) -> float:
    """Six digits are all that is read off a figure or a table."""
    return float(f"{min(max(number, -_LARGEST), _LARGEST):.{_DIGITS}g}")
