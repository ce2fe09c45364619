from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from conformance.reports.parity.view import page
from conformance.reports.shared.plot import nice_ticks, plot
from conformance.runfile import Record, Run
from conformance.truth.rounding import signed_errors


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_errors_are_in_ulp_of_the_exact_value_with_their_sign(dtype: Any) -> None:
    ulp = float(ml_dtypes.finfo(dtype).eps)
    exact = np.array([1, 1, -1, 0.5], dtype)
    got = np.array([1 + ulp, 1 - ulp / 2, -1 - ulp, 0.5], dtype)
    assert signed_errors(exact, got).tolist() == [1, -0.5, -1, 0]


def test_errors_of_what_is_no_number_are_no_numbers() -> None:
    errors = signed_errors(np.ones(2, np.float32), np.array([np.nan, -np.inf], np.float32))
    assert np.isnan(errors[0])
    assert errors[1] == -np.inf


def test_columns_of_the_same_bits_share_a_series_and_other_dtypes_are_left_out(curve_runs: list[Run]) -> None:
    (figure,) = page(curve_runs).figures
    assert [series.columns for series in figure.series] == [["right eager, compile"], ["errs eager"]]
    right, errs = figure.series
    assert (right.off, errs.off) == (0, 1)
    assert errs.errors[80] == 1
    assert (errs.largest, errs.budget, errs.where) == (1.0, 10.0, "0")
    assert figure.left_out == ["wide eager: its result is float64[161]"]


def test_a_column_without_a_result_is_left_out_with_its_reason(curve_runs: list[Run], make_run: Any) -> None:
    record = Record("document/sigmoid/curve[float32]", "eager", "unsupported", "no sigmoid here")
    (figure,) = page([*curve_runs, make_run("none", [record])]).figures
    assert "none eager: no sigmoid here" in figure.left_out


def test_cases_that_ask_for_no_curve_get_none(make_run: Any) -> None:
    assert page([make_run("a", [Record("ops/sigmoid/a[float32]", "eager", "passed")])]).figures == []


def test_every_mark_lies_within_its_strip(curve_runs: list[Run]) -> None:
    (figure,) = page(curve_runs).figures
    figure.series[1].errors[:] = np.linspace(-3e6, 3e6, 161)
    figure.series[1].errors[3] = np.inf
    laid_out = plot(figure)
    assert laid_out.logarithmic
    strip = laid_out.strips[1]
    heights = [float(stem.split("V")[1]) for stem in strip.stems.split("M")[1:]]
    assert len(heights) == 159  # all but the zero in the middle and the infinity
    assert all(strip.top <= y <= strip.bottom for y in heights)
    assert strip.outside == 1
    assert laid_out.strips[0].stems == ""


def test_small_errors_are_drawn_to_scale(curve_runs: list[Run]) -> None:
    (figure,) = page(curve_runs).figures
    figure.series[1].errors[:2] = (2, 4)
    laid_out = plot(figure)
    assert not laid_out.logarithmic
    zero = laid_out.strips[1].zero
    two, four, *_ = (zero - float(stem.split("V")[1]) for stem in laid_out.strips[1].stems.split("M")[1:])
    assert four == pytest.approx(2 * two, abs=0.1)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-8, 8, ["−8", "−6", "−4", "−2", "0", "2", "4", "6", "8"]),
        (-0.04, 1.04, ["0", "0.5", "1"]),
        (0, 1e-6, ["0", "2.5e−07", "5e−07", "7.5e−07", "1e−06"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, texts: list[str]) -> None:
    assert [text for _, text in nice_ticks(low, high, 9 if low == -8 else 5)] == texts
