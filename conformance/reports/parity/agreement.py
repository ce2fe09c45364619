"""How far two backends, or two modes of one, lie from each other: bit for bit, and in representable steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from conformance.reports.shared.columns import Column
from conformance.reports.shared.material import CaseMaterial
from conformance.runfile import Stored
from conformance.runfile.arrays import Distance, distance, identical, load

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
