"""One side of a comparison: the run files and timing files under a path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance import runfile
from conformance.ground.files import files_in
from conformance.runfile import Run, RunFileError, merging
from conformance.timing import timingfile
from conformance.timing.model import TimingRun
from conformance.timing.timingfile import TimingFileError


class SideError(ValueError):
    """A side can't be read: which, and why."""


@dataclass(frozen=True, slots=True)
class Side:
    """What stands on one side.

    Attributes:
        name: 'A' or 'B'.
        path: as it was given.
        runs: every run file there.
        timings: every timing file there.
    """

    name: str
    path: Path
    runs: list[Run]
    timings: list[TimingRun]


@contextmanager
def load(name: str, path: Path) -> Iterator[Side]:
    """Read a side: a run file, a timing file (``.json``), or a folder as `conformance run` and `bench` leave it.

    Shards in a folder are joined; the joined files last as long as this does. A shard that is given by itself is taken
    as it is: to be compared with the same one of another run.

    Args:
        name: 'A' or 'B'.
        path: of the file or folder.

    Raises:
        SideError: nothing is there, or a file of it can't be read.
    """
    if path.is_dir():
        runs, timings = files_in(path, ".jsonl"), timingfile.paths_in(path)
        if not runs and not timings:
            raise SideError(
                f"{path}: no run files and no timing files; 'conformance run' and 'conformance bench' write"
            )
    elif not path.exists():
        raise SideError(f"{path}: no such file or folder")
    else:
        runs, timings = ([], [path]) if path.suffix == ".json" else ([path], [])
    with ExitStack() as files:
        try:
            whole = (
                files.enter_context(merging.gathered(runs)) if path.is_dir() else [runfile.read(one) for one in runs]
            )
            side = Side(name, path, whole, [timingfile.read(one) for one in timings])
        except (RunFileError, TimingFileError) as error:
            raise SideError(str(error)) from None
        yield side
