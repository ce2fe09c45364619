"""What commands print: text from files made visible, and an end that is quiet where nobody reads on."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from conformance.words.visible import visible

CLOSED_PIPE = 141
"""Exit status where the reader of the output has gone (``conformance list | head -1``), as shells report SIGPIPE."""
_STREAMS = ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY))


class Terminal(Console):
    """A console that takes every string for plain text: no markup, no colours of its own, no escapes of a terminal.

    Attributes:
        lost: why what was printed did not arrive, where a command went on regardless (see `going_on`).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "soft_wrap": True, "markup": False, "emoji": False} | options)
        self.lost: OSError | None = None
        self._goes_on = False

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with control and bidirectional characters shown as escapes. Every string passes here."""
        return super().render_str(visible(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, unless nothing that was printed arrives any more."""
        try:
            super().print(*objects, **options)
        except OSError as error:
            if not self._goes_on:
                raise
            self._go_on_without(error)

    def on_broken_pipe(self) -> None:
        """End at once and quietly, or go on quietly."""
        if not self._goes_on:
            self.quiet = True
            end(CLOSED_PIPE)
        self._go_on_without(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def _go_on_without(self, error: OSError) -> None:
        self.lost, self.quiet = error, True
        with suppress(UnsupportedOperation):  # a stream in memory
            _to_nowhere(self.file.fileno())

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Do what is done inside to its end, whether or not what is printed arrives; `lost` says that it did not."""
        self._goes_on = True
        try:
            yield
        finally:
            self._goes_on = False


def write(text: str) -> None:
    """Write to the standard output as it stands, for programs to read."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        end(CLOSED_PIPE)


def end(status: int) -> NoReturn:
    """End, and write nothing more: what is still in the buffers goes nowhere, so that nothing can complain of it."""
    for stream in (sys.stdout, sys.stderr):
        _to_nowhere(stream.fileno())
    raise SystemExit(status)


def open_closed_streams() -> None:
    """Let the standard streams that are closed (``conformance run >&-``) lead nowhere.

    Otherwise the next file that is opened, a run file or a lock, would be given the number of one, and what is meant
    for the stream would go there.
    """
    for number, name, how in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, how)  # which is given the lowest number that is free: this one
            setattr(sys, name, os.fdopen(number, "r" if how == os.O_RDONLY else "w", closefd=False))


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
