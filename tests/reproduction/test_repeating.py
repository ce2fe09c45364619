"""`conformance repro`: from the cases, and from a run file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.reproduction import NoScriptError
from conformance.reproduction.repeating import from_cases, from_run
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

CASES = """
  - {name: one, given: {x: [0.5, -3.0]}, call: sigmoid(x)}
  - {name: many, given: {x: {array: NUMBERS}}, call: exp(x)}
  - {name: large, given: {x: {normal: {shape: [5000], seed: 1}}}, call: exp(x)}
""".replace("NUMBERS", str([round(i / 7, 3) for i in range(4100)]))


@pytest.fixture
def root(folder: Callable[..., Path]) -> Path:
    return folder(CASES)


@pytest.fixture
def run_file(root: Path, tmp_path: Path) -> Path:
    """Of NumPy, and of all its spellings."""
    session = BackendSession("numpy", select(root))
    path = tmp_path / "numpy.jsonl"
    session.record_to(path, [(mode, case.id) for mode in session.modes for case in session.selection.cases])
    for case in session.selection.cases:
        for mode in session.modes:
            session.run_case(case, mode)
    session.finish(complete=True)
    return path


def test_both_ways_give_the_same_numbers(root: Path, run_file: Path, ran: Callable[..., list[Any]]) -> None:
    for name in ("one", "large"):
        scripts = from_cases(select(root, [f"*{name}*"], True), "numpy"), from_run(run_file, f"*{name}*")
        first, second = ran([script.text for script in scripts])
        assert first == second and first.printed.startswith("result: float32[") and not first.error


def test_large_inputs_that_are_not_generated_come_from_the_cases_alone(
    root: Path, run_file: Path, ran: Callable[..., list[Any]]
) -> None:
    with pytest.raises(NoScriptError, match="the run file holds their digest only; 'conformance repro' without"):
        from_run(run_file, "things/many*")
    (told,) = ran([from_cases(select(root, ["*many*"], True), "numpy").text])
    assert told.printed.startswith("result: float32[4100]") and not told.error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "graph"}, "backend 'numpy' has no mode 'graph'; it has eager, idioms"),
        ({"mode": "idioms"}, "which spelling? Name it with --idiom; there are 'scipy.special.expit', "),
        ({"idiom": "nothing"}, "no spelling 'nothing' that it is run in; there are 'scipy.special.expit', "),
        ({"backend": "jax", "mode": "jit", "idiom": "jax.lax.logistic"}, "run in the plain mode, eager, and not in 'jit'"),
        ({"device": "gpu"}, "numpy can't run here: no gpu here; numpy sees cpu"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told(root: Path, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(NoScriptError, match=re.escape(message)):
        from_cases(select(root, ["*one*"], True), **{"backend": "numpy", **arguments})


def test_one_variant_is_needed(root: Path, run_file: Path) -> None:
    with pytest.raises(NoScriptError, match=r"3 variants match, one is needed: things/one\[float32\], "):
        from_cases(select(root, (), True), "numpy")
    with pytest.raises(NoScriptError, match="3 variants match, one is needed: "):
        from_run(run_file, "*")
    with pytest.raises(NoScriptError, match=r"numpy.jsonl holds no variant 'nothing'"):
        from_run(run_file, "nothing")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "torch"}, "is a run of 'numpy', not of 'torch'"),
        ({"mode": "graph"}, "holds no mode 'graph'; it holds eager, idioms"),
        ({"mode": "idioms"}, "which spelling? Name it with --idiom; there are 'scipy.special.expit', "),
        ({"mode": "eager", "idiom": "scipy.special.expit"}, "the run holds no result of 'things/one[float32]' in mode 'eager'"),
    ],
)  # fmt: skip
def test_what_a_run_file_does_not_hold_is_told(run_file: Path, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(NoScriptError, match=re.escape(message)):
        from_run(run_file, "*one*", **arguments)


def test_a_spelling_is_repeated(root: Path, run_file: Path, ran: Callable[..., list[Any]]) -> None:
    scripts = (
        from_cases(select(root, ["*one*"], True), "numpy", "", "scipy.special.expit"),
        from_run(run_file, "*one*", idiom="scipy.special.expit"),
    )
    first, second = ran([script.text for script in scripts])
    assert first == second and "ULP away" in first.printed
