"""Balls hold what they must, and hold it exactly where they can."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.ground.dtypes import DTYPES
from conformance.truth import balls
from conformance.truth.balls import UndecidedError
from conformance.truth.gradient import trace


@pytest.fixture(autouse=True)
def precision() -> None:
    balls.working_precision(100)


def holds(ball: arb, value: Fraction) -> bool:
    with ctx.workprec(3000):  # the fraction becomes a ball too, which must be narrow for the question to mean much
        return bool(ball.contains(fmpq(value.numerator, value.denominator)))


@pytest.mark.parametrize("name", [d.name for d in DTYPES.values() if d.kind == "floating"])
def test_every_kind_of_float_becomes_a_ball_without_radius(name: str) -> None:
    info = ml_dtypes.finfo(DTYPES[name].numpy)
    array = np.array([0, 0.1, -1.5, info.max, info.min, info.tiny, info.smallest_subnormal]).astype(DTYPES[name].numpy)
    balls.working_precision(2)  # exact whatever the precision
    for ball, value in zip(balls.exact(array), array, strict=True):
        mantissa, exponent = ball.man_exp()  # raises for a ball with a radius
        assert int(mantissa) * Fraction(2) ** int(exponent) == Fraction(float(value))


@pytest.mark.parametrize("name", [d.name for d in DTYPES.values() if d.kind == "integer"])
def test_integers_up_to_their_ends_become_balls_without_radius(name: str) -> None:
    info = np.iinfo(name)
    balls.working_precision(2)
    low, high = balls.exact(np.array([info.min, info.max], dtype=name))
    assert (int(low.unique_fmpz()), int(high.unique_fmpz())) == (info.min, info.max)
    assert low.is_exact()
    assert high.is_exact()


def test_bools_become_zero_and_one_and_shapes_stay() -> None:
    got = balls.exact(np.array([[True, False]]))
    assert got.shape == (1, 2)
    assert got[0, 0] == 1
    assert got[0, 1] == 0
    assert balls.exact(np.float64(2.0).reshape(())).shape == ()
    assert balls.exact(np.zeros((0, 3))).shape == (0, 3)


@settings(deadline=None, max_examples=100)
@given(
    midpoint=st.fractions(max_denominator=10**30),
    radius=st.fractions(0, 10, max_denominator=10**30),
    position=st.fractions(-1, 1),
)
def test_an_interval_holds_both_its_ends_and_all_between_and_is_hardly_wider(
    midpoint: Fraction, radius: Fraction, position: Fraction
) -> None:
    (ball,) = balls.intervals([midpoint], [radius], (1,))
    for value in (midpoint - radius, midpoint + radius, midpoint + position * radius):
        assert holds(ball, value)
    slack = radius / 10**6 + abs(midpoint) / 10**25
    assert not holds(ball, midpoint + radius + slack + Fraction(1, 10**60))
    assert not holds(ball, midpoint - radius - slack - Fraction(1, 10**60))


@settings(deadline=None, max_examples=60)
@given(
    a=st.fractions(-5, 5, max_denominator=1000),
    b=st.fractions(-5, 5, max_denominator=1000),
    position=st.fractions(-1, 1, max_denominator=100),
)
def test_what_is_computed_from_intervals_holds_what_any_of_their_numbers_gives(
    a: Fraction, b: Fraction, position: Fraction
) -> None:
    radius = Fraction(1, 20000)
    x, y = balls.intervals([a, b], [radius, radius], (2,))
    p, q = a + position * radius, b - position * radius
    assert holds(x * y + x - y, p * q + p - q)


def test_a_radius_is_not_rounded_down_at_low_precision() -> None:
    balls.working_precision(3)
    (ball,) = balls.intervals([Fraction(1, 3)], [Fraction(1, 7)], (1,))
    assert holds(ball, Fraction(1, 3) + Fraction(1, 7))
    assert holds(ball, Fraction(1, 3) - Fraction(1, 7))


def test_the_logarithm_of_zero_is_minus_infinity_also_within_an_array_and_in_rank_0() -> None:
    logs = balls.log(balls.exact(np.array([[0.0, 1.0], [2.0, -0.0]])))
    assert logs[0, 0] == arb.neg_inf()
    assert logs[1, 1] == arb.neg_inf()
    assert logs[0, 1] == 0
    assert abs(float(logs[1, 0]) - np.log(2)) < 1e-15
    assert balls.log(balls.exact(np.array(0.0)))[()] == arb.neg_inf()


def test_log1p_is_minus_infinity_at_minus_one_and_keeps_tiny_arguments() -> None:
    logs = balls.log1p(balls.exact(np.array([-1.0, 1e-300, 0.0])))
    assert logs[0] == arb.neg_inf()
    assert float(logs[1]) == 1e-300
    assert logs[2] == 0


def test_logarithms_of_negative_numbers_stay_undefined() -> None:
    for result in (balls.log(balls.exact(np.array([-1.0]))), balls.log1p(balls.exact(np.array([-2.0])))):
        assert result[0].is_nan()


def test_a_ball_that_only_might_be_zero_has_no_logarithm() -> None:
    around = balls.intervals([Fraction(0)], [Fraction(1, 1000)], (1,))
    assert balls.log(around)[0].is_nan()


@pytest.mark.parametrize("others", [[], [5.0]])
def test_at_least_lifts_what_is_below_and_nothing_else(others: list[float]) -> None:
    x = balls.log(balls.exact(np.array([0.0, np.exp(-150.0), *others])))
    got = balls.at_least(x, -100)
    assert got[0] == -100
    assert got[1] == -100
    assert [float(v) for v in got[2:]] == [float(np.log(v)) for v in others]
    untouched = balls.exact(np.array([-99.5, 3.0]))
    assert all(a == b for a, b in zip(balls.at_least(untouched, -100), untouched, strict=True))


def test_at_least_of_a_ball_across_the_bound_holds_both_outcomes() -> None:
    across = balls.intervals([Fraction(-100)], [Fraction(1)], (1,))
    (got,) = balls.at_least(across, -100)
    assert holds(got, Fraction(-100))
    assert holds(got, Fraction(-99))
    assert not holds(got, Fraction(-98))


def test_at_least_makes_a_traced_element_below_the_bound_a_constant() -> None:
    above, below = trace(balls.exact(np.array([-5.0, -200.0])))
    got = balls.at_least(np.array([above, below]), -100)
    assert got[0] is above
    assert isinstance(got[1], arb)
    assert got[1] == -100


def test_at_least_refuses_to_differentiate_at_the_bound() -> None:
    with pytest.raises(UndecidedError, match="max"):
        balls.at_least(trace(balls.exact(np.array([-100.0]))), -100)


def test_far_above_zero_begins_past_two_to_the_twenty() -> None:
    x = balls.exact(np.array([[0.0, 2.0**20], [2.0**20 + 1, 1e308], [-1e308, 5.0]]))
    np.testing.assert_array_equal(balls.far_above_zero(x), [[False, False], [True, True], [False, False]])
    np.testing.assert_array_equal(balls.far_above_zero(trace(x)), balls.far_above_zero(x))


def test_the_largest_along_an_axis_is_exact_and_keeps_the_axis() -> None:
    x = balls.exact(np.array([[1.0, 7.0, -3.0], [2.0, -8.0, 2.5]]))
    assert [float(v) for v in balls.largest(x, 1).ravel()] == [7.0, 2.5]
    assert balls.largest(x, 1).shape == (2, 1)
    assert balls.largest(x, 0).shape == (1, 3)
    assert [float(v) for v in balls.largest(x, 0).ravel()] == [2.0, 7.0, 2.5]
    assert float(balls.largest(x, None).ravel()[0]) == 7.0
    assert float(balls.largest(balls.exact(np.array([-5.0, -1e300, -7.0])), 0)[0]) == -5.0
    blurred = balls.intervals([Fraction(1), Fraction(2)], [Fraction(1, 2)] * 2, (2,))
    assert balls.largest(blurred, 0)[0].is_exact()


def test_the_largest_of_an_axis_without_elements_does_not_stop_a_definition() -> None:
    assert balls.largest(balls.exact(np.zeros((2, 0))), 1).shape == (2, 1)
    assert balls.largest(balls.exact(np.zeros((2, 0))), 0).shape == (1, 0)


def test_results_of_rank_0_and_plain_numbers_become_arrays_of_balls() -> None:
    assert balls.as_balls(arb(3)).shape == ()
    assert balls.as_balls(arb(3))[()] == 3
    assert balls.as_balls(0)[()] == arb(0)
    assert isinstance(balls.as_balls(0)[()], arb)
    assert balls.as_balls(np.array([1, 2]))[1] == 2
    (element,) = trace(balls.exact(np.array([1.0])))
    assert balls.as_balls(element)[()] is element


def test_widening_adds_to_the_radius_and_infinitely_much_holds_everything() -> None:
    got = balls.widened(balls.exact(np.array([1.0, 1.0, 1.0])), np.array([0.0, 0.25, np.inf]))
    assert got[0].is_exact()
    assert holds(got[1], Fraction(5, 4))
    assert holds(got[1], Fraction(3, 4))
    assert not holds(got[1], Fraction(13, 10))
    assert holds(got[2], Fraction(10**500))


def test_decimals_are_those_of_the_number() -> None:
    assert balls.to_decimal(arb(0)) == "0"
    third = arb(1) / 3
    assert balls.to_decimal(third, 10).startswith("0.33333333")
    assert balls.to_decimal(arb("1e-40"), 5).startswith("1.0000e-40")
    assert ctx.prec == 100
