"""Each cell of the plan: an operation in a mode, a dtype, a shape and a direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.timing.loop import Effort
from conformance.timing.measuring import Bench
from conformance.timing.plan import Job


def test_timing(bench: Bench, job: Job, benchmark: Any) -> None:
    """The cell is timed, unless its output does not conform."""
    benchmark.group = job.id
    benchmark.name = benchmark.fullname = f"{bench.name} {job.mode} {job.id}"
    benchmark.param, benchmark.params = f"{bench.name} {job.mode}", {"backend": bench.name, "mode": job.mode}

    def rounds(run: Callable[[], Any], effort: Effort) -> None:
        # A round is one call for pytest-benchmark: its own loop would cost more than a short call takes. Told before
        # each round how many calls that is, it divides by their number.
        def told() -> None:
            benchmark.stats.iterations = effort.iterations

        benchmark.pedantic(run, setup=told, rounds=effort.rounds)

    cell = bench.time(job, rounds)
    if cell.why_not:
        benchmark.has_error = True  # which keeps times out of the file
        pytest.skip(cell.why_not)
    benchmark.extra_info.update(msgspec.to_builtins(cell))
