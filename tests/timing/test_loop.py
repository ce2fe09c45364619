"""The loop: how a call is written, and how often it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.execution.program import compile_variant
from conformance.timing.loop import ROUND_SECONDS, Loop, call_text, direct
from conformance.timing.plan import parse_plan
from conformance.timing.statistics import FEWEST

JOBS = {job.operation: job for job in parse_plan(["float32"], ["2x20"], full=False).jobs(["eager"], "eager")}


@pytest.mark.parametrize(
    ("operation", "text", "constants"),
    [
        ("softmax", "call(a0, axis=c0)", {"c0": -1}),
        ("reshape", "call(a0, c0)", {"c0": [-1]}),
        ("stack", "call([a0, a1], axis=c0)", {"c0": 0}),
        ("add", "call(a0, a1)", {}),
        ("binary_cross_entropy", "call(a0, a1)", {}),
    ],
)
def test_a_call_is_written_as_a_user_would_write_it(operation: str, text: str, constants: dict[str, Any]) -> None:
    step = compile_variant(JOBS[operation].value).steps[-1]
    assert call_text(step) == (text, constants)


def test_a_function_for_compiling_takes_arrays_alone() -> None:
    backend = NumpyBackend()
    step = compile_variant(JOBS["stack"].value).steps[-1]
    a, b = np.ones((2, 20)), np.zeros((2, 20))
    assert direct(backend, step, 2)(a, b).shape == (2, 2, 20)


def test_each_call_is_waited_for_and_the_last_result_is_kept() -> None:
    seen, waited = [], []

    def call(x: int) -> int:
        seen.append(x)
        return len(seen)

    loop = Loop("call(a0)", {"call": call, "a0": 7}, waited.append)
    assert loop.run(3) > 0
    assert seen == [7, 7, 7] and waited == [1, 2, 3] and loop.result == 3


def test_a_short_call_is_made_so_often_that_a_round_is_long_and_a_long_one_once() -> None:
    made = 0

    class Clocked(Loop):
        """Runs on a clock of its own."""

        def __init__(self, seconds: float) -> None:
            super().__init__("None", {}, None)
            self._seconds = seconds

        def run(self, iterations: int) -> float:
            nonlocal made
            made += iterations
            return iterations * self._seconds

    short = Clocked(1e-7).effort(1e-7)
    assert short.iterations * 1e-7 >= ROUND_SECONDS and short.rounds == 25
    middle = Clocked(4e-3).effort(4e-3)
    assert (middle.iterations, middle.rounds) == (1, 12)
    made = 0
    long = Clocked(1.0).effort(1.0)
    assert (long.iterations, long.rounds, made) == (1, FEWEST + 1, 0)
