"""All checks of one backend, in order; what could only repeat an earlier fault is left out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

from conformance import backends
from conformance.backends.base import Backend
from conformance.backends.spelling import Unsupported
from conformance.backends.state import Watch, in_short, of_calls
from conformance.execution.starting import started
from conformance.smoke.calls import exact_lines, idiom_lines
from conformance.smoke.contract import CHECKS
from conformance.smoke.line import FaultError, Line, in_words, to_blame


class NotHereError(Exception):
    """The backend can't be asked: its framework is not installed, or it has no such device. Nobody's fault."""


def smoke(name: str, device: str = "cpu") -> Iterator[Line]:
    """The checks of a backend, each as a line.

    Raises:
        NotHereError: it can't be asked.
        UnknownBackendError: there is none of that name.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what frameworks warn of is no fault of either
        try:
            kind = backends.load(name)
        except backends.BrokenBackendError as error:
            yield Line("adapter", "can be imported, and is a backend", str(error))
            return
        yield Line("adapter", "can be imported, and is a backend")
        if missing := kind.not_installed():
            raise NotHereError(missing)
        backend, line = _start(kind, device)
        yield line
        if backend is None:
            return
        yield from _contract(backend)
        refused = []
        for line in idiom_lines(backend):
            yield line
            if line.operation:
                refused.append(line.operation)
        yield from exact_lines(backend, refused)


def _contract(backend: Backend) -> Iterator[Line]:
    watch = Watch(of_calls(backend.own_variables), backend.state, backend.restore)
    for words, check in CHECKS.items():
        problem = note = ""
        try:
            with watch:
                note = check(backend)
        except FaultError as fault:
            problem = str(fault)
        except Exception as error:
            problem = in_words(error)
        yield Line("adapter", words, problem or in_short(watch.changes), note)


def _start(kind: type[Backend], device: str) -> tuple[Backend | None, Line]:
    words = f"starts on {device}"
    try:
        backend, changes = started(kind, device)
    except Unsupported as reason:
        raise NotHereError(str(reason)) from None
    except (Exception, SystemExit) as error:
        party = "framework" if isinstance(error, ImportError) else to_blame(error, kind)
        return None, Line(party, words, in_words(error))
    return backend, Line("adapter", words, in_short(changes), ", ".join(f"{n} {v}" for n, v in kind.versions().items()))


def exit_status(lines: Sequence[Line]) -> int:
    """0: neither is at fault. 1: the framework is. 2: the adapter is, and faults of the framework may be its doing."""
    wrong = {line.party for line in lines if line.problem}
    return 2 if "adapter" in wrong else 1 if wrong else 0


def closing_line(name: str, lines: Sequence[Line]) -> str:
    """Who is at fault, in words."""
    adapter, framework = (
        sum(line.party == p and bool(line.problem) for line in lines) for p in ("adapter", "framework")
    )
    if adapter:
        rest = f"; {framework} faults of the framework may come of that" if framework else ""
        return f"{name}: the adapter is at fault, {adapter} of its checks do not hold{rest}"
    if framework:
        return f"{name}: the framework is at fault, {framework} of its checks do not hold; its adapter is sound"
    return f"{name}: adapter and framework are sound"
