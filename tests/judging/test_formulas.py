"""Formulas are judged step by step; what their steps lose together is a divergence by arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.casefile.formulas import FORMULAS, written_out
from conformance.casefile.inputs import materialise
from conformance.casefile.variants import Variant
from conformance.execution.executor import Executor
from conformance.execution.program import compile_variant
from conformance.judging.formulas import Written
from conformance.judging.judge import Judge, Judgement

SIGMOID, EXPONENTIALS = "formula: 1 / (1 + exp(-x))", "formula: exp(x) / (1 + exp(x))"
LOGARITHM = "formula: log(sigmoid(x))"
SOFTMAX = "formula: exp(x) / sum(exp(x))"
LOSS = "formula: -(t * log(p) + (1 - t) * log(1 - p))"

Judged = Callable[..., Judgement]


@pytest.fixture
def judged(variants: Callable[[str], list[Variant]]) -> Judged:
    """The judgement of the only variant of a text in a formula, on a backend (by default plain numpy)."""

    def judge(text: str, formula: str, backend: Any = None) -> Judgement:
        (variant,) = variants(text)
        program = compile_variant(variant)
        written = written_out(variant, FORMULAS[variant.case.headline][formula])
        steps = compile_variant(written)
        with np.errstate(all="ignore"):
            outcome = Executor(backend or NumpyBackend()).run(steps, list(materialise(variant).values()), "eager")
        return Judge().judge_formula(variant, program, Written(written, steps), outcome)

    return judge


def one(numbers: str, call: str = "sigmoid(x)", more: str = "") -> str:
    return f'  - {{name: one, given: {{x: {numbers}}}, call: "{call}"{more}}}'


def test_a_formula_whose_result_is_the_operations_passes(judged: Judged) -> None:
    found = judged(one("[0.5, -2.0, 30.0]"), SIGMOID)
    assert (found.verdict, found.reason, found.findings) == ("passed", "", [])
    assert found.measured is not None and found.measured.ulp <= found.measured.budget


@pytest.mark.parametrize(
    ("text", "formula", "channel", "reason"),
    [
        (one("[100.0]"), EXPONENTIALS, "nan-inf", "where step 1, exp, is no finite number"),
        (one("[[1000.0, 1001.0]]", "softmax(x, axis=1)"), SOFTMAX, "nan-inf", "where step 1, exp, is no finite number"),
        (one("[-95.0]"), SIGMOID, "value", "where step 2, exp, is no finite number"),
        (one("[25.0]", "log_sigmoid(x)"), "formula: log(1 / (1 + exp(-x)))", "value", "where step 3, add, rounds"),
        (
            "  - {name: one, given: {p: [1.0e-9], t: [0.0]}, call: \"binary_cross_entropy(p, t, reduction='none')\"}",
            LOSS, "value", "where step 4, subtract, rounds",
        ),
    ],
)  # fmt: skip
def test_what_right_steps_lose_is_a_divergence_that_names_the_step(
    text: str, formula: str, channel: str, reason: str, judged: Judged
) -> None:
    found = judged(text, formula)
    assert found.verdict == "divergent"
    assert reason in found.reason and found.reason.startswith("each step conforms")
    assert found.findings[0].channel == channel


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        ("exp", lambda x: np.exp(x) * x.dtype.type(1 + 1e-5)),
        ("exp", np.exp2),
        ("divide", lambda a, b: a * (1 / b) * b.dtype.type(1 + 2e-7)),
        ("negative", lambda x: x),
        ("add", lambda a, b: np.add(a, b).astype(np.float64)),
        ("divide", lambda a, b: (a / b)[None]),
    ],
)
def test_a_wrong_step_fails_the_formula_whatever_its_result(
    operation: str, wrong: Any, judged: Judged, numpy_with: Callable[..., Any]
) -> None:
    assert judged(one("[0.5, -2.0, 30.0]"), SIGMOID, numpy_with(**{operation: wrong})).verdict == "failed"


def test_a_step_that_is_wrong_where_the_formula_loses_everything_fails_all_the_same(
    judged: Judged, numpy_with: Callable[..., Any]
) -> None:
    """An exponential of 95 is infinite in float32; one that is the largest number would pass for it in the result."""
    largest = numpy_with(exp=lambda x: np.minimum(np.exp(x), np.finfo(x.dtype).max))
    assert judged(one("[-95.0]"), SIGMOID).verdict == "divergent"
    assert judged(one("[-95.0]"), SIGMOID, largest).verdict == "failed"


def test_a_result_where_the_operation_has_to_refuse_is_a_divergence_and_must_be_right(
    judged: Judged, numpy_with: Callable[..., Any]
) -> None:
    text = '  - {name: one, given: {p: [0.5], t: [0.5, 0.5]}, call: "binary_cross_entropy(p, t)", expect: raises}'
    found = judged(text, LOSS)
    assert (found.verdict, found.findings[0].channel) == ("divergent", "status")
    assert judged(text, LOSS, numpy_with(log=np.log2)).verdict == "failed"


def test_a_formula_that_refuses_fails_where_a_result_is_due(judged: Judged, numpy_with: Callable[..., Any]) -> None:
    def refused(x: Any) -> Any:
        raise TypeError("no")

    assert judged(one("[0.5]"), SIGMOID, numpy_with(exp=refused)).verdict == "failed"
    assert judged(one("[0.5]", more=", expect: raises"), SIGMOID, numpy_with(exp=refused)).verdict == "passed"


def test_a_formula_whose_step_a_backend_lacks_is_unsupported(judged: Judged, numpy_with: Callable[..., Any]) -> None:
    assert judged(one("[0.5]"), SIGMOID, numpy_with(exp=None)).verdict == "unsupported"


def test_integers_in_a_formula_wrap_and_get_the_dtype_that_comes(
    judged: Judged, numpy_with: Callable[..., Any]
) -> None:
    text = one("[1]", more=", for: {dtype: [uint8]}, expect: {dtype: float16}")
    found = judged(text, SIGMOID)
    assert (found.verdict, [f.channel for f in found.findings][:1]) == ("divergent", ["value"])
    saturated = numpy_with(negative=lambda x: np.zeros_like(x))
    assert judged(text, SIGMOID, saturated).verdict == "failed"


def test_the_sign_of_a_zero_between_two_steps_is_asked_of_the_result_alone(
    judged: Judged, numpy_with: Callable[..., Any]
) -> None:
    unsigned = numpy_with(negative=lambda x: np.where(x == 0, x.dtype.type(0), -x))
    assert judged(one("[0.0]"), SIGMOID, unsigned).verdict == "passed"
