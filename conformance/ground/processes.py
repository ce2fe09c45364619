"""Processes that may die in any way: what is said of their end, and how those they started are ended with them."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from collections.abc import Collection
from contextlib import suppress
from itertools import islice, takewhile
from pathlib import Path

PARENT = "CONFORMANCE_PARENT"
"""The environment variable with the process without which one that it started has nothing to do."""

_SHOWN = 8
_BEFORE = 3
_LONGEST_LINE = 300
FAULT = "Fatal Python error"
_BEYOND = (
    "Extension modules:",
    '  File "execution/program.py"',
    '  File "suite/subject.py"',
    '  File "suite/session.py"',
)
_PATH = re.compile(r'File "[^"\n]*[/\\]([^"/\\\n]+[/\\][^"/\\\n]+)"')
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def ending(status: int) -> str:
    """How a process ended, in words: 'SIGSEGV (segmentation fault)', 'exit status 3'.

    Args:
        status: as `os.waitpid` gives it.
    """
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else killed_by(-code)


def killed_by(number: int) -> str:
    """A signal in words: 'SIGSEGV (segmentation fault)'."""
    if number == signal.SIGKILL:
        return "SIGKILL (killed from outside, as the kernel does for want of memory)"
    try:
        return f"{signal.Signals(number).name} ({(signal.strsignal(number) or '').lower()})"
    except ValueError:
        return f"signal {number}"


def last_words(output: bytes) -> list[str]:
    """The lines at the end of what a process printed that tell most: of Python's own report of a fault, its beginning.

    Of the calls in it those of this suite are left out. Of paths the last two parts are kept: where a machine keeps its
    files says nothing.
    """
    lines = [_PATH.sub(r'File "\1"', line.rstrip()) for line in output.decode("utf-8", "replace").splitlines()]
    lines = [line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…" for line in lines if line]
    faults = [i for i, line in enumerate(lines) if line.startswith(FAULT)]
    if not faults:
        return lines[-_SHOWN:]
    report = takewhile(lambda line: not line.startswith(_BEYOND), lines[faults[-1] :])
    return lines[max(0, faults[-1] - _BEFORE) : faults[-1]] + list(islice(report, _SHOWN))


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it dies; Linux alone knows how."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of what children leave behind when they die, so that it can be found; Linux alone knows how."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_group(leader: int) -> None:
    """Kill a process group: a process that leads it, and what it started, and what those did."""
    with suppress(ProcessLookupError, PermissionError):  # the latter is macOS' word for a group of zombies
        os.killpg(leader, signal.SIGKILL)


def end_children(spare: Collection[int] = ()) -> None:
    """Kill and bury the children of this process, adopted ones included, and those that they leave behind.

    Args:
        spare: those that go on.
    """
    while strays := children() - set(spare):
        for child in strays:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def children() -> set[int]:
    """The children of this process, adopted ones included; only Linux can tell."""
    found: set[int] = set()
    with suppress(OSError):
        for task in Path("/proc/self/task").glob("*/children"):
            found |= {int(child) for child in task.read_text().split()}
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
