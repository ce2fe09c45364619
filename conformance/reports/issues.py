"""Records that did not pass, grouped by what they have in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from conformance.judging import FAILURES
from conformance.reports.columns import Column, Spelling, together
from conformance.reports.material import Material
from conformance.runfile import FindingLine, Record

ROWS_SHOWN = 12
"""Rows of a group that stand in the page; the others are behind its link into the list of variants."""


@dataclass(slots=True)
class IssueRow:
    """One case within a group.

    Attributes:
        case, operation: which.
        columns: the columns and spellings concerned, in words.
        variants: IDs of the variants concerned.
        example: the record that is shown, and `example_in` the label of its column or spelling.
        first: the finding of the example that is shown, if it has one.
        more: how many other findings the example has.
    """

    case: str
    operation: str
    columns: list[str]
    variants: list[str]
    example: Record
    example_in: str
    first: FindingLine | None
    more: int


@dataclass(slots=True)
class IssueGroup:
    """Records of one reason, or of one channel.

    Attributes:
        verdict: of all of them.
        title: what they have in common.
        link: of the reason, where it is one that may be followed.
        link_text: the link as registered, shown where it may not be followed.
        channel, reason: which of the two they have in common; the other is empty.
        other: whether they are results of other spellings than the primary ones.
        records: how many records.
        variants: how many variants.
        columns: the columns concerned, in words.
        rows: a case each.
    """

    verdict: str
    title: str
    link: str
    link_text: str
    channel: str
    reason: str
    other: bool = False
    records: int = 0
    variants: int = 0
    columns: list[str] = field(default_factory=list)
    rows: list[IssueRow] = field(default_factory=list)

    @property
    def shown(self) -> list[IssueRow]:
        """The rows that stand in the page."""
        return self.rows[:ROWS_SHOWN]

    @property
    def left_out(self) -> int:
        """How many rows do not."""
        return len(self.rows) - len(self.shown)


def safe_link(link: str) -> str:
    """The link, if it is one that a page may lead to (https, nothing odd in it); empty otherwise."""
    plain = link.isascii() and link.isprintable() and not any(c in link for c in " \"'<>\\")
    return link if plain and link.startswith("https://") and len(link) > len("https://") else ""


def groups(material: Material, verdicts: Collection[str]) -> list[IssueGroup]:
    """The records of some verdicts, grouped: those of primary spellings first, then the largest group.

    Failures are grouped by the channel they failed in, everything else by its reason.
    """
    members: dict[tuple[bool, str, str, str], list[tuple[Column | Spelling, Record]]] = {}
    for variant, records in material.records.items():
        found: list[tuple[Column | Spelling, Record]] = [(material.columns[n], r) for n, r in records.items()]
        found += [(material.spellings[n], r) for n, r in material.others[variant].items()]
        for where, record in found:
            if record.verdict in verdicts:
                members.setdefault((isinstance(where, Spelling), *_key(record)), []).append((where, record))
    result = [_group(material, key, found) for key, found in members.items()]
    result.sort(key=lambda group: (group.other, -group.records))
    return result


def _key(record: Record) -> tuple[str, str, str]:
    if record.verdict in FAILURES:
        channel = record.findings[0].channel if record.findings else ""
        return record.verdict, channel if record.verdict == "failed" else record.reason, ""
    return record.verdict, record.reason, record.link


def _group(
    material: Material, key: tuple[bool, str, str, str], found: list[tuple[Column | Spelling, Record]]
) -> IssueGroup:
    other, verdict, common, link = key
    channel = common if verdict == "failed" else ""
    title = f"channel: {channel}" if channel else common or "no reason recorded"
    reason = "" if verdict == "failed" else common
    group = IssueGroup(verdict, title, safe_link(link), link, channel, reason, other, len(found))
    group.variants = len({record.variant for _, record in found})
    group.columns = together({where for where, _ in found})
    by_case: dict[str, list[tuple[Column | Spelling, Record]]] = {}
    for where, record in found:
        by_case.setdefault(material.line(record.variant).case, []).append((where, record))
    for case, records in by_case.items():
        where, example = records[0]
        first = example.findings[0] if example.findings else None
        group.rows.append(
            IssueRow(
                case,
                material.cases[case].operation,
                together({one for one, _ in records}),
                list(dict.fromkeys(record.variant for _, record in records)),
                example,
                where.label,
                first,
                max(len(example.findings) - 1, 0),
            )
        )
    return group
