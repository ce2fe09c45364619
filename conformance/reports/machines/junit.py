"""`junit.xml`: the form that CI systems show. It is valid against the schema of Jenkins' xUnit plug-in (xunit2).

A test suite is a backend in a mode. A test case is a **case**, not a variant, as an item of pytest is: viewers show
some thousands of test cases well and 33,000 badly (GitLab refuses files of more than 30 MB), a case has a name that
stays, and one command repeats it.

A test case passes only if every variant of it passed. Where nothing failed but something is divergent, unsupported or
not run, it is skipped, with how many passed and why the others did not: viewers count a skip as neither, and an
exclusion that counts as a pass is how a green report comes to mean nothing. Crashes and time-outs are errors.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from conformance.ground.verdicts import FAILURES, VERDICTS
from conformance.reports.shared.columns import Column
from conformance.runfile import CaseLine, CaseLines, Record, Run
from conformance.runfile.failure import record_text, repeat_command
from conformance.words.visible import clipped, on_one_line, visible

TEXTS_SHOWN = 5
"""Failing variants of a test case that are shown in full; of the others, their IDs."""

_IDS_SHOWN = 50
_LONGEST_TEXT = 4_000
_LONGEST_MESSAGE = 500
_IN_MEMORY = 1 << 16
_ERRORS = ("crashed", "timed-out")


def _apart() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY)  # closed by `JUnit`


@dataclass(slots=True)
class _Suite:
    """The test cases of a column, written apart until it is known how many there are."""

    cases: IO[bytes] = field(default_factory=_apart)
    tests: int = 0
    results: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, where: str, result: str = "", kind: str = "", message: str = "", text: str = "") -> None:
        """Write a test case.

        Args:
            name: of the test case.
            where: its class name, by which viewers group.
            result: the element that says what came of it: failure, error or skipped; empty where it passed.
            kind: what went wrong, in a word.
            message: one line.
            text: what the element holds.
        """
        self.tests += 1
        self.results[result] += 1
        inside = ""
        if result:
            attributes = {"type": kind, "message": clipped(on_one_line(message), _LONGEST_MESSAGE)}
            inside = element(result, attributes, text)
        self.cases.write(element("testcase", {"classname": where, "name": name}, inside, markup=True).encode())
        self.cases.write(b"\n")

    def counts(self) -> dict[str, str]:
        """The attributes that count."""
        return {
            "tests": str(self.tests),
            "failures": str(self.results["failure"]),
            "errors": str(self.results["error"]),
            "skipped": str(self.results["skipped"]),
        }


class JUnit:
    """Takes cases as they pass by. A context manager, which removes what was written apart."""

    def __init__(self, runs: Sequence[Run], columns: Sequence[Column], cases: Path | None = None) -> None:
        self._runs, self._columns, self._cases = runs, columns, cases
        self._suites = {column.number: _Suite() for column in columns}
        self._whole = _Suite()

    def __enter__(self) -> JUnit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for suite in (*self._suites.values(), self._whole):
            suite.cases.close()

    def add(self, part: CaseLines, records: Sequence[tuple[Column, Record]]) -> None:
        """Add a case, a test case for each column that has records of it."""
        by_column: dict[int, list[Record]] = {}
        for column, record in records:
            by_column.setdefault(column.number, []).append(record)
        for number, found in by_column.items():
            self._add(self._columns[number], part.case, found)

    def _add(self, column: Column, case: CaseLine, records: list[Record]) -> None:
        place, _, name = case.id.rpartition("/")
        classname = ".".join(part for part in (_classname(column), *place.split("/")) if part)
        suite, verdicts = self._suites[column.number], Counter(record.verdict for record in records)
        failed = [record for record in records if record.verdict in FAILURES]
        if failed:
            result = "error" if any(verdicts[verdict] for verdict in _ERRORS) else "failure"
            kinds = list(dict.fromkeys(map(_kind, failed)))
            message = f"{', '.join(kinds)}: {len(failed):,} of {len(records):,} variants"
            suite.add(name, classname, result, kinds[0], message, self._texts(column, case, failed))
        elif verdicts["passed"] < len(records):
            kind = next(verdict for verdict in VERDICTS if verdict != "passed" and verdicts[verdict])
            suite.add(name, classname, "skipped", kind, _skipped(records, verdicts))
        else:
            suite.add(name, classname)

    def _texts(self, column: Column, case: CaseLine, failed: list[Record]) -> str:
        header = self._runs[column.run].header
        texts = [
            clipped(record_text(header, case, record, self._cases), _LONGEST_TEXT) for record in failed[:TEXTS_SHOWN]
        ]
        if others := list(dict.fromkeys(record.variant for record in failed[TEXTS_SHOWN:])):
            lines = [f"and {len(failed) - TEXTS_SHOWN:,} more:", *(f"  {variant}" for variant in others[:_IDS_SHOWN])]
            lines += ["  …"] if len(others) > _IDS_SHOWN else []
            texts.append("\n".join(lines))
        if len(failed) > 1:
            whole = f"{case.id}[*"
            command = repeat_command(
                whole, header.backend, column.mode.name, header.device, header.held_to, self._cases
            )
            texts.append(f"all of this case\n  repeat    {command}")
        return "\n\n".join(texts)

    def write(self, path: Path, problems: Sequence[str] = ()) -> None:
        """Write the file.

        Args:
            path: of the file.
            problems: why the runs can't be taken for whole ones: errors of a test case that is always there.
        """
        for column in self._columns:
            self._manifest(column)
        name, classname = "every run is whole", "conformance"
        if problems:
            self._whole.add(name, classname, "error", "incomplete", problems[0], "\n".join(problems))
        else:
            self._whole.add(name, classname)
        suites = [*self._suites.values(), self._whole]
        with path.open("wb") as file:
            totals = {
                key: str(sum(int(suite.counts()[key]) for suite in suites)) for key in ("tests", "failures", "errors")
            }
            file.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
            file.write(_opening("testsuites", {"name": "conformance", **totals}))
            for column in self._columns:
                self._copy(file, column.label, self._suites[column.number], column)
            self._copy(file, "conformance", self._whole)
            file.write(b"</testsuites>\n")

    def _manifest(self, column: Column) -> None:
        """A test case that fails where records are missing: those that would have been theirs can't."""
        run, suite = self._runs[column.run], self._suites[column.number]
        lacking = run.missing().get(column.mode.name, 0)
        name = "every variant of the manifest has a record"
        if lacking or run.footer is None:
            what = f"{lacking:,} records are missing" if lacking else "its run did not come to its end"
            suite.add(name, _classname(column), "error", "incomplete", what, what)
        else:
            suite.add(name, _classname(column))

    def _copy(self, file: IO[bytes], name: str, suite: _Suite, column: Column | None = None) -> None:
        run = None if column is None else self._runs[column.run]
        moment = {} if run is None else {"timestamp": run.header.started.partition("+")[0]}
        file.write(_opening("testsuite", {"name": name, **suite.counts(), **moment}))
        if run is not None and column is not None:
            properties = "".join(
                element("property", {"name": key, "value": value}) + "\n"
                for key, value in _properties(run, column).items()
            )
            file.write(element("properties", {}, "\n" + properties, markup=True).encode() + b"\n")
        suite.cases.seek(0)
        shutil.copyfileobj(suite.cases, file)
        file.write(b"</testsuite>\n")


def element(name: str, attributes: dict[str, str], content: str = "", markup: bool = False) -> str:
    """An XML element. Characters that XML forbids stand as their escapes.

    Args:
        name: of the element.
        attributes: by name, as text.
        content: of the element, as text.
        markup: whether `content` is XML already.
    """
    opening = f"<{name}{''.join(f' {key}={quoteattr(visible(value))}' for key, value in attributes.items())}"
    return f"{opening}>{content if markup else escape(visible(content))}</{name}>" if content else opening + "/>"


def _opening(name: str, attributes: dict[str, str]) -> bytes:
    return element(name, attributes).removesuffix("/>").encode() + b">\n"


def _classname(column: Column) -> str:
    return f"{column.backend}.{column.mode.name}"


def _kind(record: Record) -> str:
    """What went wrong, in a word: the channel, or that it crashed or timed out."""
    return record.findings[0].channel if record.verdict == "failed" and record.findings else record.verdict


def _skipped(records: list[Record], verdicts: Counter[str]) -> str:
    """How many passed, and why the others did not."""
    parts = [f"{verdicts['passed']:,} of {len(records):,} variants passed"]
    for verdict in VERDICTS:
        if verdict != "passed" and verdicts[verdict]:
            reasons = list(dict.fromkeys(record.reason for record in records if record.verdict == verdict))
            more = f" (and {len(reasons) - 1:,} more reasons)" if len(reasons) > 1 else ""
            parts.append(f"{verdicts[verdict]:,} {verdict}: {reasons[0] or 'no reason recorded'}{more}")
    return "; ".join(parts)


def _properties(run: Run, column: Column) -> dict[str, str]:
    """What was run, on what, and the verdicts: of variants, where test cases are cases."""
    header, counts = run.header, run.counts()[column.mode.name]
    return {
        "backend": header.backend,
        "mode": column.mode.name,
        "device": header.device,
        **({"held to": header.held_to} if header.held_to else {}),
        **{f"version of {name}": version for name, version in header.versions.items()},
        **header.environment,
        "suite": header.suite,
        "cases digest": header.cases_digest,
        "selection": header.part_of_cases or "all cases",
        "manifest": str(column.mode.variants),
        **{f"variants {verdict}": str(counts[verdict]) for verdict in VERDICTS},
        "variants not in the mode's subset": str(column.mode.left_out),
    }
