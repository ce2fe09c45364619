"""A backend's pytest process: started with nothing but what its command names, followed while it runs, ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from conformance.ground import processes
from conformance.running.following import Output

PYTEST_USAGE = 4
PYTEST_NOTHING = 5  # nothing matched -k
PYTEST_RAN = (0, 1, PYTEST_NOTHING)  # all passed, some failed
_PACKAGE = Path(__file__).parents[1]
_INI = _PACKAGE / "suite" / "pytest.ini"
_ENDS_WITHIN = 10.0
_SAID_SHOWN = 3000


class Progress(Protocol):
    """What a process shows of how far it is.

    Attributes:
        total: how much it will do in all; None before that is known.
        done: how much it has done.
        failed: how much of that failed.
    """

    @property
    def total(self) -> int | None: ...  # noqa: D102 - see above
    @property
    def done(self) -> int: ...  # noqa: D102 - see above
    @property
    def failed(self) -> int: ...  # noqa: D102 - see above

    def look(self) -> None:
        """See what was done since the last look."""


Shown = TypeVar("Shown", bound=Progress)


@dataclass(slots=True)
class Child(Generic[Shown]):
    """One backend's process.

    Attributes:
        backend: its name.
        process: what was started.
        said: what it prints.
        followed: what it shows of how far it is.
        status: its exit status, once it ended.
        seconds: how long it has run.
    """

    backend: str
    process: subprocess.Popen[bytes]
    said: Output
    followed: Shown
    status: int | None = None
    seconds: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """See whether it has ended, and what it has done since the last look."""
        self.status = self.process.poll()
        self.seconds = time.monotonic() - self._started
        self.followed.look()

    def end(self) -> None:
        """Have the process end what it started, and itself; if it doesn't, kill it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def ended(self) -> str:
        """Whose process it was and how it ended, in words."""
        status = self.status
        how = processes.killed_by(-status) if status is not None and status < 0 else f"status {status}"
        return f"{self.backend}: its process ended with {how}"

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        return self.said.text()[-_SAID_SHOWN:].strip()


def python_command() -> list[str]:
    """The beginning of a command that runs a module of this package.

    With '-m' Python would look for modules in the current folder first: for this package too, which may lie there as
    a checkout, with other code and cases than the installed ones that this process runs.
    """
    return [sys.executable, *([] if _PACKAGE.resolve().parent == Path.cwd() else ["-P"])]


def pytest_command(
    suite: str, backend: str, device: str, modes: Sequence[str], keyword: str, plugins: Sequence[str] = ()
) -> list[str]:
    """The beginning of a command that runs a suite with nothing but these plug-ins and its own.

    Args:
        suite: the package whose tests are run.
        backend: its name.
        device: where.
        modes: those asked for that the backend has; all where there are none.
        keyword: pytest's ``-k`` expression, or empty.
        plugins: modules.
    """
    command = [*python_command(), "-m", "pytest", "-c", str(_INI), "-q", "--tb=short", "--no-header"]
    command += repeated("-p", ["conformance.suite.options", *plugins])
    command += ["--pyargs", suite, "--backend", backend, "--device", device, *repeated("--mode", modes)]
    return command + (["-k", keyword] if keyword else [])


def repeated(option: str, values: Sequence[str]) -> list[str]:
    """An option of a command, once for each value."""
    return [part for value in values for part in (option, value)]


def start(
    backend: str,
    command: Sequence[str],
    followed: Shown,
    variables: Mapping[str, str | None],
    **options: Any,
) -> Child[Shown]:
    """Start a backend's process. Surrounding projects' plug-ins and options of pytest have no say in it.

    Args:
        backend: its name.
        command: the whole of it.
        followed: what it will show of how far it is.
        variables: of the environment, in place of those that are there; None takes one away.
        options: of `subprocess.Popen`.
    """
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", *variables)}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | {k: v for k, v in variables.items() if v is not None}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        **options,
    )
    assert process.stdout is not None
    return Child(backend, process, Output(process.stdout), followed)


def follow(
    children: list[Child[Shown]],
    names: Sequence[str],
    at_once: int,
    begin: Callable[[str], Child[Shown]],
    watch: Callable[[list[Child[Shown]]], None],
    pause: float,
    ends: Callable[[Child[Shown]], bool] = lambda child: False,
) -> list[str]:
    """Start a process a backend and look at all of them, again and again, until they have ended.

    However this ends (Ctrl-C, say), no process goes on.

    Args:
        children: here the processes are put as they are started.
        names: of the backends, in the order in which they are started.
        at_once: so many of them at most.
        begin: starts a backend's process.
        watch: called after each look with all processes so far.
        pause: seconds from one look to the next.
        ends: whether what came of a process makes all others pointless.

    Returns:
        A line for each process that the system did not give.
    """
    waiting, refused = list(names), []
    try:
        while waiting or any(child.status is None for child in children):
            while waiting and sum(child.status is None for child in children) < at_once:
                name = waiting.pop(0)
                try:
                    children.append(begin(name))
                except OSError as error:
                    if error.filename is not None:  # a file that `begin` could not write, say: no matter of processes
                        raise
                    refused.append(f"{name}: the system gives no process: {error.strerror}")
            for child in children:
                if child.status is None:
                    child.look()
            watch(children)
            if any(map(ends, children)):
                break
            time.sleep(pause)
    finally:
        for child in children:
            child.end()
    return refused
