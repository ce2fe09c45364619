"""Several timing files side by side: one column a backend and mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.reports.shared.columns import labels_of
from conformance.timing.model import Calls, Direction, Timing, TimingRun


@dataclass(frozen=True, slots=True)
class Column:
    """A backend in a mode.

    Attributes:
        number: its place, from 0.
        run: its timing file.
        backend: the run's label.
        mode: of the backend.
        plain: whether it is the backend's plain mode, which compiled ones are held against.
        colour, dash: how it is drawn: a colour and mark a run, a kind of line a mode.
    """

    number: int
    run: TimingRun
    backend: str
    mode: str
    plain: bool
    colour: int
    dash: int

    @property
    def label(self) -> str:
        """Backend and mode, in words."""
        return f"{self.backend} {self.mode}"


Key = tuple[str, str, tuple[int, ...], Direction]
"""Operation, dtype, shape and direction: what is compared between columns."""


@dataclass(slots=True)
class Table:
    """Every timing of some files.

    Attributes:
        columns: in order.
        cells: by what is compared, then by the column's number.
        calls: of each operation, as a case would write it.
    """

    columns: list[Column]
    cells: dict[Key, dict[int, Timing]] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)

    @property
    def operations(self) -> list[str]:
        """In the order of the files."""
        return list(self.calls)

    @property
    def dtypes(self) -> list[str]:
        """Those with the most shapes first."""
        found: dict[str, set[tuple[int, ...]]] = {}
        for _, dtype, shape, _ in self.cells:
            found.setdefault(dtype, set()).add(shape)
        return sorted(found, key=lambda dtype: -len(found[dtype]))

    def shapes(self, dtype: str = "") -> list[tuple[int, ...]]:
        """The shapes that were timed (in a dtype), by size."""
        found = {shape for _, of, shape, _ in self.cells if dtype in ("", of)}
        return sorted(found, key=lambda shape: (_size(shape), shape))

    def calls_of(self, column: Column, key: Key) -> Calls | None:
        """The times of a cell, if it has any."""
        timing = self.cells.get(key, {}).get(column.number)
        return timing.calls if timing is not None else None


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def table(runs: Sequence[TimingRun]) -> Table:
    """Put timing files side by side."""
    result = Table([])
    for index, (run, label) in enumerate(zip(runs, labels_of([run.about for run in runs]), strict=True)):
        for place, mode in enumerate(run.modes):
            plain = mode == run.about.plain
            result.columns.append(Column(len(result.columns), run, label, mode, plain, index % 6, place % 3))
        numbers = {c.mode: c.number for c in result.columns if c.run is run}
        for timing in run.timings.values():
            cell = timing.cell
            result.calls.setdefault(cell.operation, cell.call)
            key = (cell.operation, cell.dtype, cell.shape, cell.direction)
            result.cells.setdefault(key, {})[numbers[cell.mode]] = timing
    return result
