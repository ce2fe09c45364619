"""The application that commands are added to, what they print to, and how they end."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, NoReturn, ParamSpec

import typer

from conformance.words.terminal import CLOSED_PIPE, Terminal, end, open_closed_streams

app = typer.Typer(
    help="Runs one set of cases through PyTorch, TensorFlow, JAX and NumPy, and judges every result against exact "
    "arithmetic.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
out = Terminal()
err = Terminal(stderr=True)

_GIVEN = ParamSpec("_GIVEN")


def examples(*commands: str) -> str:
    """What stands under a command's help: lines to copy."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)  # '\b': as they stand


def to_its_end(kept: str) -> Callable[[Callable[_GIVEN, None]], Callable[_GIVEN, None]]:
    """A command that is there for the files it writes: it goes on where what it prints does not arrive.

    Only then does its status tell that. Ctrl-C ends it with a word and status 130, wherever it is.

    Args:
        kept: what an interrupted one leaves.
    """

    def decorate(command: Callable[_GIVEN, None]) -> Callable[_GIVEN, None]:
        @wraps(command)
        def to_its_end(*given: _GIVEN.args, **named: _GIVEN.kwargs) -> None:
            try:
                with out.going_on(), err.going_on():
                    command(*given, **named)
            except KeyboardInterrupt:
                err.print(f"interrupted; {kept}")
                raise typer.Exit(130) from None
            except typer.Exit:
                if lost := out.lost or err.lost:
                    _unheard(lost)
                raise

        return to_its_end

    return decorate


def _say_version(wanted: bool) -> None:
    if wanted:
        from conformance import __version__

        out.print(f"conformance {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What is asked of no command."""


def fail(message: str) -> NoReturn:
    """End with status 2: a mistake in what was asked for, or in a file."""
    err.print(f"error: {message}")
    raise typer.Exit(2)


def main() -> None:
    """The entry point of the ``conformance`` command."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # of what the terminal's encoding has no character for
    output = sys.stdout
    try:
        app()
    except SystemExit:
        if sys.stdout is not output:  # typer's sign that what it printed itself, a help text, went into a closed pipe
            end(CLOSED_PIPE)
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG):
            raise
        _unheard(error)


def _unheard(error: OSError) -> NoReturn:
    """End, for what was printed did not arrive."""
    if error.errno == errno.EPIPE:
        end(CLOSED_PIPE)
    err.print(f"error: the output can't be written: {error.strerror}")
    end(2)
