"""The errors that are allowed beside the errors that were seen: where a budget is wider than it would have to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.ground import dtypes
from conformance.reports.shared.columns import Column
from conformance.reports.shared.material import CaseMaterial
from conformance.reports.shared.tally import FLUSHED, measured_of, place
from conformance.runfile import Record, VariantLine

WIDE = 8.0
"""A budget of more than this many times the worst error that any backend showed is wide."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The error nearest its budget that a column showed.

    Attributes:
        ulp, budget: it, and what was allowed there.
        variant, at: where it was: the variant, and the element's index in words.
        records: how many records it is the worst of.
    """

    ulp: float
    budget: float
    variant: str
    at: str
    records: int

    @property
    def share(self) -> float:
        """The error as a part of its budget."""
        return self.ulp / self.budget if self.budget else 0.0


@dataclass(slots=True)
class BudgetRow:
    """An operation's values or gradients in one dtype.

    Attributes:
        dtype: of the results.
        worst: by column; None where nothing that conforms was measured.
        flushed: by column, how many results conform but for subnormals that came as zero: they can't be measured.
        slack: why the budget is wide, as the operation states it.
    """

    dtype: str
    worst: list[Worst | None]
    flushed: list[int]
    slack: str

    @property
    def nearest(self) -> Worst | None:
        """The worst of all columns."""
        return max((worst for worst in self.worst if worst), key=lambda worst: worst.share, default=None)

    @property
    def times(self) -> float | None:
        """How many times the worst error the budget there is; None where there is no error."""
        nearest = self.nearest
        return nearest.budget / nearest.ulp if nearest and nearest.ulp else None

    @property
    def wide(self) -> bool:
        """Whether the budget is far from any error that was seen."""
        nearest = self.nearest  # half an ULP is correct rounding: no budget can be less
        return nearest is not None and nearest.budget > max(WIDE * nearest.ulp, 0.5)


@dataclass(slots=True)
class BudgetGroup:
    """An operation's values, or its gradients: where the budget comes from, and a row a dtype."""

    operation: str
    gradient: bool
    source: str
    rows: list[BudgetRow] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What it is about, in words."""
        return f"{self.operation}, gradient" if self.gradient else self.operation


@dataclass(slots=True)
class Budgets:
    """All of them.

    Attributes:
        groups: the operations with a budget.
        exact: those which are allowed no error at all.
    """

    groups: list[BudgetGroup]
    exact: list[str]

    @property
    def wide(self) -> int:
        """How many rows are wide."""
        return sum(row.wide for group in self.groups for row in group.rows)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(len(group.rows) for group in self.groups)


_Key = tuple[str, bool, str]


class BudgetsSeen:
    """Gathers, case by case, the errors that were measured against budgets.

    Only primary spellings count, and of them only what passed: a registered deviation does not conform, and where
    subnormals came as zero the measured element is one of those.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._worst: dict[_Key, dict[int, Worst]] = {}
        self._flushed: dict[_Key, Counter[int]] = {}
        self._sources: dict[str, str] = {}

    def add(self, part: CaseMaterial) -> None:
        """Add the records of a case."""
        for variant, records in part.records.items():
            line = part.line(variant)
            for column, record in records.items():
                self._add(part.case.operation, line, column, record)

    def _add(self, operation: str, line: VariantLine, column: int, record: Record) -> None:
        gradient = line.check == "gradient"
        # Of integers, floating results come: it is their dtype that has a budget.
        dtype = record.got[-1].dtype if record.got and not record.step else line.dtype
        key = (measured_of(record, operation), gradient, dtype)
        if gradient and line.budget_source:
            self._sources.setdefault(key[0], line.budget_source)
        if record.verdict == "passed" and record.ulp is not None and record.budget is not None:
            seen = self._worst.setdefault(key, {})
            before = seen.get(column)
            here = Worst(record.ulp, record.budget, record.variant, place(record), before.records + 1 if before else 1)
            # The error that is the largest part of its budget; of those without one, the widest budget.
            if before and (before.share, before.budget) >= (here.share, here.budget):
                here = replace(before, records=here.records)
            seen[column] = here
        elif record.verdict == "divergent" and record.reason.startswith(FLUSHED):
            self._flushed.setdefault(key, Counter())[column] += 1

    def all(self, operations: Sequence[str], told: Mapping[str, Mapping[str, str]]) -> Budgets:
        """The budgets of all operations that anything was measured of.

        Args:
            operations: those of the cases, in their order.
            told: what the headers say of operations.
        """
        order = [*operations, *sorted({operation for operation, _, _ in self._worst} - {*operations})]
        ranks = {name: rank for rank, name in enumerate(dtypes.DTYPES)}
        groups, exact = [], []
        for operation in order:
            about = told.get(operation, {})
            for gradient in (False, True):
                source = self._sources.get(operation, "") if gradient else about.get("budget", "")
                group = BudgetGroup(operation, gradient, source)
                of_group = sorted(
                    (key for key in self._worst if key[:2] == (operation, gradient)),
                    key=lambda key: (ranks.get(key[2], len(ranks)), key[2]),
                )
                for key in of_group:
                    worst = [self._worst[key].get(column.number) for column in self._columns]
                    if any(one and one.budget for one in worst):
                        counts = [self._flushed.get(key, Counter())[column.number] for column in self._columns]
                        group.rows.append(BudgetRow(key[2], worst, counts, about.get("slack", "")))
                if group.rows:
                    groups.append(group)
                elif of_group:
                    exact.append(group.title)
        return Budgets(groups, exact)
