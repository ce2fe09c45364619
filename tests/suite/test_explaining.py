"""What is said about one variant: case, exact answer, budget, and every backend's answer and idiom."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conformance import backends
from conformance.backends.numpy import NumpyBackend
from conformance.ops import OPERATIONS
from conformance.suite.explaining import backend_rows, explain, numbers
from conformance.suite.selection import select


@pytest.fixture
def explained(folder: Callable[..., Path]) -> Callable[..., list[str]]:
    """The explanation of the only variant of a case."""

    def lines(case: str) -> list[str]:
        selection = select(folder("  - " + case))
        (variant,) = selection.variants
        return list(explain(selection, variant, ["numpy"]))

    return lines


def results(lines: list[str]) -> dict[str, str]:
    """What came of each mode and spelling, in order."""
    rows = (re.match(r"  (\S.*?)  +((passed|failed|divergent|unsupported) .*)", line) for line in lines)
    return {row[1]: row[2] for row in rows if row}


def test_an_explanation_gives_the_case_20_digits_the_budget_and_its_source_and_the_idiom(
    explained: Callable[..., list[str]],
) -> None:
    lines = explained("{name: one, given: {x: [1.0]}, for: {dtype: [float64]}, call: sigmoid(x)}")
    text = "\n".join(lines)
    assert lines[0] == "things/one[float64]"
    assert lines[1].endswith("things.yaml:2")
    assert "  x: float64 [1] 1.0" in lines
    assert "0.73105857863000487925  rounded 0.7310585786300049  budget " in text
    assert f"  budget from: {OPERATIONS['sigmoid'].budget_source}" in lines
    assert "    def sigmoid(x):" in lines and "        return 1 / (1 + np.exp(-x))" in "\n".join(lines)
    assert results(lines)["eager"].startswith("passed      0.7310585786300049 (float64, shape [1])")


def test_each_step_is_explained_on_the_rounded_results_before_it(explained: Callable[..., list[str]]) -> None:
    lines = explained("{name: one, given: {x: [10.0]}, call: 1 - sigmoid(x)}")
    exact = [line for line in lines if "  rounded " in line]
    assert [line.split()[0] for line in exact] == ["0.99995460213129756561", "4.5418739318847656250e-5"]


def test_what_a_convention_says_of_infinite_inputs_is_no_overflow(explained: Callable[..., list[str]]) -> None:
    lines = explained(
        "{name: one, given: {x: [[-.inf, 1.0], [.nan, 1.0], [3.4e+38, 3.4e+38]]}, call: 'sum(x, axis=1)'}"
    )
    at = lines.index("  float32 [3]")
    assert [line.split() for line in lines[at + 1 : at + 3]] == [
        ["-inf", "by", "convention,", "exactly"],
        ["nan", "by", "convention,", "exactly"],
    ]
    assert lines[at + 3].split()[:3] == ["overflow", "rounded", "inf"]


def test_where_there_is_no_answer_it_is_said_why(explained: Callable[..., list[str]]) -> None:
    lines = explained("{name: one, given: {x: [1.0]}, call: 'softmax(x, axis=3)', expect: raises}")
    assert "expected: an error" in lines
    assert any(line.startswith("  none: the definition refuses these arguments: axis 3") for line in lines)
    assert results(lines)["eager"].startswith("passed      AxisError: axis 3 is out of bounds")


def test_a_failure_is_explained_with_its_reason(explained: Callable[..., list[str]]) -> None:
    lines = explained("{name: one, given: {x: [1.0]}, call: sigmoid(x), expect: {dtype: float64}}")
    assert results(lines)["eager"].startswith("failed")
    eager = next(i for i, line in enumerate(lines) if line.startswith("  eager "))
    assert lines[eager + 1].strip() == "dtype: expected float64, got float32"


def test_a_gradient_is_explained_with_its_exact_value(explained: Callable[..., list[str]]) -> None:
    lines = explained("{name: one, given: {x: [0.0]}, call: sigmoid(x), check: [gradient]}")
    after = lines[lines.index("exact gradient with respect to x, of the result's elements weighted and summed") + 1]
    assert after.split()[:3] == ["0.25000000000000000000", "rounded", "0.25"]
    assert "unsupported" in lines[-2] and lines[-1].strip() == "numpy has no gradients"


def test_a_large_array_is_shown_in_part() -> None:
    assert numbers(np.arange(12)) == "0 1 2 3 4 5 6 7 8 9 10 11"
    assert numbers(np.arange(1300)) == "0 1 2 3 4 5 6 7 8 9 10 11 … (1,300 in all)"


class Broken(NumpyBackend):
    """It is installed, and does not start."""

    def start(self) -> None:
        raise RuntimeError("no such device")


class Missing(NumpyBackend):
    """It is not installed."""

    name = "missing"
    package = "no_such_framework"


def test_a_broken_backend_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"broken": Broken, "missing": Missing, "numpy": NumpyBackend}
    monkeypatch.setattr(backends, "names", lambda: list(kinds))
    monkeypatch.setattr(backends, "load", kinds.__getitem__)
    rows = {row[0]: row[1:] for row in backend_rows()}
    assert "it does not start: RuntimeError: no such device" in rows["broken"][0]
    assert rows["missing"][0].startswith("no_such_framework is not installed")
    assert rows["numpy"][1:5] == ("cpu", "eager", "eager preserved", NumpyBackend().kernels())
    assert f"numpy {np.__version__}" in rows["numpy"][0]
