"""Reading a run file: every line checked against those before it, from end to end once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from conformance.ground import limits
from conformance.ground.files import open_file
from conformance.ground.verdicts import VERDICTS
from conformance.runfile.consistency import header_problem, record_problem
from conformance.runfile.lines import FORMAT, CaseLine, Count, Footer, Header, Line, Record, VariantLine
from conformance.runfile.manifest import Manifest
from conformance.runfile.run import Run, RunFileError
from conformance.runfile.sealing import LineError, check_seal, decode, is_sealed
from conformance.runfile.stored import Stored


def read(path: Path) -> Run:
    """Read a run file, finished or not. A last line that was cut off is left out, as if it had not been written.

    Raises:
        RunFileError: it is no run file, of a newer format, or contradicts itself.
    """
    reader = Reader(path)
    reader.follow()
    run = reader.run
    if run is None:
        raise RunFileError(f"{path}: empty: not even a header was written")
    if all(case.line for case in run.cases.values()):  # files of before there were lines keep their order
        run.cases = dict(sorted(run.cases.items(), key=lambda item: (item[0].rpartition("/")[0], item[1].line)))
    return run


def _arrays(line: Line) -> Iterator[tuple[str, Stored]]:
    """The arrays of a line, each with its name in it."""
    if isinstance(line, VariantLine):
        yield from ((f"the input '{name}'", stored) for name, stored in line.inputs.items())
        if line.answer is not None:
            yield "the answer", line.answer
    elif isinstance(line, Record):
        yield from ((f"the result {i}", stored) for i, stored in enumerate(line.got, start=1))


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a run file from where it stands, each of them of bounded length; the last one may be torn.

    One that is longer comes as its first `limits.RUN_LINE_BYTES` bytes, and one more.
    """
    return iter(lambda: file.readline(limits.RUN_LINE_BYTES + 1), b"")


def read_header(path: Path) -> Header:
    """Read the first line of a run file, and nothing more.

    Raises:
        RunFileError: it is no run file, or of a newer format.
    """
    reader = Reader(path)
    reader.follow(lines=1)
    if reader.run is None:
        raise RunFileError(f"{path}: empty: not even a header was written")
    return reader.run.header


class Reader:
    """Goes through a run file, checks every line against those before it, and notes where cases stand.

    It may come back to a file that has grown: it reads on from where it stood.

    Attributes:
        path: of the file.
        run: what was read so far, its cases as they came; None before the header.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run: Run | None = None
        self._number = 0
        self._offset = 0
        self._footer = 0
        self._case_of: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        self._bits: dict[tuple[str, str], int] = {}
        self._left: dict[str, int] = {}
        self._manifests: dict[str, Manifest] = {}

    def follow(self, lines: int | None = None) -> None:
        """Read all whole lines that are there, or no more than so many from the beginning.

        Raises:
            RunFileError: it is no run file, of a newer format, or contradicts itself.
        """
        try:
            with open_file(self.path) as file:
                file.seek(self._offset)
                for raw in islice(lines_of(file), None if lines is None else max(0, lines - self._number)):
                    self._number += 1
                    if len(raw) > limits.RUN_LINE_BYTES:
                        raise self._error(f"a line of more than {limits.RUN_LINE_BYTES:,} bytes")
                    if not raw.endswith(b"\n"):
                        if self.run is not None and self.run.footer is not None:
                            raise self._error("something after the footer")
                        self._number -= 1
                        break  # the writer died in the middle of this line, or is there yet
                    self._take(raw)
        except OSError as error:
            raise RunFileError(f"{self.path}: can't be read: {error.strerror}") from None

    def holds(self, variant: str, mode: str, idiom: str = "") -> bool:
        """Whether there is a record of a variant in a mode, in a spelling."""
        bit = self._bits.get((mode, idiom))
        return bit is not None and bool(self._seen.get(variant, 0) >> bit & 1)

    @property
    def variants(self) -> Collection[str]:
        """The IDs of the variants that there are lines of."""
        return self._case_of.keys()

    def without_footer(self) -> int:
        """Forget the footer, where there is one: the run goes on.

        Returns:
            How many bytes of the file hold what was read, the footer and a torn last line left out.
        """
        if self.run is not None and self.run.footer is not None:
            self.run.footer = None
            self._number -= 1
            self._offset = self._footer
        return self._offset

    def _take(self, raw: bytes) -> None:
        line = self._decoded(raw)
        if self.run is None:
            if not isinstance(line, Header):
                raise self._error("expected the header")
            if problem := header_problem(line):
                raise self._error(problem)
            self.run = Run(self.path, line)
            self.run.recorded = {mode.name: dict.fromkeys(VERDICTS, 0) for mode in line.modes}
            self._left = {mode.name: mode.variants for mode in line.modes}
            self._manifests = {mode.name: Manifest() for mode in line.modes}
        else:
            self._add(self.run, line, len(raw))
        self._offset += len(raw)

    def _error(self, message: str) -> RunFileError:
        return RunFileError(f"{self.path}:{self._number}: {message}")

    def _decoded(self, raw: bytes) -> Line:
        try:
            if self._number == 1:
                if is_sealed(raw):  # older formats had no checksums
                    check_seal(raw)
                self._check_format(raw)
            line = decode(raw)
            for name, stored in _arrays(line):
                try:
                    stored.array()
                except ValueError as error:
                    raise LineError(f"{name}: {error}") from None
        except LineError as error:
            raise self._error(str(error)) from None
        return line

    def _check_format(self, raw: bytes) -> None:
        class Opening(Struct):
            kind: str
            format: Count

        try:
            opening = msgspec.json.decode(raw, type=Opening)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._error("not a run file: expected its header") from None
        if opening.kind != "header":
            raise self._error(f"not a run file: expected its header, found '{opening.kind}'")
        if opening.format != FORMAT:
            raise self._error(
                f"format {opening.format}; this version of the suite reads format {FORMAT}. "
                f"Read it with the version that wrote it, or run again"
            )

    def _add(self, run: Run, line: Line, length: int) -> None:
        if run.footer is not None:
            raise self._error("a line after the footer")
        if len(self._case_of) + len(run.cases) > limits.RUN_FILE_VARIANTS:
            raise self._error(f"more than {limits.RUN_FILE_VARIANTS:,} cases and variants")
        if isinstance(line, CaseLine):
            if line.id in run.cases:
                raise self._error(f"a second time the case '{line.id}'")
            run.cases[line.id] = line
            run.places[line.id] = []
        elif isinstance(line, VariantLine):
            if line.case not in run.cases:
                raise self._error(f"a variant of the unknown case '{line.case}'")
            if line.id in self._case_of:
                raise self._error(f"a second time the variant '{line.id}'")
            self._case_of[line.id] = run.cases[line.case].id
            self._seen[line.id] = 0
            self._note(run, line.case, length)
        elif isinstance(line, Record):
            self._record(run, line)
            self._note(run, self._case_of[line.variant], length)
        elif isinstance(line, Footer):
            self._check_footer(run, line)
            run.footer = line
            self._footer = self._offset
        else:
            raise self._error("a second header")

    def _record(self, run: Run, record: Record) -> None:
        counts = run.recorded.get(record.mode)
        if record.variant not in self._case_of or counts is None:
            raise self._error(f"a record of an unknown variant or mode: {(record.variant, record.mode)}")
        if problem := record_problem(record):
            raise self._error(f"the record of '{record.variant}' contradicts itself: {problem}")
        bit = 1 << self._bits.setdefault((record.mode, record.idiom), len(self._bits))
        seen = self._seen[record.variant]
        if seen & bit:
            raise self._error(f"a second record of '{record.variant}' in mode {record.mode}")
        if not self._left[record.mode]:
            raise self._error(f"more records in mode {record.mode} than its manifest has variants")
        self._left[record.mode] -= 1
        self._manifests[record.mode].add(record.variant, record.idiom)
        self._seen[record.variant] = seen | bit
        counts[record.verdict] += 1

    def _check_footer(self, run: Run, footer: Footer) -> None:
        if footer.records != run.size:
            raise self._error(f"the footer counts {footer.records} records, the file holds {run.size}")
        counted = {mode: {v: n for v, n in verdicts.items() if n} for mode, verdicts in run.recorded.items()}
        if footer.counts != counted:
            raise self._error(f"the footer counts {footer.counts}, the file holds {counted}")
        for mode in run.header.modes:
            if mode.digest and not self._left[mode.name] and mode.digest != self._manifests[mode.name].digest:
                raise self._error(
                    f"the records in mode {mode.name} are as many as its manifest has variants, but of others: "
                    f"some were taken away or put in"
                )

    def _note(self, run: Run, case: str, length: int) -> None:
        places, end = run.places[case], self._offset + length
        if places and places[-1][1] == self._offset:
            places[-1] = (places[-1][0], end)
        else:
            places.append((self._offset, end))
