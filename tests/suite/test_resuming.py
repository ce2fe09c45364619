"""A run that was cut off anywhere is gone on with to what an undisturbed one recorded, and only on what it began with."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import runfile
from conformance.backends.numpy import NumpyBackend
from conformance.runfile import ModeSummary, Part, Reader, RunFileError, Shard, UnwritableError, Writer
from conformance.suite import resuming
from conformance.suite.filing import Filing, part_of, parts_of
from conformance.suite.resuming import ResumeError
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

TEXT = """
  - {name: wrong, given: {x: [0.0]}, call: exp(x), expect: {values: [2.0], because: of a mistake}}
  - {name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
"""


class Filed:
    """A session over the cases above, its run file, and how often each attempt was made."""

    def __init__(self, cases: Path, path: Path) -> None:
        self.session = BackendSession("numpy", select(cases))
        self.made: list[tuple[str, str, str]] = []
        self.session.announce_to(lambda attempt: self.made.append(attempt.key))
        shares = {mode: self.session.selection.share("numpy", mode) for mode in self.session.modes}
        items = [
            (mode, case.id)
            for case in self.session.selection.cases
            for mode in self.session.modes
            if case.id in shares[mode].variants
        ]
        self.filing = Filing(self.session, path, items)

    def run(self, resume: bool = False) -> runfile.Run:
        """Run all, or what is left."""
        if resume:
            self.filing.resume()
        self.filing.open(self.filing.path, self.filing.recorded)
        cases = {case.id: case for case in self.session.selection.cases}
        for mode, case in self.filing.items:
            self.session.run_case(cases[case], mode)
        self.session.finish(complete=True)
        return runfile.read(self.filing.path)


@pytest.fixture
def filed(folder: Callable[..., Path], tmp_path: Path) -> Callable[[], Filed]:
    cases = folder(TEXT)
    return lambda: Filed(cases, tmp_path / "run.jsonl")


def test_a_file_cut_at_any_byte_is_gone_on_with_and_repeats_nothing(filed: Callable[[], Filed]) -> None:
    first = filed()
    whole = first.run()
    records, variants = whole.records, whole.variants
    raw = first.filing.path.read_bytes()
    header = raw.index(b"\n") + 1
    for length in [0, header // 2, *range(header, len(raw), 211), len(raw) - 1]:
        first.filing.path.write_bytes(raw[:length])
        held = len(runfile.read(first.filing.path).records) if length >= header else 0
        again = filed()
        run = again.run(resume=True)
        assert run.complete and run.records == records and run.variants == variants
        assert len(again.made) == whole.size - held
        assert run.header == whole.header or length < header


def test_a_whole_run_is_left_as_it_is_but_for_the_footer(filed: Callable[[], Filed]) -> None:
    records = filed().run().records
    again = filed()
    assert again.run(resume=True).records == records
    assert again.made == []


def test_parts_that_were_not_joined_are_gone_on_with(filed: Callable[[], Filed]) -> None:
    """As when a run of several processes was killed."""
    first = filed()
    records = first.run().records
    path = first.filing.path
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"id":"things/one"' in line)
    path.write_bytes(b"".join(lines[: at - 1]))
    part_of(path, "2").write_bytes(b"".join([lines[0], *lines[at:-2]]))
    lost = sum(b'"kind":"record"' in line for line in (lines[at - 1], lines[-2]))
    again = filed()
    run = again.run(resume=True)
    assert run.complete and run.records == records
    assert len(again.made) == lost == 2
    assert parts_of(path) == []


CHANGED: dict[str, tuple[dict[str, Any], str]] = {
    "cases": ({"cases_digest": "f" * 64}, "cases: ffffffff, now "),
    "manifest": ({"manifest_digest": "f" * 64}, "manifest: ffffffff, now "),
    "versions": ({"versions": {"numpy": "1.26"}}, "versions: numpy 1.26, now numpy 2."),
    "device": ({"device": "gpu"}, "device: gpu, now cpu"),
    "order": ({"order": "random, seed 1"}, "order: random, seed 1, now none"),
    "selection": ({"selection": "-k one"}, "selection: -k one, now none"),
    "suite": ({"suite": "0.0.1"}, "suite: 0.0.1, now "),
    "shard": (
        {"shard": Shard(1, 2, [ModeSummary("eager", 19), ModeSummary("idioms", 19)])},
        "shard: shard 1 of 2, now none",
    ),
    "modes": ({"modes": []}, "modes: none, now eager (3)"),
    "machine": ({"environment": {"processor": "another"}}, "processor: another, now "),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_run_of_something_else_is_not_gone_on_with_and_what_differs_is_said(
    what: str, filed: Callable[[], Filed]
) -> None:
    changes, message = CHANGED[what]
    made = filed()
    Writer(made.filing.path, msgspec.structs.replace(made.filing.header, **changes)).close()
    before = made.filing.path.read_bytes()
    with pytest.raises(ResumeError) as caught:
        made.filing.resume()
    assert str(caught.value).startswith(f"{made.filing.path}: can't be resumed, for it was begun with other\n  ")
    assert f"\n  {message}" in str(caught.value)
    assert made.filing.path.read_bytes() == before


def test_what_does_not_bear_on_results_is_no_hindrance(filed: Callable[[], Filed]) -> None:
    header = filed().filing.header
    assert resuming.differences(msgspec.structs.replace(header, started="then", commit="abc"), header) == []


def test_a_merged_file_is_not_gone_on_with(filed: Callable[[], Filed]) -> None:
    made = filed()
    Writer(made.filing.path, msgspec.structs.replace(made.filing.header, parts=[Part({}, "t", "t", 1)])).close()
    with pytest.raises(ResumeError, match="was merged from several runs; resume the one that is incomplete"):
        made.filing.resume()


def test_a_file_that_is_no_run_file_is_not_gone_on_with(filed: Callable[[], Filed]) -> None:
    made = filed()
    made.filing.path.write_text("something else\n")
    with pytest.raises(RunFileError, match="not a run file"):
        made.filing.resume()


def test_a_full_disk_leaves_whole_lines_and_is_told(
    filed: Callable[[], Filed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once with nothing written of a line, once with half of it."""
    records = filed().run().records
    for room in range(2000, filed().filing.path.stat().st_size, 1500):
        made = filed()

        class Small(FileIO):
            left = room

            def write(self, data: Any) -> int:
                taken = super().write(data[: self.left])
                self.left -= taken
                if not taken:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return taken

        with monkeypatch.context() as patch:
            patch.setattr("conformance.runfile.writing.FileIO", Small)
            try:
                made.run()
            except UnwritableError as error:
                assert str(error) == f"{made.filing.path}: can't be written to: No space left on device"
            else:
                pytest.fail("it was not told")
            made.session.finish(complete=False)
        header = made.filing.path.read_bytes().index(b"\n")
        assert runfile.read(made.filing.path).complete == (room < header)  # then the older file stays
        assert made.filing.path.read_bytes().endswith(b"\n")
    assert filed().run(resume=True).records == records


def test_a_backend_does_not_run_what_is_there(filed: Callable[[], Filed], monkeypatch: pytest.MonkeyPatch) -> None:
    made = filed()
    made.run()
    reader = Reader(made.filing.path)
    reader.follow()
    again = filed().session
    again.subject.start()
    again.leave_out(reader)
    monkeypatch.setattr(NumpyBackend, "from_numpy", lambda self, array: pytest.fail("it was run"))
    assert [again.run_case(case, "eager") for case in again.selection.cases] == [[], []]


# Under pytest


def pytest_run(
    python: Callable[..., Any], cases: Path, path: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    common = ("-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.suite", "--backend", "numpy", "-rs")
    done: subprocess.CompletedProcess[str] = python(*common, "--cases", str(cases), "--run-file", str(path), *arguments)
    return done


def test_pytest_goes_on_with_a_run_and_skips_what_is_recorded(
    python: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    cases, path = folder(TEXT), tmp_path / "run.jsonl"
    assert pytest_run(python, cases, path, "-x").returncode == 1
    stopped = runfile.read(path)
    assert stopped.footer is None
    done = pytest_run(python, cases, path, "--resume")
    run = runfile.read(path)
    assert run.complete and run.records[: stopped.size] != [] and run.size > stopped.size
    assert "is in the run file already" in done.stdout
    done = pytest_run(python, cases, path, "--resume", "-k", "one")
    assert done.returncode == 4
    assert "can't be resumed, for it was begun with other" in done.stdout + done.stderr
    assert "selection: none, now -k one" in done.stdout + done.stderr
    assert runfile.read(path).complete
