"""What becomes of the processes that run backends: progress, shortcomings, exit status."""

from __future__ import annotations

import errno
import io
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from conformance import backends, runfile
from conformance.backends.kernels import Choice
from conformance.casefile.loader import load
from conformance.ground import processes
from conformance.runfile import CaseLine, FindingLine, Header, ModeSummary, Record, Run, VariantLine, Writer
from conformance.runfile.failure import record_text
from conformance.running import running
from conformance.running.child import PYTEST_USAGE, Child
from conformance.running.console import print_summary
from conformance.running.following import Followed, Output
from conformance.running.running import Request
from conformance.words.terminal import Terminal


def header(backend: str = "numpy", device: str = "cpu", **modes: int) -> Header:
    summaries = [ModeSummary(name, n, left_out=3 if name == "compile" else 0) for name, n in modes.items()]
    return Header(runfile.FORMAT, "0", backend, device, {backend: "2.0"}, {}, "c", "m", summaries, {}, [], "t")


def write(writer: Writer, verdict: str, mode: str = "eager", name: str = "x", reason: str = "") -> None:
    writer.case(lambda: CaseLine("a/b", "exp", "a.yaml", "- name: b", "", "exp(x)", False), "a/b")
    writer.variant(lambda: VariantLine(f"a/b[{name}]", "a/b", "float32", {}), name)
    findings = [FindingLine("value", "1", "2")] if verdict == "failed" else []
    reason = reason or ("" if verdict == "passed" else f"why {verdict}")
    writer.record(Record(f"a/b[{name}]", mode, verdict, reason, findings))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Run]:
    """A run with a record of each given verdict."""

    def run(
        *verdicts: str,
        missing: int = 0,
        finished: bool = True,
        backend: str = "numpy",
        reason: str = "",
        stopped: str = "",
    ) -> Run:
        writer = Writer(tmp_path / f"{backend}.jsonl", header(backend, eager=len(verdicts) + missing))
        for i, verdict in enumerate(verdicts):
            write(writer, verdict, name=f"v{i}", reason=reason)
        if finished:
            writer.finish("t", stopped)
        else:
            writer.close()
        return runfile.read(writer.path)

    return run


def test_a_whole_run_has_no_shortcomings(made: Callable[..., Run]) -> None:
    for verdicts in (["passed"], ["failed", "divergent"], ["passed", "unsupported"], []):
        assert running.shortcomings(made(*verdicts)) == []


def test_a_run_without_footer_or_with_records_missing_says_what_is_missing(made: Callable[..., Run]) -> None:
    assert running.shortcomings(made("passed", missing=1200)) == [
        "numpy: the run is incomplete; missing: 1,200 of eager"
    ]
    assert running.shortcomings(made("passed", finished=False)) == ["numpy: the run is incomplete; missing: its footer"]


def test_a_run_in_which_nothing_could_run_says_why(made: Callable[..., Run]) -> None:
    run = made("unsupported", "unsupported", reason="jax is not installed")
    assert not running.ran(run)
    assert running.shortcomings(run) == ["numpy: nothing could run: jax is not installed"]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (["passed", "divergent", "unsupported"], 0),
        (["passed", "failed"], 1),
        (["crashed"], 1),
        (["timed-out", "passed"], 1),
    ],
)
def test_the_exit_status_is_1_where_something_failed(
    verdicts: list[str], status: int, made: Callable[..., Run]
) -> None:
    assert running.exit_status([made("passed", backend="torch"), made(*verdicts)], []) == status


def test_the_exit_status_is_3_where_a_run_is_not_whole_whatever_failed(made: Callable[..., Run]) -> None:
    run = made("failed", missing=1)
    assert running.exit_status([run], running.shortcomings(run)) == 3
    assert running.exit_status([], ["something"]) == 3


def test_failures_are_what_neither_passed_nor_is_registered_nor_unsupported(made: Callable[..., Run]) -> None:
    run = made("passed", "failed", "divergent", "unsupported", "crashed", "timed-out")
    assert [record.verdict for _, _, record in running.failures([run])] == ["failed", "crashed", "timed-out"]


def test_a_failure_from_a_run_file_reads_like_one_from_pytest(made: Callable[..., Run]) -> None:
    ((run, case, record),) = running.failures([made("failed")])
    assert record_text(run.header, case, record, Path("my cases")).splitlines() == [
        "FAILED  a/b[v0]   numpy eager   channel: value",
        "  call      exp(x)",
        "  expected  1",
        "  got       2",
        "  repeat    conformance run --variant 'a/b[v0]' --backend numpy --mode eager --cases 'my cases'",
    ]


def test_the_summary_has_a_line_for_each_mode_with_its_manifest_and_verdicts(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run.jsonl", header("torch", eager=1200, compile=1))
    write(writer, "passed")
    write(writer, "failed", "compile")
    writer.finish("t")
    assert list(running.summary([runfile.read(writer.path)])) == [
        ("torch 2.0", "eager", "1,200", "1 passed  1,199 not-run"),
        ("", "compile", "1", "1 failed  (3 not in this mode's subset)"),
    ]


def test_the_summary_stands_in_lines_that_nothing_breaks(
    made: Callable[..., Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    print_summary(Terminal(), [made("passed", "failed", "divergent"), made("unsupported", backend="torch")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["numpy", "2.0", "eager", "3", "1", "passed", "1", "failed", "1", "divergent"],
        ["torch", "2.0", "eager", "1", "1", "unsupported"],
    ]
    assert [line.index("eager") for line in lines] == [lines[0].index("eager")] * 2
    assert [line.rstrip() for line in lines] == lines


def test_runs_are_reported_in_the_order_of_the_backends(made: Callable[..., Run]) -> None:
    runs = [made("passed", backend=name) for name in ("zebra", "jax", "aardvark", "numpy")]
    assert [r.header.backend for r in running.in_order(runs)] == ["numpy", "jax", "aardvark", "zebra"]


@pytest.mark.parametrize(
    ("modes", "names"),
    [
        ([], ["numpy", "torch", "jax"]),
        (["eager"], ["numpy", "torch", "jax"]),
        (["jit"], ["jax"]),
        (["jit", "compile"], ["torch", "jax"]),
        (["nothing"], []),
    ],
)
def test_backends_are_those_that_have_one_of_the_modes(modes: list[str], names: list[str]) -> None:
    assert running.with_modes(["numpy", "torch", "jax"], modes) == names


def test_a_command_passes_on_what_was_asked_for_and_only_the_modes_a_backend_has() -> None:
    request = Request(["jax"], Path("out"), ["jit", "compile"], "gpu", "softmax", ["a*", "b*"], Path("my cases"))
    command = request.command("jax")
    assert command[0] == sys.executable
    assert "--mode jit -k softmax" in " ".join(command)
    assert "--variant a* --variant b* --cases my cases" in " ".join(command)
    assert "compile" not in command
    assert str(Path("out", "jax-gpu.jsonl")) in command
    assert "--supervise 60.0 --workers 1" in " ".join(command)
    assert "--resume" not in command and "--shard" not in command
    request = Request(["jax"], Path("out"), timeout=5, workers=2, shard="3/8", resume=True)
    assert "--shard 3/8 --resume -s --supervise 5 --workers 2" in " ".join(request.command("jax"))
    assert str(Path("out", "jax-cpu-3of8.jsonl")) in request.command("jax")


def test_what_is_held_to_other_kernels_has_run_files_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = {
        "numpy": {"least": Choice("", {"A": "1"}, True)},
        "torch": {"least": Choice("", {"A": "2"}, False), "some": Choice("", {}, True)},
        "jax": {},
    }
    for name, own in choices.items():
        monkeypatch.setattr(backends.load(name), "kernel_choices", lambda own=own: own)
    request = Request(["numpy", "torch", "jax"], Path("out"), shard="1/2")

    def held(*asked: str) -> list[tuple[str, list[str]]]:
        return [(one.kernels, list(one.backends)) for one in running.held_to_others(request, asked)]

    assert held() == []
    assert held("least") == [("least", ["numpy", "torch"])]  # whoever names them wants them, others or not
    assert held("all") == [("least", ["numpy"]), ("some", ["torch"])]
    assert held("some", "least") == [("least", ["numpy", "torch"]), ("some", ["torch"])]
    with pytest.raises(
        ValueError, match=r"none of numpy, torch, jax can be held to 'most' here; there are least, some, all"
    ):
        held("least", "most")
    one = running.held_to_others(request, ["least"])[0]
    assert one.run_file("numpy") == Path("out", "numpy-cpu-least-1of2.jsonl")
    assert "--kernels least" in " ".join(one.command("numpy")) and "--kernels" not in request.command("numpy")


def test_a_checkout_in_the_current_folder_is_not_run_in_place_of_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With '-m', Python looks there first: the parent would load some cases, and its children others."""
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("raise SystemExit('another checkout')")
    monkeypatch.chdir(tmp_path)
    request = Request(["numpy"], tmp_path, ["eager"], variants=["document/softmax/printed-example[float32]"])
    children, _ = running.run(request, lambda children: None)
    runs, problems = running.collect(children)
    assert (problems, [run.complete for run in runs]) == ([], [True])


def test_a_checkout_runs_itself_without_being_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(["numpy"], tmp_path)
    for folder, safe in ((tmp_path, True), (Path(running.__file__).parents[2], False)):
        monkeypatch.chdir(folder)
        assert ("-P" in request.command("numpy")) == safe


def child(path: Path, status: int | None = 0, said: str = "") -> Child[Followed]:
    """A process that ended, or goes on, and a run file that it wrote."""
    process: Any = SimpleNamespace(poll=lambda: status)
    followed = Followed(path, going_on=True)
    one = Child("numpy", process, Output(io.BytesIO(said.encode())), followed)  # type: ignore[arg-type]
    one.said.close()
    one.look()
    return one


def test_a_process_that_ended_badly_is_a_problem_with_the_end_of_what_it_printed(
    made: Callable[..., Run], tmp_path: Path
) -> None:
    run = made("passed", missing=1, finished=False)
    runs, problems = running.collect([child(run.path, -11, "x" * 5000 + "\nSegmentation fault\n")])
    assert len(runs) == 1
    assert problems[0].startswith("numpy: its process ended with SIGSEGV (segmentation fault):\nxxx")
    assert problems[0].endswith("Segmentation fault") and len(problems[0]) < 3100
    assert problems[1] == "numpy: the run is incomplete; missing: 1 of eager"


def test_a_process_that_left_no_run_file_or_a_broken_one_is_a_problem(tmp_path: Path) -> None:
    runs, problems = running.collect([child(tmp_path / "none.jsonl", 3, "INTERNALERROR")])
    assert (runs, problems) == ([], ["numpy: its process ended with status 3:\nINTERNALERROR"])
    broken = tmp_path / "broken.jsonl"
    broken.touch()
    for status in (0, 1):  # 1 is also how Python ends that finds no pytest
        runs, problems = running.collect([child(tmp_path / "none.jsonl", status, "No module named pytest")])
        assert runs == []
        assert problems == [
            f"numpy: its process ended with status {status}, without a run file:\nNo module named pytest"
        ]
    assert running.collect([child(broken)])[1] == [f"{broken}: empty: not even a header was written"]


@pytest.mark.parametrize("status", [0, 1, 5])
def test_pytests_own_statuses_are_no_problem(status: int, made: Callable[..., Run]) -> None:
    assert running.collect([child(made("passed").path, status)])[1] == []


def test_a_run_file_that_could_not_be_written_to_is_named_with_the_reason(made: Callable[..., Run]) -> None:
    path = made("passed", missing=1, finished=False).path
    (first, _) = running.collect([child(path, runfile.CANT_WRITE + errno.ENOSPC, "noise")])[1]
    assert first == f"{path}: can't be written to: No space left on device; what was recorded until then is in it"


def test_a_run_file_that_somebody_removed_or_changed_is_named(made: Callable[..., Run], tmp_path: Path) -> None:
    path = made("passed", missing=1, finished=False).path
    assert running.collect([child(path, runfile.LOST_RUN_FILE, "noise")])[1] == [
        f"{path}: was changed by somebody else while it was being written",
        "numpy: the run is incomplete; missing: 1 of eager",
    ]
    gone = tmp_path / "gone.jsonl"
    assert running.collect([child(gone, runfile.LOST_RUN_FILE, "noise")]) == (
        [],
        [f"{gone}: was removed by somebody else while it was being written"],
    )


def test_a_process_that_the_system_does_not_give_is_told_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = running._start

    def start(request: Request, backend: str, locks: Any) -> Any:
        if backend == "torch":
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return started(request, backend, locks)

    monkeypatch.setattr(running, "_start", start)
    monkeypatch.setattr(Request, "command", lambda self, backend: [sys.executable, "-c", "pass"])
    children, refused = running.run(Request(["numpy", "torch", "jax"], tmp_path, jobs=1), lambda children: None)
    assert [(one.backend, one.status) for one in children] == [("numpy", 0), ("jax", 0)]
    assert refused == ["torch: the system gives no process: Resource temporarily unavailable"]


def test_run_files_in_another_order_that_are_older_than_the_run_are_forgotten(tmp_path: Path) -> None:
    request = Request(["numpy"], tmp_path, resume=True)
    again = running.in_another_order(request, 7)
    assert (again.output, again.random_order, again.resume) == (tmp_path / "random-order", 7, True)
    path = again.run_file("numpy")
    part = path.with_name(f"{path.name}.part-2")
    for file, began in ((request.run_file("numpy"), "2030-02"), (path, "2030-01"), (part, "2030-03")):
        Writer(file, msgspec.structs.replace(header(eager=1), started=began)).close()
    path.with_name(f"{path.name}.part-3").touch()  # in which nothing was recorded
    running.forget_older(again, [runfile.read(request.run_file("numpy"))])
    assert not path.exists() and part.exists()
    assert path.with_name(f"{path.name}.part-3").exists()


def test_a_run_that_was_ended_early_says_why_and_what_was_not_run(made: Callable[..., Run]) -> None:
    run = made("crashed", "crashed", "crashed", missing=1200, stopped="3 in a row crashed: exit status 3")
    assert running.shortcomings(run) == ["numpy: 3 in a row crashed: exit status 3; not run: 1,200 of eager"]
    assert running.collect([child(run.path, 1, "noise")])[1] == running.shortcomings(run)
    assert running.exit_status([run], running.shortcomings(run)) == 3


def test_a_run_file_of_an_older_run_is_not_taken_for_that_of_this_one(made: Callable[..., Run]) -> None:
    path = made("passed").path
    one = child(path)
    one.followed = Followed(path)
    one.look()
    assert running.collect([one]) == ([], ["numpy: its process ended with status 0, without a run file:\n"])
    one.followed.close()


def test_an_interrupt_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(Request, "command", lambda self, backend: sleeping)
    started: list[Child[Followed]] = []

    def watch(children: list[Child[Followed]]) -> None:
        started[:] = children
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.run(Request(["numpy", "torch"], tmp_path, jobs=2), watch)
    assert [one.process.poll() is not None for one in started] == [True, True]


def test_a_mistake_in_the_command_ends_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = {
        "numpy": "import time; time.sleep(60)",
        "torch": "print('\\nno tests ran in 0.1s\\nERROR: no such thing'); exit(4)",
    }
    monkeypatch.setattr(Request, "command", lambda self, backend: [sys.executable, "-c", code[backend]])
    children, _ = running.run(Request(["numpy", "torch"], tmp_path, jobs=2), lambda children: None)
    assert [one.status for one in children] == [-signal.SIGTERM, PYTEST_USAGE]
    assert running.mistakes(children) == ["no such thing"]


def test_no_more_processes_run_at_once_than_asked_for_and_results_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Request, "command", lambda self, backend: [sys.executable, "-c", "pass"])
    most: list[int] = []
    names = ["numpy", "torch", "tensorflow", "jax"]
    children, refused = running.run(
        Request(names, tmp_path, jobs=2), lambda now: most.append(sum(one.status is None for one in now))
    )
    assert max(most) <= 2 and refused == []
    assert [(one.backend, one.status) for one in children] == [(name, 0) for name in names]


def test_a_process_that_is_killed_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what left its group."""
    code = (
        "import os, subprocess, sys\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "print(subprocess.Popen(sleep, start_new_session=True, stdout=-3).pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    monkeypatch.setattr(Request, "command", lambda self, backend: [sys.executable, "-c", code])
    ((one,), _) = running.run(Request(["numpy"], tmp_path), lambda children: None)
    assert one.status == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(int(one.said.text()), 0)


@pytest.mark.parametrize(
    ("available", "at_once", "variants", "workers"),
    [
        (1, 1, 3000, 1),
        (2, 1, 3000, 2),
        (2, 2, 3000, 1),
        (2, 4, 3000, 1),
        (8, 4, 3000, 2),
        (64, 1, 3000, 4),
        (64, 4, 3000, 4),
        (64, 1, 900, 2),
        (64, 1, 399, 1),
        (64, 1, 0, 1),
        (64, 0, 3000, 4),
    ],
)
def test_workers_are_as_many_as_leave_no_core_idle_and_have_something_to_do(
    available: int, at_once: int, variants: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "cores", lambda: available)
    assert running.fitting_workers(at_once, variants) == workers


def _header(backend: str, device: str = "cpu", kernels: str = "") -> Header:
    versions, environment = backends.load(backend).versions(), {"kernels": kernels} if kernels else {}
    return Header(2, "", backend, device, versions, environment, "", "", [], {}, [], "")


def test_entries_of_other_versions_are_counted_with_the_packages_that_they_are_about(
    folder: Callable[..., Path],
) -> None:
    entry = "cases: 'things*', instead: {dtype: float64}, because: it is said so, first-seen: numpy 1"
    ranges = ("'<2'", "'>=2'", "{scipy: '>=1', numpy: '<2'}", "{scipy: '<1'}")
    registry = "\n  - ".join(["backend: numpy\ndivergences:", *(f"{{{entry}, versions: {one}}}" for one in ranges)])
    text = "  - {name: one, given: {x: [1.0]}, call: exp(x)}"
    corpus = load(folder(text, **{"divergences/numpy.yaml": registry}))
    (line,) = running.registry_notes(corpus, [_header("numpy"), _header("torch")])
    assert line == (
        f"note: 3 of the 4 registered divergences of numpy are about other versions than numpy {np.__version__}, "
        f"scipy {metadata.version('scipy')}; here they decide nothing"
    )


def test_entries_that_were_seen_elsewhere_only_are_counted_where_they_demand_nothing(
    folder: Callable[..., Path],
) -> None:
    entry = "cases: 'things*', instead: {dtype: float64}, because: it is said so, first-seen: numpy 1"
    registry = f"""backend: numpy
seen-on: {{devices: [cpu]}}
divergences:
  - {{{entry}}}
  - {{{entry}, seen-on: {{devices: [gpu]}}}}
  - {{{entry}, seen-on: {{machines: [pdp11]}}}}
  - {{{entry}, seen-on: {{kernels: ['theirs *']}}}}
"""
    text = "  - {name: one, given: {x: [1.0]}, call: exp(x)}"
    corpus = load(folder(text, **{"divergences/numpy.yaml": registry}))
    for device, kernels, number, where in (
        ("cpu", "", 3, "cpu;"),
        ("gpu:1", "", 3, "gpu:1;"),
        ("cpu", "theirs AVX2", 2, "cpu (theirs AVX2);"),
    ):
        (line,) = running.registry_notes(corpus, [_header("numpy", device, kernels), _header("torch", device)])
        assert line.startswith(f"note: {number} of the 4 registered divergences of numpy were seen on other machines, ")
        assert f"than {platform.machine()} {where}" in line


def test_there_is_a_command_of_the_package_itself(
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = python("-m", "conformance", "--help")
    assert done.returncode == 0
    for command in ("run", "check", "list", "report", "explain", "backends"):
        assert f" {command} " in done.stdout
