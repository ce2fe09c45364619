"""What is wrong with a case file: every mistake, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.ground import limits
from conformance.words.visible import clipped, on_one_line


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is (line and column count from 1), and what was expected and found."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        message = on_one_line(clipped(self.message, limits.MESSAGE_CHARACTERS))
        return f"{on_one_line(self.path)}:{self.line}:{self.column}: {message}"


def place_in(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character of a text, by the line ends of YAML."""
    lines = f"{text[:offset]}.".splitlines()
    return len(lines), len(lines[-1])


class CaseFileError(ValueError):
    """One or more case files can't be used. `problems` lists every mistake found, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.path, p.line, p.column))
        super().__init__("\n".join(map(str, self.problems)))


class Mistake(Exception):  # noqa: N818 - it never leaves this package; the loader gives it a place and a name
    """A mistake found by a part that doesn't know its place in the file, only a path into the data.

    `keys` leads from the case to the value; `offset` is the position inside a scalar, in characters. `at_key` says
    that the mistake is the last of the keys itself.
    """

    def __init__(
        self, message: str, keys: tuple[str | int, ...] = (), offset: int = 0, *, at_key: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.keys = keys
        self.offset = offset
        self.at_key = at_key


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` ; did you mean 'x'?`` for the nearest known word, or the list of known words where none is near."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known are {', '.join(known)}" if known else ""
