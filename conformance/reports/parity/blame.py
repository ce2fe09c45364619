"""Who is off where backends part, who agrees with whom there, and what says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.ground.verdicts import FAILURES
from conformance.reports.shared.columns import Column
from conformance.reports.shared.material import CaseMaterial
from conformance.reports.shared.query import term
from conformance.runfile import Record
from conformance.runfile.arrays import bits

TRUTHS = {
    "arithmetic": "exact arithmetic",
    "document": "arithmetic, and what the document printed",
    "convention": "a stated convention",
    "stated": "values that the case states",
    "refusal": "that the call must be refused",
    "claim": "a claim about computed values",
    "": "not recorded",
}
"""What an answer rests on, in words."""

_APART = (*FAILURES, "divergent")
_GROUPS_SHOWN = 3


@dataclass(slots=True)
class Blame:
    """Variants on which just these backends are off, each in its plain mode.

    Attributes:
        off: the backends.
        variants: how many.
        truths: what the answers rest on, with the number of variants.
        operations: those concerned, with the number of variants.
        together: backends that are off and give the same bits, with the number of variants.
        right: backends that conform and give the same bits, likewise.
        alone: on how many variants no other backend could be judged.
        example: one of the variants.
    """

    off: tuple[str, ...]
    example: str
    variants: int = 0
    truths: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    together: Counter[tuple[str, ...]] = field(default_factory=Counter)
    right: Counter[tuple[str, ...]] = field(default_factory=Counter)
    alone: int = 0

    @property
    def query(self) -> str:
        """What narrows the list of variants to these."""
        return term("off", ",".join(self.off))

    @property
    def rests_on(self) -> list[tuple[str, int]]:
        """What the answers rest on, in words."""
        return [(TRUTHS.get(truth, truth), number) for truth, number in self.truths.most_common()]

    @property
    def agreeing(self) -> list[tuple[str, int]]:
        """Who gives the same bits as whom, among those that are off and among those that are right; the most common."""
        return _worded(self.together) + _worded(self.right)


def _worded(groups: Counter[tuple[str, ...]]) -> list[tuple[str, int]]:
    return [(" = ".join(names), number) for names, number in groups.most_common(_GROUPS_SHOWN)]


class BlameSeen:
    """Gathers, case by case, who is off."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [column for column in columns if column.first]
        self._found: dict[tuple[str, ...], Blame] = {}
        self.compared = 0

    def add(self, part: CaseMaterial) -> None:
        """Add a case."""
        for variant, records in part.records.items():
            judged = {c.backend: records[c.number] for c in self._columns if _judged(records.get(c.number))}
            self.compared += len(judged) > 1
            off = tuple(name for name, record in judged.items() if record.verdict in _APART)
            if not off:
                continue
            blame = self._found.setdefault(off, Blame(off, variant))
            blame.variants += 1
            blame.truths[part.line(variant).truth] += 1
            blame.operations[part.case.operation] += 1
            right = {name: record for name, record in judged.items() if name not in off}
            blame.alone += not right and len(off) == 1
            blame.together.update(_same({name: judged[name] for name in off}))
            blame.right.update(_same(right))

    def all(self) -> list[Blame]:
        """Each set of backends that is off somewhere; the one with most variants first."""
        return sorted(self._found.values(), key=lambda blame: -blame.variants)


def _judged(record: Record | None) -> bool:
    return record is not None and record.verdict not in ("unsupported", "not-run")


def _same(records: Mapping[str, Record]) -> Iterable[tuple[str, ...]]:
    """The names of backends with the same bits, where there are two or more."""
    found: dict[str, list[str]] = {}
    for name, record in records.items():
        if record.got:
            found.setdefault(bits(record.got), []).append(name)
    return [tuple(names) for names in found.values() if len(names) > 1]
