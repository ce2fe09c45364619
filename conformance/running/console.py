"""What `conformance run` shows on a terminal: progress while it runs, a summary after it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from conformance.runfile import Run
from conformance.running.child import Child
from conformance.running.running import summary


class Watch:
    """A progress bar a backend on a terminal; elsewhere a line when a backend has finished.

    Args:
        console: where.
        unit: what is counted.
    """

    def __init__(self, console: Console, unit: str = "records") -> None:
        self._console = console
        self._unit = unit
        self._tasks: dict[str, TaskID] = {}
        self._finished: set[str] = set()
        self._progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Watch:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._progress.stop()

    def __call__(self, children: Sequence[Child[Any]]) -> None:
        """Show where every process stands."""
        for child in children:
            shown = child.followed
            if child.backend not in self._tasks:
                self._tasks[child.backend] = self._progress.add_task(child.backend, total=None, failed="")
            failed = f"{shown.failed:,} failed" if shown.failed else ""
            task = self._tasks[child.backend]
            self._progress.update(task, total=shown.total, completed=shown.done, failed=failed)
            if child.status is not None and child.backend not in self._finished:
                self._finished.add(child.backend)
                self._progress.stop_task(task)
                if not self._console.is_terminal:
                    line = f"{child.backend}: {shown.done:,} {self._unit} in {child.seconds:.1f} s  {failed}"
                    self._console.print(line.rstrip())


def print_summary(console: Console, runs: Sequence[Run]) -> None:
    """A line for each backend and mode: the size of its manifest, and the verdicts."""
    rows = list(summary(runs))
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for run, mode, manifest, verdicts in rows:  # no table of rich's: where no terminal is, it would wrap at 80 columns
        console.print(f"{run:<{widths[0]}}   {mode:<{widths[1]}}   {manifest:>{widths[2]}}   {verdicts}".rstrip())
