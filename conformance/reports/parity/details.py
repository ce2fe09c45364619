"""The full account of every variant, in packets that a page unpacks when somebody looks.

A packet holds some hundred variants in a row, compressed, so that a page of a hundred thousand stays usable::

    {"texts": [...], "cases": {number of the case: [path, YAML, about]}, "variants": [...]}

a variant being ``[inputs, answers, expected, budget source, codes, outcomes, kinds, results, pictures, scripts]``.
`codes` has a character for each column and then for each of the case's spellings: ``.`` for no record, else the
outcome's number after ``0``. An outcome is ``[result, budget, at, end to end, {raised, findings}]``, cut off where the
rest is empty; its story and its error are those that `index` has of any of its records. `kinds` are dtype and shape of
each result, or one number if all have the same. Numbers of texts stand for the packet's own texts; a budget source is a
number of the texts that all packets share.

Scripts are ``[bodies, for each column [frame, body, measured]]``. A frame is a number of the frames that all packets
share, ``[head, helpers, functions]`` among their texts; a body is ``[inputs, call, shown, closing]``, and `measured` a
part, all among the packet's own texts. Instead of the three a column may have one number: of the words that say why
there is no script, or 0. A script is its parts that are not empty, with the title before the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.reports.parity.index import Index, Table, cut, rounded
from conformance.reports.shared.material import CaseMaterial, Material
from conformance.reports.shared.page import packed
from conformance.reproduction import Composer, NoScriptError
from conformance.runfile import CaseLine, Record, Stored, VariantLine
from conformance.runfile.arrays import bits, decimals, described, elements, load, shown
from conformance.runfile.picture import picture

PACKET = 400
"""Variants in a packet: few enough to be unpacked unnoticed, enough to compress well."""

_BRIEF, _FULL = 2, 8
"""Elements shown of a result: where everything passed, and elsewhere."""

_BRIEF_DIGITS = 1
_NO_RESULT = -1
_BRIEF_INPUTS, _FULL_INPUTS = 3, 8


class Details:
    """Gathers, case by case, the accounts of variants.

    Attributes:
        packets: packed, in order; the last one is there after `finish`.
    """

    def __init__(self, material: Material, index: Index) -> None:
        self._material = material
        self._index = index
        self._composers = [Composer(run.header) for run in material.runs]
        self._shared, self._frames = Table(""), Table()
        self._case = 0
        self.packets: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._texts = Table("")
        self._cases: dict[int, list[str]] = {}
        self._variants: list[list[Any]] = []

    def add(self, part: CaseMaterial) -> None:
        """Add a case."""
        case = part.case
        self._cases[self._case] = [case.path, case.text, case.about]
        self._case += 1
        spelled = sorted({number for others in part.others.values() for number in others})
        for variant in part.variants:
            self._variants.append(self._variant(part, variant, spelled))
            if len(self._variants) == PACKET:
                self._close()

    def finish(self) -> dict[str, list[Any]]:
        """Close the last packet; gives the texts and the frames of scripts that all packets share."""
        if self._variants or self._cases:
            self._close()
        return {"texts": self._shared.all, "frames": self._frames.all}

    def _close(self) -> None:
        self.packets.append(packed({"texts": self._texts.all, "cases": self._cases, "variants": self._variants}))
        self._begin()

    def _variant(self, part: CaseMaterial, variant: str, spelled: Sequence[int]) -> list[Any]:
        lines, line = part.variants[variant], part.line(variant)
        records, others = part.records[variant], part.others[variant]
        quiet = all(record.verdict in ("passed", "unsupported") for record in records.values())
        answer = next((one.answer for one in lines.values() if one.answer), None)
        outcomes = _Outcomes(self._index, self._texts, _BRIEF if quiet else _FULL, answer)
        codes = [outcomes.code(records.get(column.number), drawn=True) for column in self._material.columns]
        codes += [outcomes.code(others.get(number)) for number in spelled]
        most = _BRIEF_INPUTS if quiet else _FULL_INPUTS
        return [
            self._texts("\n".join(f"{name} = {shown(array, most)}" for name, array in line.inputs.items())),
            _answers(self._material.labels, lines, quiet, self._texts),
            self._texts(cut(next((one.expected for one in lines.values() if one.expected), ""))),
            self._shared(next((one.budget_source for one in lines.values() if one.budget_source), "")),
            "".join(codes),
            outcomes.all,
            outcomes.kinds[0] if len(set(outcomes.kinds)) == 1 else outcomes.kinds,
            outcomes.texts,
            outcomes.pictures if any(outcomes.pictures) else [],
            self._scripts(part.case, lines, records),
        ]

    def _scripts(self, case: CaseLine, lines: Mapping[int, VariantLine], records: Mapping[int, Record]) -> list[Any]:
        """The scripts that repeat the records of a variant, in parts; or the words that say why there is none."""
        bodies = Table()
        found: list[list[int] | int] = []
        for column in self._material.columns:
            record = records.get(column.number)
            if record is None or record.verdict in ("unsupported", "not-run"):
                found.append(0)
                continue
            try:
                script = self._composers[column.run].compose(case, lines[column.run], record.mode, record.idiom, record)
            except NoScriptError as reason:
                found.append(self._texts(cut(str(reason))))
                continue
            frame = self._frames(tuple(map(self._shared, (script.head, script.helpers, script.functions))))
            body = bodies(tuple(map(self._texts, (script.inputs, script.call, script.shown, script.closing))))
            found.append([frame, body, self._texts(script.measured)])
        return [bodies.all, found] if any(found) else []


class _Outcomes:
    """A variant's distinct outcomes, and the distinct results they came with."""

    def __init__(self, index: Index, texts: Table, most: int, answer: Stored | None) -> None:
        self._index = index
        self._strings = texts
        self._most = most
        self._answer = answer
        self._results: dict[str, int] = {}
        self._codes: dict[str, str] = {}
        self.all: list[list[Any]] = []
        self.texts: list[str] = []
        self.kinds: list[int] = []
        self.pictures: list[str] = []

    def code(self, record: Record | None, drawn: bool = False) -> str:
        """The character that stands for a record; `drawn`: its result is to be drawn, if no other one was the same."""
        if record is None:
            return "."
        key = bits(record.got)
        if record.got and key not in self._results:
            self._results[key] = len(self.texts)
            self.texts.append(" | ".join(elements(stored, self._most) for stored in record.got))
            self.kinds.append(self._strings(" | ".join(map(described, record.got))))
            self.pictures.append((record.picture or _drawn(self._answer, record.got[0])) if drawn else "")
        outcome = self._outcome(record, self._results.get(key, _NO_RESULT))
        known = repr((self._index.story(record), rounded(record.ulp), outcome))
        if known not in self._codes:
            self._codes[known] = chr(ord("0") + len(self.all))
            self.all.append(outcome)
        return self._codes[known]

    def _outcome(self, record: Record, result: int) -> list[Any]:
        details: dict[str, Any] = {}
        if record.raised:
            details["raised"] = self._strings(cut(record.raised))
        if record.findings:
            details["findings"] = [
                [self._strings(cut(text)) for text in (finding.channel, finding.expected, finding.got, finding.detail)]
                for finding in record.findings
            ]
        outcome: list[Any] = [
            result,
            rounded(record.budget),
            _place(record),
            rounded(record.end_to_end),
            details or None,
        ]
        while outcome and outcome[-1] in (None, ""):
            outcome.pop()
        return outcome


def _answers(labels: Sequence[str], lines: Mapping[int, VariantLine], quiet: bool, texts: Table) -> list[list[Any]]:
    """Each exact answer that a run holds: kind, rounded value, decimals, and whose it is (left out: everybody's)."""
    found: dict[str, tuple[Stored, list[float], list[str]]] = {}
    for run, line in lines.items():
        if line.answer is not None:
            key = bits([line.answer])
            found.setdefault(key, (line.answer, line.residuals, []))[2].append(labels[run])
    most, digits = (_BRIEF, _BRIEF_DIGITS) if quiet else (_FULL, _FULL)
    return [
        [
            texts(described(answer)),
            elements(answer, most),
            decimals(answer, residuals[:digits]),
            *([backends] if len(found) > 1 else []),
        ]
        for answer, residuals, backends in found.values()
    ]


def _drawn(answer: Stored | None, got: Stored) -> str:
    """The picture of a result that is stored as a whole; of larger ones the record has it."""
    if answer is None or not (answer.whole and got.whole):
        return ""
    exact, result = load(answer), load(got)
    return "" if exact is None or result is None else picture(exact, result)


def _place(record: Record) -> str:
    """Where the measured element stands: its index, and of several steps the one it is a result of."""
    index = ",".join(map(str, record.at))
    return f"{index} of step {record.step}" if record.step and index else index
