"""Turns the selection of cases into pytest items, and their outcomes into run files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import backends
from conformance.casefile.errors import CaseFileError
from conformance.corpus import SelectionError, select
from conformance.ordering import place
from conformance.suite.session import BackendSession

SESSIONS = pytest.StashKey[dict[str, BackendSession]]()
RAN = pytest.StashKey[dict[str, int]]()
MISTAKE = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Read the cases and prepare the backends.

    Any mistake is a usage error, but not yet: with ``--pyargs`` this file is loaded in the midst of the collection,
    where pytest would take a usage error for a broken test module.
    """
    try:
        _prepare(config)
    except (
        pytest.UsageError,
        CaseFileError,
        SelectionError,
        backends.UnknownBackendError,
        backends.BrokenBackendError,
    ) as error:
        config.stash[MISTAKE] = str(error)


def _prepare(config: pytest.Config) -> None:
    option = config.option
    root = Path(option.conformance_cases) if option.conformance_cases else None
    named = bool(option.conformance_variant and option.conformance_mode)
    selection = select(root, option.conformance_variant, beyond_subsets=named)
    names = option.conformance_backend or backends.installed()
    device, modes = option.conformance_device, option.conformance_mode
    seed = option.conformance_random_order
    sessions = {
        name: BackendSession(name, selection, device, _known(name, modes, device) if len(names) > 1 else modes, seed)
        for name in dict.fromkeys(names)
        if len(names) == 1 or not modes or _known(name, modes, device)
    }
    for mode in modes:
        if not any(mode in session.modes for session in sessions.values()):
            raise backends.UnknownBackendError(f"none of {', '.join(names)} has the mode '{mode}' on {device}")
    if option.conformance_run_file and len(sessions) != 1:
        raise pytest.UsageError("--run-file needs exactly one --backend: a run file is one backend's run")
    if option.conformance_run_file and os.environ.get("PYTEST_XDIST_WORKER"):
        raise pytest.UsageError("--run-file is written by one process; run without -n")
    config.stash[SESSIONS] = sessions
    config.stash[RAN] = dict.fromkeys(sessions, 0)


def _known(name: str, modes: list[str], device: str) -> list[str]:
    """The modes that a backend has on a device, of those asked for of all backends."""
    return [mode for mode in modes if mode in backends.load(name).run_modes(device)]


def _parameters(item: pytest.Item) -> dict[str, Any]:
    """The parameters of an item of this suite; of any other, none."""
    found: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return found if isinstance(found.get("session"), BackendSession) else {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each case in each mode of each backend."""
    if "session" not in metafunc.fixturenames:
        return
    parameters = []
    for name, session in metafunc.config.stash.get(SESSIONS, {}).items():
        shares = {mode: session.selection.share(name, mode) for mode in session.modes}
        for case in session.selection.cases:  # the modes of a case follow each other: they share its exact answers
            for mode, share in shares.items():
                if case.id in share.variants:
                    parameters.append(pytest.param(session, mode, case, id=f"{name}-{mode}-{case.id}"))
    metafunc.parametrize(("session", "mode", "case"), parameters)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--random-order``: the cases in another order, and the modes of each, which stay together."""
    seed = config.option.conformance_random_order
    if seed is not None:
        found = {id(item): parameters for item in items if (parameters := _parameters(item))}

        def order(item: pytest.Item) -> tuple[str, ...]:
            parameters = found.get(id(item))
            if parameters is None:
                return ()
            names = (parameters["case"].id, parameters["session"].name, parameters["mode"])
            return place(seed, names[0]), place(seed, *names)

        items.sort(key=order)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the run file, now that it is known which items will run."""
    config = session.config
    if MISTAKE in config.stash:
        raise pytest.UsageError(config.stash[MISTAKE])
    path = config.option.conformance_run_file
    if not path or config.option.collectonly:
        return
    ((_, run),) = config.stash[SESSIONS].items()
    chosen = [(found["mode"], found["case"].id) for found in map(_parameters, session.items) if found]
    asked = [*config.option.conformance_variant, *([f"-k {config.option.keyword}"] if config.option.keyword else [])]
    run.record_to(Path(path), chosen, "; ".join(asked))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count the items that ran, so that an interrupted run is told from a complete one."""
    result = yield
    parameters = _parameters(item)
    if parameters:
        item.config.stash[RAN][parameters["session"].name] += 1
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close the run file, with a footer if every item ran."""
    config = session.config
    if SESSIONS not in config.stash:
        return
    for name, run in config.stash[SESSIONS].items():
        expected = sum(_parameters(item).get("session") is run for item in session.items)
        run.finish(complete=config.stash[RAN][name] == expected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A line for each adapter that can't be used, where all that are installed were asked for."""
    if SESSIONS in config.stash and not config.option.conformance_backend:
        for line in backends.broken().values():
            terminalreporter.write_line(f"error: {line}")
