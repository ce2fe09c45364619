"""Writes every file for machines beside the pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.ground.files import replacing
from conformance.reports.machines import badge, markdown, summary
from conformance.reports.machines.junit import JUnit
from conformance.reports.machines.table import Table
from conformance.reports.machines.tally import Tally
from conformance.reports.shared.columns import columns
from conformance.runfile import Run

NAMES = ("junit.xml", "summary.md", "summary.json", summary.SCHEMA, "badge.json", "records.csv")
"""The files that `write` writes."""


def write(runs: Sequence[Run], folder: Path, problems: Sequence[str] = (), cases: Path | None = None) -> list[Path]:
    """Write all files about some runs; the folder is made if need be.

    Args:
        runs: one or more, as `conformance.runfile.read` gives them.
        folder: where to; files of the same names are replaced.
        problems: why these runs can't be taken for whole ones, a line each.
        cases: the case files, for the commands that repeat a variant, where they are not those of the suite.

    Returns:
        The paths, in the order of `NAMES`.

    Raises:
        ValueError: there are no runs.
        RunFileError: a run file was changed in the meantime.
        OSError: a file can't be written.
    """
    if not runs:
        raise ValueError("no runs to report on")
    folder.mkdir(parents=True, exist_ok=True)
    every = columns(runs)
    places = {(column.run, column.mode.name): column for column in every}
    tally = Tally(runs, every, cases)
    with JUnit(runs, every, cases) as junit:
        with replacing(folder / "records.csv") as path, Table(runs, path) as table:
            for index, run in enumerate(runs):
                for part in run.parts():
                    records = [(places[index, record.mode], record) for record in part.records]
                    tally.add(part, records)
                    junit.add(part, records)
                    table.add(part, records)
        with replacing(folder / "junit.xml") as path:
            junit.write(path, problems)
    told = summary.of(tally, problems)
    for name, text in (
        ("summary.json", summary.text(told)),
        (summary.SCHEMA, summary.schema_text()),
        ("summary.md", markdown.text(told)),
        ("badge.json", badge.text(told)),
    ):
        with replacing(folder / name) as path:
            path.write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in NAMES]
