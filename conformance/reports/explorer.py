"""The drill-down's data: every variant with what came of it in every column, compact enough for thousands.

A page's script reads this. What repeats is kept once: columns with the same outcome share it, outcomes with the same
bits share the result's text, and texts that many variants have in common (inputs, reasons, sources) are in `strings`.

``{"columns": [{label, group, backend, mode, device, because, missing}], "spellings": [[group, operation, name,
backend, device, mode]], "verdicts": [...], "strings": [...], "cases": [[id, operation, path, text, about, call, claim,
variants, spellings]]}``, a variant being ``[id or the part of it after its case's, inputs, answers, expected, budget
source, codes, outcomes, kinds, results, differs]``. `codes` has a character for each column and then for each of the
case's spellings: ``.`` for no record, else the outcome's number after ``0``. An outcome is ``[verdict, result, ulp,
budget, at, end to end, {reason, link, raised, findings}]``, cut off where the rest is empty. `kinds` are dtype and
shape of each result, or one number if all have the same. Reasons that only repeat a finding are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.judging import VERDICTS
from conformance.reports.arrays import decimals, described, elements, shown
from conformance.reports.issues import safe_link
from conformance.reports.material import Material
from conformance.runfile import Record, Stored, VariantLine

_BRIEF, _FULL = 2, 8
"""Elements shown of a result: where everything passed, and elsewhere."""

_BRIEF_DIGITS = 1
_NO_RESULT = -1
_BRIEF_INPUTS, _FULL_INPUTS = 3, 8
_LONGEST = 600


class _Strings:
    """Texts, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def all(self) -> list[str]:
        return list(self._numbers)


def data(material: Material) -> dict[str, Any]:
    """The drill-down's data, of JSON types only."""
    strings = _Strings()
    strings("")
    columns = [
        {
            "label": column.label,
            "group": column.backend,
            "backend": column.name,
            "mode": column.mode.name,
            "device": column.device,
            "because": column.mode.because,
            "missing": column.missing,
        }
        for column in material.columns
    ]
    beside = {column.run: column for column in material.beside}
    spellings = [
        [s.backend, s.operation, s.name, beside[s.run].name, beside[s.run].device, beside[s.run].mode.name]
        if s.run in beside
        else [s.backend, s.operation, s.name]
        for s in material.spellings
    ]
    cases = []
    for case_id, variants in material.by_case().items():
        case = material.cases[case_id]
        spelled = sorted({number for variant in variants for number in material.others[variant]})
        rows = [_variant(material, case_id, variant, spelled, strings) for variant in variants]
        told = [case.id, case.operation, case.path, case.text, case.about, case.call, int(case.claim), rows]
        cases.append([*told, spelled] if spelled else told)
    return {
        "columns": columns,
        "spellings": spellings,
        "verdicts": VERDICTS,
        "strings": strings.all,
        "cases": cases,
    }


class _Outcomes:
    """A variant's distinct outcomes, and the distinct results they came with."""

    def __init__(self, strings: _Strings, most: int) -> None:
        self._strings = strings
        self._most = most
        self._results: dict[str, int] = {}
        self._codes: dict[str, str] = {}
        self.all: list[list[Any]] = []
        self.texts: list[str] = []
        self.kinds: list[int] = []

    def code(self, record: Record | None) -> str:
        """The character that stands for a record."""
        if record is None:
            return "."
        key = repr([(s.dtype, s.shape, s.data, s.sha256) for s in record.got])
        if record.got and key not in self._results:
            self._results[key] = len(self.texts)
            self.texts.append(" | ".join(elements(stored, self._most) for stored in record.got))
            self.kinds.append(self._strings(" | ".join(map(described, record.got))))
        outcome = _outcome(record, self._results.get(key, _NO_RESULT), self._strings)
        known = repr(outcome)
        if known not in self._codes:
            self._codes[known] = chr(ord("0") + len(self.all))
            self.all.append(outcome)
        return self._codes[known]


def _variant(material: Material, case_id: str, variant: str, spelled: Sequence[int], strings: _Strings) -> list[Any]:
    lines = material.variants[variant]
    line = material.line(variant)
    records, others = material.records[variant], material.others[variant]
    quiet = all(record.verdict in ("passed", "unsupported") for record in records.values())
    outcomes = _Outcomes(strings, _BRIEF if quiet else _FULL)
    codes = [outcomes.code(records.get(column.number)) for column in material.columns]
    codes += [outcomes.code(others.get(number)) for number in spelled]
    inputs_shown = _BRIEF_INPUTS if quiet else _FULL_INPUTS
    return [
        variant[len(case_id) :] if variant.startswith(f"{case_id}[") else [variant],
        strings("\n".join(f"{name} = {shown(array, inputs_shown)}" for name, array in line.inputs.items())),
        _answers(material.labels, lines, quiet, strings),
        strings(_cut(next((one.expected for one in lines.values() if one.expected), ""))),
        strings(next((one.budget_source for one in lines.values() if one.budget_source), "")),
        "".join(codes),
        outcomes.all,
        outcomes.kinds[0] if len(set(outcomes.kinds)) == 1 else outcomes.kinds,
        outcomes.texts,
        int(_differs(list(records.values()))),
    ]


def _answers(labels: Sequence[str], lines: dict[int, VariantLine], quiet: bool, strings: _Strings) -> list[list[Any]]:
    """Each exact answer that a run holds: kind, rounded value, decimals, and whose it is (left out: everybody's)."""
    found: dict[str, tuple[Stored, list[float], list[str]]] = {}
    for run, line in lines.items():
        if line.answer is not None:
            key = repr((line.answer.dtype, line.answer.shape, line.answer.data, line.answer.sha256))
            found.setdefault(key, (line.answer, line.residuals, []))[2].append(labels[run])
    most, digits = (_BRIEF, _BRIEF_DIGITS) if quiet else (_FULL, _FULL)
    return [
        [
            strings(described(answer)),
            elements(answer, most),
            decimals(answer, residuals[:digits]),
            *([backends] if len(found) > 1 else []),
        ]
        for answer, residuals, backends in found.values()
    ]


def _place(record: Record) -> str:
    """Where the measured element stands: its index, and of several steps the one it is a result of."""
    index = ",".join(map(str, record.at))
    return f"{index} of step {record.step}" if record.step and index else index


def _outcome(record: Record, result: int, strings: _Strings) -> list[Any]:
    details: dict[str, Any] = {}
    if record.reason and not (record.verdict == "failed" and record.findings):
        details["reason"] = strings(_cut(record.reason))
    if record.link:
        details["link"] = strings(safe_link(record.link) or f"(not followed: {record.link})")
    if record.raised:
        details["raised"] = strings(_cut(record.raised))
    if record.findings:
        details["findings"] = [
            [strings(_cut(text)) for text in (finding.channel, finding.expected, finding.got, finding.detail)]
            for finding in record.findings
        ]
    outcome: list[Any] = [
        VERDICTS.index(record.verdict),
        result,
        _rounded(record.ulp),
        _rounded(record.budget),
        _place(record),
        _rounded(record.end_to_end),
        details or None,
    ]
    while outcome[-1] in (None, ""):
        outcome.pop()
    return outcome


def _differs(records: Sequence[Record]) -> bool:
    """Whether the columns tell different stories: in their verdict, in raising, in the dtype or shape of the result."""
    stories = {(r.verdict, bool(r.raised), *(described(stored) for stored in r.got)) for r in records}
    return len(stories) > 1


def _rounded(number: float | None) -> float | int | None:
    """Three significant digits: more would double the page and tell nothing."""
    if number is None:
        return None
    short = float(f"{number:.3g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
