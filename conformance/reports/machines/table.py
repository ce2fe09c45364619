"""`records.csv`: every record, a row each. RFC 4180, UTF-8 without a byte order mark, lines end with CR LF."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from conformance.reports.shared.columns import Column
from conformance.runfile import CaseLine, CaseLines, Record, Run, VariantLine
from conformance.runfile.arrays import described
from conformance.words.visible import clipped, on_one_line

COLUMNS = {
    "run": "label of the run: the backend, with what tells runs apart where names alone would clash",
    "version": "of the framework",
    "device": "where it ran",
    "mode": "how the backend executed; 'idioms' for other spellings",
    "idiom": "in mode 'idioms', the spelling",
    "operation": "that the case is about",
    "case": "its ID",
    "variant": "its ID",
    "dtype": "of the variant",
    "check": "value or gradient",
    "verdict": "passed, failed, divergent, unsupported, crashed, timed-out or not-run",
    "channels": "that differ, with spaces between",
    "reason": "one line, for everything that did not pass",
    "expected": "of the first channel that differs",
    "got": "likewise",
    "raised": "type and message of the error that came",
    "ulp": "a number: the error of the element nearest its budget; empty where none was measured",
    "budget": "a number: what was allowed there",
    "at": "that element's index",
    "step": "of several steps, the one it is a result of",
    "end to end": "a number: the error in ULP against the whole in exact arithmetic; empty where none was measured",
    "results": "dtype and shape of each result",
    "link": "of a divergence",
}
"""The columns in order: the header, and what stands below it."""

LONGEST_CELL = 2_000
"""Characters; longer texts are cut in their middle. Spreadsheets take 32,767."""

_ACTING = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


class Table:
    """Writes the rows of cases as they pass by. A context manager, which closes the file."""

    def __init__(self, runs: Sequence[Run], path: Path) -> None:
        self._versions = [next(iter(run.header.versions.values()), "") for run in runs]
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(COLUMNS)

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, part: CaseLines, records: Sequence[tuple[Column, Record]]) -> None:
        """Write the records of a case, each with its column."""
        self._rows.writerows(
            row(part.case, part.variants[record.variant], column, self._versions[column.run], record)
            for column, record in records
        )


def row(case: CaseLine, line: VariantLine, column: Column, version: str, record: Record) -> list[str]:
    """A record as cells, in the order of `COLUMNS`."""
    first = record.findings[0] if record.findings else None
    texts = (
        column.backend,
        version,
        column.device,
        column.mode.name,
        record.idiom,
        case.operation,
        case.id,
        record.variant,
        line.dtype,
        line.check,
        record.verdict,
        " ".join(dict.fromkeys(finding.channel for finding in record.findings)),
        record.reason,
        first.expected if first else "",
        first.got if first else "",
        record.raised,
    )
    return [
        *map(cell, texts),
        number(record.ulp),
        number(record.budget),
        cell(str(record.at) if record.at else ""),
        cell(record.step),
        number(record.end_to_end),
        cell(" ".join(map(described, record.got))),
        cell(record.link),
    ]


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    IDs and reasons come from elsewhere. What begins with one of ``= + - @ '``, their wide forms, a tab or a line end
    gets an apostrophe in front, so that taking one away from every cell that has it gives the text back. Line ends and
    control characters are shown as their escapes.
    """
    shown = clipped(on_one_line(text), LONGEST_CELL)
    return "'" + shown if text.startswith(_ACTING) else shown


def number(value: float | None) -> str:
    """A number as it reads back to the same one; empty for none, which is not ``NaN``."""
    if value is None:
        return ""
    return "NaN" if value != value else repr(float(value))
