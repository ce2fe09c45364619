"""What a check came to, and who is to blame for an error."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import conformance
from conformance.backends.base import Backend

_PACKAGE = Path(conformance.__file__).parent

Party = Literal["adapter", "framework"]


class FaultError(Exception):
    """A check does not hold; the message says what was due and what came."""


@dataclass(frozen=True, slots=True)
class Line:
    """A check.

    Attributes:
        party: whose fault it is if it does not hold.
        check: what is checked, in words.
        problem: what is wrong; empty where nothing is.
        note: what else there is to say.
        operation: whose idiom it is about, if it is about one.
    """

    party: Party
    check: str
    problem: str = ""
    note: str = ""
    operation: str = ""

    def __str__(self) -> str:
        """The line as it is printed: who is at fault, what is checked, and beneath it what is wrong."""
        said = [f"           {text}" for text in (self.problem, self.note if self.problem else "") if text]
        note = f"   ({self.note})" if self.note and not self.problem else ""
        return "\n".join([f"{self.party:<9}  {'FAULT' if self.problem else 'ok':<5}  {self.check}{note}", *said])


def in_words(error: BaseException) -> str:
    """An error with the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return (
        f"{text} ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}: {frames[-1].line})" if frames else text
    )


def to_blame(error: BaseException, kind: type[Backend]) -> Party:
    """Who raised it: the adapter, if its own code is where it happened, or this suite's; else the framework."""
    modules = {cls.__module__ for cls in kind.__mro__} | kind.idioms.modules
    own = {getattr(sys.modules.get(name), "__file__", None) for name in modules}
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[-1].name == "__getattr__":  # a name that is not there is a mistake of whoever asks for it
        frames.pop()
    here = not frames or frames[-1].filename in own or Path(frames[-1].filename).is_relative_to(_PACKAGE)
    return "adapter" if here else "framework"
