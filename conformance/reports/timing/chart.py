"""Where the lines of a chart go: time over size, both logarithmic. Geometry in SVG's units, without its tags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.reports.shared.plot import LEFT, MARKS, RIGHT, WIDTH, Tick
from conformance.reports.timing.wording import whole

HEIGHT = 380
_TOP, _BOTTOM = 14, 46
BOTTOM = HEIGHT - _BOTTOM

__all__ = ["BOTTOM", "HEIGHT", "LEFT", "RIGHT", "WIDTH", "Chart", "Line", "Point", "chart"]


@dataclass(frozen=True, slots=True)
class Point:
    """A measured point: abscissa, ordinate, and the ends of the ordinate's interval."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured in one column.

    Attributes:
        label: in words.
        colour, dash: how it is drawn.
        mark: a path that draws its mark around a point.
        path: through the points.
        marks: at the points.
        ends: the intervals, upright.
    """

    label: str
    colour: int
    dash: int
    mark: str
    path: str
    marks: str
    ends: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole chart.

    Attributes:
        number: its own on the page, for names of elements.
        title: what it shows.
        lines: one a column.
        x_ticks, y_ticks: of its axes.
        x_label, y_label: what they measure.
    """

    number: int
    title: str
    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    x_label: str
    y_label: str
    height: int = HEIGHT
    top: int = _TOP
    bottom: int = BOTTOM


def chart(
    number: int,
    title: str,
    series: Sequence[tuple[str, int, int, Sequence[Point]]],
    labels: tuple[str, str],
    rates: bool = False,
) -> Chart | None:
    """Lay a chart out.

    Args:
        number: its own on the page.
        title: what it shows.
        series: label, colour, dash and points of each line, all of them above 0.
        labels: of the axes.
        rates: whether ordinates are bytes a second, and not seconds.

    Returns:
        None where fewer than two sizes were measured: there is no line to draw.
    """
    points = [point for *_, line in series for point in line]
    xs = sorted({point.x for point in points})
    if len(xs) < 2:
        return None
    lowest, highest = min(point.low for point in points), max(point.high for point in points)
    low, high = _decades(lowest, highest)
    across, up = _scale(xs[0], xs[-1], LEFT + 12, WIDTH - RIGHT - 12), _scale(low, high, BOTTOM, _TOP)
    lines = []
    for label, colour, dash, line in series:
        if not line:
            continue
        ordered = sorted(line, key=lambda point: point.x)
        places = [f"{_short(across(p.x))} {_short(up(p.y))}" for p in ordered]
        mark = MARKS[colour % len(MARKS)]
        ends = "".join(f"M{_short(across(p.x))} {_short(up(p.low))}V{_short(up(p.high))}" for p in ordered)
        marks = "".join(f"M{place}{mark}" for place in places)
        lines.append(Line(label, colour, dash, mark, "M" + "L".join(places), marks, ends))
    powers = range(round(math.log10(low)), round(math.log10(high)) + 1)
    text = (lambda value: f"{value / 1e9:g} GB/s") if rates else whole
    return Chart(
        number,
        title,
        lines,
        [Tick(across(x), _count(x)) for x in xs],
        [Tick(up(10.0**power), text(10.0**power)) for power in powers],
        *labels,
    )


def _decades(low: float, high: float) -> tuple[float, float]:
    """Powers of ten around two numbers, one apart at least."""
    below, above = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return 10.0**below, 10.0 ** max(above, below + 1)


class _scale:  # noqa: N801 - a function with parameters
    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._span = math.log(low), math.log(high / low)
        self._start, self._length = start, end - start

    def __call__(self, value: float) -> float:
        return self._start + (math.log(value) - self._low) / self._span * self._length


def _count(number: float) -> str:
    for size, unit in ((2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
