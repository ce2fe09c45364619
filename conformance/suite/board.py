"""What a worker shows of itself: what it is at, in memory that outlives it, and what it prints."""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
import tempfile
from enum import IntEnum

_TAIL = 16384
_LARGEST = 1 << 23
_AT_ONCE = 65536
_READS_AT_ONCE = 16


class End(IntEnum):
    """How a worker came to its end."""

    NOT_YET = 0
    ALL_RAN = 1
    CUT_SHORT = 2
    """by pytest: ``-x``"""


class Board:
    """What a worker is at, in memory that it shares with its keeper and that outlives it."""

    _CURRENT, _RECORDING, _ENDED, _UNWRITABLE, _MARKED = range(5)

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")
        self._cells[self._CURRENT] = -1

    @property
    def current(self) -> int:
        """The number of the attempt in hand, or that was in hand last; -1 before the first."""
        return self._cells[self._CURRENT]

    @current.setter
    def current(self, number: int) -> None:
        self._cells[self._CURRENT] = number

    @property
    def recording(self) -> bool:
        """Whether the framework has started, and the run file is open."""
        return bool(self._cells[self._RECORDING])

    @recording.setter
    def recording(self, value: bool) -> None:
        self._cells[self._RECORDING] = value

    @property
    def ended(self) -> End:
        """Whether the worker came to its end by itself: how its process ends after that is no matter."""
        return End(self._cells[self._ENDED])

    @ended.setter
    def ended(self, value: End) -> None:
        self._cells[self._ENDED] = value

    @property
    def unwritable(self) -> int:
        """The number of the error for which the run file could not be written, or 0."""
        return self._cells[self._UNWRITABLE]

    @unwritable.setter
    def unwritable(self, number: int) -> None:
        self._cells[self._UNWRITABLE] = number

    @property
    def marked(self) -> int:
        """How many bytes were on stderr when the attempt in hand began."""
        return self._cells[self._MARKED]

    @marked.setter
    def marked(self, size: int) -> None:
        self._cells[self._MARKED] = size


class Printed:
    """What a worker prints to stdout: passed on as it comes."""

    def __init__(self) -> None:
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)

    def drain(self) -> bool:
        """Pass on what is there, or much of it: who never stops printing must not keep the keeper from its watch.

        Returns:
            Whether that was all that will ever come.
        """
        try:
            for _ in range(_READS_AT_ONCE):
                if not (data := os.read(self.source, _AT_ONCE)):
                    return True
                _write_all(1, data)
        except BlockingIOError:
            pass
        return False

    def close(self) -> None:
        """Close both ends."""
        os.close(self.source)
        os.close(self.sink)


class Errors:
    """What a worker prints to stderr: passed on, and known from where on the attempt in hand has printed it.

    It goes to a file in memory, whose size the worker can see when it begins an attempt. Of a pipe only the keeper
    would know how much has come, and not when.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        if sys.platform == "linux":
            self.file = os.fdopen(os.memfd_create("stderr"), "r+b", buffering=0)
        else:
            self.file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the process
        fcntl.fcntl(self.file, fcntl.F_SETFL, os.O_APPEND)
        self._passed_on = 0

    def mark(self) -> None:
        """In the worker's process: what comes from here on is of the next attempt."""
        self._board.marked = os.fstat(self.file.fileno()).st_size

    def pass_on(self) -> None:
        """Pass on what is there, of much the end, and forget it where it is much: memory is not for noise."""
        size = os.fstat(self.file.fileno()).st_size
        self._passed_on = max(self._passed_on, size - _READS_AT_ONCE * _AT_ONCE)
        while self._passed_on < size:
            data = os.pread(self.file.fileno(), min(_AT_ONCE, size - self._passed_on), self._passed_on)
            self._passed_on += len(data)
            _write_all(2, data)
        if size > _LARGEST:
            self.file.truncate(0)
            self._board.marked = self._passed_on = 0

    def tail(self) -> bytes:
        """The end of what the attempt in hand has printed."""
        size = os.fstat(self.file.fileno()).st_size
        return os.pread(self.file.fileno(), _TAIL, max(self._board.marked, size - _TAIL))


def _write_all(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]
