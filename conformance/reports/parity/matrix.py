"""The matrix: operations by columns, with the verdicts of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from conformance.ground.verdicts import VERDICTS
from conformance.reports.shared.material import CaseMaterial, Material


@dataclass(frozen=True, slots=True)
class Cell:
    """An operation in a column: how many records of each verdict. `worst` is the one that gives the cell its face."""

    counts: dict[str, int]

    @property
    def worst(self) -> str:
        """The gravest verdict there is; 'none' for no record at all."""
        order = ("failed", "crashed", "timed-out", "not-run", "divergent", "passed", "unsupported")
        return next((verdict for verdict in order if self.counts.get(verdict)), "none")


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An operation with its cells, one a column."""

    operation: str
    summary: str
    variants: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Family:
    """Operations that belong together, in the matrix."""

    name: str
    rows: list[MatrixRow]


class Matrix:
    """Gathers, case by case, how many records of each verdict there are for each operation in each column."""

    def __init__(self, material: Material) -> None:
        self._operations = material.operations
        self._cells = {o: [Counter[str]() for _ in material.columns] for o in self._operations}
        self._variants: Counter[str] = Counter()

    def add(self, part: CaseMaterial) -> None:
        """Add the records of a case."""
        self._variants[part.case.operation] += len(part.variants)
        for records in part.records.values():
            for column, record in records.items():
                self._cells[part.case.operation][column][record.verdict] += 1

    @property
    def total(self) -> int:
        """How many variants there are."""
        return self._variants.total()

    def families(self, told: Mapping[str, Mapping[str, str]]) -> list[Family]:
        """A row an operation, those of a family together, in the order of the cases."""
        found: dict[str, list[MatrixRow]] = {}
        for operation in self._operations:
            about = told.get(operation, {})
            cells = [Cell({v: counter[v] for v in VERDICTS if counter[v]}) for counter in self._cells[operation]]
            row = MatrixRow(operation, about.get("summary", ""), self._variants[operation], cells)
            found.setdefault(about.get("family", ""), []).append(row)
        return [Family(name, rows) for name, rows in found.items()]
