"""An axis of signed exponents: ascending, mirrored, and never too narrow to be seen."""

from __future__ import annotations

import itertools

import pytest

from conformance.judging.accuracy import Bin, Profile
from conformance.reports.parity.accuracy import Panel
from conformance.reports.parity.exponents import Axis, power
from conformance.reports.shared.plot import LEFT, RIGHT, WIDTH


def bins(*keys: tuple[int, int | None], count: int = 1) -> list[Bin]:
    found = [Bin(sign, exponent, count, 1.0, 0.5, 0.25, 4.0) for sign, exponent in keys]
    return sorted(found, key=lambda one: one.rank)


def signed(low: int, high: int) -> list[Bin]:
    return bins(*((sign, exponent) for sign in (-1, 1) for exponent in range(low, high + 1)))


AXES = {
    "both signs": signed(-12, 6),
    "positive": bins(*((1, e) for e in range(-14, 16))),
    "negative": bins((-1, -3), (-1, 4)),
    "with zeros": [*signed(-3, 3), *bins((-1, None), (1, None))],
    "one zero": bins((1, None), (1, 0)),
    "one number": bins((1, 7)),
    "nothing": [],
    "all of float64": signed(-1074, 1023),
    "all of float16, with zeros": [*signed(-24, 15), *bins((-1, None), (1, None))],
}


@pytest.mark.parametrize("name", AXES)
def test_columns_ascend_within_the_figure_and_do_not_overlap(name: str) -> None:
    axis = Axis(AXES[name])
    places = [column.at for column in axis.columns]
    assert places == sorted(set(places))
    assert places[0] == LEFT == axis.start
    assert all(b - a >= axis.width for a, b in itertools.pairwise(places))
    assert axis.end == places[-1] + axis.width <= WIDTH - RIGHT
    assert axis.width >= 8
    assert len(places) <= 80


@pytest.mark.parametrize("name", AXES)
def test_numbers_lie_in_their_columns_in_their_order(name: str) -> None:
    axis = Axis(AXES[name])
    numbers = sorted(one.sign * 2.0**one.exponent for one in AXES[name] if one.exponent is not None)
    places = [axis.across(x) for x in numbers if axis.holds(x)]
    assert len(places) == len(numbers)
    assert places == sorted(places)
    for one in AXES[name]:
        (at,) = [i for i, cell in enumerate(axis.cells(Panel([], Profile("x", [one])))) if cell]
        column = axis.columns[at]
        if one.exponent is not None:
            assert column.at <= axis.across(one.sign * 2.0**one.exponent) <= column.at + axis.width


@pytest.mark.parametrize("name", AXES)
def test_ticks_are_powers_of_two_at_their_places_and_far_enough_apart(name: str) -> None:
    axis = Axis(AXES[name])
    assert all(b.at - a.at >= 12 for a, b in itertools.pairwise(axis.ticks))
    texts = {tick.text: tick.at for tick in axis.ticks}
    for exponent in range(-1022, 1024):
        for sign, minus in ((1, ""), (-1, "−")):
            if minus + power(exponent) in texts:
                assert texts[minus + power(exponent)] == pytest.approx(axis.across(sign * 2.0**exponent))
    if AXES[name]:
        assert texts


def test_negative_numbers_mirror_the_positive_ones() -> None:
    axis = Axis(signed(-12, 6))
    middle = (axis.start + axis.end) / 2
    for x in (2.0**-12, 0.3, 1.0, 100.0):
        assert axis.across(x) - middle == pytest.approx(middle - axis.across(-x))
    assert [column.text for column in axis.columns[:2]] == ["−2⁶", "−2⁵"]
    assert [column.text for column in axis.columns[-2:]] == ["2⁵", "2⁶"]


def test_what_is_not_on_the_axis_is_told() -> None:
    axis = Axis(bins((1, -2), (1, 3)))
    assert [x for x in (0.0, -1.0, 0.125, 0.25, 1.0, 16.0, 17.0, float("inf"), float("nan")) if axis.holds(x)] == [
        0.25,
        1.0,
        16.0,
    ]


def test_too_many_exponents_share_columns_and_none_of_their_elements_is_lost() -> None:
    whole = signed(-1074, 1023)
    axis = Axis(whole)
    assert axis.stride > 1 and axis.factor == f"{power(axis.stride)} times"
    cells = axis.cells(Panel([], Profile("x", whole)))
    assert sum(cell.elements for cell in cells if cell) == len(whole)


def test_of_bins_that_share_a_column_the_largest_error_its_budget_and_the_mean_of_all_are_shown() -> None:
    wide = signed(-1074, 1023)
    some = [
        Bin(1, -1074, 3, 1.0, 0.5, 1.0, 4.0, 1),
        Bin(1, -1073, 1, 9.0, 0.25, -3.0, 8.0, 0, 2, 3, 4),
        Bin(1, -1072, 0, lost=5),
    ]
    (cell,) = [cell for cell in Axis(wide).cells(Panel([], Profile("x", some))) if cell]
    assert (cell.elements, cell.largest, cell.budget, cell.p99, cell.mean) == (18, 9.0, 8.0, 0.5, 0.0)
    assert cell.apart == "1 over budget, 7 not finite, 4 flushed, 3 rightly infinite"


def test_a_column_of_nothing_but_nan_has_no_errors() -> None:
    (cell,) = Axis(bins((1, 0))).cells(Panel([], Profile("x", [Bin(1, 0, 0, lost=5)])))
    assert cell is not None
    assert (cell.elements, cell.largest, cell.p99, cell.mean, cell.budget) == (5, None, None, None, None)


def test_powers_are_written_with_raised_digits() -> None:
    assert [power(e) for e in (0, -10, 127)] == ["2⁰", "2⁻¹⁰", "2¹²⁷"]
