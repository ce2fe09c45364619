"""What follows from times side by side."""

from __future__ import annotations

import math

import pytest

from conformance.reports.timing.columns import table
from conformance.reports.timing.comparing import apart, compiles, overtakings, pays_after
from conformance.timing.model import Calls, TimingRun

from .test_page import SHAPES, run, timed


def calls(median: float, width: float = 0.01) -> Calls:
    return Calls(tuple(median * (1 + width * (i - 3) / 3) for i in range(7)), 1)


def sizes(*seconds: float, mode: str = "eager", **more: object) -> list[object]:
    return [timed(time, shape=shape, mode=mode, **more) for time, shape in zip(seconds, SHAPES, strict=True)]


def of(*runs: TimingRun) -> list[tuple[str, str, int, int, int]]:
    return [
        (one.ahead.label, one.behind.label, one.after, one.before, round(one.about)) for one in overtakings(table(runs))
    ]


def test_the_size_of_overtaking_is_where_straight_lines_cross() -> None:
    a = run(*sizes(1e-6, 1e-5, 1e-2), backend="numpy")
    b = run(*sizes(4e-6, 2e-5, 1e-3), backend="torch")
    # Between 4,096 and 1,048,576 the ratio goes from 1/2 to 10 on logarithmic scales: log 2 / log 20 of the way.
    assert of(a, b) == [("torch eager", "numpy eager", 4096, 2**20, round(4096 * 256 ** (math.log(2) / math.log(20))))]


def test_who_is_ahead_everywhere_overtakes_nobody() -> None:
    assert of(run(*sizes(1e-6, 1e-5, 1e-3)), run(*sizes(2e-6, 2e-5, 2e-3), backend="torch")) == []


def test_times_that_are_not_apart_say_nothing() -> None:
    a, b = run(*sizes(1e-6, 1.001e-5, 1e-3)), run(*sizes(2e-6, 1e-5, 1.002e-3), backend="torch")
    assert of(a, b) == []


def test_a_difference_below_the_machines_own_drift_says_nothing() -> None:
    steady, drifting = [1e-5, 1e-5], (1e-5, 2e-5)
    for reference, found in ((tuple(steady), 1), (drifting, 0)):
        a = run(*sizes(1e-6, 1e-5, 1.5e-3, reference=reference))
        b = run(*sizes(3e-6, 2.5e-5, 1e-3, reference=reference), backend="torch")
        assert len(of(a, b)) == found


def test_modes_of_one_backend_overtake_each_other_but_not_those_of_another() -> None:
    a = run(*sizes(1e-6, 1e-5, 1e-2), *sizes(1e-5, 2e-5, 1e-3, mode="jit"), backend="jax")
    b = run(*sizes(5e-7, 5e-6, 5e-4), backend="torch")
    assert [(x, y) for x, y, *_ in of(a, b)] == [("jax jit", "jax eager")]


@pytest.mark.parametrize(
    ("first", "median", "plain_first", "plain", "after"),
    [
        (1.0, 1e-3, 0.0, 2e-3, 1001),
        (1e-3, 1e-3, 2e-3, 2e-3, 1),
        (1.0, 2e-3, 0.0, 1e-3, None),
        (1.0, 1e-3, 0.0, 1.001e-3, None),
    ],
)
def test_a_compile_has_paid_once_all_its_calls_took_less_than_plain_ones(
    first: float, median: float, plain_first: float, plain: float, after: int | None
) -> None:
    number, words = pays_after(first, calls(median), plain_first, calls(plain))
    assert number == after and words
    if after is not None and after > 1:
        assert first + (after - 1) * median <= plain_first + (after - 1) * plain
        assert first + (after - 2) * median > plain_first + (after - 2) * plain


def test_a_compiled_mode_is_held_against_the_plain_one_of_its_own_run() -> None:
    a = run(timed(2e-6), timed(1e-6, mode="jit", first_seconds=0.5), backend="jax")
    b = run(timed(1e-7), backend="torch")
    (group,) = compiles(table([a, b]))
    assert group.column.label == "jax jit" and group.calls[0].plain.median == pytest.approx(2.006e-6)
    assert group.summary.startswith("1 calls: 1 later")


def test_without_the_plain_mode_nothing_is_said_of_a_compile() -> None:
    assert compiles(table([run(timed(1e-6, mode="jit"))])) == []


def test_medians_are_apart_when_their_intervals_are_and_the_drift_is_smaller() -> None:
    assert apart(calls(1.0), calls(1.1)) and apart(calls(1.1), calls(1.0))
    assert not apart(calls(1.0, 0.2), calls(1.1, 0.2))
    assert not apart(calls(1.0), calls(1.1), drift=1.2)
