"""Precision rises until a rounding is beyond doubt, and what has no answer is said to have none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.ground.dtypes import DTYPES, DType
from conformance.truth import balls
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.truth.rounding import round_fraction
from conformance.truth.settling import midpoints_and_radii, settle

FLOAT32 = DTYPES["float32"]
FLOATING = [dtype for dtype in DTYPES.values() if dtype.kind == "floating"]
each_dtype = pytest.mark.parametrize("dtype", FLOATING, ids=lambda d: d.name)


def fractions(*values: Fraction) -> Callable[[], balls.Balls]:
    return lambda: balls.intervals(list(values), [Fraction(0)] * len(values), (len(values),))


def hard_values(dtype: DType) -> list[Fraction]:
    """Values, midpoints, and what is next to midpoints, where binades, subnormals and the finite range end too."""
    top = (2**dtype.precision - 1) * Fraction(2) ** (dtype.max_exponent - dtype.precision + 1)
    values = []
    for exponent in (0, 1, -1, dtype.min_exponent, dtype.min_exponent + 1, dtype.max_exponent, dtype.smallest_quantum):
        power = Fraction(2) ** exponent
        for ulps in (
            Fraction(0),
            Fraction(1, 4),
            Fraction(1, 2),
            Fraction(3, 4),
            Fraction(1),
            Fraction(-1, 4),
            Fraction(-1, 2),
        ):
            for nudge in (0, Fraction(1, 2**70), -Fraction(1, 2**70), Fraction(1, 2**500), Fraction(1, 3**60)):
                values.append(power * (1 + (ulps + nudge) * Fraction(2) ** (1 - dtype.precision)))
    values += [
        top,
        top * (1 + Fraction(2) ** (-dtype.precision - 1)),
        top * 10,
        Fraction(10) ** 400,
        Fraction(1, 10**400),
    ]
    return [*values, *(-v for v in values), Fraction(0)]


@each_dtype
def test_balls_round_as_the_fractions_they_stand_for(dtype: DType) -> None:
    values = hard_values(dtype)
    got = settle(fractions(*values), dtype)
    expected = [round_fraction(value, dtype) for value in values]
    for i, (units, quantum, residual) in enumerate(expected):
        same_binade = quantum == got.quantum[i]
        mine = int(got.units[i]) * Fraction(2) ** int(got.quantum[i])
        assert mine == units * Fraction(2) ** quantum, (values[i], got.units[i], units)
        if same_binade and np.isfinite(residual):
            # A residual of a value that is not exact in 16 384 bits is known to many digits all the same.
            assert abs(got.residual[i] - residual) <= 1e-12 * abs(residual) + 2.0**-40, (values[i], residual)


@each_dtype
@settings(deadline=None, max_examples=100)
@given(
    values=st.lists(
        st.fractions(max_denominator=10**9) | st.floats(allow_nan=False, allow_infinity=False).map(Fraction),
        min_size=1,
        max_size=8,
    )
)
def test_any_fractions_round_alike_as_balls_and_by_themselves(dtype: DType, values: list[Fraction]) -> None:
    got = settle(fractions(*values), dtype)
    for i, value in enumerate(values):
        units, quantum, residual = round_fraction(value, dtype)
        assert int(got.units[i]) * Fraction(2) ** int(got.quantum[i]) == units * Fraction(2) ** quantum
        if np.isfinite(residual) and quantum == got.quantum[i]:
            assert abs(got.residual[i] - residual) <= 2.0**-40 * max(abs(residual), 1.0)


def recording(compute: Callable[[], balls.Balls]) -> tuple[Callable[[], balls.Balls], list[int]]:
    precisions: list[int] = []

    def wrapped() -> balls.Balls:
        precisions.append(ctx.prec)
        return compute()

    return wrapped, precisions


def test_an_easy_definition_is_evaluated_once() -> None:
    compute, precisions = recording(lambda: np.exp(balls.exact(np.array([0.5, -3.0]))))
    got = settle(compute, FLOAT32)
    np.testing.assert_array_equal(got.value, np.exp(np.array([0.5, -3.0])).astype(np.float32))
    assert len(precisions) == 1


def test_precision_doubles_until_heavy_cancellation_is_overcome() -> None:
    """(1e300 + 1/3) - 1e300 keeps nothing of 1/3 until 1,000 bits are carried."""

    def cancelling() -> balls.Balls:
        huge = balls.exact(np.array([1e300]))
        return (huge + arb(1) / 3) - huge

    compute, precisions = recording(cancelling)
    got = settle(compute, FLOAT32)
    assert got.value[0] == np.float32(1 / 3)
    assert precisions[-1] > 1000 > precisions[0]
    assert all(later == 2 * earlier for earlier, later in itertools.pairwise(precisions))


def test_no_value_is_rounded_by_the_middle_of_a_ball_that_reaches_across_a_tie() -> None:
    """The middle says one thing, the truth, which only more digits tell, the other. Once at a tie within a binade,
    and once at the last one below a power of two, where the distance to the next value is another."""
    for tie, below in [
        (Fraction(2**24 + 1, 2**24), np.float32(1)),
        (Fraction(2**25 - 1, 2**25), 1 - np.float32(2.0**-24)),
    ]:
        truth = tie - Fraction(1, 2**90)

        def blurred(truth: Fraction = truth) -> balls.Balls:
            if ctx.prec < 150:  # a ball that holds the truth, with its middle on the other side of the tie
                return balls.intervals([truth + Fraction(3, 2**91)], [Fraction(1, 2**89)], (1,))
            return balls.intervals([truth], [Fraction(1, 2**140)], (1,))

        compute, precisions = recording(blurred)
        assert settle(compute, FLOAT32).value[0] == below
        assert len(precisions) > 1


def test_a_ball_around_a_value_is_settled_although_it_never_becomes_exact() -> None:
    compute, precisions = recording(lambda: np.sqrt(balls.exact(np.array([2.0]))) ** 2)
    got = settle(compute, FLOAT32)
    assert got.value[0] == 2
    assert abs(got.residual[0]) < 2.0**-30
    assert len(precisions) == 1


def test_a_ball_around_a_tie_that_no_precision_leaves_goes_to_even_in_the_end() -> None:
    """sqrt(2)**2 scaled onto the midpoint between 2 and its neighbour: no precision tells which way it goes."""

    def never() -> balls.Balls:
        return np.sqrt(balls.exact(np.array([2.0]))) ** 2 * balls.exact(np.array([1 + 2.0**-24]))

    compute, precisions = recording(never)
    got = settle(compute, FLOAT32)
    assert (got.value[0], abs(got.residual[0])) == (2, 0.5)
    assert precisions[-1] >= 4096 > precisions[-2]


def test_a_ball_that_stays_wide_around_a_tie_is_never_settled_and_that_is_said() -> None:
    wide = balls.intervals([Fraction(1) + Fraction(1, 2**24)], [Fraction(1, 2**40)], (1,))
    compute, precisions = recording(lambda: wide)
    with pytest.raises(UndecidedError, match="the rounding is not settled"):
        settle(compute, FLOAT32)
    assert precisions[-1] >= balls.MAX_PRECISION > precisions[-2]


def test_an_exact_tie_is_settled_at_once_and_goes_to_even() -> None:
    compute, precisions = recording(lambda: balls.exact(np.array([1 + 2.0**-24, 1 + 3 * 2.0**-24])))
    got = settle(compute, FLOAT32)
    np.testing.assert_array_equal(got.value, np.array([1, 1 + 2.0**-22], dtype=np.float32))
    np.testing.assert_array_equal(np.abs(got.residual), 0.5)
    assert len(precisions) == 1


@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
def test_the_logarithm_of_a_negative_number_has_no_value_and_the_element_is_named(shape: tuple[int, ...]) -> None:
    values = np.ones(shape)
    values[(-1,) * len(shape)] = -1.0
    place = tuple(n - 1 for n in shape)
    with pytest.raises(UndefinedError, match=r"element " + str(place).replace("(", r"\(").replace(")", r"\)")):
        settle(lambda: balls.log(balls.exact(values)), FLOAT32)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_not_a_value(value: float) -> None:
    with pytest.raises(UndefinedError):
        settle(lambda: balls.exact(np.array([1.0, value])), FLOAT32)


def test_a_division_that_may_be_by_zero_is_tried_at_higher_precision_first() -> None:
    """1e-30 is not told from 0 while its ball is wide; it is no reason to give up."""

    def narrowing() -> balls.Balls:
        tiny = (balls.exact(np.array([1e30])) + arb(1) / 3) - balls.exact(np.array([1e30]))
        return arb(1) / tiny

    assert settle(narrowing, FLOAT32).value[0] == 3


def test_a_result_far_past_every_exponent_overflows_or_vanishes() -> None:
    got = settle(lambda: np.exp(balls.exact(np.array([1e9, -1e9]))), DTYPES["float64"])
    np.testing.assert_array_equal(got.value, [np.inf, 0.0])
    assert np.all(got.distance(np.array([np.inf, 0.0])) < 1e-300)
    assert np.all(got.distance(np.array([0.0, np.inf])) > 2.0**50)


@each_dtype
def test_the_subnormal_results_of_an_exponential_are_correctly_rounded(dtype: DType) -> None:
    """Held against numbers of 400 digits from repeated squaring of a fraction: exp(-k) for exact k."""
    e = sum((Fraction(1, _factorial(k)) for k in range(80)), Fraction(0))
    tiny = float(ml_dtypes.finfo(dtype.numpy).tiny)
    powers = [k for k in range(5, 760) if tiny / 2**12 < float(np.exp(-float(k))) < tiny][:4]
    got = settle(lambda: np.exp(balls.exact(np.array(powers) * -1.0)), dtype)
    for i, k in enumerate(powers):
        units, quantum, _ = round_fraction(1 / e**k, dtype)
        assert (got.units[i], got.quantum[i]) == (units, quantum)
        assert quantum == dtype.smallest_quantum
    assert powers


def _factorial(n: int) -> int:
    return 1 if n == 0 else n * _factorial(n - 1)


def test_midpoints_and_radii_cover_the_ball_and_mark_what_is_not_finite() -> None:
    result = balls.intervals([Fraction(1, 3), Fraction(2)], [Fraction(1, 10), Fraction(0)], (2,))
    result[1] = arb.nan()
    middles, radii = midpoints_and_radii(result)
    assert abs(middles[0] - 1 / 3) < 1e-15
    assert 0.1 <= radii[0] < 0.101
    assert np.isnan(middles[1])
    assert radii[1] == np.inf


TIES = [
    # what is due, and its even neighbour: 1.5 of the last place, less or more than nothing that 4,096 bits tell of
    ("float32", 2.0**25 + 2, -30000.0, 2.0**25),
    ("float32", -(2.0**25) - 2, -30000.0, -(2.0**25)),
    ("float32", 2.0**25 + 6, -30000.0, 2.0**25 + 8),
    ("float64", 2.0**54 + 2, -30000.0, 2.0**54),
    ("bfloat16", 257.0, -30000.0, 256.0),
    ("float16", 2047.5, -30000.0, 2048.0),  # between two binades
    ("float16", 4095.0, -30000.0, 4096.0),
]


@pytest.mark.parametrize(("dtype", "near", "exponent", "even"), TIES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_what_no_precision_tells_from_a_tie_is_half_an_ulp_off_either_neighbour(
    dtype: str, near: float, exponent: float, even: float, sign: int
) -> None:
    kind = DTYPES[dtype]
    far = balls.exact(np.array([near])) + sign * np.exp(balls.exact(np.array([exponent])))
    got = settle(lambda: balls.exact(np.array([near])) + sign * np.exp(balls.exact(np.array([exponent]))), kind)
    assert far.shape == (1,)
    assert float(got.value[0]) == even
    other = np.array([2 * near - even]).astype(kind.numpy)  # the neighbour on the other side
    ulp = 2.0 ** int(got.quantum[0])
    assert float(got.distance(got.value)[0]) == pytest.approx(abs(near - even) / ulp, abs=1e-9)
    assert float(got.distance(other)[0]) == pytest.approx(abs(near - even) / ulp, abs=1e-9)


def test_what_a_few_thousand_bits_tell_from_a_tie_is_rounded_to_its_own_side() -> None:
    """exp(-1000) is 2**-1442: more than float64 has, and less than is given up for."""
    for sign, due in ((1, 2.0**25 + 4), (-1, 2.0**25)):
        got = settle(
            lambda sign=sign: balls.exact(np.array([2.0**25 + 2])) + sign * np.exp(balls.exact(np.array([-1000.0]))),
            DTYPES["float32"],
        )
        assert float(got.value[0]) == due


@each_dtype
def test_a_residual_is_as_true_where_the_result_is_what_a_difference_leaves(dtype: DType) -> None:
    """log(1 + exp(-47)) by way of 1: the value is settled long before what rounding left of it is."""
    small = np.exp(balls.exact(np.array([-47.0])))
    balls.working_precision(2000)
    exact = np.log1p(np.exp(balls.exact(np.array([-47.0]))))[0]
    got = settle(lambda: np.log(1 + np.exp(balls.exact(np.array([-47.0])))), dtype)
    assert small.shape == (1,)
    balls.working_precision(2000)
    units, quantum = int(got.units[0]), int(got.quantum[0])
    due = exact / arb(2) ** quantum - units
    assert abs(float(due) - float(got.residual[0])) < 2.0**-40


@each_dtype
def test_an_overflow_is_settled_at_once_however_far_it_goes(dtype: DType) -> None:
    compute, precisions = recording(lambda: np.exp(balls.exact(np.array([800.0, 1e6, 2.0]))))
    got = settle(compute, dtype)
    assert np.isinf(got.value.astype(np.float64)).tolist() == [True, True, False]
    assert len(precisions) == 1
