"""Generated inputs: the same bits everywhere and ever, and of the distribution that was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.casefile.generators import generate
from conformance.casefile.model import Bernoulli, Binades, Full, Integers, Linspace, Normal, Uniform

HEX = float.fromhex


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (
            Normal(shape=[3], seed=7, scale=20.0),
            (3,),
            ["0x1.d971a14ee6000p+2", "0x1.e498a6f1f2000p+1", "-0x1.5a13a59702c00p+4"],
        ),
        (
            Uniform(shape=[3], seed=1, low=-4.0, high=4.0),
            (3,),
            ["0x1.835ef9bc91700p-4", "0x1.cd465aef054aap+1", "-0x1.6c616c27dc4fap+1"],
        ),
        (Integers(shape=[5], seed=3, low=-3, high=9), (5,), [-2, 0, 7, 4, -2]),
        (Bernoulli(shape=[8], seed=2), (8,), ["1", "1", "0", "1", "0", "0", "1", "1"]),
        (Linspace(start=-1.0, stop=2.0, count=4), (), ["-1", "0", "1", "2"]),
        (
            Binades(shape=[4], seed=4, low=-3, high=3),
            (4,),
            ["-0x1.f16c1ffbb9f82p+1", "0x1.82e65ccce1a32p-1", "-0x1.f9eb1b84f0c08p+2", "0x1.14b1ab6ef864ap-2"],
        ),
        (
            Binades(shape=[4], seed=4, low=-1074, high=1023),
            (4,),
            ["-0x1.f16c1ffbb9f82p+200", "0x1.82e65ccce1a32p-285", "-0x1.f9eb1b84f0c08p+608", "0x1.14b1ab6ef864ap-708"],
        ),
    ],
    ids=lambda v: type(v).__name__,
)
def test_the_bits_are_those_they_were_when_the_cases_were_written(
    spec: Any, shape: tuple[int, ...], expected: list[Any]
) -> None:
    got = generate(spec, shape)
    assert got.tolist() == [HEX(v) if isinstance(v, str) else v for v in expected]
    assert got.dtype == (np.int64 if isinstance(spec, Integers) else np.float64)


RANDOM = [
    Normal(shape="s", seed=1),
    Uniform(shape="s", seed=1),
    Integers(shape="s", seed=1, low=0, high=10**6),
    Bernoulli(shape="s", seed=1),
]


@pytest.mark.parametrize("spec", RANDOM, ids=lambda v: type(v).__name__)
def test_shapes_are_as_asked_and_a_longer_array_begins_with_a_shorter_one(spec: Any) -> None:
    long = generate(spec, (60,))
    assert generate(spec, (3, 4, 5)).shape == (3, 4, 5)
    np.testing.assert_array_equal(generate(spec, (3, 4, 5)).ravel(), long)
    np.testing.assert_array_equal(generate(spec, (7,)), long[:7])
    assert generate(spec, ()).shape == ()
    assert generate(spec, ()) == long[0]
    assert generate(spec, (2, 0)).shape == (2, 0)


def test_other_seeds_and_other_parameters_give_other_numbers() -> None:
    first = generate(Normal(shape=[5], seed=1), (5,))
    assert not np.any(first == generate(Normal(shape=[5], seed=2), (5,)))
    np.testing.assert_array_equal(generate(Normal(shape=[5], seed=1, scale=4.0, mean=1.0), (5,)), 1 + 4 * first)
    assert not np.any(first == generate(Uniform(shape=[5], seed=1), (5,)))


def test_what_was_generated_cannot_be_changed_for_others() -> None:
    spec = Uniform(shape=[4], seed=9)
    first = generate(spec, (4,))
    with pytest.raises(ValueError):
        first[0] = 7.0
    np.testing.assert_array_equal(generate(spec, (4,)), first)


def test_normal_numbers_have_mean_0_and_variance_1_and_stay_within_6() -> None:
    """Four standard errors of the mean, of the variance, and of the share within one and two standard deviations."""
    n = 40_000
    x = generate(Normal(shape=[n], seed=5), (n,))
    assert abs(x.mean()) < 4 / np.sqrt(n)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / n)
    assert np.abs(x).max() < 6
    assert abs((np.abs(x) < 1).mean() - 0.6827) < 0.015
    assert abs((np.abs(x) < 2).mean() - 0.9545) < 0.01
    assert abs((x**3).mean()) < 0.1
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 4 / np.sqrt(n)


def test_uniform_numbers_fill_their_range_evenly() -> None:
    n = 40_000
    x = generate(Uniform(shape=[n], seed=6, low=-2.0, high=3.0), (n,))
    assert x.min() >= -2
    assert x.max() < 3
    assert x.min() < -1.99
    assert x.max() > 2.99
    counts, _ = np.histogram(x, bins=10, range=(-2, 3))
    assert np.abs(counts - n / 10).max() < 5 * np.sqrt(n / 10)
    assert abs(x.var() - 25 / 12) < 0.05


def test_integers_reach_both_ends_and_all_between_equally_often() -> None:
    n = 20_000
    x = generate(Integers(shape=[n], seed=6, low=-2, high=7), (n,))
    values, counts = np.unique(x, return_counts=True)
    assert values.tolist() == list(range(-2, 8))
    assert np.abs(counts - n / 10).max() < 5 * np.sqrt(n / 10)
    assert set(generate(Integers(shape=[50], seed=1, low=4, high=4), (50,)).tolist()) == {4}


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_bernoulli_numbers_are_zeros_and_ones_in_the_right_share(probability: float) -> None:
    n = 20_000
    x = generate(Bernoulli(shape=[n], seed=3, probability=probability), (n,))
    assert set(x.tolist()) <= {0.0, 1.0}
    assert abs(x.mean() - probability) <= 4 * np.sqrt(probability * (1 - probability) / n)


def test_evenly_spaced_numbers_include_both_ends_exactly() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        start, stop, count = rng.normal(), rng.normal() * 1e3, int(rng.integers(2, 70))
        x = generate(Linspace(start=start, stop=stop, count=count), ())
        assert (x[0], x[-1], len(x)) == (start, stop, count)
        np.testing.assert_allclose(x, np.linspace(start, stop, count), rtol=0, atol=1e-12 * (abs(start) + abs(stop)))


def test_one_number_everywhere_is_not_a_matter_of_generators() -> None:
    with pytest.raises(TypeError, match="Full generates no numbers by itself"):
        generate(Full(shape=[2], value=1.0), (2,))


def test_numbers_of_every_magnitude_have_exponents_that_are_uniform_over_exactly_the_range_asked_for() -> None:
    n = 40_000
    x = generate(Binades(shape="s", seed=8, low=-5, high=4), (n,))
    exponents, counts = np.unique(np.floor(np.log2(np.abs(x))), return_counts=True)
    assert exponents.tolist() == list(range(-5, 5))
    assert np.abs(counts - n / 10).max() < 5 * np.sqrt(n / 10)
    significands = np.frexp(np.abs(x))[0] * 2 - 1
    shares, _ = np.histogram(significands, bins=10, range=(0, 1))
    assert np.abs(shares - n / 10).max() < 5 * np.sqrt(n / 10)
    assert abs(np.corrcoef(significands, np.log2(np.abs(x)) // 1)[0, 1]) < 4 / np.sqrt(n)


def test_numbers_of_every_magnitude_use_all_their_bits() -> None:
    x = np.abs(generate(Binades(shape="s", seed=8, low=0, high=0), (500,)))
    bits = x.view(np.uint64) & np.uint64(2**52 - 1)
    for k in range(52):
        assert 180 < int((bits >> np.uint64(k) & np.uint64(1)).sum()) < 320


def test_a_range_of_one_exponent_is_one_binade() -> None:
    x = generate(Binades(shape="s", seed=1, low=7, high=7, sign="positive"), (1000,))
    assert x.min() >= 128 and x.max() < 256
    assert x.min() < 129 and x.max() > 255


def test_signs_are_both_half_of_the_time_or_the_one_asked_for() -> None:
    n = 20_000
    both, positive, negative = (
        generate(Binades(shape="s", seed=2, low=-9, high=9, sign=sign), (n,))  # type: ignore[arg-type]
        for sign in ("both", "positive", "negative")
    )
    assert abs((both < 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(n)
    assert (positive > 0).all() and (negative < 0).all()
    np.testing.assert_array_equal(np.abs(both), positive)
    np.testing.assert_array_equal(negative, -positive)
    assert abs(np.corrcoef(both < 0, np.frexp(both)[1])[0, 1]) < 4 / np.sqrt(n)


def test_numbers_of_every_magnitude_stay_finite_in_float64() -> None:
    x = generate(Binades(shape="s", seed=3, low=-1074, high=1023), (50_000,))
    assert np.isfinite(x).all() and x.all()
    assert np.abs(x).max() > 2.0**1022
    assert np.abs(x).min() < 2.0**-1070


def test_shapes_of_numbers_of_every_magnitude_are_as_asked() -> None:
    spec = Binades(shape="s", seed=1, low=0, high=9)
    np.testing.assert_array_equal(generate(spec, (3, 4, 5)).ravel(), generate(spec, (60,)))
    assert generate(spec, ()).shape == ()
    assert generate(spec, (2, 0)).shape == (2, 0)
    assert not np.any(generate(spec, (9,)) == generate(Binades(shape="s", seed=2, low=0, high=9), (9,)))


def test_specs_that_are_equal_share_their_numbers_and_others_do_not() -> None:
    first = generate(Uniform(shape=[2], seed=5, low=0.0, high=1.0), (2,))
    assert generate(Uniform(shape=[2], seed=5, low=0.0, high=1.0), (2,)) is first
    assert generate(Uniform(shape="s", seed=5, low=0.0, high=2.0), (2,)) is not first
    np.testing.assert_array_equal(generate(Uniform(shape="s", seed=5, low=0.0, high=2.0), (2,)), 2 * first)


def test_ends_that_lie_further_apart_than_float64_reaches_give_numbers_between_them() -> None:
    spaced = generate(Linspace(start=-1e308, stop=1e308, count=5), ())
    assert spaced.tolist() == [-1e308, -5e307, 0.0, 5e307, 1e308]
    drawn = generate(Uniform(shape=[1000], seed=1, low=-1e308, high=1e308), (1000,))
    assert np.isfinite(drawn).all() and -1e308 <= drawn.min() < -9e307 and 9e307 < drawn.max() < 1e308
    assert abs(float(np.mean(drawn / 1e308))) < 0.1
