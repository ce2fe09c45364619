"""Drift, to the letter: more than 1 ULP, or more than half of the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.diffing import records
from conformance.ground.verdicts import VERDICTS
from conformance.runfile import Record


def measured(ulp: float, budget: float, at: int = 0) -> Record:
    return Record("v", "eager", "passed", ulp=ulp, budget=budget, at=[at])


@pytest.mark.parametrize(
    ("a", "b", "budget", "direction"),
    [
        (0.5, 3.0, 10.0, "worse"),
        (3.0, 0.5, 10.0, "better"),
        (0.5, 1.5, 10.0, None),  # one rounding decided the other way
        (0.36, 1.36 + 2**-40, 10.0, None),  # likewise, as float64 works it out
        (0.5, 1.51, 10.0, "worse"),
        (0.2, 0.9, 1.0, "worse"),  # 0.7 of a budget of 1
        (0.2, 0.7, 1.0, None),
        (100.0, 101.5, 4096.0, "worse"),  # that it is a small part of the error hides nothing
        (0.0, 2**-10, 0.0, "worse"),
        (0.5, 0.5, 10.0, None),
    ],
)
def test_drift_is_more_than_one_ulp_or_half_of_the_budget(a: float, b: float, budget: float, direction: str) -> None:
    assert records.drift(measured(a, budget), measured(b, budget)) == direction


def test_what_was_not_measured_on_both_sides_did_not_drift() -> None:
    unmeasured = Record("v", "eager", "passed")
    assert records.growth(unmeasured, measured(3.0, 10.0)) is None
    assert records.drift(measured(3.0, 10.0), unmeasured) is None


def test_of_another_element_only_what_is_certain_counts() -> None:
    # In A the worst element took 0.3 of its budget, so this one took no more than 0.3 * 100 = 30 ULP.
    assert records.growth(measured(3.0, 10.0, at=0), measured(40.0, 100.0, at=1)) == pytest.approx(10.0)
    assert records.drift(measured(3.0, 10.0, at=0), measured(40.0, 100.0, at=1)) == "worse"
    # More ULP than A's worst had, and yet every element is nearer the exact value than that, for its budget.
    assert records.drift(measured(3.0, 10.0, at=0), measured(5.0, 100.0, at=1)) == "better"
    assert records.drift(measured(3.0, 10.0, at=0), measured(30.5, 100.0, at=1)) is None


def test_of_one_element_a_changed_budget_does_not_matter() -> None:
    assert records.growth(measured(3.0, 10.0), measured(3.0, 20.0)) == 0.0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_sides_swapped_drift_the_other_way(a: float, b: float, budget: float) -> None:
    there, back = (records.drift(measured(x, budget), measured(y, budget)) for x, y in ((a, b), (b, a)))
    assert (there, back) in ((None, None), ("worse", "better"), ("better", "worse"))


def test_every_verdict_that_a_record_may_have_is_ordered() -> None:
    assert set(records.ORDER) == set(VERDICTS) - {"not-run"}


def test_texts_of_a_record_are_short_and_act_on_nothing() -> None:
    told = records.told(Record("v", "eager", "divergent", "\x1b[31m" + "x" * 10_000, raised="two\nlines"))
    assert told.reason.startswith("\\x1b[31mxxx") and len(told.reason) < 500
    assert told.got == "two\\nlines"
