"""Writing a run file, line by line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from conformance.ground.verdicts import VERDICTS
from conformance.runfile.lines import CaseLine, Footer, Header, Line, Record, VariantLine
from conformance.runfile.reading import Reader
from conformance.runfile.sealing import encode

CANT_WRITE = 100
LOST_RUN_FILE = 99
"""Exit status of a process whose run file somebody removed, or wrote to, while it was being written."""
_COPIED_AT_ONCE = 1 << 20


class UnwritableError(OSError):
    """A run file can't be written to: a full disk, a folder that is read-only. What stood in it is still right.

    Attributes:
        number: of the error.
        status: with which a process ends that finds this: `CANT_WRITE`, and the number.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(error.errno, error.strerror, str(path))
        self.number = error.errno or 0
        self.status = CANT_WRITE + self.number

    @classmethod
    def of_status(cls, path: Path, status: int) -> UnwritableError:
        """What a process found that ended with a status of more than `CANT_WRITE`."""
        number = status - CANT_WRITE
        return cls(path, OSError(number, os.strerror(number)))

    def __str__(self) -> str:
        return f"{self.filename}: can't be written to: {self.strerror}"


class Writer:
    """Writes a run file line by line; whenever the process dies, all that it recorded is there.

    A new file takes the place of an old one in one go, with its header.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._counts: dict[str, dict[str, int]] = {mode.name: dict.fromkeys(VERDICTS, 0) for mode in header.modes}
        self._seen: set[str] = set()
        self._pending = bytearray()
        self._whole = 0
        new = path.with_name(path.name + ".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(new, "wb")
        except OSError as error:
            raise UnwritableError(path, error) from None
        self._write(header)
        try:
            self._to_disk()
            new.replace(path)
        except OSError as error:
            self.close()
            new.unlink(missing_ok=True)
            raise UnwritableError(path, error) from None

    @classmethod
    def go_on(cls, reader: Reader) -> Writer:
        """Write on in a run file that was read as far as it goes; its footer and a torn last line are cut off.

        Raises:
            UnwritableError: it can't be written to.
        """
        assert reader.run is not None
        writer = cls.__new__(cls)
        writer.path = reader.path
        writer._counts = {mode: dict(verdicts) for mode, verdicts in reader.run.recorded.items()}
        writer._seen = {f"case {case}" for case in reader.run.cases} | {f"variant {v}" for v in reader.variants}
        writer._pending = bytearray()
        writer._whole = reader.without_footer()
        try:
            writer._file = FileIO(reader.path, "r+b")
            writer._file.truncate(writer._whole)
            writer._file.seek(writer._whole)
        except OSError as error:
            raise UnwritableError(reader.path, error) from None
        return writer

    def case(self, make: Callable[[], CaseLine], case_id: str) -> None:
        """Write the case that `make` gives, unless one of that ID was written."""
        self._once("case " + case_id, make)

    def variant(self, make: Callable[[], VariantLine], variant_id: str) -> None:
        """Write the variant that `make` gives, unless one of that ID was written."""
        self._once("variant " + variant_id, make)

    def _once(self, key: str, make: Callable[[], Line]) -> None:
        if key not in self._seen:
            self._write(make())
            self._seen.add(key)

    def record(self, record: Record) -> None:
        """Write a record, and hand it to the operating system: it is not lost when this process is."""
        self._write(record)
        self.flush()
        self._counts[record.mode][record.verdict] += 1

    def copy(self, line: bytes, mode: str = "", verdict: str = "") -> None:
        """Write a line of another run file as it stands; of a record, with its mode and verdict."""
        self._pending += line
        if mode:
            self._counts[mode][verdict] += 1
        if len(self._pending) > _COPIED_AT_ONCE:
            self.flush()

    @property
    def size(self) -> int:
        """How many records were written."""
        return sum(n for verdicts in self._counts.values() for n in verdicts.values())

    def flush(self) -> None:
        """Hand what was written to the operating system.

        Raises:
            UnwritableError: it could not; the file then ends where it ended before.
        """
        rest = bytes(self._pending)
        self._pending.clear()
        length = len(rest)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._whole)
            raise UnwritableError(self.path, error) from None
        self._whole += length

    def finish(self, finished: str, stopped: str = "") -> None:
        """Write the footer and close the file: the run came to its end, or was ended for the reason in `stopped`."""
        counts = without_zeros(self._counts)
        self._write(Footer(counts, finished, self.size, stopped))
        self._to_disk()
        self.close()

    def close(self) -> None:
        """Close the file. Without a footer: the run is incomplete."""
        if not self._file.closed:
            self.flush()
            self._file.close()

    def _to_disk(self) -> None:
        """Once at the beginning and once at the end: a loss of power in between costs the last records only."""
        self.flush()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UnwritableError(self.path, error) from None

    def _write(self, line: Line) -> None:
        self._pending += encode(line)


def without_zeros(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Counts by mode and verdict, as a footer has them."""
    return {mode: {verdict: n for verdict, n in verdicts.items() if n} for mode, verdicts in counts.items()}


def now() -> str:
    """The time as run files have it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
