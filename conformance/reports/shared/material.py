"""Several runs as one, a case at a time: its variants merged, their records side by side.

The runs may be far larger than memory together. What is known of all of them at once are their headers, their cases
and their counts; variants and records pass by case by case, and each part of a report adds up what it needs of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from conformance.backends.base import IDIOMS
from conformance.reports.shared.columns import Column, Spelling, columns, labels, spellings
from conformance.runfile import CaseLine, Record, Run, VariantLine

_FIRST = "document/"


@dataclass(slots=True)
class CaseMaterial:
    """What all runs hold of one case.

    Attributes:
        case: as the first run that has it tells it.
        variants: by ID, each with the lines of all runs that have it, by the run's index.
        records: of the primary spellings, by variant, then by the column's number.
        others: of the other spellings, by variant, then by the spelling's number.
    """

    case: CaseLine
    variants: dict[str, dict[int, VariantLine]] = field(default_factory=dict)
    records: dict[str, dict[int, Record]] = field(default_factory=dict)
    others: dict[str, dict[int, Record]] = field(default_factory=dict)

    def line(self, variant: str) -> VariantLine:
        """A variant as the first run that has it tells it."""
        return next(iter(self.variants[variant].values()))


@dataclass(slots=True)
class Material:
    """What all parts of a report are made from.

    Attributes:
        runs: as read.
        labels: of the runs.
        columns: a run's modes of execution, for all runs.
        beside: the columns of other spellings, at most one a run.
        spellings: beside the primary ones, for all runs.
        cases: by ID, each as the first run that has it tells it: the document's, then those of the rest of the corpus.
        operations: in the order of the cases.
    """

    runs: Sequence[Run]
    labels: list[str]
    columns: list[Column]
    beside: list[Column]
    spellings: list[Spelling]
    cases: dict[str, CaseLine]
    operations: list[str]
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    _places: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def parts(self) -> Iterator[CaseMaterial]:
        """Every case in turn, read from the run files when it is its turn."""
        for case in self.cases.values():
            yield self._part(case)

    def _part(self, case: CaseLine) -> CaseMaterial:
        found = CaseMaterial(case)
        for index, run in enumerate(self.runs):
            if case.id not in run.cases:
                continue
            lines = run.part(case.id)
            for variant in lines.variants.values():
                found.variants.setdefault(variant.id, {})[index] = variant
                found.records.setdefault(variant.id, {})
                found.others.setdefault(variant.id, {})
            operation = lines.case.operation
            for record in lines.records:
                if record.mode == IDIOMS:
                    found.others[record.variant][self._places[index, operation, record.idiom]] = record
                else:
                    found.records[record.variant][self._numbers[index, record.mode]] = record
        return found


def gather(runs: Sequence[Run]) -> Material:
    """Put runs side by side."""
    every = columns(runs)
    primary = [column for column in every if not column.beside]
    found = spellings(runs)
    cases: dict[str, CaseLine] = {}
    for run in runs:
        for case in run.cases.values():
            cases.setdefault(case.id, case)
    cases = dict(sorted(cases.items(), key=lambda item: not item[0].startswith(_FIRST)))
    return Material(
        runs,
        labels(runs),
        primary,
        every[len(primary) :],
        found,
        cases,
        list(dict.fromkeys(case.operation for case in cases.values())),
        {(column.run, column.mode.name): column.number for column in primary},
        {(s.run, s.operation, s.name): s.number for s in found},
    )
