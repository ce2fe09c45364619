"""What to write in each framework for the document's functions, and how far each way of writing it conforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from conformance.reports.shared.columns import Column
from conformance.reports.shared.material import CaseMaterial, Material
from conformance.reports.shared.query import term
from conformance.reports.shared.tally import Deviation, Glance, Largest, Reason, Tally, judged
from conformance.runfile import IdiomSource

OPERATORS = frozenset(("add", "subtract", "multiply", "divide", "negative"))
"""Written with the same sign everywhere, and left out."""


@dataclass(slots=True)
class Written:
    """A way to write an operation in a framework, with what was measured.

    Attributes:
        name: of the spelling; empty for the primary one.
        source: its source; None where no run file has it.
        needs: the distribution it uses beyond the framework.
        where: the query that narrows the list of variants to it.
        counts: its records of each verdict, zeros left out.
        judged: how many variants it was judged on.
        glance: all of it in a word.
        largest: the largest recorded error of a value, and of a gradient; those there are.
        deviations: by channel.
        reasons: each once.
        modes: the other modes of the framework, in a word each; of primary spellings only.
    """

    name: str
    source: str | None
    needs: str
    where: str
    counts: dict[str, int]
    judged: int
    glance: Glance
    largest: list[Largest]
    deviations: list[Deviation]
    reasons: list[Reason]
    modes: list[tuple[Column, Glance]] = field(default_factory=list)


@dataclass(slots=True)
class Framework:
    """A run's ways to write an operation, the primary one first; none where it has no idiom."""

    label: str
    mode: str
    spellings: list[Written]

    @property
    def primary(self) -> Written | None:
        """The primary spelling, where there is one."""
        return next((written for written in self.spellings if not written.name), None)

    @property
    def others(self) -> Counter[str]:
        """How many of the other spellings have which face."""
        return Counter(written.glance.verdict for written in self.spellings if written.name)


@dataclass(slots=True)
class Function:
    """An operation with its ways to be written.

    Attributes:
        operation, summary: of it.
        document: the document's call.
        frameworks: one a run.
        judged: whether any record is about it; others are only used in calls of other operations.
    """

    operation: str
    summary: str
    document: str
    frameworks: list[Framework]
    judged: bool


class Porting:
    """Gathers, case by case, what came of each way to write an operation."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._primary: dict[tuple[str, int], Tally] = {}
        self._others: dict[int, Tally] = {}

    def add(self, part: CaseMaterial) -> None:
        """Add the records of a case."""
        operation = part.case.operation
        for variant, records in part.records.items():
            line = part.line(variant)
            for column, record in records.items():
                self._primary.setdefault((operation, column), Tally(operation)).add(line, record)
            for spelling, record in part.others[variant].items():
                self._others.setdefault(spelling, Tally(operation)).add(line, record)

    def functions(self, told: Mapping[str, Mapping[str, str]]) -> list[Function]:
        """Every operation but the arithmetic operators: the document's, the other cases', and what is only used.

        Args:
            told: what the headers say of operations.
        """
        return [self._function(operation, told.get(operation, {})) for operation in _order(self._material, told)]

    def _function(self, operation: str, told: Mapping[str, str]) -> Function:
        material, frameworks = self._material, []
        for index, label in enumerate(material.labels):
            sources = {i.name: i for i in material.runs[index].header.idioms if i.operation == operation}
            modes = [column for column in material.columns if column.run == index]
            spellings: list[Written] = []
            if "" in sources or any((operation, column.number) in self._primary for column in modes):
                spellings.append(self._first(operation, sources.get(""), modes))
            for spelling in material.spellings:
                if (spelling.run, spelling.operation) == (index, operation):
                    where = f"{term('backend', label)} {term('spelling', spelling.name)}"
                    tally = self._others.get(spelling.number, Tally(operation))
                    spellings.append(_written(spelling.name, sources.get(spelling.name), where, tally))
            frameworks.append(Framework(label, modes[0].mode.name if modes else "", spellings))
        judged = any(written.counts for framework in frameworks for written in framework.spellings)
        return Function(operation, told.get("summary", ""), told.get("document", ""), frameworks, judged)

    def _first(self, operation: str, source: IdiomSource | None, modes: Sequence[Column]) -> Written:
        found = [self._primary.get((operation, column.number)) for column in modes]
        where = modes[0].query if modes else ""
        written = _written("", source, where, (found[0] if found else None) or Tally(operation))
        written.modes = [
            (column, tally.glance) for column, tally in zip(modes[1:], found[1:], strict=True) if tally is not None
        ]
        return written


def _written(name: str, source: IdiomSource | None, where: str, tally: Tally) -> Written:
    return Written(
        name,
        source.source if source else None,
        source.needs if source else "",
        where,
        tally.counts,
        judged(tally.counts),
        tally.glance,
        tally.largest,
        tally.deviations,
        tally.reasons,
    )


def _order(material: Material, told: Mapping[str, Mapping[str, str]]) -> list[str]:
    document = [case.operation for case in material.cases.values() if case.id.startswith("document/")]
    spelled = {idiom.operation for run in material.runs for idiom in run.header.idioms}
    every = dict.fromkeys(chain(document, material.operations, sorted({*told, *spelled})))
    return [operation for operation in every if operation not in OPERATORS]
