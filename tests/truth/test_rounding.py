"""Correct rounding, held against routes that share nothing with it: tables of bit patterns, exact fractions, Python."""

from __future__ import annotations

import bisect
import itertools
from fractions import Fraction
from functools import lru_cache

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.ground.dtypes import DTYPES, DType
from conformance.truth.rounding import Rounded, assemble, from_array, round_dyadic, round_floats, round_fraction

FLOAT16, BFLOAT16, FLOAT32, FLOAT64 = (DTYPES[name] for name in ("float16", "bfloat16", "float32", "float64"))
FLOATING = (FLOAT16, BFLOAT16, FLOAT32, FLOAT64)
NARROW = (FLOAT16, BFLOAT16)

each_dtype = pytest.mark.parametrize("dtype", FLOATING, ids=lambda d: d.name)
each_narrow_dtype = pytest.mark.parametrize("dtype", NARROW, ids=lambda d: d.name)


@lru_cache
def table(dtype: DType) -> list[Fraction]:
    """Every finite value of a 16-bit dtype from 0 up, at the index of its bit pattern; then what follows the last."""
    infinity = np.array(np.inf, dtype=dtype.numpy).view(np.uint16)
    finite = [Fraction(v) for v in np.arange(infinity, dtype=np.uint16).view(dtype.numpy).astype(np.float64).tolist()]
    return [*finite, 2 * finite[-1] - finite[-2]]


def dyadic(value: Fraction) -> tuple[int, int]:
    return value.numerator, 1 - value.denominator.bit_length()


def rounded(values: list[Fraction], dtype: DType) -> Rounded:
    return assemble([round_dyadic(*dyadic(value), dtype) for value in values], (len(values),), dtype)


def to_dtype(value: Fraction, dtype: DType) -> np.ndarray:
    return assemble([round_fraction(value, dtype)], (), dtype).value


def nearest(value: Fraction, dtype: DType) -> int:
    """The bit pattern of the nearest value of a 16-bit dtype, ties to even, by looking it up."""
    values = table(dtype)
    above = bisect.bisect_left(values, abs(value))
    if above == len(values):
        pattern = above - 1
    elif above == 0:
        pattern = 0
    else:
        to_above, to_below = values[above] - abs(value), abs(value) - values[above - 1]
        pattern = above if to_above < to_below or (to_above == to_below and above % 2 == 0) else above - 1
    return pattern | (0x8000 if value < 0 else 0)


def test_an_error_has_the_sign_of_its_direction_and_the_size_of_the_distance() -> None:
    exact = rounded([Fraction(3, 2), Fraction(-3, 2), Fraction(1) + Fraction(1, 2**12), Fraction(2) ** 17], FLOAT16)
    got = np.array([1.5 + 2**-10, -1.5 + 2**-9, 1, np.inf], dtype=np.float16)
    assert exact.error(got).tolist() == [1, 2, -0.25, 0]
    assert exact.distance(got).tolist() == [1, 2, 0.25, 0]
    assert exact.error(-got)[3] < 0


@each_narrow_dtype
def test_subnormal_values_are_told_from_zeros_and_normal_ones(dtype: DType) -> None:
    tiny = Fraction(2) ** dtype.min_exponent
    smallest = Fraction(2) ** dtype.smallest_quantum
    values = [Fraction(0), smallest, -smallest, tiny - smallest, tiny, smallest / 4]
    assert rounded(values, dtype).subnormal().tolist() == [False, True, True, True, False, False]


@each_narrow_dtype
@pytest.mark.parametrize("sign", [1, -1], ids=["positive", "negative"])
def test_every_value_and_every_midpoint_between_neighbours_rounds_as_the_bit_patterns_say(
    dtype: DType, sign: int
) -> None:
    values = table(dtype)
    # In integers of 2**-(64 - quantum): a step of one is 2**-63 of the way between the closest neighbours.
    scale = 64 - dtype.smallest_quantum
    integers = [int(value * 2**scale) for value in values]
    mantissas, expected = [], []
    for pattern, (low, high) in enumerate(itertools.pairwise(integers)):
        middle = (low + high) // 2
        even = pattern + pattern % 2
        mantissas += [low, middle - 1, middle, middle + 1]
        expected += [pattern, pattern, even, pattern + 1]
    parts = [round_dyadic(sign * mantissa, -scale, dtype) for mantissa in mantissas]
    got = assemble(parts, (len(parts),), dtype).value.view(np.uint16)

    # The zero at the very start has no sign; everything else keeps it, also what rounds to zero.
    signed = np.array(expected, dtype=np.uint16) | np.uint16(0x8000 if sign < 0 else 0)
    signed[0] = 0
    wrong = np.flatnonzero(got != signed)
    assert wrong.size == 0, [(hex(got[i]), hex(signed[i]), mantissas[i]) for i in wrong[:5]]
    assert len(parts) == 4 * (len(values) - 1) > 120_000


@each_narrow_dtype
@settings(deadline=None, max_examples=300)
@given(
    value=st.fractions() | st.fractions(-1, 1).map(lambda f: f / 2**14) | st.fractions(-4, 4).map(lambda f: f * 2**14)
)
def test_any_fraction_rounds_to_the_nearest_entry_of_the_table(dtype: DType, value: Fraction) -> None:
    got = to_dtype(value, dtype).reshape(1).view(np.uint16)[0]
    assert got == nearest(value, dtype)


@settings(deadline=None, max_examples=300)
@given(
    numerator=st.integers(-(2**200), 2**200),
    denominator=st.integers(1, 2**200),
    exponent=st.integers(-1200, 1100),
)
def test_fractions_round_to_float64_as_python_divides(numerator: int, denominator: int, exponent: int) -> None:
    value = Fraction(numerator, denominator) * Fraction(2) ** exponent
    try:
        expected = float(value)
    except OverflowError:
        expected = float("inf") if value > 0 else float("-inf")
    assert float(to_dtype(value, FLOAT64)) == expected


def assert_nearest(got: np.ndarray, value: Fraction) -> None:
    """Neither neighbour is nearer, and of two equally near ones the even one was taken."""
    bits = got.reshape(1).view(np.uint32 if got.dtype == np.float32 else np.uint64)[0]
    mine = abs(Fraction(float(got)) - value)
    for direction in (-np.inf, np.inf):
        neighbour = np.nextafter(got, got.dtype.type(direction))
        theirs = abs(Fraction(float(neighbour)) - value)
        assert mine < theirs or (mine == theirs and bits % 2 == 0)


@settings(deadline=None, max_examples=300)
@given(
    mantissa=st.integers(2**23, 2**24 - 1),
    exponent=st.integers(-172, 100),
    offset=st.sampled_from(
        [Fraction(0), Fraction(1, 2), Fraction(1, 2) + Fraction(1, 2**80), Fraction(1, 2) - Fraction(1, 3**50)]
    ),
)
def test_ties_and_near_ties_of_float32_go_to_the_nearest_and_then_to_even(
    mantissa: int, exponent: int, offset: Fraction
) -> None:
    value = (mantissa + offset) * Fraction(2) ** exponent
    assert_nearest(to_dtype(value, FLOAT32), value)


@each_dtype
@pytest.mark.parametrize("sign", [1, -1])
def test_overflow_begins_half_an_ulp_past_the_largest_value(dtype: DType, sign: int) -> None:
    top, quantum = dtype.named_value("max") or (0, 0)
    edge = sign * (Fraction(top) + Fraction(1, 2)) * Fraction(2) ** quantum
    shrink = Fraction(2**300 - 1, 2**300)
    largest = sign * float(ml_dtypes.finfo(dtype.numpy).max)
    assert float(to_dtype(edge * shrink, dtype)) == largest
    assert float(to_dtype(edge, dtype)) == sign * np.inf
    assert float(to_dtype(edge * 10**6, dtype)) == sign * np.inf
    assert float(to_dtype(edge * 10**400, dtype)) == sign * np.inf


@each_dtype
def test_underflow_to_zero_begins_at_half_the_smallest_subnormal_and_keeps_the_sign(dtype: DType) -> None:
    smallest = Fraction(2) ** dtype.smallest_quantum
    grow = 1 + Fraction(1, 2**300)
    assert float(to_dtype(smallest / 2, dtype)) == 0
    assert float(to_dtype(smallest / 2 * grow, dtype)) == smallest
    assert float(to_dtype(smallest * Fraction(3, 2), dtype)) == 2 * smallest  # a tie, to even
    zero = to_dtype(-smallest / 3, dtype).astype(np.float64)
    assert zero == 0
    assert np.signbit(zero)


@each_dtype
@pytest.mark.parametrize("exponent", [10**6, 10**30])
def test_exponents_of_any_size_are_answered_at_once(dtype: DType, exponent: int) -> None:
    """A shift by 10**30 bits would never end."""
    huge, tiny = round_dyadic(-3, exponent, dtype), round_dyadic(-3, -exponent, dtype)
    assert float(assemble([huge], (), dtype).value) == -np.inf
    assert float(assemble([tiny], (), dtype).value) == 0
    assert tiny[2] < 0


@each_dtype
def test_powers_of_two_and_their_lower_neighbours_are_kept_in_every_binade(dtype: DType) -> None:
    for exponent in range(dtype.min_exponent, dtype.max_exponent + 1):
        power = Fraction(2) ** exponent
        below = power * (1 - Fraction(1, 2**dtype.precision))
        assert Fraction(float(to_dtype(power, dtype))) == power
        if exponent > dtype.min_exponent:
            assert Fraction(float(to_dtype(below, dtype))) == below
            # Half way up to the power: its neighbour's significand is odd, so the power it is.
            units, quantum, residual = round_fraction(power * (1 - Fraction(1, 2 ** (dtype.precision + 1))), dtype)
            assert units * Fraction(2) ** quantum == power
            assert residual == -0.25


def test_floats_become_bfloat16_in_one_rounding_not_in_two() -> None:
    """1 + 2**-8 is half way between two bfloat16; 2**-30 more decides it, but not in float32, which can't hold it."""
    value = np.array([1 + 2.0**-8 + 2.0**-30])
    twice = value.astype(np.float32).astype(ml_dtypes.bfloat16)
    assert float(twice[0]) == 1.0
    assert float(round_floats(value, BFLOAT16)[0]) == 1 + 2.0**-7


@each_narrow_dtype
@settings(deadline=None, max_examples=300)
@given(pattern=st.integers(0, 0x7F00), step=st.integers(-3, 3), sign=st.sampled_from([1, -1]))
def test_floats_next_to_midpoints_round_to_16_bits_as_the_table_says(
    dtype: DType, pattern: int, step: int, sign: int
) -> None:
    values = table(dtype)
    pattern = min(pattern, len(values) - 2)
    middle = sign * float((values[pattern] + values[pattern + 1]) / 2)
    for _ in range(abs(step)):
        middle = float(np.nextafter(middle, np.copysign(np.inf, step)))
    got = round_floats(np.array(middle), dtype).reshape(1).view(np.uint16)[0]
    assert got == nearest(Fraction(middle), dtype)


@each_dtype
def test_rounding_floats_keeps_nan_infinities_and_signed_zeros(dtype: DType) -> None:
    got = round_floats(np.array([np.nan, np.inf, -np.inf, -0.0, 0.0]), dtype).astype(np.float64)
    np.testing.assert_array_equal(got, [np.nan, np.inf, -np.inf, 0, 0])
    assert np.signbit(got).tolist()[2:] == [True, True, False]


@each_dtype
def test_rounding_floats_does_not_change_its_argument_and_keeps_its_shape(dtype: DType) -> None:
    values = np.array([[0.1, 1e300], [1e-300, -1.5]])
    before = values.copy()
    assert round_floats(values, dtype).shape == (2, 2)
    np.testing.assert_array_equal(values, before)
    assert round_floats(np.array(0.1), dtype).shape == ()
    assert round_floats(np.zeros((0, 3)), dtype).shape == (0, 3)


in_range = st.fractions(min_value=-60000, max_value=60000)


@each_dtype
@settings(deadline=None, max_examples=200)
@given(value=in_range | in_range.map(lambda f: f / 2**30), exponent=st.integers(-100, 0))
def test_units_and_residual_give_back_the_exact_value(dtype: DType, value: Fraction, exponent: int) -> None:
    value *= Fraction(2) ** exponent
    units, quantum, residual = round_fraction(value, dtype)
    assert abs(units) < 2**dtype.precision
    assert abs(residual) <= 0.5
    lost = abs(units + Fraction(residual) - value / Fraction(2) ** quantum)
    assert lost <= abs(Fraction(residual)) / 2**52 + Fraction(1, 2**60)


@each_dtype
@settings(deadline=None, max_examples=200)
@given(mantissa=st.integers(-(2**40), 2**40), shift=st.integers(0, 45))
def test_residuals_of_short_dyadic_numbers_are_exact(dtype: DType, mantissa: int, shift: int) -> None:
    value = Fraction(mantissa, 2**shift)
    units, quantum, residual = round_dyadic(mantissa, -shift, dtype)
    if abs(value) < 2**dtype.max_exponent:
        assert (units + Fraction(residual)) * Fraction(2) ** quantum == value


def one(value: Fraction | int, dtype: DType = FLOAT32) -> Rounded:
    return assemble([round_fraction(Fraction(value), dtype)], (1,), dtype)


def error(exact: Rounded, got: float, dtype: DType = FLOAT32) -> float:
    return float(exact.distance(np.array([got], dtype=dtype.numpy))[0])


def test_an_error_is_counted_from_the_exact_value_not_from_the_rounded_one() -> None:
    exact = one(1 + Fraction(1, 2**25))  # a quarter of an ULP above 1
    assert error(exact, 1.0) == 0.25
    assert error(exact, 1 + 2.0**-23) == 0.75
    assert error(exact, 1 - 2.0**-24) == 0.75


@each_dtype
def test_neighbouring_values_are_one_ulp_apart_and_a_tie_is_half_an_ulp_from_both(dtype: DType) -> None:
    ulp = Fraction(2) ** (1 - dtype.precision)
    assert error(one(1, dtype), float(1 + ulp), dtype) == 1
    assert error(one(1, dtype), float(1 - ulp), dtype) == 1
    tie = one(1 + ulp / 2, dtype)
    assert error(tie, 1.0, dtype) == error(tie, float(1 + ulp), dtype) == 0.5


def test_an_ulp_is_that_of_the_exact_value_on_both_sides_of_a_power_of_two() -> None:
    assert error(one(1), 1 - 2.0**-24) == 0.5  # the neighbour below is half an ULP of 1 away
    assert error(one(1 - Fraction(1, 2**24)), 1.0) == 1.0  # the same step, in ULP of the smaller number
    assert error(one(1 - Fraction(1, 2**24)), 1 + 2.0**-23) == 3.0


@each_dtype
def test_distances_among_subnormals_are_counted_in_smallest_subnormals(dtype: DType) -> None:
    smallest = 2.0**dtype.smallest_quantum
    exact = assemble([round_dyadic(5, dtype.smallest_quantum, dtype)], (1,), dtype)
    assert error(exact, 0.0, dtype) == 5
    assert error(exact, 7 * smallest, dtype) == 2


@each_dtype
def test_zero_is_at_no_distance_from_either_zero(dtype: DType) -> None:
    assert error(one(0, dtype), 0.0, dtype) == error(one(0, dtype), -0.0, dtype) == 0
    assert error(one(0, dtype), float(2.0**dtype.smallest_quantum), dtype) == 1


@each_dtype
def test_nan_is_at_no_distance_that_could_pass(dtype: DType) -> None:
    assert np.isnan(error(one(1, dtype), np.nan, dtype))


@each_dtype
def test_infinity_counts_as_the_first_value_past_the_largest(dtype: DType) -> None:
    top, quantum = dtype.named_value("max") or (0, 0)
    largest = assemble([round_dyadic(top, quantum, dtype)], (1,), dtype)
    assert error(largest, np.inf, dtype) == 1
    assert error(largest, -np.inf, dtype) == 2.0 ** (dtype.precision + 1) - 1
    assert error(one(1, dtype), np.inf, dtype) >= 2.0 ** (dtype.max_exponent - 1)


@each_dtype
def test_past_overflow_only_the_right_infinity_is_near(dtype: DType) -> None:
    largest = float(ml_dtypes.finfo(dtype.numpy).max)
    for factor in (2, 10**9, 10**500):
        exact = one(Fraction(largest) * factor, dtype)
        assert float(exact.value[0]) == np.inf
        assert error(exact, np.inf, dtype) == 0
        assert error(exact, largest, dtype) > 2.0 ** (dtype.precision - 1)
        assert error(exact, -np.inf, dtype) > 2.0**dtype.precision


def test_a_value_between_the_largest_and_overflow_is_measured_to_both() -> None:
    top, quantum = FLOAT32.named_value("max") or (0, 0)
    exact = one((top + Fraction(1, 4)) * Fraction(2) ** quantum)
    assert error(exact, float(np.finfo(np.float32).max)) == 0.25
    assert error(exact, np.inf) == 0.75


@each_dtype
def test_an_array_taken_as_exact_is_at_distance_0_from_itself_and_1_from_its_neighbours(dtype: DType) -> None:
    rng = np.random.default_rng(5)
    array = rng.standard_normal(200).astype(dtype.numpy)
    array[:4] = [0.0, 1.0, -2.0, 2.0**dtype.smallest_quantum]
    exact = from_array(array)
    np.testing.assert_array_equal(exact.distance(array), 0.0)
    np.testing.assert_array_equal(np.ldexp(exact.units, exact.quantum), array.astype(np.float64))
    away = np.nextafter(array, np.where(array < 0, -np.inf, np.inf).astype(dtype.numpy))
    np.testing.assert_array_equal(exact.distance(away), 1.0)


@each_dtype
def test_an_array_taken_as_exact_measures_infinities_as_rounding_does(dtype: DType) -> None:
    largest = ml_dtypes.finfo(dtype.numpy).max
    array = np.array([np.inf, -np.inf, largest, -largest], dtype=dtype.numpy)
    exact = from_array(array)
    np.testing.assert_array_equal(exact.distance(array), 0.0)
    np.testing.assert_array_equal(exact.distance(array[[2, 3, 0, 1]]), 1.0)


@each_dtype
def test_an_array_and_the_fractions_of_its_values_are_taken_apart_alike(dtype: DType) -> None:
    array = np.array([0.0, 1.5, -0.1, 3e-5, 6e4, -(2.0**dtype.smallest_quantum)]).astype(dtype.numpy)
    by_array = from_array(array)
    by_fraction = assemble([round_fraction(Fraction(float(v)), dtype) for v in array], array.shape, dtype)
    np.testing.assert_array_equal(by_array.units, by_fraction.units)
    np.testing.assert_array_equal(by_array.quantum, by_fraction.quantum)
    np.testing.assert_array_equal(by_array.magnitude(), np.abs(array.astype(np.float64)))
    np.testing.assert_array_equal(by_array.ulp(), np.ldexp(1.0, by_fraction.quantum))


def test_shapes_stay_as_they_are_also_of_rank_0_and_without_elements() -> None:
    assert assemble([(1, 0, 0.0)], (), FLOAT32).value.shape == ()
    empty = assemble([], (0, 3), FLOAT64)
    assert empty.value.shape == empty.distance(np.zeros((0, 3))).shape == (0, 3)


@each_dtype
def test_the_parameters_of_each_dtype_are_those_of_its_own_finfo(dtype: DType) -> None:
    info = ml_dtypes.finfo(dtype.numpy)
    facts = {"max": info.max, "tiny": info.tiny, "smallest_subnormal": info.smallest_subnormal, "eps": info.eps}
    for name, value in facts.items():
        mantissa, exponent = dtype.named_value(name) or (0, 0)
        assert mantissa * Fraction(2) ** exponent == Fraction(float(value))
    assert dtype.unit_roundoff == float(info.eps) / 2
    assert dtype.named_value("min") is None
    assert DTYPES["int8"].named_value("max") is None
