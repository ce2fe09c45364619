"""What follows from times side by side: where one column overtakes another, and when a compile has paid for itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from conformance.reports.timing.columns import Column, Key, Table
from conformance.timing.model import DIRECTIONS, Calls, Direction

_FEWEST_SHAPES = 3
"""Fewer sizes are too far apart to say where one overtakes another."""


@dataclass(frozen=True, slots=True)
class Overtaking:
    """One column is slower than another at a size, and faster at the next.

    Attributes:
        operation, dtype, direction: of which call.
        ahead, behind: who is the faster from there on, and who was before.
        after, before: the sizes measured on both sides, in elements.
        about: the size between them where both take the same time, read off straight lines on logarithmic scales.
    """

    operation: str
    dtype: str
    direction: Direction
    ahead: Column
    behind: Column
    after: int
    before: int
    about: float


def overtakings(table: Table) -> list[Overtaking]:
    """Every overtaking between the plain modes of backends, and between the modes of one backend.

    On both sides the two must lie apart, by more than their intervals and by more than the machine's own speed varied:
    else nobody was told to be the faster.
    """
    pairs = [(a, b) for a, b in combinations(table.columns, 2) if a.run is b.run or (a.plain and b.plain)]
    found: list[Overtaking] = []
    for operation in table.operations:
        for dtype in table.dtypes:
            for direction in DIRECTIONS:
                if len(table.shapes(dtype)) >= _FEWEST_SHAPES:
                    for a, b in pairs:
                        found += _between(table, (operation, dtype, direction), a, b)
    return found


def _between(table: Table, of: tuple[str, str, Direction], a: Column, b: Column) -> Iterator[Overtaking]:
    operation, dtype, direction = of
    last: tuple[int, Calls, Calls] | None = None
    for shape in table.shapes(dtype):
        key: Key = (operation, dtype, shape, direction)
        here, there = table.calls_of(a, key), table.calls_of(b, key)
        if here is None or there is None or not apart(here, there, max(a.run.drift, b.run.drift)):
            continue
        size = math.prod(shape)
        if last is not None and (here.median < there.median) != (last[1].median < last[2].median):
            ahead, behind = (a, b) if here.median < there.median else (b, a)
            low = math.log(last[1].median / last[2].median)
            high = math.log(here.median / there.median)
            share = low / (low - high)
            about = math.exp(math.log(last[0]) + share * math.log(size / last[0]))
            yield Overtaking(operation, dtype, direction, ahead, behind, last[0], size, about)
        last = (size, here, there)


def apart(a: Calls, b: Calls, drift: float = 1.0) -> bool:
    """Whether two medians differ: their intervals have nothing in common, and they are further apart than a drift.

    Args:
        a: some times.
        b: others.
        drift: by what factor the machine's own speed varied between them.
    """
    low, high = (a, b) if a.median < b.median else (b, a)
    return low.interval[1] < high.interval[0] and high.median > low.median * drift


@dataclass(frozen=True, slots=True)
class Compile:
    """What compiling a call costs, and what it brings.

    Attributes:
        key: of which call.
        column: the compiled mode.
        first: seconds of its first call.
        plain_first: seconds of the plain mode's first call.
        calls, plain: times of the calls after that.
        after: how many calls in all until the compiled mode has taken less time than the plain one would have; None
            where it never does, or where that can't be told.
        words: the same in words.
    """

    key: Key
    column: Column
    first: float
    plain_first: float
    calls: Calls
    plain: Calls
    after: int | None
    words: str

    @property
    def never(self) -> bool:
        """Whether its calls take longer than plain ones, so that it never pays."""
        return self.after is None and apart(self.calls, self.plain)


@dataclass(frozen=True, slots=True)
class Compiles:
    """The calls of one compiled mode.

    Attributes:
        column: the mode.
        calls: its calls.
    """

    column: Column
    calls: list[Compile]

    @property
    def summary(self) -> str:
        """How many of them pay, in words."""
        soon = sum(one.after is not None and one.after <= _SOON for one in self.calls)
        later = sum(one.after is not None and one.after > _SOON for one in self.calls)
        never = sum(one.never for one in self.calls)
        parts = [
            f"{soon} have paid for themselves within {_SOON:,} calls",
            f"{later} later",
            f"{never} never do",
            f"of {len(self.calls) - soon - later - never} it can't be told",
        ]
        return f"{len(self.calls)} calls: {', '.join(part for part in parts if not part.startswith(('0 ', 'of 0 ')))}"


_SOON = 10_000


def compiles(table: Table) -> list[Compiles]:
    """Every call that has times both in a compiled mode and in the plain mode of the same run, by mode."""
    found: list[Compile] = []
    for key, cells in table.cells.items():
        for number, timing in cells.items():
            column = table.columns[number]
            plain = next((c for c in table.columns if c.plain and c.run is column.run), None)
            beside = cells.get(plain.number) if plain is not None else None
            if column.plain or beside is None or timing.calls is None or beside.calls is None:
                continue
            first, plain_first = timing.cell.first_seconds, beside.cell.first_seconds
            if first is not None and plain_first is not None:
                after, words = pays_after(first, timing.calls, plain_first, beside.calls)
                found.append(Compile(key, column, first, plain_first, timing.calls, beside.calls, after, words))
    grouped = [Compiles(column, [one for one in found if one.column is column]) for column in table.columns]
    return [group for group in grouped if group.calls]


def pays_after(first: float, calls: Calls, plain_first: float, plain: Calls) -> tuple[int | None, str]:
    """After how many calls a compiled mode has taken less time than the plain one: the number, and words.

    The first call is the one that compiles; n calls take ``first + (n - 1) * median``.
    """
    if not apart(calls, plain):
        return None, "can't be told: its calls take as long as plain ones"
    saved = plain.median - calls.median
    if saved <= 0:
        return None, "never: its calls take longer than plain ones"
    if first <= plain_first:
        return 1, "at once"
    after = 1 + math.ceil((first - plain_first) / saved)
    return after, f"after {after:,} calls"
