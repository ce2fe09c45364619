"""Records that did not pass, grouped by what they have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from conformance.ground.verdicts import FAILURES
from conformance.reports.shared.columns import Column, Spelling, together
from conformance.reports.shared.material import CaseMaterial, Material
from conformance.runfile import FindingLine, Record

ROWS_SHOWN = 12
"""Cases of a group that stand in the page; the others are behind its link into the list of variants."""

MOST_GROUPS = 1_000
"""Of one page. The suite's divergences have some 300 reasons; what comes after so many is put together by verdict."""


@dataclass(slots=True)
class IssueRow:
    """One case within a group.

    Attributes:
        case, operation: which.
        columns: the columns and spellings concerned, in words.
        variants: how many variants are concerned.
        example: the record that is shown, and `example_in` the label of its column or spelling.
    """

    case: str
    operation: str
    columns: list[str]
    variants: int
    example: Record
    example_in: str

    @property
    def first(self) -> FindingLine | None:
        """The finding of the example that is shown, if it has one."""
        return self.example.findings[0] if self.example.findings else None

    @property
    def more(self) -> int:
        """How many other findings the example has."""
        return max(len(self.example.findings) - 1, 0)


@dataclass(slots=True)
class IssueGroup:
    """Records of one reason, or of one channel.

    Attributes:
        verdict: of all of them.
        channel, reason: which of the two they have in common; the other is empty.
        link_text: of the reason, as registered.
        other: whether they are results of other spellings than the primary ones.
        beyond: whether they are of all the reasons and channels that came after the first `MOST_GROUPS`.
        records: how many records.
        variants: how many variants.
        cases: how many cases.
        operations: those concerned.
        places: the columns and spellings concerned.
        rows: the first cases.
    """

    verdict: str
    channel: str
    reason: str
    link_text: str
    other: bool = False
    beyond: bool = False
    records: int = 0
    variants: int = 0
    cases: int = 0
    operations: dict[str, None] = field(default_factory=dict)
    places: dict[int, Column | Spelling] = field(default_factory=dict)
    rows: list[IssueRow] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What they have in common."""
        if self.beyond:
            return f"reasons that came after the first {MOST_GROUPS:,}"
        return f"channel: {self.channel}" if self.channel else self.reason or "no reason recorded"

    @property
    def link(self) -> str:
        """Of the reason, where it is one that may be followed."""
        return safe_link(self.link_text)

    @property
    def columns(self) -> list[str]:
        """The columns and spellings concerned, in words."""
        return together(self.places.values())

    @property
    def left_out(self) -> int:
        """How many cases are not among the rows."""
        return self.cases - len(self.rows)


def safe_link(link: str) -> str:
    """The link, if it is one that a page may lead to (https, nothing odd in it); empty otherwise."""
    plain = link.isascii() and link.isprintable() and not any(c in link for c in " \"'<>\\")
    return link if plain and link.startswith("https://") and len(link) > len("https://") else ""


_Key = tuple[bool, str, str | None, str]
"""Other spellings or not, verdict, what they have in common (None: nothing), link."""


class Issues:
    """Gathers, case by case, the records that did not pass."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._groups: dict[_Key, IssueGroup] = {}

    def add(self, part: CaseMaterial) -> None:
        """Add what came of a case."""
        members: dict[_Key, list[tuple[Column | Spelling, Record]]] = {}
        for where, record in self._records(part):
            if record.verdict != "passed":
                members.setdefault(_key(where, record), []).append((where, record))
        for key, found in members.items():
            self._add(part, key, found)

    def _records(self, part: CaseMaterial) -> Iterator[tuple[Column | Spelling, Record]]:
        for variant, records in part.records.items():
            for number, record in records.items():
                yield self._material.columns[number], record
            for number, record in part.others[variant].items():
                yield self._material.spellings[number], record

    def _add(self, part: CaseMaterial, key: _Key, found: list[tuple[Column | Spelling, Record]]) -> None:
        if key not in self._groups and len(self._groups) >= MOST_GROUPS:
            key = (key[0], key[1], None, "")
        if key not in self._groups:
            other, verdict, common, link = key
            failed = verdict == "failed"
            self._groups[key] = IssueGroup(
                verdict,
                (common or "") if failed else "",
                "" if failed else (common or ""),
                link,
                other=other,
                beyond=common is None,
            )
        group = self._groups[key]
        variants = len({record.variant for _, record in found})
        places = {where.number: where for where, _ in found}
        group.records += len(found)
        group.variants += variants
        group.cases += 1
        group.operations[part.case.operation] = None
        group.places |= places
        if len(group.rows) < ROWS_SHOWN:
            where, example = found[0]
            words = together(places.values())
            group.rows.append(IssueRow(part.case.id, part.case.operation, words, variants, example, where.label))

    def groups(self, verdicts: Collection[str]) -> list[IssueGroup]:
        """The groups of some verdicts: those of primary spellings first, then the largest group.

        Failures are grouped by the channel they failed in, everything else by its reason.
        """
        chosen = [group for group in self._groups.values() if group.verdict in verdicts]
        return sorted(chosen, key=lambda group: (group.other, -group.records))


def _key(where: Column | Spelling, record: Record) -> _Key:
    other = isinstance(where, Spelling)
    if record.verdict in FAILURES:
        channel = record.findings[0].channel if record.findings else ""
        return other, record.verdict, channel if record.verdict == "failed" else record.reason, ""
    return other, record.verdict, record.reason, record.link
