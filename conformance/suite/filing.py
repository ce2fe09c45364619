"""The run file that a run of pytest writes: which it is, what is to be in it, and what is in it already."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance import runfile
from conformance.runfile import Header, Reader
from conformance.suite import resuming, sharding
from conformance.suite.attempts import Attempt
from conformance.suite.describing import Item, WholeOfShard
from conformance.suite.session import BackendSession


@dataclass(slots=True)
class Filing:
    """A session and its run file.

    Attributes:
        session: what runs.
        path: of the run file; of one part of it, where several processes write one each.
        items: mode and case ID of everything that will run, in all of those processes.
        selected: what was asked for, in words.
        shard: where `items` are one shard of several: what all of them are.
        recorded: the run file as far as it goes, where that is gone on with.
    """

    session: BackendSession
    path: Path
    items: Sequence[Item]
    selected: str = ""
    shard: WholeOfShard | None = None
    recorded: Reader | None = None

    def resume(self, absorb: bool = True) -> None:
        """Go on with what is in the run file, and, with `absorb`, in parts that were not joined to it.

        Raises:
            ResumeError: it was written by a run of something else.
            RunFileError: it can't be read.
        """
        if absorb and parts_of(self.path):
            resuming.recorded(self.path, self.header)
            absorb_parts(self.path)
        self.recorded = resuming.recorded(self.path, self.header)

    @property
    def header(self) -> Header:
        """The header, without what only the framework can tell until it was started."""
        return self.session.header(self.session.shares(self.items), self.selected, self.shard)

    def open(self, path: Path, recorded: Reader | None) -> None:
        """Start the framework, and record to a run file, or to a part of it, from here on.

        Raises:
            UnwritableError: it can't be written to.
        """
        self.session.record_to(path, self.items, self.selected, self.shard, recorded)

    def shares(self, number: int) -> list[tuple[Path, list[Attempt]]]:
        """What is to be done, shared out: for each process the file that it writes, and its attempts in order."""
        cases = {case.id: case for case in self.session.selection.cases}
        attempts = [attempt for mode, case in self.items for attempt in self.session.attempts(cases[case], mode)]
        recorded = self.recorded
        left = [a for a in attempts if recorded is None or not recorded.holds(*a.key)]
        hands = sharding.deal(Counter(attempt.variant.case.id for attempt in left), number)
        paths = [self.path, *(part_of(self.path, str(n)) for n in range(2, number + 1))]
        return [
            (path, [attempt for attempt in left if attempt.variant.case.id in hand])
            for path, hand in zip(paths, hands, strict=True)
        ]


def part_of(path: Path, name: str) -> Path:
    """A part of a run file that a process of its own writes; joined to it at the end."""
    return path.with_name(f"{path.name}.part-{name}")


def parts_of(path: Path) -> list[Path]:
    """The parts of a run file that were not joined to it."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.part-*"))


def absorb_parts(path: Path, alone: bool = False) -> None:
    """Join a run file, if it is there, and all its parts into it; or the parts alone, in its place.

    Raises:
        JoinError: they are not of one run.
        RunFileError: one of them can't be read.
        UnwritableError: the run file can't be written.
    """
    parts = parts_of(path)
    if parts:
        paths = parts if alone or not path.exists() else [path, *parts]
        runfile.join(paths, path, of_one_run=True)
        drop_parts(path)


def drop_parts(path: Path) -> None:
    """Remove the parts of a run file."""
    for part in parts_of(path):
        part.unlink()
