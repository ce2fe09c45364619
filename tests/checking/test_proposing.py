"""Entries proposed for failures: once they have a reason, they say exactly what came, and nothing more."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml

from conformance import runfile
from conformance.backends.numpy import NumpyBackend
from conformance.casefile.errors import CaseFileError
from conformance.checking.proposing import as_yaml, contradicted, propose
from conformance.runfile import Run
from conformance.suite.session import BackendSession

RIGHT = dict(NumpyBackend.idioms)
REASON = "a defect that was made for this test"
CASES = """
  - {name: plain, given: {x: [0.5, -0.5, 1.5]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
  - {name: other, given: {x: [[0.25, 4.0]]}, call: sigmoid(x)}
  - {name: refused, given: {x: [1.0, 2.0]}, call: 'reshape(x, shape=[3])', expect: raises}
  - {name: sums, given: {x: {integers: {shape: [5], low: -3, high: 3, seed: 1}}}, for: {dtype: [int64]}, call: sum(x)}
  - {name: view, given: {x: [1.0, 2.0]}, call: 'reshape(x, shape=[2, 1])', expect: {aliases: true}}
  - {name: ordered, given: {x: [0.0, 1.0]}, claim: sigmoid(x) <= sigmoid(x + 1)}
"""


@pytest.fixture
def recorded(session: Callable[..., BackendSession], tmp_path: Path) -> Callable[..., Run]:
    """Run and record cases given as text, with a registry if there is one."""

    def made(text: str, backend: Any, registry: str = "") -> Run:
        files = {"divergences/numpy.yaml": registry} if registry else {}
        running = session(text, backend, **files)
        items = [(mode, case.id) for case in running.selection.cases for mode in running.modes]
        path = tmp_path / f"{len(list(tmp_path.glob('*.jsonl')))}.jsonl"  # a run reads its file when it is asked
        running.record_to(path, items)
        for mode, case_id in items:
            running.run_case(next(c for c in running.selection.cases if c.id == case_id), mode)
        running.finish(complete=True)
        return runfile.read(path)

    return made


def with_reasons(run: Run) -> str:
    entries = propose(run)
    assert all(entry["because"] == "" for entry in entries)
    return as_yaml(run.header, [entry | {"because": REASON} for entry in entries])


def verdicts(run: Run) -> set[str]:
    return {record.verdict for record in run.records}


DEFECTS: dict[str, dict[str, Callable[..., Any]]] = {
    "a value": {"sigmoid": lambda x: RIGHT["sigmoid"](x) * x.dtype.type(1.01)},
    "a value by far": {"sigmoid": lambda x: RIGHT["sigmoid"](x) * x.dtype.type(1e30)},
    "NaN in some elements": {"sigmoid": lambda x: np.where(x > 1, np.nan, RIGHT["sigmoid"](x)).astype(x.dtype)},
    "NaN and a value": {"sigmoid": lambda x: np.where(x > 1, np.nan, 1.01 * RIGHT["sigmoid"](x)).astype(x.dtype)},
    "another dtype": {"sigmoid": lambda x: RIGHT["sigmoid"](x).astype(np.float16)},
    "another shape": {"sigmoid": lambda x: RIGHT["sigmoid"](x)[None]},
    "an error": {"sigmoid": lambda x: 1 / 0},
    "no error where one is due": {"reshape": lambda x, shape: np.resize(x, shape)},
    "a copy": {"reshape": lambda x, shape: np.reshape(x, shape).copy()},
    "an integer": {"sum": lambda x, **kwargs: RIGHT["sum"](x, **kwargs) + 1},
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_with_reasons_the_entries_explain_every_failure_and_none_is_left(
    defect: str, recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(**DEFECTS[defect])
    run = recorded(CASES, wrong)
    assert "failed" in verdicts(run)
    registry = with_reasons(run)
    again = recorded(CASES, wrong, registry)
    assert {r.variant for r in again.records if r.verdict == "divergent"} == {
        r.variant for r in run.records if r.verdict == "failed"
    }
    assert "failed" not in verdicts(again)


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_same_entries_hold_against_a_backend_that_is_right(
    defect: str, recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    run = recorded(CASES, numpy_with(**DEFECTS[defect]))
    fixed = recorded(CASES, numpy_with(), with_reasons(run))
    failed = {r.variant: r.reason for r in fixed.records if r.verdict == "failed"}
    assert set(failed) == {r.variant for r in run.records if r.verdict == "failed"}
    assert all("fixed, remove the entry" in reason or "; got an error of " in reason for reason in failed.values())


def test_what_older_entries_say_wrongly_is_told_in_a_comment_and_is_no_entry(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    run = recorded(CASES, numpy_with(**DEFECTS["a value"]))
    assert contradicted(run) == []
    fixed = recorded(CASES, numpy_with(), with_reasons(run))
    assert propose(fixed) == []
    named = contradicted(fixed)
    assert len(named) == len({r.variant for r in fixed.records if r.verdict == "failed"})
    assert all(line.endswith("  eager") for line in named)
    other = recorded(CASES, numpy_with(**DEFECTS["a value by far"]), with_reasons(run))
    assert propose(other) != []
    assert contradicted(other) == named
    written = as_yaml(fixed.header, [], [*named, "a\n- {cases: injected}"])
    assert yaml.safe_load(written)["divergences"] == []
    comments = [line for line in written.splitlines() if line.startswith("#")]
    assert "does not hold here (numpy" in comments[0]
    assert comments[1:-1] == [f"# {line}" for line in named]


def test_an_entry_without_a_reason_does_not_load(recorded: Callable[..., Run], numpy_with: Callable[..., Any]) -> None:
    wrong = numpy_with(**DEFECTS["a value"])
    run = recorded(CASES, wrong)
    proposed = as_yaml(run.header, propose(run))
    with pytest.raises(CaseFileError, match="expected at least 10 characters, found"):
        recorded(CASES, wrong, proposed)


def test_where_nothing_fails_nothing_is_proposed(recorded: Callable[..., Run], numpy_with: Callable[..., Any]) -> None:
    assert propose(recorded(CASES, numpy_with())) == []


def test_whole_cases_and_dtypes_become_patterns_and_the_rest_is_named(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - {name: all, given: {x: [0.5, -0.5]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
  - {name: some, given: {x: [0.5]}, for: {dtype: [float32, float64], shape: [[1], [1, 1]]}, call: 'reshape(x, shape=shape)'}
"""

    def wrong(x: np.ndarray, shape: Any) -> np.ndarray:
        return np.reshape(x, shape) + x.dtype.type(x.dtype == np.float64)

    entries = propose(recorded(text, numpy_with(sigmoid=lambda x: 1 / 0, reshape=wrong)))
    assert [entry["cases"] for entry in entries] == ["things/all[*", "things/some[float64*"]


def test_errors_far_apart_become_entries_of_their_own_so_that_none_is_wide(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - {name: near, given: {x: [0.5]}, call: sigmoid(x)}
  - {name: far, given: {x: [0.5, 0.5]}, call: sigmoid(x)}
"""
    wrong = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x) * x.dtype.type(1.00001 if x.size == 1 else 1.1))
    near, far = propose(recorded(text, wrong))
    for entry in (near, far):
        low, high = entry["instead"]["ulp"]
        assert 2 < high / low < 3
    assert near["instead"]["ulp"][1] < far["instead"]["ulp"][0]


def test_an_entry_is_about_the_spelling_that_fails_and_no_other(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    def doubled(x: np.ndarray) -> np.ndarray:
        return 2 * RIGHT["sigmoid"](x)

    wrong = numpy_with(spellings={"sigmoid": {"doubled": doubled, "right": RIGHT["sigmoid"]}})
    run = recorded(CASES, wrong)
    entries = propose(run)
    assert {tuple(entry["idioms"]) for entry in entries} == {("doubled",)}
    again = recorded(CASES, wrong, with_reasons(run))
    assert {(r.idiom, r.verdict) for r in again.records} == {
        ("", "passed"), ("right", "passed"), ("doubled", "divergent"),
        ("formula: 1 / (1 + exp(-x))", "passed"), ("formula: exp(x) / (1 + exp(x))", "passed"),
    }  # fmt: skip


def test_what_is_written_is_a_registry_file_that_reads_back(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [0.5, 1.5, 0.25]}, call: sigmoid(x)}"
    run = recorded(text, numpy_with(**DEFECTS["NaN in some elements"]))
    file = yaml.safe_load(as_yaml(run.header, propose(run)))
    assert file["backend"] == "numpy"
    here = {"machines": [platform.machine()], "devices": ["cpu"], "kernels": [NumpyBackend().kernels()]}
    assert file["seen-on"] == here
    header = msgspec.structs.replace(run.header, environment=run.header.environment | {"kernels": "ours AVX2"})
    assert yaml.safe_load(as_yaml(header, propose(run)))["seen-on"]["kernels"] == ["ours AVX2"]
    (entry,) = file["divergences"]
    assert entry["instead"] == {"non-finite": 1}
    assert entry["first-seen"].startswith("numpy ")


def test_nothing_is_proposed_of_a_large_result_of_which_nothing_says_what_is_due(
    recorded: Callable[..., Run],
) -> None:
    text = "  - {name: one, given: {x: {full: {shape: [99, 2], value: 3}}}, for: {dtype: [complex64]}, call: 'sum(x, axis=1)'}"
    run = recorded(text, NumpyBackend())
    assert verdicts(run) == {"failed"}
    assert propose(run) == []


def test_zeros_that_must_not_be_are_counted_and_the_largest_error_is_proposed(
    recorded: Callable[..., Run], numpy_with: Callable[..., NumpyBackend]
) -> None:
    text = "  - {name: one, given: {x: [0.5, -0.5, 1.5]}, call: sigmoid(x)}\n"
    wrong = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x) * np.array([1, 0, 1.0001], dtype=np.float32))
    run = recorded(text, wrong)
    (entry,) = propose(run)
    assert entry["instead"]["zeros"] == 1
    low, high = entry["instead"]["ulp"]
    assert low < 2**24 < high * 1.5  # a zero is as many units away as the number has
    assert verdicts(recorded(text, wrong, with_reasons(run))) == {"divergent"}
    more = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x) * np.array([0, 0, 1.0001], dtype=np.float32))
    assert verdicts(recorded(text, more, with_reasons(run))) == {"failed"}
