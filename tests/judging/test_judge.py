"""From findings to verdicts: which verdict, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.ground.verdicts import VERDICTS

SIGMOID = "  - {name: one, given: {x: [1.0]}, call: sigmoid(x)}"


def test_what_passed_has_no_reason_and_says_how_near_its_budget_it_came(on_cases: Callable[..., Any]) -> None:
    judged = on_cases(SIGMOID)["one"]
    assert (judged.verdict, judged.reason, judged.findings) == ("passed", "", [])
    assert 0 < judged.measured.ulp <= judged.measured.budget
    assert judged.measured.index == (0,)
    assert judged.measured.ratio == pytest.approx(judged.measured.ulp / judged.measured.budget)


def test_the_reason_of_a_failure_is_its_first_finding(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    judged = on_cases(SIGMOID, numpy_with(sigmoid=lambda x: x[None].astype(np.float64)))["one"]
    assert judged.reason == "dtype: expected float32, got float64"
    assert [f.channel for f in judged.findings] == ["dtype", "shape"]


def test_a_missing_idiom_is_unsupported_and_names_the_operation(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with(sigmoid=None)
    verdicts = on_cases(SIGMOID + "\n  - {name: two, given: {x: [1.0]}, call: exp(x)}", backend)
    assert (verdicts["one"].verdict, verdicts["one"].reason) == ("unsupported", "numpy has no idiom for sigmoid")
    assert verdicts["two"].verdict == "passed"


def test_an_unsupported_variant_is_not_passed_even_where_an_error_is_due(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with(softmax=None)
    text = "  - {name: one, given: {x: [1.0]}, call: 'softmax(x, axis=3)', expect: raises}"
    assert on_cases(text)["one"].verdict == "passed"
    assert on_cases(text, backend)["one"].verdict == "unsupported"


def test_an_unsupported_variant_meets_no_registered_divergence(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with(sigmoid=None)
    entry = "  - {cases: '*', instead: {dtype: float64}, because: for some reason, first-seen: numpy 2}"
    assert on_cases(SIGMOID, backend, entry)["one"].verdict == "unsupported"


def test_there_are_the_verdicts_that_reports_know() -> None:
    assert VERDICTS == ("passed", "failed", "divergent", "unsupported", "crashed", "timed-out", "not-run")
