"""A folder that one run at a time writes to."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.runfile import now

NAME = ".lock"


class LockedError(RuntimeError):
    """Another run writes to the folder: which."""


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold a folder, which is made if need be, for as long as this process, or one that inherits the lock, is alive.

    The kernel lets go of it when they die, however they do: a lock file that was left behind is no obstacle.

    Yields:
        The descriptor that holds the lock.

    Raises:
        LockedError: another process holds it.
        OSError: the folder can't be made, or not be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, begun at {now()}".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    if sys.platform == "win32":  # where files can't be shared in this way, nor processes be forked
        return
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode("utf-8", "replace") or "a process that has just begun"
        raise LockedError(
            f"{folder}: another run writes here ({holder}); wait for it, or write elsewhere with --output"
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):  # a file system without locks
            raise
