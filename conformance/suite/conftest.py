"""Turns the selection of cases into pytest items, and their outcomes into run files."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import backends
from conformance.casefile.errors import CaseFileError
from conformance.runfile import LOST_RUN_FILE, RunFileError, UnwritableError
from conformance.suite import filing, sharding
from conformance.suite.describing import Item, WholeOfShard
from conformance.suite.filing import Filing
from conformance.suite.ordering import place
from conformance.suite.resuming import ResumeError
from conformance.suite.selection import SelectionError, select
from conformance.suite.session import BackendSession

if TYPE_CHECKING:
    from conformance.suite.supervision import Keeper
    from conformance.suite.worker import Worker

SESSIONS = pytest.StashKey[dict[str, BackendSession]]()
RAN = pytest.StashKey[dict[str, int]]()
MISTAKE = pytest.StashKey[str]()
SHARD = pytest.StashKey[tuple[int, int]]()
WHOLE = pytest.StashKey[Sequence[Item]]()
KEEPER: pytest.StashKey[Keeper] = pytest.StashKey()
WORKER: pytest.StashKey[Worker] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Read the cases and prepare the backends.

    Any mistake is a usage error, but not yet: with ``--pyargs`` this file is loaded in the midst of the collection,
    where pytest would take a usage error for a broken test module.
    """
    config.addinivalue_line("markers", "xdist_group(name): with --dist loadgroup, the modes of a case stay together")
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
    seed, kernels = option.conformance_random_order, option.conformance_kernels
    sessions = {
        name: BackendSession(
            name, selection, device, _known(name, modes, device) if len(names) > 1 else modes, seed, kernels
        )
        for name in dict.fromkeys(names)
        if len(names) == 1 or not modes or _known(name, modes, device)
    }
    for mode in modes:
        if not any(mode in session.modes for session in sessions.values()):
            raise backends.UnknownBackendError(f"none of {', '.join(names)} has the mode '{mode}' on {device}")
    if option.conformance_run_file and len(sessions) != 1:
        raise pytest.UsageError("--run-file needs exactly one --backend: a run file is one backend's run")
    if option.conformance_shard:
        try:
            config.stash[SHARD] = sharding.parse(option.conformance_shard)
        except ValueError as error:
            raise pytest.UsageError(f"--shard: {error}") from None
    if option.conformance_supervise is not None:
        _check_supervised(config)
    config.stash[SESSIONS] = sessions
    config.stash[RAN] = dict.fromkeys(sessions, 0)


def _check_supervised(config: pytest.Config) -> None:
    """What `conformance run` sees to by itself."""
    if not hasattr(os, "fork"):
        raise pytest.UsageError("--supervise needs a system that can fork")
    if not config.option.conformance_run_file or config.option.capture != "no":
        raise pytest.UsageError("--supervise needs --run-file, and -s: what pytest captures is lost in a crash")
    if _process(config):
        raise pytest.UsageError("--supervise has --workers: run without -n")


def _known(name: str, modes: list[str], device: str) -> list[str]:
    """The modes that a backend has on a device, of those asked for of all backends."""
    return [mode for mode in modes if mode in backends.load(name).run_modes(device)]


def _process(config: pytest.Config) -> str:
    """What pytest-xdist calls this process, if it is one of its workers."""
    name: str = getattr(config, "workerinput", {}).get("workerid", "")
    return name


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
                    group = pytest.mark.xdist_group(case.id)
                    parameters.append(pytest.param(session, mode, case, id=f"{name}-{mode}-{case.id}", marks=group))
    metafunc.parametrize(("session", "mode", "case"), parameters)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is in other shards, once all others have chosen; with ``--random-order``, in another order.

    The modes of a case stay together.
    """
    if SHARD in config.stash:
        _leave_out_other_shards(config, items)
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


def _leave_out_other_shards(config: pytest.Config, items: list[pytest.Item]) -> None:
    number, of = config.stash[SHARD]
    weights: Counter[str] = Counter()
    for found in filter(None, map(_parameters, items)):
        weights[found["case"].id] += len(found["session"].attempts(found["case"], found["mode"]))
    mine = sharding.deal(weights, of)[number - 1]
    config.stash[WHOLE] = _suites(items)
    others = [item for item in items if (found := _parameters(item)) and found["case"].id not in mine]
    left_out = set(others)
    items[:] = [item for item in items if item not in left_out]
    if others:
        config.hook.pytest_deselected(items=others)


def _suites(items: list[pytest.Item]) -> list[Item]:
    """Mode and case of those items that are of this suite."""
    return [(found["mode"], found["case"].id) for found in map(_parameters, items) if found]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the run file, now that it is known which items will run; or leave that to the keeper."""
    config = session.config
    if MISTAKE in config.stash:
        raise pytest.UsageError(config.stash[MISTAKE])
    option = config.option
    if not option.conformance_run_file or option.collectonly:
        return
    ((_, run),) = config.stash[SESSIONS].items()
    asked = [*option.conformance_variant, *([f"-k {option.keyword}"] if option.keyword else [])]
    shard = WholeOfShard(*config.stash[SHARD], config.stash[WHOLE]) if SHARD in config.stash else None
    wanted = Filing(run, Path(option.conformance_run_file), _suites(session.items), "; ".join(asked), shard)
    try:
        if option.conformance_supervise is not None:
            _supervise(config, wanted)
        else:
            _record(config, wanted)
    except (ResumeError, RunFileError, UnwritableError) as error:
        raise pytest.UsageError(str(error)) from None


def _record(config: pytest.Config, wanted: Filing) -> None:
    """Record in this process. Of pytest-xdist's processes the first writes the run file, the others a part each."""
    process = _process(config)
    if config.option.conformance_resume:
        wanted.resume(absorb=not process)  # of pytest-xdist's processes the controller has done that
    if process in ("", "gw0"):
        wanted.open(wanted.path, wanted.recorded)
    else:
        wanted.open(filing.part_of(wanted.path, process), None)
        wanted.session.leave_out(wanted.recorded)


def _supervise(config: pytest.Config, wanted: Filing) -> None:
    from conformance.suite.supervision import Keeper  # noqa: PLC0415 - there are systems that can't fork
    from conformance.suite.worker import Worker  # noqa: PLC0415 - likewise

    if config.option.conformance_resume:
        wanted.resume()
    else:
        filing.drop_parts(wanted.path)
    shares = wanted.shares(config.option.conformance_workers)
    workers = [Worker(path, share, wanted.recorded if path == wanted.path else None) for path, share in shares]
    config.stash[KEEPER] = Keeper(wanted, workers, config.option.conformance_supervise)


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Under supervision: fork the workers, in which pytest goes on with their items, and stay to watch them."""
    config = session.config
    if KEEPER not in config.stash:
        return None
    keeper = config.stash[KEEPER]
    try:
        worker = keeper.run()
    except RunFileError as error:
        pytest.exit(str(error), returncode=LOST_RUN_FILE)
    if worker is None:
        session.testsfailed = keeper.failed
        if keeper.unwritable is not None:
            pytest.exit(str(keeper.unwritable), returncode=keeper.unwritable.status)
        return True
    config.stash[WORKER] = worker
    todo = {(attempt.mode, attempt.variant.case.id) for attempt in worker.left}
    session.items[:] = [item for item in session.items if any(i in todo for i in _suites([item]))]
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count the items that ran, so that an interrupted run is told from a complete one."""
    result = yield
    parameters = _parameters(item)
    if parameters:
        item.config.stash[RAN][parameters["session"].name] += 1
    return result


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Close the run file, with a footer if every item ran."""
    config = session.config
    if SESSIONS not in config.stash:
        return
    for name, run in config.stash[SESSIONS].items():
        expected = sum(_parameters(item).get("session") is run for item in session.items)
        whole = config.stash[RAN][name] == expected
        if WORKER in config.stash:
            if exitstatus == pytest.ExitCode.INTERRUPTED:  # by the framework: Ctrl-C does not come here
                print("KeyboardInterrupt", file=sys.stderr)  # noqa: T201 - the last words of a worker
            config.stash[WORKER].end(exitstatus, whole)
        try:
            run.finish(complete=whole and WORKER not in config.stash)
        except UnwritableError as error:
            pytest.exit(str(error), returncode=error.status)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A line for each adapter that can't be used, where all that are installed were asked for."""
    if SESSIONS in config.stash and not config.option.conformance_backend:
        for line in backends.broken().values():
            terminalreporter.write_line(f"error: {line}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End a worker here: frameworks that crash or hang when the interpreter ends do no harm any more."""
    if WORKER in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[WORKER].status)
