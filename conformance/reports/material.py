"""Several runs as one: their cases and variants merged, their records side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.backends.base import IDIOMS
from conformance.reports.columns import Column, Spelling, columns, labels, spellings
from conformance.runfile import CaseLine, Record, Run, VariantLine


@dataclass(slots=True)
class Material:
    """What all parts of a report are made from.

    Attributes:
        runs: as read.
        labels: of the runs.
        columns: a run's modes of execution, for all runs.
        beside: the columns of other spellings, at most one a run.
        spellings: beside the primary ones, for all runs.
        cases: by ID, each as the first run that has it tells it.
        variants: by ID, each with the lines of all runs that have it, by the run's index.
        records: of the primary spellings, by variant, then by the column's number.
        others: of the other spellings, by variant, then by the spelling's number.
        operations: in the order of the cases.
    """

    runs: Sequence[Run]
    labels: list[str]
    columns: list[Column]
    beside: list[Column]
    spellings: list[Spelling]
    cases: dict[str, CaseLine] = field(default_factory=dict)
    variants: dict[str, dict[int, VariantLine]] = field(default_factory=dict)
    records: dict[str, dict[int, Record]] = field(default_factory=dict)
    others: dict[str, dict[int, Record]] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)

    def line(self, variant: str) -> VariantLine:
        """A variant as the first run that has it tells it."""
        return next(iter(self.variants[variant].values()))

    def operation_of(self, variant: str) -> str:
        """The operation of a variant's case."""
        return self.cases[self.line(variant).case].operation

    def by_case(self) -> dict[str, list[str]]:
        """The variants of each case, in order."""
        result: dict[str, list[str]] = {case: [] for case in self.cases}
        for variant in self.variants:
            result[self.line(variant).case].append(variant)
        return result


def gather(runs: Sequence[Run]) -> Material:
    """Put runs side by side."""
    every = columns(runs)
    primary = [column for column in every if not column.beside]
    material = Material(runs, labels(runs), primary, every[len(primary) :], spellings(runs))
    numbers = {(column.run, column.mode.name): column.number for column in primary}
    places = {(s.run, s.operation, s.name): s.number for s in material.spellings}
    for index, run in enumerate(runs):
        for part in run.parts():
            material.cases.setdefault(part.case.id, part.case)
            for variant in part.variants.values():
                material.variants.setdefault(variant.id, {})[index] = variant
                material.records.setdefault(variant.id, {})
                material.others.setdefault(variant.id, {})
            for record in part.records:
                if record.mode == IDIOMS:
                    place = places[index, part.case.operation, record.idiom]
                    material.others[record.variant][place] = record
                else:
                    material.records[record.variant][numbers[index, record.mode]] = record
    material.operations = list(dict.fromkeys(case.operation for case in material.cases.values()))
    return material
