"""Times: a change beyond the noise is found, and noise is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from conformance.diffing.pairing import TimingPair
from conformance.diffing.timings import TimingComparison, compare_timings
from conformance.timing.model import Calls, Cell, Circumstances, Copy, Timing, TimingRun

Times = dict[str, Sequence[float] | str]
Rounds = Callable[..., list[float]]


def run(times: Times, mode: str = "eager", reference: float = 1e-3) -> TimingRun:
    """A timing file with the given rounds of each cell, or the reason why it has none."""
    about = Circumstances(
        format=1,
        suite="0",
        backend="torch",
        device="cpu",
        versions={"torch": "1.0"},
        environment={},
        threads=1,
        copies=[Copy(1, [1.0])],
        started="t",
        finished="t",
    )
    timings = {}
    for name, seconds in times.items():
        cell = Cell(
            id=name,
            operation="exp",
            mode=mode,
            dtype="float32",
            shape=(2, 20),
            direction="forward",
            call="exp(x)",
            reference=(reference, reference),
            why_not=seconds if isinstance(seconds, str) else "",
        )
        timings[mode, name] = Timing(cell, None if isinstance(seconds, str) else Calls(tuple(seconds), 1))
    return TimingRun(Path("t.json"), about, timings)


@pytest.fixture
def rounds() -> Rounds:
    """25 rounds about a median that scatter by some part of it."""
    generator = random.Random(7)
    return lambda median, scatter=0.02: [median * generator.uniform(1 - scatter, 1 + scatter) for _ in range(25)]


def compared(
    a: Times, b: Times, modes: tuple[str, str] | None = None, mode: str = "eager", reference: float = 1e-3
) -> TimingComparison:
    return compare_timings([TimingPair(run(a), run(b, mode, reference), modes)])


def test_what_takes_half_as_long_again_is_slower(rounds: Rounds) -> None:
    (change,) = compared({"exp": rounds(1e-6)}, {"exp": rounds(1.5e-6)}).changes
    assert change.verdict == "slower"
    assert change.ratio == pytest.approx(1.5, rel=0.03)
    assert change.interval[0] < change.ratio < change.interval[1]


def test_the_sides_swapped_make_it_faster(rounds: Rounds) -> None:
    result = compared({"exp": rounds(1.5e-6)}, {"exp": rounds(1e-6)})
    assert (len(result.faster), len(result.slower)) == (1, 0)


def test_times_of_one_distribution_are_the_same(rounds: Rounds) -> None:
    cells = [f"cell {n}" for n in range(200)]
    result = compared({c: rounds(1e-6, 0.1) for c in cells}, {c: rounds(1e-6, 0.1) for c in cells})
    assert len(result.changes) == 200
    assert (result.slower, result.faster) == ([], [])


def test_a_difference_that_is_certain_and_yet_within_the_noise_is_none(rounds: Rounds) -> None:
    (change,) = compared({"exp": rounds(1e-6, 0.08)}, {"exp": rounds(1.05e-6, 0.08)}).changes
    assert change.probability < 0.05
    assert 1 < change.ratio < change.noise
    assert change.verdict == "same"


def test_a_machine_that_was_slower_itself_is_no_slower_framework(rounds: Rounds) -> None:
    (change,) = compared({"exp": rounds(1e-6)}, {"exp": rounds(1.5e-6)}, reference=1.5e-3).changes
    assert change.noise >= 1.5
    assert change.verdict == "same"


def test_few_rounds_prove_nothing() -> None:
    (change,) = compared({"exp": [1.0e-6, 1.0e-6, 1.01e-6]}, {"exp": [3.0e-6, 3.0e-6, 3.01e-6]}).changes
    assert change.probability > 0.05
    assert change.verdict == "same"


def test_probabilities_are_corrected_for_the_number_of_cells(rounds: Rounds) -> None:
    same: Times = {f"cell {n}": [1e-6] * 25 for n in range(50)}
    a, b = rounds(1e-6), rounds(1.01e-6)
    (alone,) = compared({"a": a}, {"a": b}).changes
    among = compared({"a": a, **same}, {"a": b, **same}).changes[0]
    assert 0 < alone.probability < 0.5
    assert among.probability == pytest.approx(min(1.0, 51 * alone.probability))


def test_cells_timed_on_one_side_only_are_told_with_the_reason(rounds: Rounds) -> None:
    a = {"both": rounds(1e-6), "lost": rounds(1e-6), "won": "did not conform", "gone": rounds(1e-6)}
    b = {"both": rounds(1e-6), "lost": "does not conform any more", "won": rounds(1e-6), "new": rounds(1e-6)}
    result = compared(a, b)
    assert [change.id for change in result.changes] == ["both"]
    assert [(one.id, one.side, one.why) for one in result.untimed] == [
        ("lost", "A", "does not conform any more"),
        ("won", "B", "did not conform"),
        ("gone", "A", "B did not time it"),
        ("new", "B", "A did not time it"),
    ]


def test_two_modes_can_be_compared(rounds: Rounds) -> None:
    result = compared({"exp": rounds(1e-6)}, {"exp": rounds(2e-6)}, ("eager", "compile"), mode="compile")
    assert [(change.where, change.verdict) for change in result.changes] == [("torch eager → compile", "slower")]
