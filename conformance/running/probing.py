"""Which backends can run on a device: asked in a process each, for a framework is imported by nobody who only asks."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from conformance import backends
from conformance.backends.spelling import Unsupported
from conformance.execution.starting import started
from conformance.running.child import python_command

_MARK = "conformance lacks: "
"""What the answer begins with: frameworks print lines of their own."""

_ANSWERS_WITHIN = 60.0


def lacking(names: Sequence[str], device: str) -> dict[str, str]:
    """The backends that can't run on a device, with the reason of each.

    One that can't even be asked (a broken adapter, a framework that crashes or hangs when it is imported) is not among
    them: a run of it shows what is wrong.

    Args:
        names: of backends whose frameworks are installed.
        device: its name, as `conformance.ground.devices` has it.
    """
    command = [*python_command(), "-m", "conformance.running.probing"]
    asked = {
        name: subprocess.Popen(
            [*command, name, device],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
        for name in names
    }
    last = time.monotonic() + _ANSWERS_WITHIN
    try:
        return {name: reason for name, process in asked.items() if (reason := _answer(process, last))}
    finally:
        for process in asked.values():
            process.kill()
            process.communicate()


def _answer(process: subprocess.Popen[str], last: float) -> str:
    try:
        said, _ = process.communicate(timeout=max(last - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        return ""
    return next((line.removeprefix(_MARK) for line in said.splitlines() if line.startswith(_MARK)), "")


def _ask(name: str, device: str) -> None:
    try:
        started(backends.load(name), device)
    except Unsupported as reason:
        sys.stdout.write(f"{_MARK}{' '.join(str(reason).split())}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _ask(*sys.argv[1:])
