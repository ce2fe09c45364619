"""What was found, grouped, and of bounded size: all of it is counted, and of each group the gravest are kept."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.diffing.records import Told

EXAMPLES = 12
"""Records that are kept of each group."""

MOST_GROUPS = 1_000
"""Of one category. The corpus has some 24 operations in 13 modes."""


Weight = tuple[int, float]
"""How grave a change is: first by a grade, then by an amount."""


@dataclass(frozen=True, slots=True)
class Change:
    """One variant in one mode, on both sides.

    Attributes:
        case, variant, idiom: which; `idiom` where it is about another spelling.
        a, b: what came.
        note: what changed, in words; empty where `a` and `b` say it.
        repeat: the command that repeats it, in B.
    """

    case: str
    variant: str
    idiom: str
    a: Told
    b: Told
    note: str
    repeat: str


@dataclass(slots=True)
class Group:
    """Changes of one kind in one place.

    Attributes:
        where: backend and mode.
        operation: that the cases are about.
        what: the kind: ``passed → failed``.
        channel: that the changed outcome differs in; empty where none does.
        records: how many.
        gravest: the weight of the gravest.
    """

    where: str
    operation: str
    what: str
    channel: str
    records: int = 0
    gravest: Weight = (0, 0.0)
    _kept: list[tuple[Weight, int, Change]] = field(default_factory=list)

    def add(self, weight: Weight, make: Callable[[], Change]) -> None:
        """Count a change; it is made only if it is kept: among the gravest, the earlier first."""
        self.records += 1
        self.gravest = max(self.gravest, weight)
        item = (weight, -self.records)
        if len(self._kept) < EXAMPLES:
            heapq.heappush(self._kept, (*item, make()))
        elif item > self._kept[0][:2]:
            heapq.heapreplace(self._kept, (*item, make()))

    @property
    def shown(self) -> list[Change]:
        """The changes that were kept, the gravest first."""
        return [change for _, _, change in sorted(self._kept, key=lambda item: item[:2], reverse=True)]

    @property
    def left_out(self) -> int:
        """How many were not kept."""
        return self.records - len(self._kept)


class Category:
    """Changes of one sort, such as verdicts that became worse.

    Attributes:
        records: how many there are.
        beyond: how many of them are of groups that came after the first `MOST_GROUPS`.
    """

    def __init__(self) -> None:
        self.records = 0
        self.beyond = 0
        self._groups: dict[tuple[str, str, str, str], Group] = {}

    def add(self, key: tuple[str, str, str, str], weight: Weight, make: Callable[[], Change]) -> None:
        """Count a change.

        Args:
            key: where, operation, what and channel, as a `Group` has them.
            weight: how grave it is, beside others of its group.
            make: gives the change, if it is to be kept.
        """
        self.records += 1
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MOST_GROUPS:
                self.beyond += 1
                return
            group = self._groups[key] = Group(*key)
        group.add(weight, make)

    @property
    def groups(self) -> list[Group]:
        """The groups, the gravest first, and of equally grave ones the largest."""
        return sorted(self._groups.values(), key=lambda group: (group.gravest, group.records), reverse=True)
