"""What the list of variants is searched by: a few characters a record, so that a hundred thousand variants are quick.

Whatever repeats is kept once in a table, and a record or variant holds its number there as one character. The page's
script reads this (`index.js` beside it)::

    {"columns": [{label, group, backend, mode, device, because, missing}],
     "spellings": [[group, operation, name, backend, device, mode]],
     "verdicts": [...], "channels": [...], "reasons": [[text, link]], "stories": [[verdict, [channel], reason]],
     "numbers": [...], "operations": [...], "dtypes": [...], "truths": [...], "off": [[backend]],
     "cases": [[id, operation, call, claim, variants, spellings]], "labels": [...],
     "dtype", "flag", "truth", "offset": a character a variant,
     "story", "ulp": for each variant a character for each column, then for each of its case's spellings}

There are 53,248 such characters. Of what comes when they are nearly used up only the essential is kept: the verdict
without its channels and reason, an error to one digit. All of it still stands where a variant is opened.

A label is what follows the case's ID in that of the variant, or a list that holds an ID that does not begin with it.
Number 0 of stories, reasons and numbers stands for nothing. Flags: 1, backends differ in verdict, dtype, shape or in
raising; 2, results differ in their bits; 4, a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from io import StringIO
from math import isinf
from typing import Any

from conformance.ground.verdicts import FAILURES, VERDICTS
from conformance.reports.shared.issues import safe_link
from conformance.reports.shared.material import CaseMaterial, Material
from conformance.runfile import Record
from conformance.runfile.arrays import bits, described

DIFFERS, BITS, GRADIENT = 1, 2, 4
_FIRST_CHARACTER = 0x23
_MOST = 0xD000
_KEPT_BACK = 6_000
"""Numbers of each table that are kept for what entries which come too late have in common. Errors of one digit are the
most: 9 for each of the 633 powers of ten that float64 has."""

_LONGEST = 600
_OTHER = "(one of too many to be listed)"


def character(number: int) -> str:
    """A number below 53,248 as a character that JSON keeps in one piece."""
    if not 0 <= number < _MOST:
        raise ValueError(f"{number:,} different entries in one table of the page; {_MOST:,} fit")
    return chr(_FIRST_CHARACTER + number)


class Table:
    """Different entries, each with its number."""

    def __init__(self, *entries: Hashable) -> None:
        self._numbers: dict[Hashable, int] = {entry: number for number, entry in enumerate(entries)}

    def __call__(self, entry: Hashable) -> int:
        """The entry's number; a new one for a new entry."""
        return self._numbers.setdefault(entry, len(self._numbers))

    @property
    def all(self) -> list[Any]:
        """The entries in the order of their numbers."""
        return list(self._numbers)


class NarrowTable(Table):
    """Of so many entries that their numbers are characters: some 47,000, and what stands for those that come later.

    Args:
        entries: those with the first numbers.
        other: what stands for an entry that there is no room for; a few thousand different ones at most.
    """

    def __init__(self, *entries: Hashable, other: Callable[[Any], Hashable] = lambda entry: _OTHER) -> None:
        super().__init__(*entries)
        self._other = other

    def __call__(self, entry: Hashable) -> int:
        """The entry's number, or that of what stands for it."""
        if entry not in self._numbers and len(self._numbers) >= _MOST - _KEPT_BACK:
            entry = self._other(entry)
        return super().__call__(entry)


class Index:
    """Gathers, case by case, what variants can be found by."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._first = {column.number: column.backend for column in material.columns if column.first}
        self._channels, self._reasons = NarrowTable(), NarrowTable(("", ""), other=lambda reason: (_OTHER, ""))
        self._stories = NarrowTable((-1, (), 0), other=lambda story: (story[0], (), self._reasons((_OTHER, ""))))
        self._numbers = NarrowTable(None, other=_one_digit)
        self._operations, self._dtypes, self._truths = Table(), NarrowTable(), NarrowTable()
        self._off = NarrowTable((), other=lambda names: (_OTHER,))
        self._cases: list[list[Any]] = []
        self._labels: list[str | list[str]] = []
        self._by_variant = {name: StringIO() for name in ("dtype", "flag", "truth", "offset")}
        self._by_record = {name: StringIO() for name in ("story", "ulp")}

    def add(self, part: CaseMaterial) -> None:
        """Add a case with its variants."""
        case = part.case
        spelled = sorted({number for others in part.others.values() for number in others})
        told = [case.id, self._operations(case.operation), case.call, int(case.claim), len(part.variants), spelled]
        self._cases.append(told)
        for variant, records in part.records.items():
            line = part.line(variant)
            self._labels.append(variant[len(case.id) :] if variant.startswith(f"{case.id}[") else [variant])
            self._variant("dtype", self._dtypes(line.dtype))
            self._variant("truth", self._truths(line.truth))
            gradient = GRADIENT if line.check == "gradient" else 0
            self._variant("flag", gradient | _flags(list(records.values())))
            self._variant("offset", self._off(self._who_is_off(records)))
            for column in self._material.columns:
                self._record(records.get(column.number))
            for number in spelled:
                self._record(part.others[variant].get(number))

    def story(self, record: Record) -> int:
        """The number of a record's verdict, channels and reason."""
        channels = tuple(dict.fromkeys(self._channels(finding.channel) for finding in record.findings))
        # A failure's reason repeats its first finding.
        told = record.reason if not (record.verdict == "failed" and record.findings) else ""
        link = record.link and (safe_link(record.link) or f"(not followed: {record.link})")
        return self._stories((VERDICTS.index(record.verdict), channels, self._reasons((cut(told), link))))

    def data(self) -> dict[str, Any]:
        """All of it, of JSON types only."""
        beside = {column.run: column for column in self._material.beside}
        spellings = [
            [
                s.backend,
                s.operation,
                s.name,
                beside[s.run].name,
                beside[s.run].device,
                beside[s.run].mode.name,
                beside[s.run].kernels,
            ]
            if s.run in beside
            else [s.backend, s.operation, s.name]
            for s in self._material.spellings
        ]
        columns = [
            {
                "label": column.label,
                "group": column.backend,
                "backend": column.name,
                "mode": column.mode.name,
                "device": column.device,
                "kernels": column.kernels,
                "because": column.mode.because,
                "missing": column.missing,
            }
            for column in self._material.columns
        ]
        tables = {
            "channels": self._channels,
            "reasons": self._reasons,
            "stories": self._stories,
            "numbers": self._numbers,
            "operations": self._operations,
            "dtypes": self._dtypes,
            "truths": self._truths,
            "off": self._off,
        }
        return (
            {"columns": columns, "spellings": spellings, "verdicts": VERDICTS}
            | {name: table.all for name, table in tables.items()}
            | {"cases": self._cases, "labels": self._labels}
            | {name: characters.getvalue() for name, characters in (self._by_variant | self._by_record).items()}
        )

    def _variant(self, name: str, number: int) -> None:
        self._by_variant[name].write(character(number))

    def _record(self, record: Record | None) -> None:
        self._by_record["story"].write(character(0 if record is None else self.story(record)))
        self._by_record["ulp"].write(character(0 if record is None else self._numbers(rounded(record.ulp))))

    def _who_is_off(self, records: Mapping[int, Record]) -> tuple[str, ...]:
        """The backends whose plain mode deviates, registered or not."""
        off = {number for number, record in records.items() if record.verdict in (*FAILURES, "divergent")}
        return tuple(name for number, name in self._first.items() if number in off)


def _flags(records: Sequence[Record]) -> int:
    stories = {(r.verdict, bool(r.raised), *(described(stored) for stored in r.got)) for r in records}
    results = {bits(record.got) for record in records if record.got}
    return (DIFFERS if len(stories) > 1 else 0) | (BITS if len(results) > 1 else 0)


def rounded(number: float | None) -> float | int | None:
    """Three significant digits, two of large numbers: more would double the page and tell nothing."""
    if number is None:
        return None
    short = float(f"{number:.3g}" if abs(number) < 1e6 else f"{number:.2g}")
    if isinf(short):  # past the largest number only by its rounding; JSON has no infinity
        return number
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _one_digit(number: float) -> float:
    short = float(f"{number:.0e}")
    return number if isinf(short) else short


def cut(text: str) -> str:
    """The text, or its beginning if it is long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
