"""What a process that runs a backend shows of itself: the run file that grows, and what it prints."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from conformance.ground.verdicts import FAILURES
from conformance.runfile import Header
from conformance.suite.filing import parts_of

_KEPT = 65536
_RECORD = b'{"kind":"record"'
_FAILURES = tuple(f'"verdict":"{verdict}"'.encode() for verdict in FAILURES)


@dataclass(slots=True)
class _Counted:
    """The whole lines of one file so far."""

    total: int | None = None
    done: int = 0
    failed: int = 0
    offset: int = 0

    def read_on(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self.offset)
            new = file.read()
        end = new.rfind(b"\n") + 1  # a line that is not whole yet, or was torn and will be cut off, is left
        self.offset += end
        for line in new[:end].splitlines():
            if self.total is None:
                self.total = sum(mode.variants for mode in msgspec.json.decode(line, type=Header).modes)
            elif line.startswith(_RECORD):
                self.done += 1
                self.failed += any(verdict in line for verdict in _FAILURES)


class Followed:
    """A run file while it is written, with the parts that several processes write.

    Args:
        path: of the run file.
        going_on: whether what is there already belongs to it; otherwise it is an older run's until it is replaced.

    Attributes:
        path: of the run file.
    """

    def __init__(self, path: Path, going_on: bool = False) -> None:
        self.path = path
        # They are kept open, so that no new file is given their number.
        self._kept = [] if going_on else [one.open("rb") for one in (path, *parts_of(path)) if one.is_file()]
        self._old = {os.fstat(file.fileno()).st_ino for file in self._kept}
        self._counted: dict[int, _Counted] = {}
        self._own = 0

    def look(self) -> None:
        """Read what was recorded since the last look."""
        there = {}
        for path in (self.path, *parts_of(self.path)):
            identity = _identity(path)
            if identity and identity not in self._old:
                there[identity] = self._counted.get(identity) or _Counted()
                try:
                    there[identity].read_on(path)
                except FileNotFoundError:  # a part that was joined in the meantime
                    del there[identity]
        self._counted = there
        self._own = _identity(self.path)

    def close(self) -> None:
        """Let go of older files."""
        for file in self._kept:
            file.close()

    @property
    def there(self) -> bool:
        """Whether there is a run file of this run, and not only one of an older run."""
        return bool(self._own) and self._own not in self._old

    @property
    def total(self) -> int | None:
        """How many records there will be; None before it is known."""
        return next((counted.total for counted in self._counted.values()), None)

    @property
    def done(self) -> int:
        """How many records there are."""
        return sum(counted.done for counted in self._counted.values())

    @property
    def failed(self) -> int:
        """How many of them are of failures."""
        return sum(counted.failed for counted in self._counted.values())


def _identity(path: Path) -> int:
    """What tells a file from one that took its place; 0 where there is none: to open a FIFO would never end."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_ino if stat.S_ISREG(found.st_mode) else 0


class Output:
    """What a process prints, read as it comes, so that it never waits; of much, the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._tail = bytearray()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while data := self._stream.read1(_KEPT):  # type: ignore[attr-defined] # of a pipe there is such a method
            self._tail += data
            del self._tail[:-_KEPT]

    def text(self) -> str:
        """The end of what was printed."""
        return bytes(self._tail).decode("utf-8", "replace")

    def close(self) -> None:
        """Read what is left after the process has ended."""
        self._thread.join(1.0)  # a grandchild that lives on may hold the pipe open
        if not self._thread.is_alive():
            self._stream.close()
