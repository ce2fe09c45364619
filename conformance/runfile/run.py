"""A run file that was read, and is read again a case at a time.

It may be far larger than memory. What stays there is the header, the cases, how many records of each verdict there are,
and where in the file the lines of each case stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from conformance.ground import limits
from conformance.ground.files import open_file
from conformance.runfile.lines import CaseLine, Footer, Header, Record, VariantLine
from conformance.runfile.sealing import LineError, decode
from conformance.words.visible import clipped, on_one_line


class RunFileError(ValueError):
    """A run file can't be read: where, and why, on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(on_one_line(clipped(message, limits.MESSAGE_CHARACTERS)))


@dataclass(slots=True)
class CaseLines:
    """What a run holds of one case.

    Attributes:
        case: the case.
        variants: by ID, in order.
        records: mode by mode, in order.
    """

    case: CaseLine
    variants: dict[str, VariantLine] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """A run file that was read.

    Attributes:
        path: of the file.
        header: its first line.
        cases: by ID, in order.
        footer: None where the run is incomplete.
        recorded: how many records of each verdict there are, by mode, zeros included.
        places: where in the file the lines of each case stand: their first byte and the one after their last, for
            each stretch of the file that is about the case.
    """

    path: Path
    header: Header
    cases: dict[str, CaseLine] = field(default_factory=dict)
    footer: Footer | None = None
    recorded: dict[str, dict[str, int]] = field(default_factory=dict)
    places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the run came to its end, with a record for every variant of its manifest."""
        return self.footer is not None and not self.missing()

    @property
    def size(self) -> int:
        """How many records there are."""
        return sum(n for verdicts in self.recorded.values() for n in verdicts.values())

    def missing(self) -> dict[str, int]:
        """How many records each mode lacks, by mode; empty where none."""
        have = {mode: sum(verdicts.values()) for mode, verdicts in self.recorded.items()}
        return {m.name: m.variants - have[m.name] for m in self.header.modes if have[m.name] != m.variants}

    def counts(self) -> dict[str, dict[str, int]]:
        """Records of each verdict, by mode, zeros included; what is missing counts as 'not-run'."""
        counts = {mode: dict(verdicts) for mode, verdicts in self.recorded.items()}
        for mode, missing in self.missing().items():
            counts[mode]["not-run"] += missing
        return counts

    def parts(self) -> Iterator[CaseLines]:
        """All cases with their variants and records, read one at a time.

        Raises:
            RunFileError: the file was changed in the meantime.
        """
        with open_file(self.path) as file:
            for case in self.cases:
                yield self._part(file, case)

    def part(self, case: str) -> CaseLines:
        """One case with its variants and records; nothing of a case that the run does not have.

        Raises:
            KeyError: the run has no such case.
            RunFileError: the file was changed in the meantime.
        """
        with open_file(self.path) as file:
            return self._part(file, case)

    def _part(self, file: BinaryIO, case: str) -> CaseLines:
        found = CaseLines(self.cases[case])
        for start, end in self.places[case]:
            file.seek(start)
            for raw in file.read(end - start).splitlines(keepends=True):
                try:
                    line = decode(raw)
                except LineError:
                    raise RunFileError(f"{self.path}: was changed while it was being read; read it again") from None
                if isinstance(line, VariantLine):
                    found.variants[line.id] = line
                elif isinstance(line, Record):
                    found.records.append(line)
        modes = [mode.name for mode in self.header.modes]
        found.records.sort(key=lambda record: modes.index(record.mode))  # whichever process was the first
        return found

    @property
    def records(self) -> list[Record]:
        """All records, case by case. They are read anew, and fill memory: `parts` does not."""
        return [record for part in self.parts() for record in part.records]

    @property
    def variants(self) -> dict[str, VariantLine]:
        """All variants by ID, case by case. They are read anew, and fill memory: `parts` does not."""
        return {name: line for part in self.parts() for name, line in part.variants.items()}
