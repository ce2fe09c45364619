"""Where the lines and marks of a figure go: geometry in SVG's units, without its tags."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

WIDTH = 820
LEFT, RIGHT = 84, 16
_TOP, _CURVE, _GAP, _STRIP, _CAPTION, _BOTTOM = 14, 210, 44, 46, 26, 46
LINEAR_UP_TO = 8.0
"""Axes of errors in ULP that go further are bent by log2(1 + error), so that small ones stay visible."""
_CAPTION_LETTERS = 100

# Small shapes around a point, told apart without colour.
MARKS = (
    "m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0z",
    "m-2.3-2.3h4.6v4.6h-4.6z",
    "m0-3.2l3 5.2h-6z",
    "m0-3.4l3.4 3.4l-3.4 3.4l-3.4-3.4z",
    "m0 3.2l3-5.2h-6z",
    "m-3-1h2v-2h2v2h2v2h-2v2h-2v-2h-2z",
)


@dataclass(frozen=True, slots=True)
class Series:
    """One result along the curve, and the columns that gave exactly it.

    Attributes:
        columns: they, in words.
        errors: of each sample, in ULP of the exact value, against the rounded exact value; positive where the result
            is too large, infinite or NaN where it is no number or should not be one.
        off: how many samples are not the rounded exact value.
        largest: the largest error against the exact value itself, as the run recorded it.
        budget: what was allowed there.
        where: the input it was at, in words.
    """

    columns: list[str]
    errors: np.ndarray
    off: int
    largest: float | None
    budget: float | None
    where: str


@dataclass(slots=True)
class Figure:
    """A drawn variant.

    Attributes:
        variant, case, dtype, about, call: what is drawn.
        input: the input's name.
        x, y: the samples and the rounded exact values, ascending in x.
        series: distinct results.
        left_out: columns that are not drawn, and why.
    """

    variant: str
    case: str
    dtype: str
    about: str
    call: str
    input: str
    x: np.ndarray
    y: np.ndarray
    series: list[Series] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The errors of one result, drawn from a zero line.

    Attributes:
        series: what is drawn.
        style: number of its colour and mark.
        mark: a path that draws its mark around a point.
        caption: its columns.
        caption_y, top, bottom, zero: ordinates.
        ticks: of its own vertical axis.
        stems, marks: paths; of the samples that are off.
        outside: how many samples are no number, so that nothing can be drawn.
    """

    series: Series
    style: int
    mark: str
    caption: str
    caption_y: float
    top: float
    bottom: float
    zero: float
    ticks: list[Tick]
    stems: str
    marks: str
    outside: int


@dataclass(frozen=True, slots=True)
class Plot:
    """A whole figure; the curve above, a strip a result below, one x axis for all."""

    figure: Figure
    height: float
    curve: str
    curve_top: float
    curve_bottom: float
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    strips: list[Strip]
    logarithmic: bool


def plot(figure: Figure) -> Plot:
    """Lay a figure out."""
    x_low, x_high = float(figure.x[0]), float(figure.x[-1])
    y_low, y_high = _padded(float(figure.y.min()), float(figure.y.max()))
    curve_bottom = float(_TOP + _CURVE)
    across = scale(x_low, x_high, LEFT, WIDTH - RIGHT)
    up = scale(y_low, y_high, curve_bottom, _TOP)
    points = " ".join(f"{short(across(x))},{short(up(y))}" for x, y in zip(figure.x, figure.y, strict=True))
    finite = [np.abs(s.errors[np.isfinite(s.errors)]).max(initial=0.0) for s in figure.series]
    largest = max([1.0, *map(float, finite)])
    strips = []
    top = curve_bottom + _GAP
    for number, series in enumerate(figure.series):
        top += _CAPTION
        strips.append(_strip(series, number, figure, across, top, largest))
        top += _STRIP
    return Plot(
        figure=figure,
        height=top + _BOTTOM,
        curve=points,
        curve_top=_TOP,
        curve_bottom=curve_bottom,
        x_ticks=[Tick(across(value), text) for value, text in nice_ticks(x_low, x_high, 9)],
        y_ticks=[Tick(up(value), text) for value, text in nice_ticks(y_low, y_high, 5)],
        strips=strips,
        logarithmic=largest > LINEAR_UP_TO,
    )


def _strip(
    series: Series, number: int, figure: Figure, across: Callable[[float], float], top: float, largest: float
) -> Strip:
    bend: Callable[[float], float] = (lambda e: e) if largest <= LINEAR_UP_TO else lambda e: math.log2(1 + e)
    zero, reach = top + _STRIP / 2, _STRIP / 2 - 3
    mark = MARKS[number % len(MARKS)]
    stems, marks = [], []
    for x, error in zip(figure.x, series.errors, strict=True):
        if error == 0 or not math.isfinite(error):
            continue
        across_x, y = short(across(x)), short(zero - math.copysign(bend(abs(error)) / bend(largest) * reach, error))
        stems.append(f"M{across_x} {short(zero)}V{y}")
        marks.append(f"M{across_x} {y}{mark}")
    caption = " · ".join(series.columns)
    if len(caption) > _CAPTION_LETTERS:
        caption = f"{caption[: _CAPTION_LETTERS - 1]}…"
    end = f"{largest:.3g}" if largest < 1e4 else f"{largest:.0e}"
    return Strip(
        series=series,
        style=number % len(MARKS),
        mark=mark,
        caption=caption,
        caption_y=top - 6,
        top=top,
        bottom=top + _STRIP,
        zero=zero,
        ticks=[Tick(zero - reach, f"+{end}"), Tick(zero, "0"), Tick(zero + reach, f"−{end}")],
        stems="".join(stems),
        marks="".join(marks),
        outside=int(np.count_nonzero(~np.isfinite(series.errors))),
    )


def nice_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round numbers between two ends, at most so many, with their texts."""
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    values = [(first + i) * step for i in range(most + 1) if (first + i) * step <= high + step * 1e-9]
    return [(value, f"{value:.6g}".replace("-", "−") if value else "0") for value in values]


def _padded(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * 0.04 or max(abs(low), 1.0) * 0.04
    return low - room, high + room


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The straight line that takes `low` to `start` and `high` to `end`."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def short(number: float) -> str:
    """A coordinate with one decimal, or none."""
    return f"{number:.1f}".removesuffix(".0")
