"""The pages that several commands write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli.application import err, fail, out

if TYPE_CHECKING:
    from conformance.runfile import Run
    from conformance.timing.model import TimingRun


def write_reports(runs: list[Run], folder: Path, problems: list[str], cases: Path | None = None) -> bool:
    """Write all reports; whether they could be written, and a line where not."""
    from conformance.reports import machines, parity

    page = folder / "parity.html"

    def write() -> str:
        parity.write(runs, page)
        written = machines.write(runs, folder, problems, cases)
        return f"{page}; for machines {', '.join(path.name for path in written)}"

    return _written(page, write)


def read_timings(folder: Path) -> list[TimingRun]:
    """The timing files of a folder of reports."""
    from conformance.timing import benching, timingfile

    try:
        return benching.in_order(timingfile.read_all(timingfile.paths_in(folder)))
    except timingfile.TimingFileError as error:
        fail(str(error))


def write_timing(timings: Sequence[TimingRun], folder: Path) -> bool:
    """Write the page of timings; whether it could be written, and a line where not."""
    from conformance.reports import timing

    page = folder / "timing.html"

    def write() -> str:
        timing.write(timings, page)
        return str(page)

    return _written(page, write)


def _written(page: Path, write: Callable[[], str]) -> bool:
    """Write what `write` writes, a page first of all, and print what it gives; whether it could be written."""
    try:
        written = write()
    except OSError as error:
        err.print(f"error: {error.filename or page}: can't be written to: {error.strerror}")
        return False
    out.print(written)
    return True
