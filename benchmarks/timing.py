"""How true the timing is: medians as `conformance bench` reports them, against a bare `timeit` loop of the same call.

Both loops take turns within one process, round by round, since machines drift. See README.md beside this file.
"""

from __future__ import annotations

import statistics
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from conformance import backends
from conformance.backends.base import Backend
from conformance.timing import copying
from conformance.timing.loop import Effort
from conformance.timing.measuring import Bench
from conformance.timing.plan import Job, parse_plan

# Written by hand, as a user types them: nothing of the suite's own loop is in them but the idioms' functions.
CALLS = {
    "softmax": "softmax(x, axis=-1)",
    "log_softmax": "log_softmax(x, axis=-1)",
    "sigmoid": "sigmoid(x)",
    "log_sigmoid": "log_sigmoid(x)",
    "binary_cross_entropy": "binary_cross_entropy(p, y)",
    "binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits(x, y)",
    "stack": "stack([a, b], axis=0)",
    "sum": "sum(x, axis=-1)",
    "exp": "exp(x)",
    "add": "add(a, b)",
}
SIZES = ("2x20", "64x1024")
AIM = 0.05


class InTurn:
    """Takes the times of a cell's rounds as pytest-benchmark does, and after each those of a bare loop.

    Both call with the same arrays: where those lie in memory decides more than the loop does.
    """

    def __init__(self, backend: Backend, job: Job) -> None:
        self._job = job
        self._names: dict[str, Any] = {name: backend.idioms[name] for name in CALLS} | {"wait": backend.waiter()}
        self._arrays: list[Any] = []
        self.own: list[float] = []
        self.bare: list[float] = []
        give = type(backend).from_numpy

        def noted(array: np.ndarray) -> Any:
            self._arrays.append(give(backend, array))
            return self._arrays[-1]

        backend.from_numpy = noted  # type: ignore[method-assign]  # watched for this run only

    def __call__(self, run: Callable[[], Any], effort: Effort) -> None:
        """Run the rounds, four times as many as a bench would."""
        text = f"kept = {CALLS[self._job.operation]}" + ("; wait(kept)" if self._names["wait"] else "")
        inputs = self._arrays[-len(self._job.value.case.case.given) :]
        given = dict(zip(self._job.value.case.case.given, inputs, strict=True))
        bare = timeit.Timer(text, globals={**self._names, **given})
        for _ in range(4 * effort.rounds):
            start = time.perf_counter()
            run()
            self.own.append((time.perf_counter() - start) / effort.iterations)
            self.bare.append(bare.timeit(effort.iterations) / effort.iterations)


def compare(bench: Bench, job: Job) -> tuple[float, float]:
    """Seconds a call, as reported and as a bare loop takes."""
    in_turn = InTurn(bench.backend, job)
    cell = bench.time(job, in_turn)
    if cell.why_not:
        sys.exit(f"{bench.name} {job.id}: {cell.why_not}")
    return statistics.median(in_turn.own), statistics.median(in_turn.bare)


def main() -> None:
    """Compare on the backends named on the command line, by default NumPy and torch, in their plain modes."""
    copying.SIZES = ()  # nothing here is held against a copy
    for name in sys.argv[1:] or ["numpy", "torch"]:
        if backends.load(name).not_installed():
            print(f"{name} is not installed")
            continue
        bench = Bench(name, parse_plan(["float32"], SIZES, full=False), modes=[backends.load(name).modes[0]])
        bench.start()
        ratios = []
        with bench.backend.scope(bench.modes[0]):
            for job in bench.jobs():
                if job.operation in CALLS and job.direction == "forward":
                    reported, bare = compare(bench, job)
                    ratios.append(reported / bare)
                    print(
                        f"{name:<11} {job.id:<62} reported {reported * 1e6:9.3f} µs   timeit {bare * 1e6:9.3f} µs   "
                        f"ratio {reported / bare:.3f}"
                    )
        within = sum(abs(ratio - 1) <= AIM for ratio in ratios)
        print(
            f"{name:<11} {within} of {len(ratios)} within {AIM:.0%}; "
            f"median {statistics.median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}"
        )


if __name__ == "__main__":
    main()
