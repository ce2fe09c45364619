"""Numbers and arrays in words."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.truth import balls
from conformance.truth.rounding import assemble, round_fraction
from conformance.truth.settling import settle
from conformance.words.wording import (
    count,
    describe,
    exact_digits,
    exact_text,
    first,
    format_number,
    place,
    short,
    ulps,
)


@pytest.mark.parametrize(
    "dtype", [d for d in DTYPES.values() if d.precision and d.precision <= 11], ids=lambda d: d.name
)
def test_every_16_bit_float_is_told_from_its_neighbours(dtype: Any) -> None:
    values = np.arange(0x7C00 if dtype.name == "float16" else 0x7F80, dtype=np.uint16).view(dtype.numpy)
    texts = [format_number(v) for v in values]
    assert len(set(texts)) == len(texts)
    np.testing.assert_array_equal(np.array([float(t) for t in texts]).astype(dtype.numpy), values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wider_floats_read_back_as_the_same_value(dtype: Any) -> None:
    bits = np.random.default_rng(1).integers(0, 2 ** (8 * np.dtype(dtype).itemsize - 2), 500, dtype=np.uint64)
    values = bits.astype(f"u{np.dtype(dtype).itemsize}").view(dtype)
    np.testing.assert_array_equal(np.array([dtype(format_number(v)) for v in values]), values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float64(0.1), "0.1"),
        (np.float32(-0.0), "-0.0"),
        (np.float32(np.nan), "nan"),
        (np.float16(np.inf), "inf"),
        (ml_dtypes.bfloat16(0.1), "0.1001"),
        (np.int64(2**62 + 1), "4611686018427387905"),
        (np.uint8(255), "255"),
        (np.bool_(True), "True"),
    ],
)
def test_a_number_is_shown_as_its_shortest_text(value: Any, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float32(1.5), "1.5 (float32, shape [])"),
        (np.array([[1]]), "1 (int64, shape [1, 1])"),
        (np.array([1.0, 2.5]), "[1.0, 2.5] (float64, shape [2])"),
        (np.zeros((0, 2)), "[] (float64, shape [0, 2])"),
        (np.zeros((3, 3)), "float64 of shape [3, 3]"),
    ],
)
def test_an_array_is_described_by_its_values_where_they_are_few(array: Any, text: str) -> None:
    assert describe(np.asarray(array)) == text


@pytest.mark.parametrize(
    ("error", "text"), [(0.5, "0.5 ULP"), (123456.0, "1.23e+05 ULP"), (3.2e9, "3.2e+09 ULP"), (np.nan, "nan ULP")]
)
def test_errors_are_told_in_ulp(error: float, text: str) -> None:
    assert ulps(error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.79225, "0.79225"), (1e-7, "1e-07"), (2.5e8, "250000000.0"), (-3.0, "-3"), (1 / 3, "0.3333333333"), (0, "0.0")],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


def test_places_and_counts() -> None:
    flags = np.array([[False, True], [True, False]])
    assert (first(flags), count(flags)) == ((0, 1), 2)
    assert (place((0, 1)), place(()), place((2,), "step 1, exp")) == ("at [0, 1]", "", "step 1, exp, at [2]")


def test_an_exact_value_is_shown_beyond_its_rounding() -> None:
    third = assemble([round_fraction(Fraction(1, 3), DTYPES["bfloat16"])], (1,), DTYPES["bfloat16"])
    assert float(third.value[0]) == pytest.approx(0.334, abs=1e-3)
    assert exact_text(third, (0,)) == "0.3333333333…"


def test_an_irrational_result_is_given_to_nearly_20_digits() -> None:
    """What is kept beside the rounded value is its residual in float64: 53 and 53 bits."""
    values = settle(lambda: np.exp(balls.exact(np.array([1.0, -3.0, 0.5]))), DTYPES["float64"])
    with mpmath.workdps(40):
        expected = [mpmath.exp(v) for v in (1, -3, 0.5)]
        for text, exact in zip(exact_digits(values.value, values.residual), expected, strict=True):
            assert abs(mpmath.mpf(text) - exact) < exact * mpmath.mpf(10) ** -18


def test_a_value_just_below_a_power_of_two_keeps_its_digits_when_it_rounds_up_to_it() -> None:
    exact = 1 - Fraction(1, 2**30)
    values = assemble([round_fraction(exact, DTYPES["float32"])], (1,), DTYPES["float32"])
    assert values.value[0] == 1
    assert exact_digits(values.value, values.residual) == ["0.99999999906867742538"]


def test_a_value_far_past_the_largest_is_called_an_overflow() -> None:
    values = settle(lambda: np.exp(balls.exact(np.array([1000.0]))), DTYPES["float32"])
    assert exact_digits(values.value, values.residual) == ["overflow"]
