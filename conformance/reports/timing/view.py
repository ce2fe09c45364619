"""Everything the page of timings shows, worked out from timing files."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.reports.timing import wording
from conformance.reports.timing.chart import Chart, Point, chart
from conformance.reports.timing.columns import Column, Key, Table, table
from conformance.reports.timing.comparing import Compiles, Overtaking, compiles, overtakings
from conformance.timing.model import DIRECTIONS, Direction, Timing, TimingRun

_GLANCE = 2**20
"""Elements at which the columns are shown beside each other first, or the nearest size to it that was timed."""
_STEADY = 1.3
"""A machine whose own speed varied by more is no ground for small differences: the page says so."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell of a table.

    Attributes:
        time: seconds a call, in words; empty where there are none.
        interval: the median's 95 % confidence interval, in words.
        seconds: the median, for sorting.
        rate: bytes moved a second, in words; empty where nothing need be moved.
        share: how fast beside a copy of as many bytes, in words.
        bar: the same as a share of 1, at most 1.
        beyond: whether it is faster than the copy.
        without: why there is no time, in a word or two.
        reason: the whole reason.
    """

    time: str = ""
    interval: str = ""
    seconds: float = 0.0
    rate: str = ""
    share: str = ""
    bar: float = 0.0
    beyond: bool = False
    without: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its head, what its head says beside it, and a cell a column (or a size)."""

    head: str
    beside: str
    cells: list[Shown]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of cells.

    Attributes:
        title: what it shows.
        heads: of the columns.
        corner: what the rows are.
        rows: one each.
        chart: of the same numbers, where there is one.
    """

    title: str
    heads: list[str]
    corner: str
    rows: list[Row]
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An operation: its call, and its tables with their charts."""

    operation: str
    call: str
    grids: list[Grid]


@dataclass(frozen=True, slots=True)
class Environment:
    """A timing file's row of what was run."""

    label: str
    about: TimingRun
    versions: list[str]
    machine: str
    settings: list[str]
    modes: str
    drift: float


@dataclass(frozen=True, slots=True)
class Withheld:
    """Cells without times for one reason."""

    reason: str
    where: list[str]
    cells: list[str]


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A size of memory copy: bytes in words, and for each run the rate and the time."""

    size: str
    rates: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """The page of timings.

    Attributes:
        backends: the runs' labels.
        columns: a backend in a mode each.
        timed, untimed: how many cells have times, and how many have a reason instead.
        warnings: what readers must know first.
        environments: what was run.
        left_out: what plans leave out, by backend.
        glances: all operations at one size, against a copy.
        tiny: all operations at the document's size.
        parts: an operation each.
        overtakings: by who they are between.
        compiles: a compiled mode each.
        withheld: cells without times, by reason.
        copies: the memory copies, their chart, and the labels of their columns.
    """

    backends: list[str]
    columns: list[Column]
    timed: int
    untimed: int
    warnings: list[str]
    environments: list[Environment]
    left_out: list[tuple[str, list[str]]]
    glances: list[Grid]
    tiny: list[Grid]
    parts: list[Part]
    overtakings: dict[str, list[Overtaking]]
    compiles: list[Compiles]
    withheld: list[Withheld]
    copies: list[CopyRow]
    copy_chart: Chart | None
    copy_labels: list[str]


def page(runs: Sequence[TimingRun]) -> Page:
    """Work out everything that is shown.

    Raises:
        ValueError: there are no runs.
    """
    if not runs:
        raise ValueError("a page of timings needs one timing file or more")
    every = table(runs)
    labels = [next(c.backend for c in every.columns if c.run is run) if run.timings else "" for run in runs]
    timings = [timing for run in runs for timing in run.timings.values()]
    numbers = itertools.count(1)
    at = min(every.shapes(), key=lambda shape: abs(math.log(max(math.prod(shape), 1) / _GLANCE)), default=())
    smallest = every.shapes()[:1]
    return Page(
        backends=[label for label in labels if label],
        columns=every.columns,
        timed=sum(timing.calls is not None for timing in timings),
        untimed=sum(timing.calls is None for timing in timings),
        warnings=_warnings(runs, labels),
        environments=[_environment(run, label) for run, label in zip(runs, labels, strict=True)],
        left_out=_left_out(runs, labels),
        glances=[grid for direction in DIRECTIONS for grid in _across(every, at, direction)],
        tiny=[grid for shape in smallest for direction in DIRECTIONS for grid in _across(every, shape, direction)],
        parts=[Part(name, call, list(_grids(every, name, numbers))) for name, call in every.calls.items()],
        overtakings=_overtakings(every),
        compiles=compiles(every),
        withheld=_withheld(every),
        copies=_copies(runs),
        copy_chart=_copy_chart(runs, labels, next(numbers)),
        copy_labels=labels,
    )


def _across(every: Table, shape: tuple[int, ...], direction: Direction) -> Iterator[Grid]:
    """All operations at one size in the dtype with the most sizes, a column each."""
    dtype = next(iter(every.dtypes), "")
    rows = []
    for operation in every.operations:
        cells = every.cells.get((operation, dtype, shape, direction), {})
        if cells:
            shown = [_shown(column, cells.get(column.number)) for column in every.columns]
            rows.append(Row(operation, every.calls[operation], shown))
    if rows:
        elements = f"{math.prod(shape):,} elements ({wording.shape(shape)})"
        yield Grid(f"{direction}, {dtype}, {elements}", [c.label for c in every.columns], "Operation", rows)


def _grids(every: Table, operation: str, numbers: Iterator[int]) -> Iterator[Grid]:
    """An operation's tables: one a dtype and direction, columns down and sizes across."""
    for dtype in every.dtypes:
        for direction in DIRECTIONS:
            shapes = [s for s in every.shapes(dtype) if every.cells.get((operation, dtype, s, direction))]
            rows, series = [], []
            for column in every.columns:
                keys: list[Key] = [(operation, dtype, shape, direction) for shape in shapes]
                found = [every.cells[key].get(column.number) for key in keys]
                if not any(found):
                    continue
                rows.append(Row(column.label, "", [_shown(column, timing) for timing in found]))
                series.append((column.label, column.colour, column.dash, list(_points(found))))
            if rows:
                title = f"{operation}, {dtype}, {direction}"
                heads = [wording.shape(shape) for shape in shapes]
                labels = ("elements of each input", "seconds a call")
                drawn = chart(next(numbers), title, series, labels) if len(shapes) > 2 else None
                yield Grid(title, heads, "Backend and mode", rows, drawn)


def _points(timings: Sequence[Timing | None]) -> Iterator[Point]:
    for timing in timings:
        if timing is not None and timing.calls is not None:
            yield Point(timing.cell.elements, timing.calls.median, *timing.calls.interval)


def _shown(column: Column, timing: Timing | None) -> Shown:
    if timing is None:
        return Shown(without="not in the plan")
    if timing.calls is None:
        return Shown(without=wording.without(timing.cell.why_not), reason=timing.cell.why_not)
    calls = timing.calls
    share = column.run.share_of_copy(timing)
    return Shown(
        time=wording.seconds(calls.median),
        interval=wording.interval(*calls.interval),
        seconds=calls.median,
        rate=wording.rate(timing.cell.bytes / calls.median) if share is not None else "",
        share=wording.share(share) if share is not None else "",
        bar=min(share or 0.0, 1.0),
        beyond=share is not None and share > 1,
    )


def _overtakings(every: Table) -> dict[str, list[Overtaking]]:
    """Every overtaking, between plain modes first, then within each backend."""
    found: dict[str, list[Overtaking]] = {}
    for one in overtakings(every):
        title = f"Modes of {one.ahead.backend}" if one.ahead.run is one.behind.run else "Plain modes of backends"
        found.setdefault(title, []).append(one)
    return dict(sorted(found.items(), key=lambda item: item[0].startswith("Modes")))


def _warnings(runs: Sequence[TimingRun], labels: Sequence[str]) -> list[str]:
    lines = []
    for what, values in (
        ("machines", [_machine(run) for run in runs]),
        ("devices", [run.about.device for run in runs]),
        ("numbers of threads", [str(run.about.threads) for run in runs]),
    ):
        if len(set(values)) > 1:
            lines.append(
                f"These runs are of different {what} ({'; '.join(dict.fromkeys(values))}): times of one run can be "
                f"compared with each other, those of different runs can't."
            )
    for run, label in zip(runs, labels, strict=True):
        if run.drift > _STEADY:
            lines.append(
                f"{label}: the machine's own speed varied by a factor of {run.drift:.2g} during the run (a fixed piece "
                f"of work, timed beside every cell); differences below that may be the machine's."
            )
        if run.about.threads_note:
            lines.append(f"{label}: {run.about.threads_note}.")
        if run.about.selection:
            lines.append(f"{label}: only a part was timed: {run.about.selection}")
    return lines


def _machine(run: TimingRun) -> str:
    return f"{run.about.environment.get('processor', 'unknown')}, {run.about.environment.get('system', 'unknown')}"


_BESIDE = ("processor", "system", "python")


def _environment(run: TimingRun, label: str) -> Environment:
    about = run.about
    return Environment(
        label=label or about.backend,
        about=run,
        versions=[f"{name} {version}" for name, version in about.versions.items()],
        machine=f"{_machine(run)}, Python {about.environment.get('python', 'unknown')}",
        settings=[f"{name}: {value}" for name, value in about.environment.items() if name not in _BESIDE],
        modes=", ".join(run.modes),
        drift=run.drift,
    )


def _left_out(runs: Sequence[TimingRun], labels: Sequence[str]) -> list[tuple[str, list[str]]]:
    """What plans leave out, with the backends that leave it out."""
    found: dict[str, list[str]] = {}
    for run, label in zip(runs, labels, strict=True):
        for line in run.about.left_out:
            found.setdefault(line, []).append(label)
    return list(found.items())


def _withheld(every: Table) -> list[Withheld]:
    """Cells without times, by reason, the most first."""
    found: dict[str, tuple[dict[str, None], list[str]]] = {}
    for cells in every.cells.values():
        for number, timing in cells.items():
            if timing.calls is None:
                where, ids = found.setdefault(timing.cell.why_not, ({}, []))
                where[every.columns[number].label] = None
                ids.append(f"{every.columns[number].label} {timing.id}")
    groups = [Withheld(reason, list(where), ids) for reason, (where, ids) in found.items()]
    return sorted(groups, key=lambda group: -len(group.cells))


def _copies(runs: Sequence[TimingRun]) -> list[CopyRow]:
    sizes = sorted({copy.bytes for run in runs for copy in run.about.copies})
    rows = []
    for size in sizes:
        rates = []
        for run in runs:
            copy = next((c for c in run.about.copies if c.bytes == size), None)
            rates.append(
                (wording.rate(copy.rate), wording.seconds(size / copy.rate)) if copy is not None else ("–", "")
            )
        rows.append(CopyRow(wording.size(size), rates))
    return rows


def _copy_chart(runs: Sequence[TimingRun], labels: Sequence[str], number: int) -> Chart | None:
    series = [
        (label, index % 6, 0, [Point(c.bytes, c.rate, *c.interval) for c in run.about.copies])
        for index, (run, label) in enumerate(zip(runs, labels, strict=True))
    ]
    return chart(number, "Memory copies", series, ("bytes read and written", "bytes a second"), rates=True)
