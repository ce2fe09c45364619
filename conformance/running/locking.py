"""A folder, or a file in it, that one run at a time writes to."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from conformance.runfile import now

NAME = ".lock"


class LockedError(RuntimeError):
    """Another run writes there: which."""


@contextmanager
def locked(folder: Path, files: Sequence[str] = ()) -> Iterator[list[int]]:
    """Hold a folder, or files in it, for as long as this process, or one that inherits the locks, is alive.

    The kernel lets go of them when they die, however they do: a lock file that was left behind is no obstacle.

    Args:
        folder: is made if need be.
        files: names of those that will be written. Others may write other files beside them, and nobody may hold the
            whole folder. Without any, the whole folder is held.

    Yields:
        The descriptors that hold the locks.

    Raises:
        LockedError: another process holds it.
        OSError: the folder can't be made, or not be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        yield [
            held.enter_context(_held(folder / NAME, folder, shared=bool(files))),
            *(held.enter_context(_held(folder / f".{name}{NAME}", folder / name)) for name in files),
        ]


@contextmanager
def _held(lock: Path, what: Path, shared: bool = False) -> Iterator[int]:
    """A lock on `what`, which this process holds alone, or shares with others that share it."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, what, shared)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, begun at {now()}".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, what: Path, shared: bool) -> None:
    if sys.platform == "win32":  # where files can't be shared in this way, nor processes be forked
        return
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode("utf-8", "replace") or "a process that has just begun"
        raise LockedError(
            f"{what}: another run writes here ({holder}); wait for it, or write elsewhere with --output"
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):  # a file system without locks
            raise
