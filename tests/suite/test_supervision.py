"""Crashes, hangs and deaths of every kind cost the variant that was at it, and are told as what they were."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faulty
import pytest

from conformance import runfile
from conformance.runfile import Run

CASE = (
    "  - {{name: {name}, given: {{x: {{full: {{shape: [2], value: k}}}}}}, for: {{k: [{values}]}}, call: sigmoid(x)}}\n"
)


def case(name: str, *values: float) -> str:
    """A case whose variants have these numbers as inputs."""
    return CASE.format(name=name, values=", ".join(str(float(value)) for value in values))


def asking_for(*faults: str) -> str:
    """A case a fault: a right variant, the one that breaks, a right one."""
    return "".join(case(name.replace("_", "-"), 1, faulty.CODES[name], 2) for name in faults)


class Faulty:
    """Runs of the faulty backend in a folder."""

    def __init__(self, folder: Path, cases: Callable[..., Path], python: Callable[..., Any]) -> None:
        self.folder = folder
        self._cases = cases
        self._python = python
        self._environment = faulty.environment(folder)

    def __call__(self, text: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`conformance run`, without reports."""
        fixed = ("run", "--backend", "faulty", "--no-report", "-o", str(self.folder / "out"))
        return self._python(
            "-m", "conformance", *fixed, "--cases", str(self._cases(text)), *arguments, **self._environment, **variables
        )

    def start(self, text: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """The same, not waited for."""
        fixed = ("run", "--backend", "faulty", "--no-report", "-o", str(self.folder / "out"))
        return subprocess.Popen(
            [sys.executable, "-m", "conformance", *fixed, "--cases", str(self._cases(text)), *arguments],
            env=os.environ | self._environment | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    @property
    def path(self) -> Path:
        return self.folder / "out" / "faulty-cpu.jsonl"

    @property
    def run(self) -> Run:
        """What was recorded."""
        return runfile.read(self.path)

    @property
    def verdicts(self) -> dict[str, tuple[str, str]]:
        """Verdict and reason of every record, by variant."""
        return {r.variant.removeprefix("things/"): (r.verdict, r.reason) for r in self.run.records}

    @property
    def executed(self) -> Counter[str]:
        """How often each input was executed."""
        log = self.folder / "log"
        return Counter(log.read_text().splitlines() if log.exists() else ())


@pytest.fixture
def broken(tmp_path: Path, folder: Callable[..., Path], python: Callable[..., Any]) -> Faulty:
    """The faulty backend, to be run."""
    return Faulty(tmp_path, folder, python)


LOST = {
    "segfault": ("crashed", "SIGSEGV (segmentation fault)"),
    "abort": ("crashed", "SIGABRT (aborted)"),
    "leave": ("crashed", "exit status 3"),
    "be_killed": ("crashed", "SIGKILL (killed from outside, as the kernel does for want of memory)"),
    "leave_with_success": ("crashed", "exit status 0"),
    "interrupt": ("crashed", "exit status 2"),
    "hang": ("timed-out", "no result within 2 s"),
    "hang_in_c": ("timed-out", "no result within 2 s"),
    "close_every_file": ("crashed", "it closed the run file"),
    "shout_on_stdout": ("timed-out", "no result within 2 s"),
    "shout_on_stderr": ("timed-out", "no result within 2 s"),
}
RAISED = {
    "recurse": "RecursionError: maximum recursion depth exceeded",
    "want_memory": "MemoryError: Unable to allocate 4.00 EiB",
    "storm": "RuntimeError: 199 xxx",
    "leave_politely": "SystemExit: the framework has had enough",
    "raise_no_exception": "Farewell: is no Exception",
}
HARMLESS = ("make_noise", "fork_and_go_on", "close_stdout")


@pytest.mark.parametrize("workers", [1, 2])
def test_what_breaks_costs_one_variant_and_is_told_as_what_it_was(workers: int, broken: Faulty) -> None:
    done = broken(asking_for(*LOST, *RAISED, *HARMLESS), "--timeout", "2", "--workers", str(workers))
    assert done.returncode == 1, done.stdout + done.stderr
    assert broken.run.complete
    for name, (verdict, reason) in LOST.items():
        found = broken.verdicts[f"{name.replace('_', '-')}[float32,k={faulty.CODES[name]}.0]"]
        assert found == (verdict, reason)
    for name, reason in RAISED.items():
        verdict, told = broken.verdicts[f"{name.replace('_', '-')}[float32,k={faulty.CODES[name]}.0]"]
        assert verdict == "failed" and f"got {reason}" in told
    others = [verdict for variant, (verdict, _) in broken.verdicts.items() if not re.search(r"k=1\d\d", variant)]
    cases = len(LOST) + len(RAISED) + len(HARMLESS)
    assert others == ["passed"] * 2 * cases
    for name in HARMLESS:
        assert broken.verdicts[f"{name.replace('_', '-')}[float32,k={faulty.CODES[name]}.0]"][0] == "passed"
    assert max(broken.executed.values()) == cases  # of those that all cases have
    assert sum(broken.executed.values()) == 3 * cases
    assert list(broken.folder.glob("out/*.part-*")) == []


def test_the_last_words_of_a_process_are_in_the_record_and_those_of_another_variant_are_not(broken: Faulty) -> None:
    done = broken(asking_for("make_noise", "abort", "leave", "hang_in_c", "interrupt"), "--timeout", "2")
    details = {r.variant: r.findings[0].detail for r in broken.run.records if r.findings}
    assert details["things/leave[float32,k=103.0]"] == ""
    assert details["things/interrupt[float32,k=113.0]"] == "KeyboardInterrupt"
    aborted = details["things/abort[float32,k=102.0]"]
    assert aborted.startswith("terminate called after throwing an instance of 'std::bad_alloc'; Fatal Python error")
    assert aborted.endswith("in sigmoid")
    hung = details["things/hang-in-c[float32,k=106.0]"]
    assert "in hang_in_c" in hung and "Fatal" not in hung
    assert str(Path(faulty.__file__).parent.parent) not in aborted
    assert "got       SIGABRT (aborted)\n            terminate called" in done.stdout


AFTER_AN_ERROR = """
  - {name: poisoned, given: {x: {full: {shape: [2], value: k}}}, for: {k: [1.0, 123.0, 2.0, 123.5, 3.0, 123.25, 4.0, 123.75]},
     call: sigmoid(x)}
  - {name: later, given: {x: [0.5]}, call: sigmoid(x)}
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_after_which_nothing_can_be_computed_costs_no_other_variant(workers: int, broken: Faulty) -> None:
    done = broken(AFTER_AN_ERROR, "--workers", str(workers))
    assert (done.returncode, broken.run.complete) == (1, True), done.stdout + done.stderr
    failed = {variant: reason for variant, (verdict, reason) in broken.verdicts.items() if verdict == "failed"}
    assert failed.keys() == {f"poisoned[float32,k={k}]" for k in (123.0, 123.5, 123.25, 123.75)}
    assert all("RuntimeError: CUDA error: device-side assert" in reason for reason in failed.values())
    assert {verdict for verdict, _ in broken.verdicts.values()} == {"passed", "failed"}
    assert set(broken.executed.values()) == {1}


def test_a_device_that_is_lost_for_every_process_ends_the_run(broken: Faulty) -> None:
    done = broken(AFTER_AN_ERROR.replace("123.5", "124.0"))
    assert done.returncode == 3
    assert broken.run.footer is not None
    assert broken.run.footer.stopped == (
        "faulty does not start: RuntimeError: after an error it computes nothing any more, in a new process neither"
    )
    assert len(broken.verdicts) == 4
    assert "not run: " in done.stderr


def test_without_a_keeper_an_error_after_which_nothing_can_be_computed_ends_the_run_and_says_so(
    broken: Faulty, python: Callable[..., Any], tmp_path: Path
) -> None:
    cases = broken._cases(AFTER_AN_ERROR)
    path = tmp_path / "plain.jsonl"
    arguments = ["-m", "pytest", "--pyargs", "conformance.suite", "-p", "no:cacheprovider", "--backend", "faulty"]
    done = python(*arguments, "--cases", str(cases), "--run-file", str(path), **broken._environment)
    assert done.returncode == 2
    assert "after an error in things/poisoned[float32,k=123.0], faulty computes nothing any more" in done.stdout
    run = runfile.read(path)
    assert (run.complete, len(list(run.records))) == (False, 2)


def test_errors_after_which_all_goes_on_and_adapters_that_never_compute_anything_are_no_such_thing(
    broken: Faulty,
) -> None:
    (broken.folder / "lost").touch()  # from the start on
    done = broken(AFTER_AN_ERROR)
    assert (done.returncode, broken.run.complete) == (1, True)
    assert {verdict for verdict, _ in broken.verdicts.values()} == {"failed"}


def test_three_in_a_row_of_one_kind_end_the_run_and_the_rest_is_not_run(broken: Faulty) -> None:
    text = case("first", 1) + "".join(case(f"bad-{i}", 103) for i in range(3)) + case("last", 1, 2)
    done = broken(text)
    assert done.returncode == 3
    assert "error: faulty: 3 in a row crashed: exit status 3; not run: 2 of eager" in done.stderr
    assert "3 crashed  2 not-run" in done.stdout
    assert broken.run.counts()["eager"]["not-run"] == 2
    again = broken(text, "--resume")
    assert again.returncode == 1 and broken.run.complete
    assert broken.run.counts()["eager"] | {"passed": 3, "crashed": 3} == broken.run.counts()["eager"]


@pytest.mark.parametrize(("forks", "left"), [(0, 3), (1, 1)])
def test_where_the_system_gives_no_process_the_run_ends_says_so_and_is_resumed(
    forks: int, left: int, broken: Faulty
) -> None:
    done = broken(asking_for("leave"), FAULTY_FORKS=str(forks))
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()[1:]
    assert line.startswith("error: faulty: the system gives no process: Resource temporarily unavailable; not run: ")
    assert line.endswith(f"{left} of eager")
    assert broken(asking_for("leave"), "--resume").returncode == 1
    assert broken.run.complete


def test_a_run_file_that_is_removed_is_missed(broken: Faulty) -> None:
    done = broken(asking_for("remove_the_run_file"))
    assert done.returncode == 3
    assert done.stderr.splitlines()[1:] == [
        f"error: {broken.path}: was removed by somebody else while it was being written"
    ]


def test_others_in_between_or_of_another_kind_are_no_row(broken: Faulty) -> None:
    kinds = [103, 103, 1, 103, 103, 101, 103, 103, 101, 101, 2]
    done = broken("".join(case(f"case-{i:02}", kind) for i, kind in enumerate(kinds)))
    assert done.returncode == 1 and broken.run.complete


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("segfault", "SIGSEGV (segmentation fault); Fatal Python error: Segmentation fault"),
        ("abort", "SIGABRT (aborted); terminate called after throwing an instance of 'std::bad_alloc'"),
        ("leave", "exit status 3"),
        ("hang", "nothing within 1 s"),
    ],
)
def test_a_backend_that_does_not_start_is_one_line_with_the_cause(how: str, cause: str, broken: Faulty) -> None:
    done = broken(asking_for("leave") + case("other", 1), "--timeout", "0.2", FAULTY_START=how)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()[1:]
    assert line.startswith(f"error: faulty: faulty does not start: {cause}")
    assert line.endswith("; not run: 4 of eager")
    assert (broken.run.size, broken.executed) == (0, Counter())


def test_a_backend_that_starts_after_all_is_gone_on_with(broken: Faulty) -> None:
    assert broken(case("one", 1), FAULTY_START="leave").returncode == 3
    assert broken(case("one", 1), "--resume").returncode == 0
    assert broken.run.complete
    before = broken.path.read_bytes()
    assert broken(case("one", 1), "--resume", FAULTY_START="leave").returncode == 0  # there is nothing to start it for
    assert broken.path.read_bytes() == before


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("libfoo.so.1: cannot open shared object file", "numpy can't be imported: libfoo.so.1: cannot open"),
        ("no driver", "its adapter does not start: RuntimeError: no driver"),
    ],
)
def test_a_backend_whose_start_raises_is_unsupported_with_the_reason(how: str, cause: str, broken: Faulty) -> None:
    done = broken(case("one", 1), FAULTY_START=how)
    assert done.returncode == 3
    assert f"nothing could run: {cause}" in done.stderr


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], Any]) -> Any:
    """What `what` gives, once that is anything."""
    for _ in range(2000):
        if found := what():
            return found
        time.sleep(0.01)
    return pytest.fail("it never came")


def test_what_a_process_started_is_ended_with_it(broken: Faulty) -> None:
    broken(asking_for("leave_a_child_and_crash"))
    children = [int(pid) for pid in (broken.folder / "children").read_text().split()]
    assert len(children) == 2
    assert [pid for pid in children if alive(pid)] == []


def processes_of(leader: int) -> list[int]:
    """A process and all that stem from it."""
    found = [leader]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


@pytest.fixture
def hanging(broken: Faulty) -> Iterator[subprocess.Popen[bytes]]:
    """A run that hangs in the second of three variants."""
    process = broken.start(asking_for("hang_in_c"))
    wait_for(lambda: len(broken.executed) == 2)
    yield process
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


@pytest.mark.parametrize("which", [0, 1, 2], ids=["conformance run", "the keeper", "the worker"])
def test_whichever_process_is_killed_nothing_lives_on_and_a_resumed_run_finishes(
    which: int, hanging: subprocess.Popen[bytes], broken: Faulty
) -> None:
    family = processes_of(hanging.pid)
    assert len(family) == 3
    os.kill(family[which], signal.SIGKILL)
    hanging.wait()
    wait_for(lambda: not any(map(alive, family)))
    if which == 2:
        assert broken.verdicts["hang-in-c[float32,k=106.0]"][1].startswith("SIGKILL")
        return
    assert not broken.run.complete and broken.run.footer is None
    assert [r.variant for r in broken.run.records] == ["things/hang-in-c[float32,k=1.0]"]
    assert broken(asking_for("hang_in_c"), "--resume", "--timeout", "2").returncode == 1
    assert broken.run.complete
    assert sorted(broken.executed.values()) == [1, 1, 2]  # only what hung was tried again


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_ends_everything_and_what_is_recorded_stays(
    how: signal.Signals, hanging: subprocess.Popen[bytes], broken: Faulty
) -> None:
    family = processes_of(hanging.pid)
    hanging.send_signal(how)
    status = hanging.wait(30)
    assert status == (130 if how == signal.SIGINT else -how)
    wait_for(lambda: not any(map(alive, family)))
    assert hanging.stderr is not None
    if how == signal.SIGINT:
        assert hanging.stderr.read().decode().splitlines() == [
            "interrupted; what was recorded until then is in the run files: --resume goes on from there"
        ]
    assert [r.variant for r in broken.run.records] == ["things/hang-in-c[float32,k=1.0]"]


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_is_alive(
    hanging: subprocess.Popen[bytes], broken: Faulty
) -> None:
    done = broken(case("other", 1))
    assert done.returncode == 2
    assert f"another run writes here (process {hanging.pid}, begun at " in done.stderr
    hanging.kill()
    hanging.wait()
    wait_for(lambda: broken(case("other", 1)).returncode == 0)


def test_pytest_alone_says_what_supervision_needs(broken: Faulty, folder: Callable[..., Path]) -> None:
    common = (
        "-m",
        "pytest",
        "--pyargs",
        "conformance.suite",
        "--backend",
        "numpy",
        "--cases",
        str(folder(case("a", 1))),
    )
    for arguments in (["-s"], ["--run-file", "x"]):
        done = broken._python(*common, "--supervise", "1", *arguments)
        assert done.returncode == 4
        assert "--supervise needs --run-file, and -s" in done.stderr
