"""What the tests of scripts share: what a run file would hold, and fresh interpreters that run scripts."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import backends
from conformance.casefile.variants import Variant
from conformance.reproduction import Composer, Script
from conformance.runfile import CaseLine, Header, Record, VariantLine
from conformance.suite.selection import Selection, select
from conformance.suite.session import BackendSession

_RUNNER = """
import contextlib, io, json, sys, warnings

warnings.simplefilter("ignore")
sys.modules["conformance"] = None  # installed or not, it can't be imported
told = []
for name, text in json.load(sys.stdin):
    printed, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, name, "exec"), {"__name__": "__main__"})
    except (Exception, SystemExit) as problem:
        error = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
    told.append((printed.getvalue(), error))
json.dump(told, sys.__stdout__)
"""


@dataclass(frozen=True)
class Ran:
    """What a script printed, and the error that ended it."""

    printed: str
    error: str


@dataclass(frozen=True)
class Lines:
    """What a run file holds of one result, read back from its JSON."""

    header: Header
    case: CaseLine
    variant: VariantLine
    record: Record

    def script(self, **changes: Any) -> Script:
        """The script that a run file gives."""
        return Composer(self.header, **changes).compose(
            self.case, self.variant, self.record.mode, self.record.idiom, self.record
        )


@pytest.fixture
def ran(python: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[[Sequence[str]], list[Ran]]:
    """Run scripts one after the other in one fresh interpreter, in which this suite can't be imported."""

    def run(texts: Sequence[str]) -> list[Ran]:
        told = json.dumps([(f"script {number}", text) for number, text in enumerate(texts)])
        done = python("-I", "-c", _RUNNER, input=told, timeout=280)
        assert done.returncode == 0, done.stderr[-4000:]
        return [Ran(*told) for told in json.loads(done.stdout)]

    return run


def _read_back(line: Any, kind: type) -> Any:
    return msgspec.json.decode(msgspec.json.encode(line), type=kind)


def _header(session: BackendSession) -> Header:
    shares = {mode: session.selection.share(session.name, mode) for mode in session.modes}
    header: Header = _read_back(session.header(shares, ""), Header)
    return header


def _lines(session: BackendSession, header: Header, variant: Variant, mode: str, idiom: str) -> Lines:
    result = session.run_variant(variant, mode, idiom)
    return Lines(
        header,
        _read_back(session.case_line(variant), CaseLine),
        _read_back(session.variant_line(variant), VariantLine),
        _read_back(session.record_line(result), Record),
    )


@pytest.fixture
def lines(folder: Callable[..., Path]) -> Callable[..., list[Lines]]:
    """What a run file would hold of cases given as text, on a backend in a mode and a spelling; read back from it."""

    def made(text: str, backend: str = "numpy", mode: str = "eager", idiom: str = "") -> list[Lines]:
        session = BackendSession(backend, select(folder(text), (), True), modes=[mode])
        session.subject.start()
        header = _header(session)
        return [_lines(session, header, variant, mode, idiom) for variant in session.selection.variants]

    return made


@pytest.fixture(scope="session")
def corpus() -> Selection:
    """Every case, for all modes."""
    return select(None, (), beyond_subsets=True)


@pytest.fixture
def repeat(corpus: Selection, ran: Callable[[Sequence[str]], list[Ran]]) -> Callable[..., None]:
    """Run variants of the corpus in the suite, then their scripts without it, and compare what came."""

    def repeated(backend: str, wanted: Sequence[tuple[Variant, str, str]]) -> None:
        if missing := backends.load(backend).not_installed():
            pytest.skip(missing)
        session = BackendSession(backend, corpus)
        session.subject.start()
        header = _header(session)
        every = [_lines(session, header, *one) for one in wanted]
        found = [line for line in every if line.record.verdict != "unsupported"]
        assert 2 * len(found) > len(wanted) > 0
        told = ran([line.script().text for line in found])
        wrong = [
            f"{line.variant.id} {line.record.mode} {line.record.idiom}: {'; '.join(differing)}"
            for line, one in zip(found, told, strict=True)
            if (differing := differences(line, one))
        ]
        assert not wrong, "\n".join(wrong)

    return repeated


@pytest.fixture
def differs() -> Callable[[Lines, Ran], list[str]]:
    """In what a script's printout differs from what the suite recorded."""
    return differences


def differences(line: Lines, ran: Ran) -> list[str]:
    """In what a script's printout differs from what the suite recorded."""
    record, found = line.record, []
    if "which is no dtype of this suite" in record.raised:  # the suite's own word about a result, that it prints
        return [] if "object" in ran.printed else [f"{record.raised} was recorded; it printed {ran.printed!r}"]
    if record.raised:
        kind = record.raised.partition(":")[0]
        told = ran.printed if line.variant.truth == "refusal" else ran.error
        return [] if told.startswith(f"{kind}:") else [f"{kind} was recorded; it printed {told!r} and {ran.error!r}"]
    if ran.error:
        return [f"it ended with {ran.error}"]
    printed = re.findall(r"^.*: (\w+)(\[.*\]), SHA-256 ([0-9a-f]{64})$", ran.printed, re.MULTILINE)
    for stored in () if line.case.claim else record.got:
        due = stored.sha256 or hashlib.sha256(stored.array().tobytes()).hexdigest()
        if (stored.dtype, str(stored.shape), due) not in printed:
            found.append(f"{stored.dtype}{stored.shape}, SHA-256 {due} was recorded; it printed {printed}")
    errors = [float(text) for text in re.findall(r"^  (\S+) ULP away", ran.printed, re.MULTILINE)]
    if record.exact and record.ulp is not None and len(errors) == 1:
        if abs(errors[0] - record.ulp) > 0.01 * max(record.ulp, 1):
            found.append(f"{record.ulp} ULP were recorded; it printed {errors[0]}")
    elif errors not in ([], [float("inf")]):  # a run file holds finite errors only
        found.append(f"no error was recorded; it printed {errors}")
    return found
