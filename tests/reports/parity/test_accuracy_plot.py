"""The geometry of errors by exponent: where steps, points and marks lie."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from conformance.judging.accuracy import Bin, Profile
from conformance.reports.parity.accuracy import Figure, Panel
from conformance.reports.parity.accuracy_plot import AccuracyPlot, Row, number_text, plot


def one(exponent: int, largest: float, sign: int = 1, mean: float = 0.0, budget: float = 4.0, **more: int) -> Bin:
    return Bin(sign, exponent, 100, largest, largest / 2, mean, budget, **more)


def drawn(*panels: list[Bin], **more: Any) -> AccuracyPlot:
    found = [Panel([f"backend {number}"], Profile("x", bins)) for number, bins in enumerate(panels)]
    return plot(Figure("a/b[float32]", "exp", "float32", "", "exp(x)", "x", found, **more))


def steps(path: str) -> list[tuple[str, float, float]]:
    """The path's steps: from where to where, and at which height."""
    found, x, y = [], 0.0, 0.0
    for letter, numbers in re.findall(r"([MHV])([^MHV]+)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "M":
            x, y = values
        elif letter == "V":
            (y,) = values
        else:
            found.append((x, values[0], y))
            (x,) = values
    return found


def heights(row: Row, path: str) -> list[float]:
    return [row.zero - y for _, _, y in steps(path)]


def test_steps_are_as_high_as_their_errors_and_stand_over_their_columns() -> None:
    laid_out = drawn([one(0, 1.0), one(1, 2.0), one(2, 4.0)])
    (row,) = laid_out.rows
    found = steps(row.largest)
    assert [(a, b) for a, b, _ in found] == [(c.at, c.at + laid_out.axis.width) for c in laid_out.axis.columns]
    low, middle, high = heights(row, row.largest)
    assert (middle, high) == (pytest.approx(2 * low, abs=0.15), pytest.approx(4 * low, abs=0.15))
    assert heights(row, row.p99)[-1] == pytest.approx(high / 2, abs=0.1)
    assert not laid_out.bent and not laid_out.beyond
    assert row.note == "largest 4"


def test_steps_of_one_height_are_one_line_and_columns_without_elements_a_gap() -> None:
    (row,) = drawn([one(0, 1.0), one(1, 1.0), one(3, 1.0)]).rows
    assert len(steps(row.largest)) == 2
    assert row.largest.count("M") == 2


def test_large_errors_bend_the_axis_of_all_panels_and_small_ones_stay_visible() -> None:
    laid_out = drawn([one(0, 0.5), one(1, 200.0)], [one(0, 0.5)])
    assert laid_out.bent and not laid_out.beyond
    first, second = laid_out.rows
    half, most = heights(first, first.largest)
    assert half > 3 and most == pytest.approx(first.zero - first.top, abs=0.1)
    assert heights(second, second.largest) == pytest.approx([half], abs=0.11)


def test_what_lies_beyond_is_drawn_at_the_edge_and_said() -> None:
    laid_out = drawn([one(0, 0.5, mean=-0.5), one(1, 8e6, mean=-3e6)])
    assert laid_out.beyond
    (row,) = laid_out.rows
    assert all(row.top <= y <= row.bottom for _, _, y in steps(row.largest))
    assert heights(row, row.largest)[1] == pytest.approx(row.zero - row.top, abs=0.1)
    assert row.note == "largest 8.0e6"
    assert {tick.text for tick in row.ticks} >= {"0", "1024"}


def test_a_budget_beyond_the_axis_is_not_drawn_as_if_it_were_at_its_end() -> None:
    (row,) = drawn([one(0, 0.5, budget=4.0), one(1, 0.5, budget=4096.0)]).rows
    assert len(steps(row.budget)) == 1


def points(path: str) -> list[tuple[float, float]]:
    found, x, y = [], 0.0, 0.0
    for dx, dy in re.findall(r"m(-?[\d.]+)\s?(-?[\d.]+)h0", path):
        x, y = x + float(dx), y + float(dy)
        found.append((x, y))
    return found


def test_means_lie_in_the_middle_of_their_columns_above_or_below_zero() -> None:
    laid_out = drawn([one(-1, 1.0, -1, -0.5), one(0, 1.0, -1, 0.5), one(0, 1.0, 1, 0.0), one(1, 1.0, 1, -1.0)])
    (row,) = laid_out.rows
    found = points(row.means)
    columns = [c for c, cell in zip(laid_out.axis.columns, row.cells, strict=True) if cell]
    assert [x for x, _ in found] == pytest.approx([c.at + laid_out.axis.width / 2 for c in columns], abs=0.11)
    above = [row.zero - y for _, y in found]
    assert above[0] > 3 and above[1] < -3  # the axis ascends: -2, then -1
    assert above[2] == pytest.approx(0, abs=0.11)
    assert above[3] == pytest.approx(row.zero - row.bottom, abs=0.11)


@pytest.mark.parametrize("kind", ["over", "lost", "flushed"])
def test_each_kind_of_element_apart_has_its_mark_over_its_column_and_over_no_other(kind: str) -> None:
    laid_out = drawn([one(0, 1.0), one(1, 1.0, **{kind: 3}), one(2, 1.0)])
    (row,) = laid_out.rows
    path = getattr(row, kind)
    assert path.count("M") == 1
    at = float(re.match(r"M([\d.]+)", path)[1])
    assert laid_out.axis.columns[1].at < at < laid_out.axis.columns[2].at
    assert [name for name in ("over", "lost", "flushed") if getattr(row, name)] == [kind]


def test_panels_stand_below_each_other_and_do_not_overlap() -> None:
    laid_out = drawn(*[[one(0, float(n + 1))] for n in range(8)])
    for above, below in itertools.pairwise(laid_out.rows):
        assert above.bottom < below.caption_y < below.top < below.bottom
    assert laid_out.rows[-1].bottom < laid_out.height
    assert [row.style for row in laid_out.rows] == [0, 1, 2, 3, 4, 5, 0, 1]


def test_ticks_of_a_panel_have_room() -> None:
    for largest in (0.5, 3.0, 10.0, 70.0, 5e5):
        for mean in (0.0, -1.0, -largest):
            (row,) = drawn([one(0, largest, 1, max(mean, -largest))]).rows
            places = sorted(tick.at for tick in row.ticks)
            assert all(b - a >= 12.9 for a, b in itertools.pairwise(places))
            assert all(row.top - 0.1 <= place <= row.bottom + 0.1 for place in places)


def test_a_long_caption_is_cut() -> None:
    panel = Panel(["a" * 70, "b" * 70], Profile("x", [one(0, 1.0)]))
    (row,) = plot(Figure("v", "o", "float32", "", "c", "x", [panel])).rows
    assert len(row.caption) == 84 and row.caption.endswith("…")


SIGMOID = [(-2.0, 0.125), (-1.0, 0.25), (1.0, 0.75), (2.0, 0.875)]


def test_the_exact_curve_has_a_line_for_each_sign_on_the_axis_of_the_errors() -> None:
    both = [one(1, 1.0, -1), one(0, 1.0, -1), one(0, 1.0), one(1, 1.0)]
    laid_out = drawn(both, curve=SIGMOID, document=[(-9.0, 0.0), (-1.5, 0.2), (-1.0, 0.25), (0.0, 0.5), (1.0, 0.75)])
    assert laid_out.curve is not None
    left, right = laid_out.curve.lines
    first, second = (tuple(map(float, point.split(","))) for point in left.split(" "))
    assert first[0] < second[0] and first[1] > second[1]  # to the right and up
    assert second[0] == pytest.approx(laid_out.axis.across(-1.0), abs=0.1)
    assert float(right.split(",")[0]) == pytest.approx(laid_out.axis.across(1.0), abs=0.1)
    # Of the document's curve only two points on the left lie on the axis, and one is no line.
    assert [line.count(",") for line in laid_out.curve.document] == [2]
    ordinates = [float(point.split(",")[1]) for line in laid_out.curve.lines for point in line.split(" ")]
    assert all(laid_out.curve.top <= y <= laid_out.curve.bottom for y in ordinates)


def test_a_curve_over_many_orders_of_magnitude_is_bent_with_powers_of_ten_as_ticks() -> None:
    bins = [one(e, 1.0) for e in range(7)]
    points = [(2.0**e, 10.0 ** (5 * e)) for e in range(7)]
    curve = drawn(bins, curve=points).curve
    assert curve is not None
    assert next(tick.text for tick in curve.ticks) == "0"
    assert "1.0e10" in {tick.text for tick in curve.ticks}
    assert all(curve.top <= tick.at <= curve.bottom for tick in curve.ticks)
    assert len(curve.ticks) <= 8


@pytest.mark.parametrize("points", [[], [(1.0, 2.0)], [(1.0, 2.0), (1.5, 2.0)], [(8.0, 1.0), (9.0, 2.0)]])
def test_without_points_on_the_axis_that_differ_there_is_no_curve(points: list[tuple[float, float]]) -> None:
    assert drawn([one(0, 1.0)], curve=points).curve is None


def test_the_numbers_are_those_of_the_bins_with_what_is_to_be_said_beside_them() -> None:
    laid_out = drawn(
        [one(0, 1.25, mean=-0.125), one(1, 2.0, over=2)],
        [one(0, 1.5, budget=8.0), Bin(1, 1, 0, lost=100)],
    )
    first, second = laid_out.lines
    assert (first.text, first.elements, first.budget) == ("2⁰", 100, "4 to 8")
    assert [(cell.largest, cell.p99, cell.mean) for cell in first.cells] == [
        ("1.25", "0.625", "−0.125"),
        ("1.5", "0.75", "0"),
    ]
    assert [cell.apart for cell in second.cells] == ["2 over budget", "100 not finite"]
    assert (second.budget, second.cells[1].largest) == ("4", "–")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (1.23456, "1.23"),
        (-0.0123456, "−0.0123"),
        (12345.6, "12346"),
        (1.4e7, "1.4e7"),
        (8.1e15, "8.1e15"),
        (-3.4e-4, "−3e−4"),
        (2e-12, "2e−12"),
    ],
)
def test_numbers_are_short_and_have_a_real_minus(number: float, text: str) -> None:
    assert number_text(number) == text
