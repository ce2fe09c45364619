"""Turns the plan into pytest items, and adds to pytest-benchmark's file what makes it a timing file."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_benchmark

from conformance import backends
from conformance.timing.measuring import Bench
from conformance.timing.plan import PlanError, parse_plan
from conformance.timing.timingfile import KEY

BENCHES = pytest.StashKey[list[Bench]]()
MISTAKE = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the backends. A mistake is told once the items are collected, as in the suite of the cases."""
    try:
        config.stash[BENCHES] = _benches(config)
    except (PlanError, backends.UnknownBackendError, backends.BrokenBackendError, pytest.UsageError) as error:
        config.stash[MISTAKE] = str(error)


def _benches(config: pytest.Config) -> list[Bench]:
    option = config.option
    plan = parse_plan(option.conformance_dtype, option.conformance_size, option.conformance_full)
    names = list(dict.fromkeys(option.conformance_backend or backends.installed()))
    path = config.getoption("benchmark_json", None)
    if path and len(names) != 1:
        raise pytest.UsageError("--benchmark-json needs exactly one --backend: a timing file is one backend's")
    asked = [plan.asked, *(f"--mode {mode}" for mode in option.conformance_mode)]
    asked += [f"-k {option.keyword}"] if option.keyword else []
    selection = " ".join(filter(None, asked))
    return [
        Bench(name, plan, option.conformance_device, option.conformance_threads, option.conformance_mode, selection)
        for name in names
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item a cell."""
    if "job" in metafunc.fixturenames:
        parameters = [
            pytest.param(bench, job, id=f"{bench.name}-{job.mode}-{job.id}")
            for bench in metafunc.config.stash.get(BENCHES, [])
            for job in bench.jobs()
        ]
        metafunc.parametrize(("bench", "job"), parameters)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say how many cells there will be, where somebody follows."""
    config = session.config
    if MISTAKE in config.stash:
        raise pytest.UsageError(config.stash[MISTAKE])
    if path := config.option.conformance_progress:
        Path(path).write_text(f"{len(session.items)}\n", encoding="ascii")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A mark for each cell, where somebody follows: whether it has times."""
    report: Any = yield
    path = item.config.option.conformance_progress
    if path and report.when == "call":
        with Path(path).open("a", encoding="ascii") as file:
            file.write("." if report.outcome == "passed" else "-")
    return report


def pytest_benchmark_generate_machine_info() -> dict[str, str]:
    """What pytest-benchmark compares machines by. Nothing that names a person or a machine."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python_implementation": platform.python_implementation(),
        "python_version": platform.python_version(),
    }


def pytest_benchmark_generate_commit_info() -> dict[str, str]:
    """Times belong to versions of frameworks, not to a commit of whatever folder the command was called in."""
    return {}


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """What was run, and the cells without times."""
    for bench in config.stash[BENCHES]:
        output_json[KEY] = msgspec.to_builtins(bench.finish())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where no cell has times, pytest-benchmark writes nothing: the cells' reasons are written all the same."""
    config = session.config
    file = config.getoption("benchmark_json", None)
    if file is None or BENCHES not in config.stash or config.option.collectonly:
        return
    timed = any(not bench.has_error for bench in config._benchmarksession.benchmarks)  # type: ignore[attr-defined]  # pytest-benchmark's
    if timed or not any(bench.withheld for bench in config.stash[BENCHES]):
        return
    content: dict[str, Any] = {
        "machine_info": pytest_benchmark_generate_machine_info(),
        "commit_info": {},
        "benchmarks": [],
        "datetime": datetime.now(UTC).isoformat(),
        "version": pytest_benchmark.__version__,
    }
    pytest_benchmark_update_json(config, content)
    Path(file).write_text(json.dumps(content, indent=4), encoding="utf-8")
