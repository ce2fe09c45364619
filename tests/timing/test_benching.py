"""`conformance bench` and the timing suite under pytest, as users run them."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from typer.testing import CliRunner

from conformance.cli import app
from conformance.running.locking import locked
from conformance.timing import benching, timingfile
from conformance.timing.benching import Request
from conformance.timing.loop import ROUND_SECONDS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def suite(python: Run) -> Run:
    """`pytest --pyargs conformance.timing.suite` with arguments."""
    return lambda *arguments, **where: python(
        "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.timing.suite", *arguments, **where
    )


def test_a_bench_writes_timing_files_and_the_page(python: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = python("-m", "conformance", "bench", "-b", "numpy", "-k", "exp or stack", "--size", "2x20", "-o", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "numpy: " in done.stderr and " cells in " in done.stderr
    run = timingfile.read(out / "timing" / "numpy-cpu.json")
    assert {timing.cell.operation for timing in run.timings.values()} == {"exp", "stack"}
    timed = [timing for timing in run.timings.values() if timing.calls is not None]
    assert {timing.cell.direction for timing in timed} == {"forward"} and len(timed) == 8
    assert all(timing.calls.n >= 7 and timing.calls.iterations > 1 for timing in timed if timing.calls is not None)
    # A round is one call to pytest-benchmark, and is divided by the calls that are in it. Of several cells, because a
    # machine that is held up during a calibration makes that cell's rounds short.
    rounds = [t.calls.median * t.calls.iterations / ROUND_SECONDS for t in timed if t.calls is not None]
    assert 0.1 < median(rounds) < 50
    assert run.about.selection == "--size 2x20 -k exp or stack" and run.about.plain == "eager"
    assert "processor" in run.about.environment and run.about.copies and run.drift >= 1
    assert (out / "timing.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    again = python("-m", "conformance", "report", "-o", str(out))
    assert again.returncode == 0 and str(out / "timing.html") in again.stdout
    (out / "timing.html").unlink()
    (out / "timing.html").mkdir()
    again = python("-m", "conformance", "report", "-o", str(out))
    assert again.returncode == 2
    assert again.stderr == f"error: {out / 'timing.html'}: can't be written to: Is a directory\n"


def test_pytest_benchmark_compares_timing_files(suite: Run, python: Run, tmp_path: Path) -> None:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path in paths:
        done = suite(
            "--backend", "numpy", "-k", "exp", "--size", "2x20", "--dtype", "float32", "--benchmark-json", str(path)
        )
        assert done.returncode == 0, done.stdout + done.stderr
    compared = python("-m", "pytest_benchmark", "compare", *map(str, paths))
    assert compared.returncode == 0, compared.stderr
    assert "exp[float32,shape=2x20,forward]" in compared.stdout and compared.stdout.count("numpy eager exp") == 2


def test_a_timing_file_names_no_person_and_no_machine(suite: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    suite("--backend", "numpy", "-k", "exp", "--size", "2x20", "--dtype", "float32", "--benchmark-json", str(path))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert set(content["machine_info"]) == {"machine", "system", "python_implementation", "python_version"}
    assert content["commit_info"] == {} and str(tmp_path) not in path.read_text(encoding="utf-8")


def test_cells_that_all_lack_times_are_written_with_their_reasons(suite: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    done = suite("--backend", "numpy", "--device", "gpu", "-k", "exp", "--size", "2x20", "--benchmark-json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    run = timingfile.read(path)
    assert {timing.cell.why_not for timing in run.timings.values()} == {"no gpu here; numpy sees cpu"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "3x3"], "no size '3x3' is timed; there are 2x20"),
        (["--dtype", "int8"], "no dtype 'int8' is timed"),
        (["-m", "jit", "-b", "numpy"], "none of numpy has a timed mode 'jit' on cpu"),
        (["-m", "idioms", "-b", "numpy"], "none of numpy has a timed mode 'idioms' on cpu"),
        (["-b", "nump"], "no backend 'nump'"),
        (["-k", "nothing", "-b", "numpy"], "no cell matches 'nothing'"),
    ],
)
def test_what_is_not_there_ends_with_status_2_and_one_line(
    python: Run, arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = python("-m", "conformance", "bench", *arguments, "-o", str(tmp_path / "out"))
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr


def test_a_mistake_under_pytest_is_a_usage_error(suite: Run) -> None:
    done = suite("--backend", "numpy", "--size", "3x3")
    assert done.returncode == 4 and "no size '3x3' is timed" in done.stdout + done.stderr


def test_the_cases_and_the_timing_are_apart(python: Run) -> None:
    cases = python(
        "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.suite", "--backend", "numpy", "--co", "-q"
    )
    assert "test_case" in cases.stdout and "test_timing" not in cases.stdout


def test_a_damaged_timing_file_is_told_by_report(python: Run, tmp_path: Path) -> None:
    (tmp_path / "timing").mkdir()
    (tmp_path / "timing" / "numpy-cpu.json").write_text("{}", encoding="utf-8")
    done = python("-m", "conformance", "report", "-o", str(tmp_path))
    assert done.returncode == 2 and "not a timing file" in done.stderr and "Traceback" not in done.stderr


def test_a_command_has_only_the_modes_that_its_backend_has(tmp_path: Path) -> None:
    request = Request(["numpy"], tmp_path, modes=["eager", "jit"], keyword="exp", sizes=["2x20"], full=True, threads=2)
    command = request.command("numpy", tmp_path / "progress")
    assert "jit" not in command and command[command.index("--mode") + 1] == "eager"
    assert (
        command[command.index("-k") + 1] == "exp"
        and "--full" in command
        and command[command.index("--threads") + 1] == "2"
    )


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("raise SystemExit(3)", "status 3"),
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV (segmentation fault)"),
    ],
)
def test_a_process_that_dies_is_a_problem_and_the_others_are_kept(
    ending: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = f"print('oh no', flush=True); {ending}"
    monkeypatch.setattr(Request, "command", lambda *_: [sys.executable, "-c", code])
    children, refused = benching.run(Request(["numpy"], tmp_path), lambda _: None)
    runs, problems = benching.collect(Request(["numpy"], tmp_path), children)
    assert refused == runs == [] and problems == [f"numpy: its process ended with {told}:\noh no"]


def test_a_process_that_the_system_does_not_give_is_told_and_the_others_are_timed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = benching.start

    def start(backend: str, *arguments: Any) -> Any:
        if backend == "torch":
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return started(backend, *arguments)

    monkeypatch.setattr(benching, "start", start)
    monkeypatch.setattr(Request, "command", lambda *_: [sys.executable, "-c", "pass"])
    children, refused = benching.run(Request(["torch", "numpy"], tmp_path), lambda _: None)
    assert [(one.backend, one.status) for one in children] == [("numpy", 0)]
    assert refused == ["torch: the system gives no process: Resource temporarily unavailable"]


def test_a_timing_file_that_can_not_be_removed_is_no_matter_of_processes(tmp_path: Path) -> None:
    request = Request(["numpy"], tmp_path)
    request.file("numpy").mkdir(parents=True)  # where the file should go
    with pytest.raises(OSError, match=r"numpy-cpu\.json"):
        benching.run(request, lambda _: None)


def test_two_do_not_time_into_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "timing"):
        done = CliRunner().invoke(app, ["bench", "-b", "numpy", "-o", str(tmp_path)])
    assert done.exit_code == 2 and "another run writes here" in done.stderr


def test_an_interrupted_one_says_what_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(benching, "run", interrupted)
    done = CliRunner().invoke(app, ["bench", "-b", "numpy", "-o", str(tmp_path)])
    assert done.exit_code == 130
    assert done.stderr.startswith("interrupted; what was timed until then is in the timing files of the backends")
