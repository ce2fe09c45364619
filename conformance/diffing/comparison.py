"""What came of comparing two sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from conformance.diffing.circumstances import Difference
from conformance.diffing.findings import Category
from conformance.diffing.pairing import Cause
from conformance.diffing.timings import TimingComparison

TIMES = "times of "
"""What the title of a pair of timing files begins with."""


@dataclass(slots=True)
class ModeCounts:
    """How many variants of a pair of modes came to what. `compared` have a record on both sides of one question.

    Attributes:
        label: backend and mode.
        compared: the rows below, up to `bits`, are of these.
        worse, better: the verdict changed.
        drifted, settled: the verdict did not, and the error grew or shrank.
        otherwise: neither passed, in another way than before.
        form: dtype, shape or the type of the error is another one.
        bits: results that are not the same bit for bit, whatever else is said of them; `moved` of them by more than
            one representable step, or by an unknown number.
        budgets: the budget of the same element is another one.
        questions: variants that are another question in B.
        new, gone: variants that only B, or only A, has, by verdict: of one that is gone nothing is known any more.
        outside: variants that one side has no record of, because they are not in the mode's subset there.
        not_asked: likewise, because a part of the cases was asked for.
        missing: likewise, because its run is incomplete.
    """

    label: str
    compared: int = 0
    worse: int = 0
    better: int = 0
    drifted: int = 0
    settled: int = 0
    otherwise: int = 0
    form: int = 0
    bits: int = 0
    moved: int = 0
    budgets: int = 0
    questions: int = 0
    new: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    not_asked: int = 0
    missing: int = 0

    @property
    def lost(self) -> int:
        """How many of those that are gone said something of the backend."""
        return self.gone.total() - self.gone["unsupported"]


@dataclass(frozen=True, slots=True)
class Question:
    """A variant, or a whole case, that is another question in B, and what of it changed."""

    name: str
    what: str


@dataclass(slots=True)
class Versus:
    """A pair of runs or timing files: what it is called, and what else is different between them."""

    title: str
    a: str
    b: str
    differences: list[Difference]


@dataclass(slots=True)
class Comparison:
    """What came of comparing two sides.

    Attributes:
        versus: the pairs.
        modes: a row for each pair of modes.
        worse, better: verdicts that changed.
        drifted, settled: errors that grew or shrank under one verdict.
        otherwise: what did not pass before, and now does not in another way.
        form: results of another dtype or shape, errors of another type, under one verdict.
        moved: results that are more than one step from what they were, and of which nothing else is said.
        changed: cases and variants that are another question in B; `changed_total` counts them all.
        left_over: files and modes without a counterpart.
        gone: results of whole modes and backends that only A has.
        incomplete: what is incomplete, or could not be compared at all, a line each.
        timings: of the timing files; None where no two were compared.
    """

    versus: list[Versus] = field(default_factory=list)
    modes: list[ModeCounts] = field(default_factory=list)
    worse: Category = field(default_factory=Category)
    better: Category = field(default_factory=Category)
    drifted: Category = field(default_factory=Category)
    settled: Category = field(default_factory=Category)
    otherwise: Category = field(default_factory=Category)
    form: Category = field(default_factory=Category)
    moved: Category = field(default_factory=Category)
    changed: list[Question] = field(default_factory=list)
    changed_total: int = 0
    left_over: list[str] = field(default_factory=list)
    gone: int = 0
    incomplete: list[str] = field(default_factory=list)
    timings: TimingComparison | None = None

    @property
    def title(self) -> str:
        """What is compared, in a few words."""
        return ", ".join(dict.fromkeys(versus.title.removeprefix(TIMES) for versus in self.versus))

    def regressions(self) -> dict[Cause, int]:
        """How many there are of each."""
        slower = len(self.timings.slower) if self.timings else 0
        gone = self.gone + sum(row.lost for row in self.modes)
        return {"verdict": self.worse.records, "gone": gone, "drift": self.drifted.records, "timing": slower}

    def exit_status(self, fail_on: Collection[Cause]) -> int:
        """0: nothing that is to fail became worse. 1: something did. 3: a run is incomplete, so it can't be told."""
        if self.incomplete:
            return 3
        found = self.regressions()
        return 1 if any(found[cause] for cause in fail_on) else 0
