"""Records that did not pass, grouped by what they have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from conformance.reports.columns import together
from conformance.reports.material import Material
from conformance.runfile import FindingLine, Record

FAILURES = ("failed", "crashed", "timed-out")
"""Verdicts that nobody has registered or announced."""

ROWS_SHOWN = 12
"""Rows of a group that stand in the page; the others are behind its link into the list of variants."""


@dataclass(slots=True)
class IssueRow:
    """One case within a group.

    Attributes:
        case, operation: which.
        columns: the columns concerned, in words.
        variants: IDs of the variants concerned.
        example: the record that is shown, and `example_in` the label of its column.
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
    """The records of some verdicts, grouped, largest group first.

    Failures are grouped by the channel they failed in, everything else by its reason.
    """
    members: dict[tuple[str, str, str], list[tuple[int, Record]]] = {}
    for of_variant in material.records.values():
        for column, record in of_variant.items():
            if record.verdict in verdicts:
                members.setdefault(_key(record), []).append((column, record))
    result = [_group(material, key, found) for key, found in members.items()]
    result.sort(key=lambda group: -group.records)
    return result


def _key(record: Record) -> tuple[str, str, str]:
    if record.verdict in FAILURES:
        channel = record.findings[0].channel if record.findings else ""
        return record.verdict, channel if record.verdict == "failed" else record.reason, ""
    return record.verdict, record.reason, record.link


def _group(material: Material, key: tuple[str, str, str], found: list[tuple[int, Record]]) -> IssueGroup:
    verdict, common, link = key
    channel = common if verdict == "failed" else ""
    title = f"channel: {channel}" if channel else common or "no reason recorded"
    reason = "" if verdict == "failed" else common
    group = IssueGroup(verdict, title, safe_link(link), link, channel, reason, len(found))
    group.variants = len({record.variant for _, record in found})
    group.columns = _labels(material, (column for column, _ in found))
    by_case: dict[str, list[tuple[int, Record]]] = {}
    for column, record in found:
        by_case.setdefault(material.line(record.variant).case, []).append((column, record))
    for case, records in by_case.items():
        column, example = records[0]
        first = example.findings[0] if example.findings else None
        group.rows.append(
            IssueRow(
                case,
                material.cases[case].operation,
                _labels(material, (number for number, _ in records)),
                list(dict.fromkeys(record.variant for _, record in records)),
                example,
                material.columns[column].label,
                first,
                max(len(example.findings) - 1, 0),
            )
        )
    return group


def _labels(material: Material, numbers: Iterable[int]) -> list[str]:
    return together(material.columns[number] for number in set(numbers))
