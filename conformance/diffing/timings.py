"""Times that changed beyond their noise.

Two runs of the same thing never take the same time. A change is one only if it passes both of these:

1. **It is no accident of the calls that were measured.** The rounds of both runs are compared by the test of Mann,
   Whitney and Wilcoxon, which assumes nothing about how times are distributed. Many cells are looked at, so some would
   pass by chance: their probabilities are corrected after Holm (1979), so that the chance of even one false change
   among all cells compared, were nothing different, is at most 5 %.
2. **It is larger than what the measurements themselves know not to trust.** The test takes rounds for independent, but
   those of one run share their memory, their caches and the machine's mood, and two runs do not. So the ratio of the
   medians must be beyond the noise of both runs together (for each: half its interval's width or half the distance
   between its quartiles, whichever is more), times how much the machine's own speed varied, within either run and
   between them, as the fixed piece of work timed beside every cell tells.

Neither has a default that could hide something: every factor was measured, and is shown.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from scipy.stats import mannwhitneyu

from conformance.diffing.pairing import TimingPair
from conformance.diffing.records import short
from conformance.timing.model import Calls, Timing, TimingRun

LEVEL = 0.05
"""The chance of a false change among all cells, were nothing different."""

Verdict = Literal["slower", "faster", "same"]


@dataclass(slots=True)
class TimingChange:
    """A cell that both sides have times of.

    Attributes:
        where: backend and mode.
        id: of the cell.
        a, b: the times.
        noise: the factor within which a ratio of medians says nothing.
        probability: that a difference like this comes by chance, corrected for the number of cells.
    """

    where: str
    id: str
    a: Calls
    b: Calls
    noise: float
    probability: float

    @property
    def ratio(self) -> float:
        """The median of B over that of A: 2 is twice as slow."""
        return self.b.median / self.a.median

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the ratio lies where both medians lie within their 95 % intervals."""
        (low_a, high_a), (low_b, high_b) = self.a.interval, self.b.interval
        return low_b / high_a, high_b / low_a

    @property
    def verdict(self) -> Verdict:
        """Whether it changed, and which way."""
        if self.probability > LEVEL or max(self.ratio, 1 / self.ratio) <= self.noise:
            return "same"
        return "slower" if self.ratio > 1 else "faster"


@dataclass(frozen=True, slots=True)
class Untimed:
    """A cell that only one side has times of, and why the other has none."""

    where: str
    id: str
    side: str
    why: str


@dataclass(slots=True)
class TimingComparison:
    """All cells of all pairs.

    Attributes:
        changes: of the cells that both sides have times of, in order.
        untimed: those that only one side has times of.
        machines: how much each machine's speed varied, in words.
    """

    changes: list[TimingChange] = field(default_factory=list)
    untimed: list[Untimed] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)

    @property
    def slower(self) -> list[TimingChange]:
        """The cells that became slower, most so first."""
        return sorted((c for c in self.changes if c.verdict == "slower"), key=lambda change: -change.ratio)

    @property
    def faster(self) -> list[TimingChange]:
        """The cells that became faster, most so first."""
        return sorted((c for c in self.changes if c.verdict == "faster"), key=lambda change: change.ratio)


def compare_timings(pairs: Sequence[TimingPair]) -> TimingComparison:
    """Compare timing files: the cells of the same ID."""
    result = TimingComparison()
    for pair in pairs:
        a, b = pair.a.about, pair.b.about
        backend = a.backend if a.backend == b.backend else f"{a.backend} → {b.backend}"
        result.machines.append(
            f"{backend}: the machine's own speed varied by {pair.a.drift - 1:.0%} in A and {pair.b.drift - 1:.0%} in B"
        )
        for (mode, name), left in pair.a.timings.items():
            other = mode if pair.modes is None else pair.modes[1] if mode == pair.modes[0] else None
            if other is None:
                continue
            right = pair.b.timings.get((other, name))
            where = short(f"{backend} {mode}" if mode == other else f"{backend} {mode} → {other}")
            _cell(result, pair, where, left, right)
        for (mode, name), right in pair.b.timings.items():
            other = mode if pair.modes is None else pair.modes[0] if mode == pair.modes[1] else None
            if other is not None and right.calls is not None and (other, name) not in pair.a.timings:
                result.untimed.append(Untimed(short(f"{backend} {mode}"), short(name), "B", "A did not time it"))
    _correct(result.changes)
    return result


def _cell(result: TimingComparison, pair: TimingPair, where: str, left: Timing, right: Timing | None) -> None:
    name = short(left.id)
    if left.calls is not None and right is not None and right.calls is not None:
        probability = float(mannwhitneyu(left.calls.seconds, right.calls.seconds).pvalue)
        result.changes.append(
            TimingChange(where, name, left.calls, right.calls, _noise(pair.a, pair.b, left, right), probability)
        )
    elif left.calls is not None:
        why = "B did not time it" if right is None else right.cell.why_not
        result.untimed.append(Untimed(where, name, "A", short(why)))
    elif right is not None and right.calls is not None:
        result.untimed.append(Untimed(where, name, "B", short(left.cell.why_not)))


def _noise(a: TimingRun, b: TimingRun, left: Timing, right: Timing) -> float:
    """The factor within which the ratio of two medians says nothing."""
    if left.calls is None or right.calls is None:
        return math.inf
    between = _speed(left) / _speed(right) if left.cell.reference and right.cell.reference else 1.0
    machine = max(a.drift, b.drift, between, 1 / between)
    return (1 + left.calls.noise) * (1 + right.calls.noise) * machine


def _speed(timing: Timing) -> float:
    return statistics.fmean(timing.cell.reference or (1.0,))


def _correct(changes: Sequence[TimingChange]) -> None:
    """Correct the probabilities of all cells together, after Holm: the k-th smallest of n times n - k + 1, in order."""
    largest = 0.0
    ordered = sorted(changes, key=lambda change: change.probability)
    for k, change in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - k) * change.probability))
        change.probability = largest
