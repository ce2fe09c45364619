"""The median's confidence interval and the scatter, against what probability says."""

from __future__ import annotations

import itertools
import random

import pytest

from conformance.timing.statistics import FEWEST, median_interval, spread


def test_six_measurements_are_the_fewest_whose_ends_hold_the_median_with_95_percent() -> None:
    # Counted out: of all ways in which n measurements can lie below (0) or above (1) the median, those on one side.
    for n, enough in ((5, False), (FEWEST, True)):
        one_sided = sum(len(set(sides)) == 1 for sides in itertools.product((0, 1), repeat=n))
        assert (one_sided / 2**n <= 0.05) is enough


def test_of_six_the_interval_is_from_end_to_end_and_of_nine_it_leaves_one_out_on_each_side() -> None:
    assert median_interval([3, 1, 2, 6, 5, 4]) == (1, 6)
    assert median_interval([9, 1, 8, 2, 7, 3, 6, 4, 5]) == (2, 8)


def test_a_single_measurement_is_its_own_interval_and_scatters_nowhere() -> None:
    assert median_interval([2.0]) == (2.0, 2.0) and spread([2.0]) == 0


@pytest.mark.parametrize("n", [6, 10, 25, 51])
def test_the_interval_holds_the_true_median_of_a_skewed_distribution_as_often_as_it_says(n: int) -> None:
    chance = random.Random(n)  # of an exponential distribution, whose median is log 2
    hits = 0
    for _ in range(2000):
        low, high = median_interval([chance.expovariate(1.0) for _ in range(n)])
        hits += low <= 0.6931471805599453 <= high
    assert hits / 2000 > 0.94  # 95 %, less two standard deviations of such a count


def test_half_the_confidence_would_be_a_narrower_interval_that_misses_the_median_too_often() -> None:
    chance = random.Random(1)
    hits = 0
    for _ in range(2000):
        low, high = median_interval([chance.expovariate(1.0) for _ in range(25)], 0.5)
        hits += low <= 0.6931471805599453 <= high
    assert hits / 2000 < 0.8


def test_scatter_is_the_distance_between_the_quartiles_relative_to_the_median() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 3)
    assert spread([1.0, 1.0, 1.0]) == 0
