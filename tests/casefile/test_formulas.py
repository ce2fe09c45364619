"""Formulas in place of operations: that they are the operations, which calls they take, how a call is written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.casefile.expressions import names_in, operations_in, parse_call
from conformance.casefile.formulas import FORMULAS, PREFIX, Formula, written_out
from conformance.casefile.inputs import materialise
from conformance.casefile.variants import Variant
from conformance.execution.program import compile_variant
from conformance.ops import OPERATIONS
from conformance.truth import balls

EVERY = [formula for formulas in FORMULAS.values() for formula in formulas.values()]
SHIFTED = "-(t * log(p + 1e-8) + (1 - t) * log(1 - p + 1e-8))"
"""Adds a number that the operation does not have: the only one that is not the operation itself."""

CALLS = {
    "softmax": "softmax(x, axis=1)",
    "log_softmax": "log_softmax(x, axis=1)",
    "sigmoid": "sigmoid(x)",
    "log_sigmoid": "log_sigmoid(x)",
    "binary_cross_entropy": "binary_cross_entropy(p, t, reduction=r)",
    "binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits(x, t, reduction=r)",
}
GIVEN = {
    "x": "[[0.5, -1.25], [2, 0.125]]",
    "p": "[[0.5, 0.25], [0.75, 0.125]]",
    "t": "[[1, 0], [0.25, 0.5]]",
}


def one(operation: str) -> str:
    """A case that calls an operation, with each reduction if it has one."""
    call = CALLS[operation]
    taken = names_in(parse_call(call))
    given = ", ".join(f"{name}: {numbers}" for name, numbers in GIVEN.items() if name in taken)
    grid = "dtype: [float64]" + (", r: [none, mean, sum]" if "r" in taken else "")
    return f"cases:\n  - {{name: one, given: {{{given}}}, for: {{{grid}}}, call: '{call}'}}\n"


Variants = Callable[[str], dict[str, Variant]]


def _exact(variant: Variant) -> list[Any]:
    """The elements of a variant's result in exact arithmetic."""
    balls.working_precision(balls.AMPLE_PRECISION)
    program = compile_variant(variant)
    values: list[Any] = [balls.exact(array) for array in materialise(variant).values()]
    for step in program.steps:
        values.append(balls.as_balls(OPERATIONS[step.operation].exact(**step.bind(values))))
    return [balls.value_of(element) for element in values[-1].ravel().tolist()]


def _furthest(variant: Variant, formula: Formula) -> float:
    """The largest distance between an operation and a formula for it; infinite between results of other sizes."""
    due, found = _exact(variant), _exact(written_out(variant, formula))
    same = len(due) == len(found)
    return max(float(abs(a - b).mid()) for a, b in zip(due, found, strict=True)) if same else float("inf")


@pytest.mark.parametrize("formula", EVERY, ids=lambda formula: f"{formula.operation}: {formula.text}")
def test_a_formula_is_its_operation_in_exact_arithmetic(formula: Formula, variants: Variants) -> None:
    for variant in variants(one(formula.operation)).values():
        furthest = _furthest(variant, formula)
        assert (1e-9 < furthest < 1e-6) if formula.text == SHIFTED else furthest < 1e-15


@pytest.mark.parametrize(
    "wrong",
    [
        Formula("sigmoid", "1 / (1 + exp(x))"),
        Formula("sigmoid", "exp(x) / (2 + exp(x))"),
        Formula("softmax", "exp(x) / sum(exp(x), axis=0, keepdims=True) + 0 * sum(x, axis=axis, keepdims=True)"),
        Formula("log_sigmoid", "log(1 + exp(-x))"),
        Formula("binary_cross_entropy", "target * log(p) + (1 - target) * log(1 - p)", reduced=True),
        Formula("binary_cross_entropy", "-(target * log(p) + (1 - target) * log(1 - p))"),
    ],
    ids=str,
)
def test_a_formula_that_is_not_its_operation_is_told(wrong: Formula, variants: Variants) -> None:
    found = variants(one(wrong.operation)).values()
    assert max(_furthest(variant, wrong) for variant in found) > 1e-3


@pytest.mark.parametrize("formula", EVERY, ids=lambda formula: f"{formula.operation}: {formula.text}")
def test_a_formula_is_made_of_parameters_and_other_operations(formula: Formula) -> None:
    assert formula.name.startswith(PREFIX)
    assert formula.parameters <= set(OPERATIONS[formula.operation].parameters)
    assert formula.operation not in formula.operations
    assert formula.operations >= operations_in(formula.expression)
    assert ({"sum", "mean"} <= formula.operations) or not formula.reduced


def test_a_formula_takes_calls_that_give_just_what_it_is_made_of() -> None:
    plain, reduced = FORMULAS["softmax"], FORMULAS["binary_cross_entropy"]
    (softmax,) = plain.values()
    assert softmax.takes(["x", "axis"]) and not softmax.takes(["x"])
    loss = reduced["formula: -(t * log(p) + (1 - t) * log(1 - p))"]
    assert loss.takes(["p", "target"]) and loss.takes(["p", "target", "reduction"])
    assert not loss.takes(["p", "target", "weight"]) and not loss.takes(["p"])


def test_a_call_is_written_out_with_what_it_gives(variants: Variants) -> None:
    text = "cases:\n  - {name: one, given: {z: [[1.0]]}, for: {axis: [0, -1]}, call: 'softmax(z, axis=axis)'}"
    (formula,) = FORMULAS["softmax"].values()
    for variant in variants(text).values():
        written = written_out(variant, formula)
        assert str(written.case.expression) != str(variant.case.expression)
        steps = compile_variant(written).steps
        assert [step.operation for step in steps] == ["exp", "sum", "divide"]
        assert dict(steps[1].arguments)["axis"] == variant.bindings["axis"]
        assert (written.id, written.bindings) == (variant.id, variant.bindings)


@pytest.mark.parametrize(
    ("reduction", "last"), [("", "mean"), (", reduction='sum'", "sum"), (", reduction='none'", "negative")]
)
def test_a_loss_is_reduced_as_the_call_says_and_to_its_mean_where_it_does_not(
    reduction: str, last: str, variants: Variants
) -> None:
    text = f'cases:\n  - {{name: one, given: {{a: [0.5], b: [1.0]}}, call: "binary_cross_entropy(a, b{reduction})"}}'
    (variant,) = variants(text).values()
    written = written_out(variant, FORMULAS["binary_cross_entropy"]["formula: -(t * log(p) + (1 - t) * log(1 - p))"])
    assert compile_variant(written).steps[-1].operation == last


def test_what_a_case_expects_is_of_the_operation_and_not_of_its_steps(variants: Variants) -> None:
    text = "cases:\n  - {name: one, given: {x: [1]}, for: {dtype: [int32]}, call: sigmoid(x), expect: raises}"
    (variant,) = variants(text).values()
    written = written_out(variant, FORMULAS["sigmoid"]["formula: 1 / (1 + exp(-x))"])
    assert variant.case.expect.raises and not written.case.expect.raises
    assert [step.operation for step in compile_variant(written).steps] == ["negative", "exp", "add", "divide"]
