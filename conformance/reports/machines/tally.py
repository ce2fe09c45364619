"""What the summaries are made from: counted while records pass by, and of bounded size however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance.ground.verdicts import FAILURES
from conformance.reports.shared.columns import Column
from conformance.reports.shared.tally import measured_of
from conformance.runfile import CaseLine, CaseLines, Record, Run

MOST_REASONS = 1_000
"""Different reasons that are told apart, for each verdict. The registry has some 900 entries."""

MOST_FAILURE_GROUPS = 1_000
EXAMPLES = 3
"""Failures that are kept of each group: one backend that fails throughout must not hide what fails in another."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that failed, where it stands, and the case it is of."""

    column: Column
    case: CaseLine
    record: Record

    @property
    def channels(self) -> list[str]:
        """The channels it failed in."""
        return list(dict.fromkeys(finding.channel for finding in self.record.findings))


@dataclass(slots=True)
class Reason:
    """Records that did not pass for one reason.

    Attributes:
        text, link: the reason, and where it is discussed.
        records: how many.
        columns: where.
        example: the first variant.
    """

    text: str
    link: str
    example: str
    records: int = 0
    columns: dict[int, Column] = field(default_factory=dict)


@dataclass(slots=True)
class Worst:
    """The passing record whose error is the largest part of its budget, and how many records were measured."""

    record: Record
    records: int = 1

    @property
    def share(self) -> float:
        """The error as a part of its budget."""
        return _share(self.record)


def _share(record: Record) -> float:
    return (record.ulp or 0.0) / record.budget if record.budget else 0.0


WorstKey = tuple[int, str, str, str]
"""Number of the column, operation, 'value' or 'gradient', dtype."""


class Tally:
    """Counts what passes by.

    Attributes:
        runs, columns: of the report.
        cases: the case files, for the commands that repeat a variant; None where they are the suite's own.
        counts: records by column number, operation and dtype of the variant, then by verdict.
        failed: how many records failed, crashed or timed out.
        failures: the first few of each column, operation and channel.
        reasons: by verdict, what did not pass and is no failure; by reason and link.
        beyond: by verdict, how many records have a reason that came after the first `MOST_REASONS`.
        worst: the errors nearest their budgets, of what passed.
    """

    def __init__(self, runs: Sequence[Run], columns: Sequence[Column], cases: Path | None = None) -> None:
        self.runs, self.columns, self.cases = runs, columns, cases
        self.counts: dict[tuple[int, str, str], Counter[str]] = {}
        self.failed = 0
        self.reasons: dict[str, dict[tuple[str, str], Reason]] = {"divergent": {}, "unsupported": {}}
        self.beyond: Counter[str] = Counter()
        self.worst: dict[WorstKey, Worst] = {}
        self._failures: dict[tuple[int, str, str], list[Failure]] = {}

    @property
    def failures(self) -> Iterator[Failure]:
        """The failures that were kept: the first of every group, then the second of every group, and so on."""
        for nth in range(EXAMPLES):
            for group in self._failures.values():
                yield from group[nth : nth + 1]

    def add(self, part: CaseLines, records: Sequence[tuple[Column, Record]]) -> None:
        """Count the records of a case, each with its column."""
        operation = part.case.operation
        for column, record in records:
            line = part.variants[record.variant]
            self.counts.setdefault((column.number, operation, line.dtype), Counter())[record.verdict] += 1
            if record.verdict in FAILURES:
                self._fail(Failure(column, part.case, record))
            elif record.verdict in self.reasons:
                self._reason(column, record)
            elif record.verdict == "passed" and record.ulp is not None and record.budget is not None:
                # Of integers, floating results come: it is their dtype that has a budget.
                dtype = record.got[-1].dtype if record.got and not record.step else line.dtype
                self._measure((column.number, measured_of(record, operation), line.check, dtype), record)

    def _fail(self, failure: Failure) -> None:
        self.failed += 1
        channel = failure.channels[0] if failure.channels else failure.record.verdict
        key = (failure.column.number, failure.case.operation, channel)
        group = self._failures.get(key)
        if group is None:
            if len(self._failures) >= MOST_FAILURE_GROUPS:
                return
            group = self._failures[key] = []
        if len(group) < EXAMPLES:
            group.append(failure)

    def _reason(self, column: Column, record: Record) -> None:
        reasons, key = self.reasons[record.verdict], (record.reason, record.link)
        reason = reasons.get(key)
        if reason is None:
            if len(reasons) >= MOST_REASONS:
                self.beyond[record.verdict] += 1
                return
            reason = reasons[key] = Reason(record.reason, record.link, record.variant)
        reason.records += 1
        reason.columns[column.number] = column

    def _measure(self, key: WorstKey, record: Record) -> None:
        worst = self.worst.get(key)
        if worst is None:
            self.worst[key] = Worst(record)
            return
        worst.records += 1
        if (_share(record), record.budget or 0.0) > (worst.share, worst.record.budget or 0.0):
            worst.record = record
