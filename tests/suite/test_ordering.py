"""A run in another order gives the same verdicts, unless a backend has hidden state: then that is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import backends, runfile
from conformance.backends.base import Idioms
from conformance.backends.numpy import NumpyBackend
from conformance.runfile import Run
from conformance.suite.ordering import coupled, place
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

TEXT = """
cases:
  - {name: exp, given: {x: [1.0, 2.0]}, for: {dtype: [float32, float64]}, call: exp(x)}
  - {name: more, given: {x: {uniform: {shape: [3], seed: 1}}}, for: {dtype: [float32, float64]}, call: exp(x)}
  - {name: sums, given: {x: [[1.0, 2.0]]}, for: {axis: [0, 1, -1]}, call: 'sum(x, axis=axis)'}
  - {name: log, given: {x: [2.0]}, call: log(x)}
"""
RIGHT = dict(NumpyBackend.idioms)


def backend(**idioms: Any) -> type[NumpyBackend]:
    """NumPy with some of its idioms replaced."""
    made = Idioms()
    for name, function in {**RIGHT, **idioms}.items():
        made(name)(function)
    return type("Stateful", (NumpyBackend,), {"name": "stateful", "idioms": made})


def third_call_is_wrong() -> type[NumpyBackend]:
    calls = itertools.count(1)
    return backend(exp=lambda x: RIGHT["exp"](x) + (next(calls) == 3))


def a_flag_stays_set() -> type[NumpyBackend]:
    """Right in the order of the files: nothing comes after the logarithm."""
    seen = []

    def log(x: Any) -> Any:
        seen.append(1)
        return RIGHT["log"](x)

    return backend(log=log, exp=lambda x: RIGHT["exp"](x).astype(np.float16 if seen else x.dtype))


def a_buffer_is_used_again() -> type[NumpyBackend]:
    """Wrong by less than the budget: the value before is mixed into the last bit, and every verdict stays."""
    last = [0.0]

    def exp(x: Any) -> Any:
        result = RIGHT["exp"](x)
        if last[0] > 5:
            result = np.nextafter(result, np.inf)
        last[0] = float(result.flat[-1])
        return result

    return backend(exp=exp)


@pytest.fixture
def ran(folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A recorded run of a fresh backend, in the order of a seed."""
    root = folder(TEXT)

    def run(make: Callable[[], type[NumpyBackend]], seed: int | None = None) -> Run:
        kind = make()
        monkeypatch.setattr(backends, "load", lambda _: kind)
        session = BackendSession("stateful", select(root), modes=["eager"], random_order=seed)
        cases = session.selection.cases
        if seed is not None:
            cases.sort(key=lambda case: place(seed, case.id))
        path = tmp_path / f"{kind.__name__}-{seed}.jsonl"
        session.record_to(path, [("eager", case.id) for case in cases])
        for case in cases:
            session.run_case(case, "eager")
        session.finish(complete=True)
        return runfile.read(path)

    return run


@pytest.mark.parametrize("seed", range(4))
def test_inputs_verdicts_and_results_of_a_backend_without_state_are_the_same_in_every_order(
    seed: int, ran: Callable[..., Run]
) -> None:
    run, shuffled = ran(backend), ran(backend, seed)
    assert list(coupled(run, shuffled)) == []
    assert shuffled.complete and shuffled.counts() == run.counts()
    assert shuffled.header.order == f"random, seed {seed}"
    assert shuffled.header.manifest_digest == run.header.manifest_digest
    assert {v.id: v for v in shuffled.variants.values()} == run.variants


def test_another_seed_is_another_order_of_cases_and_of_variants_and_the_same_seed_the_same(
    ran: Callable[..., Run],
) -> None:
    orders = [[record.variant for record in ran(backend, seed).records] for seed in (*range(6), 0)]
    assert orders[0] == orders[-1]
    assert len({tuple(order) for order in orders}) > 3
    assert len({tuple(order.index(f"things/sums[float32,axis={a}]") for a in (0, 1, -1)) for order in orders}) > 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (third_call_is_wrong, "things/more[float32]   stateful eager: failed in the order of the files, passed in the"),
        (a_flag_stays_set, "stateful eager: passed in the order of the files, failed in the order random, seed"),
        (a_buffer_is_used_again, "stateful eager: passed in both orders, with another result in the order random"),
    ],
)
def test_hidden_state_is_found_by_another_order(
    make: Callable[[], type[NumpyBackend]], told: str, ran: Callable[..., Run]
) -> None:
    found = [line for seed in range(3) for line in coupled(ran(make), ran(make, seed))]
    assert any(told in line for line in found), found
    assert list(coupled(ran(make), ran(make))) == []  # in one order, one outcome


def test_what_only_one_of_the_runs_has_is_told(ran: Callable[..., Run], folder: Callable[..., Path]) -> None:
    whole = ran(backend)
    folder(TEXT.rpartition("  - ")[0])
    part = ran(backend, 1)
    assert list(coupled(whole, part)) == ["things/log[float32]   stateful eager: in one order only"]


def test_a_place_depends_on_seed_and_names_only() -> None:
    assert place(7, "a", "b") == place(7, "a", "b") != place(8, "a", "b")
    assert place(7, "a", "b") != place(7, "b", "a")
    assert place(0, "things/one").startswith("39d695")


PLUGIN = """
import numpy as np
from conformance.backends.base import Idioms
from conformance.backends.numpy import NumpyBackend

idioms = Idioms()
for name, function in NumpyBackend.idioms.items():
    if name not in ("exp", "log"):
        idioms(name)(function)
logged = []

@idioms("log")
def log(x):
    logged.append(1)
    return np.log(x)

@idioms("exp")
def exp(x):
    return np.exp(x) * 2 if logged else np.exp(x)

class Mine(NumpyBackend):
    name = "forgetful"
    idioms = idioms
"""


def test_run_shows_what_depends_on_the_order(
    tmp_path: Path, folder: Callable[..., Path], brought: Callable[..., Path], with_path: Callable[..., Any]
) -> None:
    plugin = brought(PLUGIN, name="forgetful", distribution="forgetful", module="forgetful")
    out, cases = tmp_path / "out", folder(TEXT)
    command = ["run", "--backend", "forgetful", "--mode", "eager", "--cases", cases, "-o", out, "--no-report"]
    run = partial(with_path, plugin, "-m", "conformance", *command)

    assert run().returncode == 0  # in the order of the files nothing shows
    done = run("--random-order", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "8 passed" in done.stdout  # the verdicts are those of the order of the files
    lines = [line for line in done.stderr.splitlines() if line.startswith("coupled: ")]
    assert lines
    assert all("passed in the order of the files, failed in the order random, seed 1" in line for line in lines)
    assert [path.name for path in (out / "random-order").glob("[!.]*")] == ["forgetful-cpu.jsonl"]
