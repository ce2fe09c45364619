"""Several runs as one: their cases and variants merged, their records side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.reports.columns import Column, columns, labels
from conformance.runfile import CaseLine, Record, Run, VariantLine


@dataclass(slots=True)
class Material:
    """What all parts of a report are made from.

    Attributes:
        runs: as read.
        labels: of the runs.
        columns: a run's modes, for all runs.
        cases: by ID, each as the first run that has it tells it.
        variants: by ID, each with the lines of all runs that have it, by the run's index.
        records: by variant, then by the column's number.
        operations: in the order of the cases.
    """

    runs: Sequence[Run]
    labels: list[str]
    columns: list[Column]
    cases: dict[str, CaseLine] = field(default_factory=dict)
    variants: dict[str, dict[int, VariantLine]] = field(default_factory=dict)
    records: dict[str, dict[int, Record]] = field(default_factory=dict)
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
    material = Material(runs, labels(runs), columns(runs))
    numbers = {(column.run, column.mode.name): column.number for column in material.columns}
    for index, run in enumerate(runs):
        for case in run.cases.values():
            material.cases.setdefault(case.id, case)
        for variant in run.variants.values():
            material.variants.setdefault(variant.id, {})[index] = variant
            material.records.setdefault(variant.id, {})
        for record in run.records:
            material.records[record.variant][numbers[index, record.mode]] = record
    material.operations = list(dict.fromkeys(case.operation for case in material.cases.values()))
    return material
