"""Errors by exponent, held against a count of single elements in fractions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import ml_dtypes
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.backends.numpy import NumpyBackend
from conformance.casefile.inputs import materialise
from conformance.ground.dtypes import DTYPES, DType
from conformance.judging.accuracy import Bin, Profile, curve, profile
from conformance.suite.selection import default_root
from conformance.truth.rounding import Rounded, assemble, round_fraction

RIGHT = dict(NumpyBackend.idioms)


def of_fractions(values: list[Fraction], dtype: DType) -> Rounded:
    return assemble([round_fraction(value, dtype) for value in values], (len(values),), dtype)


def exponent(value: Fraction) -> int | None:
    """`e` with ``2**e <= abs(value) < 2**(e + 1)``, found by trying."""
    if value == 0:
        return None
    e = 0
    while abs(value) < Fraction(2) ** e:
        e -= 1
    while abs(value) >= Fraction(2) ** (e + 1):
        e += 1
    return e


def ulp(exact: Fraction, dtype: DType) -> Fraction:
    """The gap between neighbours at the float nearest to a value."""
    nearest = Fraction(float(of_fractions([exact], dtype).value[0]))
    binade = exponent(nearest)
    lowest = dtype.min_exponent
    return Fraction(2) ** (max(lowest if binade is None else binade, lowest) - dtype.precision + 1)


def counted(x: np.ndarray, exact: list[Fraction], got: np.ndarray, dtype: DType) -> dict[Any, Any]:
    """By sign and exponent: count, largest error, 99th percentile, mean; an element after the other."""
    errors: dict[Any, list[Fraction]] = defaultdict(list)
    for a, y, g in zip(x.tolist(), exact, got.astype(np.float64).tolist(), strict=True):
        error = (Fraction(g) - y) / ulp(y, dtype)
        errors[math.copysign(1, a), exponent(Fraction(a))].append(error)
    found = {}
    for key, some in errors.items():
        sizes = sorted(abs(error) for error in some)
        p99 = next(size for size in sizes if 100 * sum(other <= size for other in sizes) >= 99 * len(sizes))
        found[key] = (len(some), float(sizes[-1]), float(p99), float(sum(some) / len(some)))
    return found


def told(one: Profile) -> dict[Any, Any]:
    return {(b.sign, b.exponent): (b.count, b.largest, b.p99, b.mean) for b in one.bins}


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
def test_bins_are_those_of_a_count_in_fractions(name: str) -> None:
    dtype = DTYPES[name]
    random = np.random.default_rng(3)
    sign = random.choice([-1.0, 1.0], 3000)
    x = (sign * random.uniform(1, 2, 3000) * 2.0 ** random.integers(-4, 5, 3000)).astype(dtype.numpy)
    exact = [Fraction(float(a)) / 3 for a in x]
    noise = random.integers(-3, 4, 3000) * np.array([float(ulp(y, dtype)) for y in exact])
    got = (x.astype(np.float64) / 3 + noise).astype(dtype.numpy)
    found = profile(of_fractions(exact, dtype), np.full(3000, 2.5), None, got, {"x": x})
    assert (found.by, found.special, found.size, found.contradiction()) == ("x", 0, 3000, "")
    due = counted(x.astype(np.float64), exact, got, dtype)
    assert told(found).keys() == due.keys()
    for key, numbers in due.items():
        # The largest error decides between neighbouring elements, so it is exact; all are rounded to six digits.
        assert told(found)[key] == pytest.approx(numbers, rel=1e-5, abs=1e-6)
    over = sum(abs((Fraction(float(g)) - y) / ulp(y, dtype)) > 2.5 for y, g in zip(exact, got, strict=True))
    assert sum(b.over for b in found.bins) == over > 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), min_size=1, max_size=300),
    st.integers(0, 2**32 - 1),
)
def test_any_input_has_its_bin_and_none_is_lost(inputs: list[float], seed: int) -> None:
    x = np.array(inputs, dtype=np.float16)
    exact = [Fraction(float(a)) * 3 / 4 for a in x]
    got = (x.astype(np.float64) * 0.75 + np.random.default_rng(seed).integers(-2, 3, x.size) * 2.0**-24).astype("f2")
    found = profile(of_fractions(exact, DTYPES["float16"]), np.full(x.size, 1e9), None, got, {"x": x})
    assert found.contradiction() == ""
    due = counted(x.astype(np.float64), exact, got, DTYPES["float16"])
    assert [(b.sign, b.exponent) for b in found.bins] == sorted(due, key=place)
    assert {key: value[0] for key, value in told(found).items()} == {key: value[0] for key, value in due.items()}


def place(key: tuple[int, int | None]) -> float:
    """Ascending from the most negative numbers by -0.0 and 0.0 to the largest."""
    sign, e = key
    return sign * (1e-9 if e is None else 2.0**e)


def simple(x: Any, got: Any, **more: Any) -> Profile:
    """The profile of a copy in float32, every element of it allowed 2 ULP."""
    x, got = np.asarray(x, dtype=np.float32), np.asarray(got, dtype=np.float32)
    finite = np.where(np.isfinite(x), x, 0).ravel()
    exact = assemble(
        [round_fraction(Fraction(float(a)), DTYPES["float32"]) for a in finite], x.shape, DTYPES["float32"]
    )
    return profile(exact, np.full(x.shape, 2.0), more.get("special"), got, {"x": x})


def test_an_error_in_one_element_shows_in_its_bin_and_in_no_other() -> None:
    x = np.linspace(1, 64, 500, dtype=np.float32)
    got = x.copy()
    got[np.searchsorted(x, 17)] *= np.float32(1 + 2.0**-20)
    found = simple(x, got)
    assert [b.exponent for b in found.bins if b.largest] == [4]
    (spoiled,) = (b for b in found.bins if b.exponent == 4)
    assert spoiled.largest == pytest.approx(8, abs=1) and spoiled.over == 1
    assert spoiled.p99 == 0  # 127 elements share the exponent: all but one are right


def test_the_percentile_is_exceeded_by_a_hundredth_of_the_elements_at_most() -> None:
    got = np.ones(200, dtype=np.float32)
    got[:2] += np.float32(2.0**-20)  # 8 ULP
    assert simple(np.ones(200), got).bins[0].p99 == 0
    got[2] += np.float32(2.0**-21)
    assert simple(np.ones(200), got).bins[0].p99 == 4
    assert simple(np.ones(99), got[:99]).bins[0].p99 == 8  # of less than a hundred it is the largest


def test_a_flipped_sign_of_the_errors_shows_in_the_mean_alone() -> None:
    x = np.linspace(1, 2, 100, endpoint=False, dtype=np.float32)
    above, below = x + np.float32(2.0**-23), x - np.float32(2.0**-23)
    high, low = (simple(x, got).bins[0] for got in (above, np.where(x == 1, x, below)))
    assert high.mean == 1
    assert low.mean == pytest.approx(-0.99)
    assert high.largest == low.largest == 1


def test_errors_of_negative_results_are_positive_where_they_are_too_large() -> None:
    (one,) = simple([-1.5], [-1.5 + 2.0**-23]).bins
    assert (one.sign, one.mean) == (-1, 1)


def test_nan_and_infinities_are_counted_apart_and_leave_the_other_errors_as_they_are() -> None:
    x = np.array([1.5] * 4 + [3.0] * 4, dtype=np.float32)
    got = x.copy()
    got[0] += np.float32(2.0**-23)
    spoiled = got.copy()
    spoiled[[2, 3]] = np.nan, -np.inf
    one, two = simple(x, spoiled).bins
    assert (one.count, one.lost, one.largest, one.mean) == (2, 2, 1, 0.5)
    assert two == simple(x, got).bins[1]
    assert simple(x, spoiled).size == x.size


def test_a_bin_of_nothing_but_nan_has_no_errors() -> None:
    (one,) = simple([1.0, 1.5], [np.nan, np.nan]).bins
    assert one == Bin(1, 0, 0, lost=2)
    assert simple([1.0, 1.5], [np.nan, np.nan]).contradiction() == ""


def test_an_infinity_that_must_come_is_no_error_and_a_finite_number_in_its_place_is() -> None:
    x = np.array([2.0, 2.0, 2.0], dtype=np.float32)
    exact = of_fractions([Fraction(2) ** 130] * 3, DTYPES["float32"])
    got = np.array([np.inf, np.inf, 1.0], dtype=np.float32)
    (one,) = profile(exact, np.full(3, 2.0), None, got, {"x": x}).bins
    assert (one.count, one.overflowed, one.lost, one.over) == (1, 2, 0, 1)


def test_zeros_and_subnormal_numbers_have_bins_by_sign_and_exponent() -> None:
    tiny = 2.0**-149
    x = [-3 * tiny, -tiny, -0.0, 0.0, tiny, 2.0**-126]
    found = simple(x, x)
    keys = [(-1, -148), (-1, -149), (-1, None), (1, None), (1, -149), (1, -126)]
    assert [(b.sign, b.exponent) for b in found.bins] == keys
    ranks = [b.rank for b in found.bins]
    assert ranks == sorted(ranks)


def test_a_subnormal_result_that_comes_as_zero_is_counted_apart_and_one_that_is_off_is_not() -> None:
    x = np.array([2.0**-130] * 3, dtype=np.float32)
    (one,) = simple(x, [0.0, 2.0**-130, 2.0**-130 + 2.0**-149]).bins
    assert (one.flushed, one.count, one.largest, one.over) == (1, 2, 1, 0)
    (normal,) = simple([1.0], [0.0]).bins
    assert (normal.flushed, normal.count, normal.over) == (0, 1, 1)
    (smallest,) = simple([2.0**-149], [0.0]).bins  # one ULP away, which is within the budget
    assert (smallest.flushed, smallest.largest) == (0, 1)


def test_what_a_convention_says_and_infinite_inputs_are_in_no_bin() -> None:
    special = np.array([True, False, False])
    found = simple([1.0, np.inf, 1.5], [7.0, 7.0, 1.5], special=special)
    assert (found.special, [b.count for b in found.bins], found.size) == (2, [1], 3)
    assert found.bins[0].largest == 0


def test_the_first_floating_input_is_broadcast_to_the_result() -> None:
    ones = of_fractions([Fraction(1)] * 6, DTYPES["float32"])
    exact = Rounded(*(part.reshape(2, 3) for part in (ones.value, ones.units, ones.quantum, ones.residual)))
    got, budget = np.ones((2, 3), np.float32), np.ones((2, 3))
    column = np.array([[2.0], [8.0]], dtype=np.float32)
    row = np.array([1.0, 2.0, 4.0], dtype=np.float32)
    whole = np.arange(3)
    assert [(b.exponent, b.count) for b in profile(exact, budget, None, got, {"n": whole, "a": column}).bins] == [
        (1, 3),
        (3, 3),
    ]
    found = profile(exact, budget, None, got, {"a": row, "b": column})
    assert (found.by, [b.count for b in found.bins]) == ("a", [2, 2, 2])
    by_result = profile(exact, budget, None, got, {"a": np.ones((4, 2, 3), np.float32), "b": row})
    assert (by_result.by, [(b.exponent, b.count) for b in by_result.bins]) == ("", [(0, 6)])


def test_a_reduction_is_binned_by_its_exact_result_and_an_overflow_past_the_largest_number() -> None:
    exact = of_fractions([Fraction(-3, 2), Fraction(0), Fraction(5), Fraction(2) ** 200], DTYPES["float32"])
    got = np.array([-1.5, 0, 5, np.inf], dtype=np.float32)
    found = profile(exact, np.ones(4), None, got, {"x": np.ones((4, 9), np.float32), "axis": 1})
    assert [(b.sign, b.exponent, b.overflowed) for b in found.bins] == [
        (-1, 0, 0),
        (1, None, 0),
        (1, 2, 0),
        (1, 128, 1),
    ]


def test_errors_past_what_float64_holds_are_its_largest_number() -> None:
    exact = of_fractions([Fraction(2) ** -1074] * 2, DTYPES["float64"])
    got = np.array([1e300, -1e300])
    (one,) = profile(exact, np.ones(2), None, got, {"x": np.ones(2)}).bins
    assert one.largest == pytest.approx(1.797e308, rel=1e-3)
    assert one.mean == 0
    assert msgspec.json.decode(msgspec.json.encode(one), type=Bin) == one


def test_a_single_number_and_nothing_at_all_have_profiles() -> None:
    found = simple(1.5, 1.5)
    assert [(b.exponent, b.count) for b in found.bins] == [(0, 1)]
    assert simple([], []) == Profile("x", [])


@pytest.mark.parametrize(
    "bins",
    [
        [Bin(1, 0, 1, 1.0, 1.0, 0.0, 2.0), Bin(1, 0, 1, 1.0, 1.0, 0.0, 2.0)],
        [Bin(1, 0, 1, 1.0, 1.0, 0.0, 2.0), Bin(-1, 0, 1, 1.0, 1.0, 0.0, 2.0)],
        [Bin(1, -3, 1, 1.0, 1.0, 0.0, 2.0), Bin(1, None, 1, 1.0, 1.0, 0.0, 2.0)],
        [Bin(2, 0, 1, 1.0, 1.0, 0.0, 2.0)],
        [Bin(1, 5000, 1, 1.0, 1.0, 0.0, 2.0)],
        [Bin(1, -5000, 1, 1.0, 1.0, 0.0, 2.0)],
        [Bin(1, 0, -1)],
        [Bin(1, 0, 1, 1.0, 1.0, 0.0, 2.0, over=2)],
        [Bin(1, 0, 1)],
        [Bin(1, 0, 0, 1.0, 1.0, 0.0, 2.0)],
        [Bin(1, 0, 1, 1.0, 2.0, 0.0, 2.0)],
        [Bin(1, 0, 1, 1.0, 1.0, -1.5, 2.0)],
        [Bin(1, 0, 1, 1.0, -1.0, 0.0, 2.0)],
    ],
)
def test_bins_that_can_not_be_so_are_told(bins: list[Bin]) -> None:
    assert Profile("x", bins).contradiction() != ""


def test_the_curve_has_a_point_for_each_bin_in_order() -> None:
    x = np.array([[3.0, -2.5, 1.25], [1.0, -2.0, 2.0]], dtype=np.float32)
    assert curve({"x": x}, x * 2) == [(-2.0, -4.0), (1.0, 2.0), (2.0, 4.0)]
    assert curve({"x": x}, np.where(x == 1, np.inf, x)) == [(-2.0, -2.0), (2.0, 2.0)]
    assert curve({"a": x, "b": x}, x) == []
    assert curve({"x": x}, x[0]) == []
    assert curve({"x": np.array([np.nan], dtype=ml_dtypes.bfloat16)}, np.array([1.0])) == []


DRAWN = """
  - name: one
    given: {x: {binades: {shape: [64, 80], low: -6, high: 5, seed: 1}}}
    call: sigmoid(x)
    draw: accuracy
"""


def test_what_is_judged_has_a_profile_where_it_is_to_be_drawn_and_nowhere_else(on_cases: Callable[..., Any]) -> None:
    found = on_cases(DRAWN)["one"].profile
    assert (found.by, found.size, len(found.bins)) == ("x", 5120, 24)
    assert all(b.budget == 10 and 0 < b.p99 <= b.largest < 3 for b in found.bins)
    assert on_cases(DRAWN.replace("    draw: accuracy\n", ""))["one"].profile is None


def test_a_backend_that_errs_in_one_binade_alone_shows_it_there(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def wrong(x: np.ndarray) -> np.ndarray:
        right = RIGHT["sigmoid"](x)
        return np.where((x >= 2) & (x < 4), right * np.float32(1 + 2.0**-18), right)

    plain, spoiled = on_cases(DRAWN)["one"].profile, on_cases(DRAWN, numpy_with(sigmoid=wrong))["one"].profile
    differ = [b for a, b in zip(plain.bins, spoiled.bins, strict=True) if a != b]
    assert [(b.sign, b.exponent) for b in differ] == [(1, 1)]
    assert differ[0].mean > 10 and differ[0].over == differ[0].count


def test_what_raises_or_has_another_shape_or_is_unsupported_has_no_profile(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    for wrong in (lambda x: x[0], lambda x: x[None], None):
        assert on_cases(DRAWN, numpy_with(sigmoid=wrong))["one"].profile is None


def test_a_result_of_another_dtype_is_measured_in_that_ones_ulp(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wide = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x.astype(np.float64)))
    judged = on_cases(DRAWN, wide)["one"]
    assert judged.verdict == "failed"
    assert all(b.largest < 2 for b in judged.profile.bins)


@pytest.mark.parametrize("path", sorted((default_root() / "accuracy").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_cases_have_enough_elements_for_a_percentile_and_run_files_stay_small(
    path: Any, variants: Callable[[str], Any]
) -> None:
    for variant in variants(path.read_text(encoding="utf-8")):
        first = next(iter(materialise(variant).values()))
        assert first.size > 4096
        if path.stem != "reductions" and variant.dtype.name == "float32":
            exponents, counts = np.unique(np.frexp(first)[1] * np.sign(first), return_counts=True)
            assert counts.min() >= 128, (variant.id, exponents)
