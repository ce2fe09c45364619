"""Where the lines and marks of a picture of errors by exponent go: geometry in SVG's units, without its tags.

And the same in numbers, as a table has them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from conformance.reports.parity.accuracy import Accuracy, Figure, Panel
from conformance.reports.parity.exponents import Axis, Cell
from conformance.reports.shared.plot import LINEAR_UP_TO, Tick, nice_ticks, scale, short

_TOP, _CURVE, _GAP, _CAPTION, _MARK_ROW, _PANEL, _BOTTOM = 14, 120, 36, 24, 10, 62, 46
_LABEL = 26
_CAPTION_LETTERS = 84
_FURTHEST = 1024.0
"""Errors and budgets beyond are not drawn to scale: half an ULP would be nothing beside a result that came as zero."""

MARKS = {"over": "m-3 3l3-6l3 6z", "lost": "m-2.5-2.5l5 5m0-5l-5 5", "flushed": "m-3-2.5h6l-3 5z"}
"""Paths around a point, for columns that hold such elements."""

_TICKS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0)


@dataclass(frozen=True, slots=True)
class Row:
    """A panel, laid out.

    Attributes:
        panel: what is drawn.
        cells: by column of the axis.
        style: number of its colour.
        caption: its columns, in words.
        note: its largest error, in words.
        caption_y, top, bottom, zero: ordinates.
        ticks: of its own vertical axis.
        largest, p99, budget: paths of steps.
        means: a path of points.
        over, lost, flushed: paths of marks above the columns that hold such elements.
    """

    panel: Panel
    cells: list[Cell | None]
    style: int
    caption: str
    note: str
    caption_y: float
    top: float
    bottom: float
    zero: float
    ticks: list[Tick]
    largest: str
    p99: str
    budget: str
    means: str
    over: str
    lost: str
    flushed: str


@dataclass(frozen=True, slots=True)
class CurvePlot:
    """The exact curve above the panels.

    Attributes:
        lines, document: polylines, one a sign.
        top, bottom: ordinates.
        ticks: of its vertical axis.
    """

    lines: list[str]
    document: list[str]
    top: float
    bottom: float
    ticks: list[Tick]


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell in words: its errors, and what is to be said beside them."""

    largest: str
    p99: str
    mean: str
    apart: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a column of the axis, its elements and budgets, and what each panel shows there."""

    text: str
    elements: int
    budget: str
    cells: list[Shown]


@dataclass(frozen=True, slots=True)
class AccuracyPlot:
    """A whole picture: the exact curve, where there is one, and a panel a result, over one axis of signed exponents.

    Attributes:
        figure, axis: what is drawn, over what.
        height: of all.
        grid_top, label_y: ordinates of the grid's upper end and of what the panels show, in words.
        curve: None where there is none.
        rows: the panels.
        bent: whether the panels' vertical axes are bent.
        beyond: whether something lies beyond them.
        lines: the numbers.
    """

    figure: Figure
    axis: Axis
    height: float
    grid_top: float
    label_y: float
    curve: CurvePlot | None
    rows: list[Row]
    bent: bool
    beyond: bool
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Plots:
    """The pictures of an operation."""

    operation: str
    plots: list[AccuracyPlot]


def plots(accuracy: Accuracy) -> Plots:
    """Lay the figures of an operation out."""
    return Plots(accuracy.operation, [plot(figure) for figure in accuracy.figures])


def plot(figure: Figure) -> AccuracyPlot:
    """Lay a figure out."""
    axis = Axis(one for panel in figure.panels for one in panel.profile.bins)
    cells = [axis.cells(panel) for panel in figure.panels]
    shown = [cell for row in cells for cell in row if cell is not None]
    reach = [number for cell in shown for number in (cell.largest, cell.budget) if number is not None]
    means = [cell.mean for cell in shown if cell.mean is not None]
    high, low = max([1.0, *reach]), max([0.25, *(-mean for mean in means)])
    curve = _curve(figure, axis)
    above = curve.bottom if curve else 0.0
    top = above + _GAP
    rows = []
    ends = min(low, _FURTHEST), min(high, _FURTHEST)
    for number, (panel, row) in enumerate(zip(figure.panels, cells, strict=True)):
        top += _CAPTION + _MARK_ROW
        rows.append(_row(panel, row, number, axis, top, ends))
        top += _PANEL
    bent, beyond = max(ends) > LINEAR_UP_TO, max(high, low) > _FURTHEST
    return AccuracyPlot(
        figure=figure,
        axis=axis,
        height=top + _BOTTOM,
        grid_top=curve.top if curve else above + _GAP,
        label_y=above + _LABEL,
        curve=curve,
        rows=rows,
        bent=bent,
        beyond=beyond,
        lines=list(_lines(axis, cells)),
    )


def _lines(axis: Axis, cells: Sequence[Sequence[Cell | None]]) -> Iterator[Line]:
    """The numbers of every column that holds elements."""
    for number, column in enumerate(axis.columns):
        here = [row[number] for row in cells]
        known = [cell for cell in here if cell is not None]
        if known:
            budgets = sorted({cell.budget for cell in known if cell.budget is not None})
            ends = dict.fromkeys(map(number_text, budgets[:1] + budgets[-1:]))
            elements = max(cell.elements for cell in known)
            yield Line(column.text, elements, " to ".join(ends) or "–", [_shown(cell) for cell in here])


def _shown(cell: Cell | None) -> Shown:
    if cell is None or cell.largest is None or cell.p99 is None or cell.mean is None:
        return Shown("–", "–", "–", cell.apart if cell else "")
    return Shown(number_text(cell.largest), number_text(cell.p99), number_text(cell.mean), cell.apart)


def _row(panel: Panel, cells: list[Cell | None], number: int, axis: Axis, top: float, ends: tuple[float, float]) -> Row:
    bottom = top + _PANEL
    low, high = ends
    bend = _bend(max(ends) > LINEAR_UP_TO)
    straight = scale(bend(-low), bend(high), bottom, top)

    def up(error: float) -> float:
        return straight(bend(min(max(error, -low), high)))

    def marks(name: str, aside: int) -> str:
        middle = axis.width / 2 + aside * min(axis.width / 3, 7)
        found = [c.at + middle for c, cell in zip(axis.columns, cells, strict=True) if cell and getattr(cell, name)]
        return "".join(f"M{short(at)} {short(top - _MARK_ROW / 2)}{MARKS[name]}" for at in found)

    caption = " · ".join(panel.columns)
    if len(caption) > _CAPTION_LETTERS:
        caption = f"{caption[: _CAPTION_LETTERS - 1]}…"
    heights = {name: [None if c is None else getattr(c, name) for c in cells] for name in ("largest", "p99", "budget")}
    allowed = [None if n is None or n > high else n for n in heights["budget"]]
    points = [(c.at + axis.width / 2, cell.mean) for c, cell in zip(axis.columns, cells, strict=True) if cell]
    return Row(
        panel=panel,
        cells=cells,
        style=number % 6,
        caption=caption,
        note="no error was measured" if panel.largest is None else f"largest {number_text(panel.largest)}",
        caption_y=top - _MARK_ROW - 5,
        top=top,
        bottom=bottom,
        zero=up(0),
        ticks=_error_ticks(up, low, high),
        largest=_steps(axis, heights["largest"], up),
        p99=_steps(axis, heights["p99"], up),
        budget=_steps(axis, allowed, up),
        means=_dots([(at, up(mean)) for at, mean in points if mean is not None]),
        over=marks("over", -1),
        lost=marks("lost", 0),
        flushed=marks("flushed", 1),
    )


def _bend(bent: bool) -> Callable[[float], float]:
    return (lambda e: math.copysign(math.log2(1 + abs(e)), e)) if bent else (lambda e: e)


def _steps(axis: Axis, heights: Sequence[float | None], up: Callable[[float], float]) -> str:
    """A path at each column's height from its left to its right edge, broken where there is none."""
    path, pen, level = [], -1, ""
    for column, height in zip(axis.columns, heights, strict=True):
        if height is None:
            continue
        y = short(up(height))
        if column.at != pen:
            path.append(f"M{column.at} {y}")
        elif y != level:
            path.append(f"V{y}")
        pen, level = column.at + axis.width, y
        path.append(f"H{pen}")
    # Of a line that goes on at its height only the end counts.
    kept = [
        part
        for part, after in itertools.zip_longest(path, path[1:])
        if not (part.startswith("H") and (after or "").startswith("H"))
    ]
    return "".join(kept)


def _dots(points: Sequence[tuple[float, float]]) -> str:
    """A path of lines without length, which round ends make visible; each starts from the one before."""
    path, here = [], (0.0, 0.0)
    for point in points:
        there = round(point[0], 1), round(point[1], 1)
        path.append(f"m{short(there[0] - here[0])} {short(there[1] - here[1])}h0")
        here = there
    return "".join(path).replace(" -", "-")


def _error_ticks(up: Callable[[float], float], low: float, high: float) -> list[Tick]:
    """Zero, both ends, and between them what there is room for."""
    ticks = [Tick(up(0), "0"), Tick(up(high), number_text(high))]
    for value in _TICKS:
        if value < high and all(abs(up(value) - tick.at) >= 13 for tick in ticks):
            ticks.append(Tick(up(value), number_text(value)))
    if up(-low) - up(0) >= 13:
        ticks.append(Tick(up(-low), number_text(-low)))
    return ticks


def _curve(figure: Figure, axis: Axis) -> CurvePlot | None:
    """The exact curve, or None where the figure has none that lies on its axis."""
    points = [
        [(x, y) for x, y in some if axis.holds(x) and math.isfinite(y)] for some in (figure.curve, figure.document)
    ]
    values = [y for some in points for _, y in some]
    if len(values) < 2 or min(values) == max(values):
        return None
    bent = max(map(abs, values)) > 64
    bend = _bend(bent)
    low, high = bend(min(values)), bend(max(values))
    room = (high - low) * 0.04
    bottom = float(_TOP + _CURVE)
    straight = scale(low - room, high + room, bottom, _TOP)

    def line(some: Sequence[tuple[float, float]]) -> list[str]:
        """A polyline for each sign with two points or more."""
        sides = [[(x, y) for x, y in some if x * sign > 0] for sign in (-1, 1)]
        return [
            " ".join(f"{short(axis.across(x))},{short(straight(bend(y)))}" for x, y in side)
            for side in sides
            if len(side) > 1
        ]

    ticks = _powers_of_ten(low - room, high + room) if bent else nice_ticks(min(values), max(values), 4)
    places = [Tick(straight(bend(value)), text) for value, text in ticks]
    return CurvePlot(line(points[0]), line(points[1]), _TOP, bottom, places)


def _powers_of_ten(low: float, high: float) -> list[tuple[float, str]]:
    """Zero and powers of ten on an axis that is bent, and goes from `low` to `high` after that: some six of them."""
    bend = _bend(True)
    apart = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200) if n * math.log2(10) >= (high - low) / 6)
    values = [0.0, *(sign * 10.0**exponent for sign in (-1, 1) for exponent in range(apart, 309, apart))]
    return [(value, number_text(value)) for value in values if low <= bend(value) <= high]


def number_text(number: float) -> str:
    """A number in some three digits, with a real minus."""
    size = abs(number)
    if size >= 1e5 or 0 < size < 1e-3:
        text = f"{number:.{1 if size > 1 else 0}e}"
    else:
        text = f"{number:.0f}" if size >= 1000 else f"{number:.3g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e").replace("-", "−")
