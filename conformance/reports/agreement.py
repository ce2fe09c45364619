"""How far two backends, or two modes of one, lie from each other: bit for bit, and in representable steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from conformance import dtypes
from conformance.reports.arrays import identical, load
from conformance.reports.columns import Column
from conformance.reports.material import CaseMaterial
from conformance.runfile import Stored

STEPS = (0, 1, 2, 4, 16, 256, 65536)
"""Upper ends of the histogram's bins, in representable steps; what lies beyond has a bin of its own."""


@dataclass(slots=True)
class Agreement:
    """Two columns, compared over the variants that both have results for.

    Attributes:
        left, right: the columns.
        between: 'backends' or 'modes'.
        compared: variants whose results have the same dtypes and shapes.
        identical: of those, how many agree in every bit (any NaN counts as the same NaN).
        within_one: of those, how many are nowhere more than one step apart, identical ones included.
        largest: the largest distance in steps, and `largest_at` the variant where it was.
        nan_apart: of those compared, how many have a NaN where the other result has a number.
        incomparable: variants whose results differ in number, dtype or shape, or can't be read.
        partly: of those compared, how many could only be measured over their stored first elements.
        bins: of those compared, how many have their largest distance in each bin of `STEPS` and beyond; where a NaN
            meets a number there is no distance, and `nan_apart` counts them.
    """

    left: Column
    right: Column
    between: str
    compared: int = 0
    identical: int = 0
    within_one: int = 0
    largest: int = 0
    largest_at: str = ""
    nan_apart: int = 0
    incomparable: int = 0
    partly: int = 0
    bins: list[int] = field(default_factory=lambda: [0] * (len(STEPS) + 1))

    @property
    def share(self) -> float | None:
        """Share of the compared variants that are bit-identical; None where nothing was compared."""
        return self.identical / self.compared if self.compared else None


@dataclass(frozen=True, slots=True)
class Distance:
    """Between two arrays: the largest number of steps between numbers, and whether a NaN met a number."""

    steps: int
    nan_apart: bool


def distance(left: np.ndarray, right: np.ndarray) -> Distance | None:
    """The largest distance between elements, in representable steps; None for different dtypes or shapes.

    Neighbouring values of a floating dtype are one step apart, over zero too; the two zeros are 0 apart, as are two
    NaNs; infinity is one step past the largest finite value. Integers are as far apart as their difference.
    """
    if left.dtype != right.dtype or left.shape != right.shape or not dtypes.known(left.dtype):
        return None
    if not left.size:
        return Distance(0, False)
    floating = dtypes.of(left).kind == "floating"
    nan_left, nan_right = (left != left, right != right) if floating else (np.zeros(left.shape, bool),) * 2
    numbers = ~(nan_left | nan_right)
    a, b = _ordered(left)[numbers], _ordered(right)[numbers]
    # Unsigned and modular: the distance between the ends of float64 or int64 fits no signed integer.
    steps = np.where(a >= b, a.astype(np.uint64) - b.astype(np.uint64), b.astype(np.uint64) - a.astype(np.uint64))
    return Distance(int(steps.max(initial=0)), bool((nan_left != nan_right).any()))


def _ordered(array: np.ndarray) -> np.ndarray:
    """Integers in the order of the values, one apart for neighbours."""
    if array.dtype == np.uint64:
        return array
    if dtypes.of(array).kind != "floating":
        return array.astype(np.int64)
    width = array.dtype.itemsize * 8
    bits = np.ascontiguousarray(array).view(f"i{width // 8}").astype(np.int64)
    magnitude = bits & ((1 << (width - 1)) - 1)
    return np.where(bits < 0, -magnitude, magnitude)


def compare(result: Agreement, variant: str, left: Sequence[Stored], right: Sequence[Stored]) -> None:
    """Add one variant's results to a comparison."""
    if list(left) == list(right):  # the same bits, or the same digests
        result.compared += 1
        result.identical += 1
        result.within_one += 1
        result.bins[0] += 1
        return
    distances = [_distance(a, b) for a, b in zip(left, right, strict=False)]
    known = [d for d in distances if d is not None]
    if len(left) != len(right) or len(known) != len(left):
        result.incomparable += 1
        return
    result.compared += 1
    steps = max(d.steps for d in known)
    nan_apart = any(d.nan_apart for d in known)
    whole = all(stored.whole for stored in (*left, *right))
    result.nan_apart += nan_apart
    result.partly += not whole
    result.identical += all(map(identical, left, right))
    result.within_one += whole and not nan_apart and steps <= 1
    if not nan_apart:
        result.bins[next((i for i, end in enumerate(STEPS) if steps <= end), len(STEPS))] += 1
    if steps > result.largest:
        result.largest, result.largest_at = steps, variant


def _distance(left: Stored, right: Stored) -> Distance | None:
    if left.dtype != right.dtype or left.shape != right.shape:
        return None
    a, b = load(left), load(right)
    return None if a is None or b is None else distance(a, b)


class Agreements:
    """Compares, case by case, backends with each other by their first modes, and the modes of each backend."""

    def __init__(self, columns: Sequence[Column]) -> None:
        pairs = [
            Agreement(a, b, "modes" if a.run == b.run else "backends")
            for a, b in combinations(columns, 2)
            if a.run == b.run or (a.first and b.first)
        ]
        self.pairs = sorted(pairs, key=lambda pair: pair.between)

    def add(self, part: CaseMaterial) -> None:
        """Add the results of a case."""
        for variant, records in part.records.items():
            for pair in self.pairs:
                left, right = records.get(pair.left.number), records.get(pair.right.number)
                if left is not None and right is not None and left.got and right.got:
                    compare(pair, variant, left.got, right.got)
