"""What commands print: text from files made visible, and an end that is quiet where nobody reads on."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from conformance.visible import visible

CLOSED_PIPE = 141
"""Exit status where the reader of the output has gone (``conformance list | head -1``), as shells report SIGPIPE."""


class Terminal(Console):
    """A console that takes every string for plain text: no markup, no colours of its own, no escapes of a terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "soft_wrap": True, "markup": False, "emoji": False} | options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with control and bidirectional characters shown as escapes. Every string passes here."""
        return super().render_str(visible(text), **options)

    def on_broken_pipe(self) -> None:
        """End at once and quietly."""
        self.quiet = True
        end(CLOSED_PIPE)


def write(text: str) -> None:
    """Write to the standard output as it stands, for programs to read."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        end(CLOSED_PIPE)


def end(status: int) -> NoReturn:
    """End, and write nothing more: what is still in the buffers goes nowhere, so that nothing can complain of it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    raise SystemExit(status)
