"""An axis of signed exponents, from the most negative numbers by zero to the largest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.judging.accuracy import Bin
from conformance.reports.parity.accuracy import Panel
from conformance.reports.shared.plot import LEFT, RIGHT, WIDTH, Tick

_BETWEEN = 12
"""Between the negative numbers and the positive ones lie those too small for the axis, which no bin holds."""

_MOST_COLUMNS = 80
_APART = 40
_STEPS = (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 512, 1024, 2048)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Cell:
    """The bins of a panel that share a column of the axis: where exponents are too many, several.

    Attributes:
        elements: how many there are in all.
        largest, p99, mean, budget: of the bins together, in ULP; of several bins the largest percentile, the mean of
            all elements, and the budget of the largest error. None where no error was measured.
        over, lost, overflowed, flushed: elements, as in a `Bin`.
    """

    elements: int
    largest: float | None
    p99: float | None
    mean: float | None
    budget: float | None
    over: int
    lost: int
    overflowed: int
    flushed: int

    @property
    def apart(self) -> str:
        """What is to be said of elements beside their errors, in words."""
        parts = ((self.over, "over budget"), (self.lost, "not finite"), (self.flushed, "flushed"))
        said = [f"{number:,} {what}" for number, what in (*parts, (self.overflowed, "rightly infinite")) if number]
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class AxisColumn:
    """A place on the axis: a sign, and one or more exponents from `low` on (None: zeros)."""

    sign: int
    low: int | None
    at: int
    text: str


class Axis:
    """Signed exponents from left to right; negative numbers mirror the positive ones.

    Attributes:
        columns: ascending, all of one width.
        width: of a column; a whole number, so that paths are short and don't drift.
        ticks: powers of two.
        start, end: abscissae of the ends.
    """

    def __init__(self, bins: Iterable[Bin]) -> None:
        known = {(one.sign, one.exponent) for one in bins}
        exponents = [exponent for _, exponent in known if exponent is not None] or [0]
        zeros = [sign for sign in (-1, 1) if (sign, None) in known]
        signs = sorted({sign for sign, exponent in known if exponent is not None}) or [1]
        self._low = min(exponents)
        # Each sign has its own columns, and so has each zero.
        room = (_MOST_COLUMNS - len(zeros)) // len(signs)
        self.stride = math.ceil((max(exponents) - self._low + 1) / room)
        each = math.ceil((max(exponents) - self._low + 1) / self.stride)
        gap = _BETWEEN if len(signs) == 2 and not zeros else 0
        self.width = (WIDTH - LEFT - RIGHT - gap) // (each * len(signs) + len(zeros))
        lows = [self._low + number * self.stride for number in range(each)]
        places: list[tuple[int, int | None]] = []
        places += [(-1, low) for low in reversed(lows)] if -1 in signs else []
        places += [(sign, None) for sign in zeros]
        before = len(places)
        places += [(1, low) for low in lows] if 1 in signs else []
        self.start = LEFT
        self._right = LEFT + before * self.width + gap
        self._left = LEFT + (each * self.width if -1 in signs else 0)
        self.columns = [
            AxisColumn(sign, low, LEFT + number * self.width + (gap if number >= before else 0), self._text(sign, low))
            for number, (sign, low) in enumerate(places)
        ]
        self.end = self.columns[-1].at + self.width
        self._signs, self._each = signs, each
        self.ticks = self._ticks()
        self._numbers = {(one.sign, one.low): number for number, one in enumerate(self.columns)}

    def _text(self, sign: int, low: int | None) -> str:
        minus = "−" if sign < 0 else ""
        return f"{minus}0" if low is None else minus + power(low)

    def _ticks(self) -> list[Tick]:
        """Zeros, and powers of two far enough apart for their texts."""
        ticks = [Tick(c.at + self.width / 2, c.text) for c in self.columns if c.low is None]
        high = self._low + self._each * self.stride
        step = next(n for n in _STEPS if n * self.width >= _APART * self.stride)
        for sign in self._signs:
            for exponent in range(math.ceil(self._low / step) * step, high + 1, step):
                at = self._place(sign, exponent)
                if all(abs(at - tick.at) >= _APART for tick in ticks):
                    ticks.append(Tick(at, self._text(sign, exponent)))
        return sorted(ticks, key=lambda tick: tick.at)

    def _place(self, sign: int, exponent: float) -> float:
        along = (exponent - self._low) / self.stride * self.width
        return self._right + along if sign > 0 else self._left - along

    def across(self, x: float) -> float:
        """The abscissa of a number other than zero."""
        return self._place(1 if x > 0 else -1, math.log2(abs(x)))

    @property
    def factor(self) -> str:
        """What the magnitudes in a column grow by, in words."""
        return "twice" if self.stride == 1 else f"{power(self.stride)} times"

    def holds(self, x: float) -> bool:
        """Whether a number lies on the axis."""
        if x == 0 or not math.isfinite(x) or math.copysign(1, x) not in self._signs:
            return False
        return self._low <= math.log2(abs(x)) <= self._low + self._each * self.stride

    def cells(self, panel: Panel) -> list[Cell | None]:
        """What a panel shows in each column, from left to right; None where it has no elements."""
        found: dict[int, list[Bin]] = {}
        for one in panel.profile.bins:
            low = one.exponent
            if low is not None:
                low = self._low + (low - self._low) // self.stride * self.stride
            found.setdefault(self._numbers[one.sign, low], []).append(one)
        return [_together(found[number]) if number in found else None for number in range(len(self.columns))]


def power(exponent: int) -> str:
    """A power of two as text: ``2⁻¹⁰``."""
    return f"2{str(exponent).translate(_SUPERSCRIPTS)}"


def _together(bins: Sequence[Bin]) -> Cell:
    measured = [one for one in bins if one.count]
    worst = max(measured, key=lambda one: one.largest or 0.0, default=None)
    count = sum(one.count for one in measured)
    over, lost, overflowed, flushed = (
        sum(getattr(one, name) for one in bins) for name in ("over", "lost", "overflowed", "flushed")
    )
    return Cell(
        count + lost + overflowed + flushed,
        worst.largest if worst else None,
        max((one.p99 or 0.0 for one in measured), default=None),
        sum((one.mean or 0.0) * (one.count / count) for one in measured) if measured else None,
        worst.budget if worst else None,
        over,
        lost,
        overflowed,
        flushed,
    )
