"""What the tests of timing share: a bench over a backend of the test's own making, and a stand-in for pytest-benchmark."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conformance import backends
from conformance.backends.base import Backend
from conformance.timing import copying
from conformance.timing.loop import Effort
from conformance.timing.measuring import Bench
from conformance.timing.model import Cell
from conformance.timing.plan import Job, parse_plan


class Taken:
    """Takes times as pytest-benchmark does: the clock before and after each round.

    Attributes:
        seconds: a call, of each round; empty where no round was run.
        whole: seconds from before the first round to after the last.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.whole = 0.0
        self.calls = 0

    def __call__(self, run: Callable[[], Any], effort: Effort) -> None:
        begun = time.perf_counter()
        for _ in range(effort.rounds):
            start = time.perf_counter()
            run()
            self.seconds.append((time.perf_counter() - start) / effort.iterations)
            self.calls += effort.iterations
        self.whole = time.perf_counter() - begun


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    """A bench over a backend (its class, or one of its instances), of some dtypes and sizes. Copies are few and small."""
    monkeypatch.setattr(copying, "SIZES", (256, 4096))

    def made(
        backend: Backend | type[Backend],
        sizes: Sequence[str] = ("2x20",),
        dtypes: Sequence[str] = ("float32",),
        **more: Any,
    ) -> Bench:
        kind = backend if isinstance(backend, type) else type(backend)
        monkeypatch.setattr(backends, "load", lambda name: kind)
        return Bench(kind.name, parse_plan(dtypes, sizes, full=True), **more)

    return made


@pytest.fixture
def timed(bench: Callable[..., Bench]) -> Callable[..., tuple[Cell, Taken]]:
    """Time one operation of a backend: the cell, and the times that were taken."""

    def run(
        backend: Backend | type[Backend],
        operation: str = "negative",
        direction: str = "forward",
        mode: str = "",
        **more: Any,
    ) -> tuple[Cell, Taken]:
        made, taken = bench(backend, **more), Taken()
        job = next(job for job in made.jobs() if is_job(job, operation, direction, mode))
        return made.time(job, taken), taken

    return run


def is_job(job: Job, operation: str, direction: str, mode: str) -> bool:
    return job.operation == operation and job.direction == direction and mode in ("", job.mode)
