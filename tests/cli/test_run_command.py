"""`conformance run`, `merge` and `report` on full disks, closed pipes, in shards, and under other engines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import runfile
from conformance.backends.numpy import NumpyBackend
from conformance.runfile import Run
from conformance.running.locking import locked

TEXT = """
  - name: one
    given: {x: {normal: {shape: [2], scale: k, seed: 1}}}
    for: {dtype: [float32, float64], k: [1.0, 2.0]}
    call: sigmoid(x)
  - {name: two, given: {x: [0.0]}, call: exp(x)}
  - {name: three, given: {x: [[0.0, 1.0]]}, call: 'softmax(x, axis=1)'}
  - {name: wrong, given: {x: [0.0]}, call: exp(x), expect: {values: [2.0], because: of a mistake}}
"""


@pytest.fixture
def command(python: Callable[..., Any], folder: Callable[..., Path]) -> Callable[..., Any]:
    """A command; `run` is about the cases above, on numpy."""
    cases = folder(TEXT)

    def call(name: str, *arguments: Any, **where: Any) -> Any:
        fixed = ("--backend", "numpy", "--cases", cases) if name == "run" else ()
        return python("-m", "conformance", name, *map(str, (*fixed, *arguments)), **where)

    return call


def told(run: Run) -> Any:
    return run.records, list(run.variants.items()), list(run.cases.values()), run.counts(), run.header.modes


def test_shards_run_merged_and_reported_are_the_one_run(command: Callable[..., Any], tmp_path: Path) -> None:
    assert command("run", "-o", tmp_path / "whole").returncode == 1
    shards = tmp_path / "reports" / "shards"
    for number in (1, 2, 3):
        done = command("run", "--shard", f"{number}/3", "--no-report", cwd=tmp_path)
        assert done.returncode in (0, 1), done.stderr
        assert f", shard {number} of 3   eager" in done.stdout
        assert done.stderr.count("error") == 0
    done = command("report", *sorted(shards.glob("*.jsonl")), "-o", tmp_path / "joined")
    assert done.returncode == 1
    done = command("merge", *sorted(shards.glob("*.jsonl")), "-o", tmp_path / "merged")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "merged" / "numpy-cpu.jsonl")
    whole, merged = (runfile.read(tmp_path / name / "numpy-cpu.jsonl") for name in ("whole", "merged"))
    assert merged.complete and told(merged) == told(whole)
    assert (tmp_path / "joined" / "parity.html").is_file()
    done = command("merge", *sorted(shards.glob("*.jsonl"))[1:], "-o", tmp_path / "merged")
    assert done.returncode == 3
    assert "error: numpy: missing of 3 shards: 1; not run: " in done.stderr
    done = command("merge", shards / "numpy-cpu-1of3.jsonl", tmp_path / "whole" / "numpy-cpu.jsonl")
    assert done.returncode == 2 and "another number of shards" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((), "numpy-cpu.jsonl"), (("--shard", "1/2", "--random-order", "1"), "numpy-cpu-1of2.jsonl")],
)
def test_workers_record_what_one_process_does(
    arguments: tuple[str, ...], name: str, command: Callable[..., Any], tmp_path: Path
) -> None:
    for workers in (1, 3):
        done = command("run", "-n", workers, *arguments, "--no-report", "-o", tmp_path / str(workers))
        assert done.returncode in (0, 1), done.stderr
    for folder in ("", "random-order") if arguments else ("",):
        one, three = (runfile.read(tmp_path / n / folder / name) for n in ("1", "3"))
        assert three.complete and told(three) == told(one)
        assert three.header == msgspec.structs.replace(one.header, started=three.header.started)
        assert three.header.order == ("random, seed 1" if folder else "")


def test_a_shard_that_is_none_is_a_usage_error(command: Callable[..., Any]) -> None:
    done = command("run", "--shard", "9/8")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --shard: '9/8' is no shard; expected its number and how many there are")


def test_more_shards_than_cases_leave_some_with_nothing_to_do(command: Callable[..., Any], tmp_path: Path) -> None:
    paths = []
    for number in (1, 5):
        done = command("run", "--shard", f"{number}/5", "--no-report", "-o", tmp_path)
        assert done.returncode in (0, 1), done.stderr
        paths.append(tmp_path / f"numpy-cpu-{number}of5.jsonl")
    assert [runfile.read(path).size > 0 for path in paths] == [True, False]


def test_a_resumed_run_refuses_another_selection_and_leaves_the_file(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    command("run", "--no-report", "-o", tmp_path, "-k", "one")
    before = (tmp_path / "numpy-cpu.jsonl").read_bytes()
    done = command("run", "--no-report", "-o", tmp_path, "--resume")
    assert done.returncode == 2
    assert f"error: {tmp_path / 'numpy-cpu.jsonl'}: can't be resumed, for it was begun with other" in done.stderr
    assert "selection: -k one, now none" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "numpy-cpu.jsonl").read_bytes() == before


def test_a_mistake_in_the_command_leaves_an_older_run_file(command: Callable[..., Any], tmp_path: Path) -> None:
    command("run", "--no-report", "-o", tmp_path)
    before = (tmp_path / "numpy-cpu.jsonl").read_bytes()
    assert command("run", "--no-report", "-o", tmp_path, "-k", "(").returncode == 2
    assert (tmp_path / "numpy-cpu.jsonl").read_bytes() == before


def test_a_full_disk_is_told_and_the_records_so_far_are_gone_on_with(
    command: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    """A limit on the size of files stands for the disk."""
    arguments = ["run", "--backend", "numpy", "--cases", str(folder(TEXT)), "--no-report", "-o", str(tmp_path / "out")]
    small = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); "
    done = subprocess.run(
        [sys.executable, "-c", f"{small}runpy.run_module('conformance', run_name='__main__')", *arguments],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    path = tmp_path / "out" / "numpy-cpu.jsonl"
    assert done.returncode == 3, done.stderr
    assert f"error: {path}: can't be written to: File too large; what was recorded until then is in it" in done.stderr
    assert "Traceback" not in done.stderr
    run = runfile.read(path)
    assert run.size > 0 and not run.complete
    assert command(*arguments, "--resume").returncode == 1
    assert runfile.read(path).complete


@pytest.mark.parametrize("where", ["a file", "the kernel's"])
def test_a_folder_that_can_not_be_written_to_is_told(where: str, command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" if where == "a file" else Path("/proc/sys")
    for arguments in (["run", "--no-report"], ["merge", tmp_path / "none.jsonl"]):
        done = command(*arguments, "-o", folder)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {folder}") and "can't be written to: " in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture
def streams(folder: Callable[..., Path], tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """`conformance run` in a shell, with what stands behind it there."""
    command = f"{sys.executable} -m conformance run -b numpy -m eager --cases {folder(TEXT)} -o {tmp_path / 'out'}"
    return lambda behind: subprocess.Popen(
        ["bash", "-c", f"{command} {behind}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.parametrize(
    ("behind", "status"),
    [
        ("| true; exit ${PIPESTATUS[0]}", 141),
        ("2>&1 | head -n 1; exit ${PIPESTATUS[0]}", 141),
        (">/dev/full", 2),
        ("2>/dev/full", 2),
        (">&-", 1),
        ("<&- >&- 2>&-", 1),
    ],
)
def test_a_run_whose_output_does_not_arrive_is_made_and_reported_all_the_same(
    behind: str, status: int, streams: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = streams(behind)
    _, errors = process.communicate()
    assert process.returncode == status, errors
    assert b"Traceback" not in errors and b"Exception" not in errors
    assert (b"error: the output can't be written: No space left on device\n" in errors) == (behind == ">/dev/full")
    assert runfile.read(tmp_path / "out" / "numpy-cpu.jsonl").complete
    assert {"parity.html", "summary.json"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_a_report_that_can_not_be_written_is_told_and_everything_else_is_done(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    """One that is too large for a limit on the size of files, which stands for a full disk."""
    command("run", "-o", tmp_path / "out")
    before = (tmp_path / "out" / "parity.html").read_bytes()
    (tmp_path / "out" / "records.csv").unlink()
    (tmp_path / "out" / "records.csv").mkdir()
    done = command("run", "-o", tmp_path / "out", "--random-order", "1")
    assert done.returncode == 2
    assert f"error: {tmp_path / 'out' / 'records.csv'}: can't be written to: Is a directory" in done.stderr
    assert (
        done.stderr.splitlines()[-1] == f"'conformance report -o {tmp_path / 'out'}' makes the reports of the run files"
    )
    for folder in ("", "random-order"):
        assert runfile.read(tmp_path / "out" / folder / "numpy-cpu.jsonl").complete
    (tmp_path / "out" / "records.csv").rmdir()
    small = ["bash", "-c", f"ulimit -f 40; {sys.executable} -m conformance report -o {tmp_path / 'out'}"]
    done = subprocess.run(small, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path / 'out' / 'parity.html'}: can't be written to: File too large\n"
    assert len((tmp_path / "out" / "parity.html").read_bytes()) == len(before) > 40_960  # not the half of another one
    assert command("report", "-o", tmp_path / "out").returncode == 1


def test_kernels_that_another_processor_would_choose_are_a_column_of_their_own(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    """The least code of NumPy: where there is no other, the same bits come."""
    if not NumpyBackend.kernel_choices():
        pytest.skip("this build of NumPy has one code for all processors")
    done = command("run", "--kernels", "baseline", "-k", "one or wrong", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    folder = tmp_path / "reports" / "selected"
    plain, held = (runfile.read(folder / name) for name in ("numpy-cpu.jsonl", "numpy-cpu-baseline.jsonl"))
    assert plain.header.held is None and held.header.held is not None and held.header.kernels == "baseline"
    assert held.header.held.variables == NumpyBackend.kernel_choices()["baseline"].variables
    assert plain.complete and held.complete and list(plain.variants) == list(held.variants)
    assert f"numpy held to baseline (baseline), against {plain.header.kernels}:\n  eager     5 compared" in done.stdout
    assert " held to baseline   eager" in done.stdout
    assert "--backend numpy --mode eager --kernels baseline --cases" in done.stdout
    assert "numpy baseline" in (folder / "summary.json").read_text()
    page = (folder / "parity.html").read_text()
    assert "numpy baseline" in page and "on cpu baseline" in page
    merged = command("merge", folder / "numpy-cpu.jsonl", folder / "numpy-cpu-baseline.jsonl", "-o", tmp_path / "one")
    assert [Path(line).name for line in merged.stdout.splitlines()[-2:]] == [
        "numpy-cpu.jsonl",
        "numpy-cpu-baseline.jsonl",
    ]
    pair = ("--pair", "numpy/cpu=numpy/cpu baseline")
    diff = command("diff", folder, folder, *pair, "-o", tmp_path / "diff.html")
    assert (
        "held to kernels: (none) → baseline" in diff.stdout
        and "numpy cpu eager → numpy cpu baseline eager" in diff.stdout
    )
    lines = (folder / "numpy-cpu-baseline.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "numpy-cpu-baseline.jsonl").write_bytes(b"".join(lines[:-3]))
    again = command("run", "--kernels", "baseline", "-k", "one or wrong", "--resume", cwd=tmp_path)
    assert again.returncode == 1 and runfile.read(folder / "numpy-cpu-baseline.jsonl").complete, again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kernels", "most"), "--kernels: none of numpy can be held to 'most' here; there are"),
        (("--kernels", "all", "--random-order", "1"), "--kernels and --random-order: one of them at a time"),
    ],
)
def test_kernels_that_can_not_be_held_to_are_a_mistake(
    command: Callable[..., Any], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = command("run", "-o", tmp_path, *arguments)
    assert done.returncode == 2 and message in done.stderr
    assert not list(tmp_path.glob("*.jsonl"))


def test_pytest_by_itself_is_told_what_holds_a_framework_to_its_kernels(python: Callable[..., Any]) -> None:
    if not NumpyBackend.kernel_choices():
        pytest.skip("this build of NumPy has one code for all processors")
    arguments = ("-m", "pytest", "--pyargs", "conformance.suite", "-p", "no:cacheprovider", "--backend", "numpy")
    done = python(*arguments, "--kernels", "baseline", "-k", "printed-example")
    assert done.returncode == 4
    assert (
        "'conformance run --kernels baseline' sees to that; elsewhere start the process with NPY_DISABLE" in done.stderr
    )
    done = python(*arguments, "--kernels", "least", "-k", "printed-example")
    assert "backend 'numpy' can't be held to kernels 'least' here; there are baseline" in done.stderr


def test_both_orders_are_resumed_under_locks_of_their_own(command: Callable[..., Any], tmp_path: Path) -> None:
    arguments = ("run", "-o", tmp_path, "--no-report", "--random-order", "5")
    assert command(*arguments).returncode == 1
    paths = [tmp_path / folder / "numpy-cpu.jsonl" for folder in ("", "random-order")]
    whole = [runfile.read(path).records for path in paths]
    lines = paths[1].read_bytes().splitlines(keepends=True)
    paths[1].write_bytes(b"".join(lines[: len(lines) // 2]))
    begun = runfile.read(paths[1]).header.started
    done = command(*arguments, "--resume")
    assert done.returncode == 1, done.stderr
    assert [runfile.read(path).records for path in paths] == whole
    assert runfile.read(paths[1]).header.started == begun and runfile.read(paths[1]).complete
    assert "coupled" not in done.stderr
    done = command("run", "-o", tmp_path, "--no-report", "--random-order", "6", "--resume")
    assert done.returncode == 2
    assert f"{paths[1]}: can't be resumed" in done.stderr
    assert "order: random, seed 5, now random, seed 6" in done.stderr
    for folder in (tmp_path, tmp_path / "random-order"):
        with locked(folder):
            done = command(*arguments)
            assert done.returncode == 2
            assert f"error: {folder}: another run writes here" in done.stderr


def test_runs_of_other_files_that_make_no_reports_go_on_beside_each_other(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    """Which is what the environments of ``tox -p`` do."""
    with locked(tmp_path, ["torch-cpu.jsonl"]):
        done = command("run", "-o", tmp_path, "--no-report")
        assert done.returncode == 1 and runfile.read(tmp_path / "numpy-cpu.jsonl").complete, done.stderr
        done = command("run", "-o", tmp_path)  # its report would be of one run, in the place of one of both
        assert done.returncode == 2
        assert f"error: {tmp_path}: another run writes here" in done.stderr
    with locked(tmp_path, ["numpy-cpu.jsonl"]):
        done = command("run", "-o", tmp_path, "--no-report")
        assert done.returncode == 2
        assert f"error: {tmp_path / 'numpy-cpu.jsonl'}: another run writes here" in done.stderr


# Under pytest-xdist


@pytest.fixture
def distributed(python: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path) -> Callable[..., Any]:
    """The cases above in two of pytest-xdist's processes."""
    pytest.importorskip("xdist")
    common = ("-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.suite", "-n", "2", "--backend")
    path = ("--cases", str(folder(TEXT)), "--run-file", str(tmp_path / "run.jsonl"))
    return lambda *arguments, backend="numpy", **variables: python(*common, backend, *path, *arguments, **variables)


def test_what_several_pytest_processes_record_is_joined(
    distributed: Callable[..., Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "run.jsonl.part-gw7").write_text("left by a run that was killed")
    done = distributed("--dist", "loadgroup")
    assert done.returncode == 1 and "1 failed" in done.stdout, done.stdout + done.stderr
    run = runfile.read(tmp_path / "run.jsonl")
    assert run.complete and run.header.parts == []
    command("run", "--no-report", "-o", tmp_path)
    assert told(run) == told(runfile.read(tmp_path / "numpy-cpu.jsonl"))
    assert list(tmp_path.glob("*.part-*")) == []


def test_of_a_pytest_process_that_is_killed_the_records_stay_and_a_resumed_run_adds_what_it_can(
    python: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    import faulty  # noqa: PLC0415 - imports ctypes and more

    pytest.importorskip("xdist")
    code = faulty.CODES["be_killed"]
    grid = "given: {{x: {{full: {{shape: [2], value: k}}}}}}, for: {{k: [{}]}}, call: sigmoid(x)"
    values = ["1.0, 2.0", f"3.0, {code}.0, 4.0", "5.0", "6.0"]
    cases = folder("".join(f"  - {{name: c{i}, {grid.format(v)}}}\n" for i, v in enumerate(values)))
    path = tmp_path / "run.jsonl"
    common = (
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--pyargs",
        "conformance.suite",
        "-n",
        "2",
        "--backend",
        "faulty",
    )
    arguments = (*common, "--cases", str(cases), "--run-file", str(path))
    done = python(*arguments, **faulty.environment(tmp_path))
    assert done.returncode == 1 and "crashed while running" in done.stdout
    run = runfile.read(path)
    assert (run.size, run.footer) == (5, None)
    assert {record.verdict for record in run.records} == {"passed"}
    again = python(*arguments, "--resume", **faulty.environment(tmp_path))
    assert again.returncode == 1
    assert runfile.read(path).size == 5
    log = (tmp_path / "log").read_text().splitlines()
    assert len(log) == 7 and len(set(log)) == 6  # only what was killed was tried again
