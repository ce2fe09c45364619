"""Files from elsewhere: opened only if they are files, read only if they are not too large, found without end.

A FIFO, a device or a folder in a file's place is an error at once: reading it could block for ever or never end.

What is written takes the place of an older file in one go, or not at all.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from conformance.ground import limits

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_file(path: Path) -> BinaryIO:
    """Open a regular file, or a symbolic link to one, for reading.

    Raises:
        OSError: it can't be opened or is no regular file; `strerror` says why.
    """
    _refuse_others(path, os.stat(path).st_mode)  # before it is opened: that alone may have an effect on a device
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _refuse_others(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_others(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise OSError(errno.EINVAL, f"expected a file, found {kind}", str(path))


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file of at most `most` bytes.

    Raises:
        OSError: it can't be read, is no regular file or has more bytes; `strerror` says which.
    """
    with open_file(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return found


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to: what is written there takes the place of `path` once all of it is written.

    Until then, and where it can't be written (a full disk), what stood there before stands. A device or a FIFO is
    written to itself.

    Raises:
        OSError: it can't be written; `filename` is `path`.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    target = Path(os.path.realpath(path))  # of a symbolic link, what it leads to is replaced
    new = target.with_name(f"{target.name}.{os.getpid()}.new")  # another process may be writing the same
    try:
        yield new
        new.replace(target)
    except OSError as error:
        if error.filename not in (None, str(new)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def files_under(root: Path, suffix: str) -> Iterator[Path]:
    """Every file under a folder whose name ends so, in no order. Symbolic links to folders are not followed.

    Raises:
        OSError: a folder can't be read, or there are more than `limits.FOLDER_ENTRIES` files and folders.
    """
    waiting, seen = [root], 0
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                seen += 1
                if seen > limits.FOLDER_ENTRIES:
                    many = f"there are more than {limits.FOLDER_ENTRIES:,} files and folders in it"
                    raise OSError(errno.EFBIG, many, str(root))
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.name.endswith(suffix):
                    yield Path(entry.path)


def files_in(folder: Path, suffix: str) -> list[Path]:
    """What stands in a folder under a name that ends so, sorted; nothing where the path is no folder, nor could be."""
    return sorted(folder.glob(f"*{suffix}")) if os.path.isdir(folder) else []  # Path.glob minds a name that is too long
