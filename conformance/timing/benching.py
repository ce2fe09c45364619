"""`conformance bench`: one pytest process a backend, one after the other, so that none disturbs another's times."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance import backends
from conformance.backends.base import IDIOMS
from conformance.ground.devices import file_stem
from conformance.running.child import PYTEST_NOTHING, PYTEST_RAN, Child, follow, pytest_command, repeated, start
from conformance.timing import timingfile
from conformance.timing.model import FOLDER, TimingRun
from conformance.timing.timingfile import TimingFileError

_POLL_SECONDS = 0.2  # each look takes time from what is being timed


@dataclass(frozen=True, slots=True)
class Request:
    """What `conformance bench` was asked for.

    Attributes:
        backends: names.
        output: the folder of the reports; timing files go to ``timing`` in it.
        modes: names; empty for all of each backend.
        device: its name, as `conformance.ground.devices` has it.
        keyword: pytest's ``-k`` expression, or empty.
        dtypes, sizes: as text; empty for the default plan's.
        full: whether everything is timed that there is.
        threads: how many each framework may compute with.
    """

    backends: Sequence[str]
    output: Path
    modes: Sequence[str] = ()
    device: str = "cpu"
    keyword: str = ""
    dtypes: Sequence[str] = ()
    sizes: Sequence[str] = ()
    full: bool = False
    threads: int = 1

    def file(self, backend: str) -> Path:
        """Where a backend's times go."""
        return self.output / FOLDER / f"{file_stem(backend, self.device)}.json"

    def command(self, backend: str, progress: Path) -> list[str]:
        """The pytest command of one backend."""
        known = _timed_modes(backend, self.device)
        modes = [mode for mode in self.modes if mode in known]
        plugins = ["pytest_benchmark.plugin"]
        command = pytest_command("conformance.timing.suite", backend, self.device, modes, self.keyword, plugins)
        command += ["--threads", str(self.threads), "--progress", str(progress)]
        command += ["--benchmark-quiet", "--benchmark-timer", "time.perf_counter"]
        command += ["--benchmark-json", str(self.file(backend))]
        command += repeated("--dtype", self.dtypes) + repeated("--size", self.sizes)
        return command + (["--full"] if self.full else [])


class Marks:
    """The file in which a process marks the cells that it has gone through.

    Attributes:
        path: of the file.
        total: cells it goes through, once it knows.
        done: cells so far.
        failed: 0: a cell without times is no failure.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total: int | None = None
        self.done = self.failed = 0

    def look(self) -> None:
        """See how far it is."""
        if self.path.exists():
            total, _, marks = self.path.read_text(encoding="ascii").partition("\n")
            self.total, self.done = int(total or 0), len(marks)


def run(request: Request, watch: Callable[[list[Child[Marks]]], None]) -> tuple[list[Child[Marks]], list[str]]:
    """Time every backend; calls `watch` with all processes so far, again and again.

    An exception (Ctrl-C, say) ends the process that runs; the files of those before it stay.

    Returns:
        The processes, and a line for each that the system did not give.
    """
    children: list[Child[Marks]] = []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            refused = follow(
                children, request.backends, 1, lambda name: _start(request, name, scratch), watch, _POLL_SECONDS
            )
        finally:
            for child in children:
                child.said.close()
    return children, refused


def _start(request: Request, name: str, scratch: str) -> Child[Marks]:
    request.file(name).unlink(missing_ok=True)
    marks = Marks(Path(scratch, f"{name}.progress"))
    # A first call compiles: what an earlier process left on disk would be read instead.
    fresh = {"TORCHINDUCTOR_CACHE_DIR": str(Path(scratch, name)), "JAX_COMPILATION_CACHE_DIR": None}
    return start(name, request.command(name, marks.path), marks, fresh)


def collect(request: Request, children: Sequence[Child[Marks]]) -> tuple[list[TimingRun], list[str]]:
    """The timing files of the processes that have ended, and a line for everything that went wrong."""
    runs, problems = [], []
    for child in children:
        path, said = request.file(child.backend), child.last_words
        if child.status not in PYTEST_RAN:
            problems.append(f"{child.ended}:\n{said}")
        elif path.exists():
            try:
                runs.append(timingfile.read(path))
            except TimingFileError as error:
                problems.append(str(error))
        elif child.followed.done or child.status != PYTEST_NOTHING:
            problems.append(f"{child.backend}: it wrote no timing file; what its process said last:\n{said}")
    return runs, problems


def with_modes(names: Sequence[str], modes: Sequence[str], device: str) -> list[str]:
    """The backends that have at least one of the modes on a device; all of them where no mode is asked for."""
    return [name for name in names if not modes or set(modes) & set(_timed_modes(name, device))]


def _timed_modes(name: str, device: str) -> list[str]:
    return [mode for mode in backends.load(name).run_modes(device) if mode != IDIOMS]


def in_order(runs: Sequence[TimingRun]) -> list[TimingRun]:
    """Timing files in the order of the backends."""
    return sorted(runs, key=lambda run: backends.place(run.about.backend))


def summary(runs: Sequence[TimingRun]) -> list[str]:
    """A line for each backend and mode: how many cells have times, and how many have a reason instead."""
    lines = []
    for run_ in runs:
        about = run_.about
        version = next(iter(about.versions.values()), "")
        for mode in run_.modes:
            cells = [timing for timing in run_.timings.values() if timing.mode == mode]
            timed = sum(timing.calls is not None for timing in cells)
            without = f"  {len(cells) - timed:,} without, each with its reason" if timed < len(cells) else ""
            lines.append(f"{f'{about.backend} {version}':<20} {mode:<10} {timed:>6,} cells timed{without}")
    return lines
