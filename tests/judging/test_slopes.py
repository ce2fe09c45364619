"""Exact gradients with respect to one value, and what they may be off by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from conformance.casefile.inputs import materialise
from conformance.execution.program import compile_variant
from conformance.ground.dtypes import DTYPES
from conformance.judging.answers import Answers
from conformance.judging.slopes import GradientAnswer, summed_to
from conformance.truth.gradient import default_cotangent


@pytest.fixture
def gradient(variants: Callable[..., Any]) -> Callable[..., GradientAnswer]:
    """The gradient of a call of one operation with respect to an input, each given as text."""

    def of(given: str, call: str, by: int = 0, dtype: str = "float32", weights: Any = None) -> GradientAnswer:
        text = f"  - {{name: one, given: {{{given}}}, for: {{dtype: [{dtype}]}}, call: '{call}', check: [gradient]}}"
        (variant,) = variants(text)
        program, inputs = compile_variant(variant), list(materialise(variant).values())
        answers = Answers()
        (result,) = answers.of_program(program, inputs)
        assert result.array is not None
        cotangent = default_cotangent(result.array.shape) if weights is None else np.asarray(weights, dtype=np.float64)
        return answers.of_gradient(program, [*inputs, result.array], by, {len(inputs): cotangent})

    return of


def exact(answer: GradientAnswer) -> np.ndarray:
    """The exact gradient, as float64 has it."""
    return np.ldexp(answer.values.units + answer.values.residual, answer.values.quantum)


def test_the_budget_follows_the_magnitude_of_what_cancels(gradient: Callable[..., GradientAnswer]) -> None:
    """Of a softmax over equal numbers, weighted all alike, the gradient is 0; its terms are not."""
    flat = gradient("x: [1.0, 1.0]", "softmax(x, axis=0)", weights=[1, 1])
    np.testing.assert_array_equal(flat.values.value, [0, 0])
    steep = gradient("x: [1.0, 1.0]", "softmax(x, axis=0)", weights=[1, -1])
    np.testing.assert_array_equal(steep.values.value, [0.5, -0.5])
    wrong = steep.values.value * np.float32(1.00001)
    assert np.all(steep.values.distance(wrong) > steep.reach)


@pytest.mark.parametrize(
    ("call", "right"),
    [("x * x", 6.0), ("x + x", 2.0), ("x - x", 0.0), ("x / x", 0.0)],
)
def test_of_an_input_that_is_given_twice_the_gradient_is_that_of_both_places(
    call: str, right: float, gradient: Callable[..., GradientAnswer]
) -> None:
    found = gradient("x: [3.0]", call)
    assert found.values.value.tolist() == [right]
    assert found.values.distance(np.array([right + 3], dtype=np.float32)) > found.reach


def test_a_plain_number_is_rounded_once(gradient: Callable[..., GradientAnswer]) -> None:
    found = gradient("x: [1.0]", "x / 0.333", dtype="bfloat16")
    assert exact(found)[0] == pytest.approx(1 / 0.33203125, rel=1e-12)


def test_of_a_list_of_arrays_the_gradient_is_what_stands_in_the_places_of_one(
    gradient: Callable[..., GradientAnswer],
) -> None:
    """The result's weights are 1, -0.5, 0.75 in the first row, and -1, 0.25, 0.5 in the second."""
    given, call = "x: [3.0, -2.0], y: [1.0, 2.0]", "stack([x, y, x], axis=1)"
    assert gradient(given, call, by=0).values.value.tolist() == [1.75, -0.5]
    moved = gradient(given, call, by=1)
    assert moved.values.value.tolist() == [-0.5, 0.25]
    assert moved.budget.tolist() == [0.5, 0.5]
    assert np.all(moved.values.distance(moved.values.value[::-1]) > moved.reach)


def test_where_an_input_was_broadcast_its_terms_add_up(gradient: Callable[..., GradientAnswer]) -> None:
    found = gradient("x: [[1.0], [2.0]], y: [[3.0, 4.0, 5.0]]", "x * y", weights=[[1, 1, 1], [1, 0.5, 1]])
    assert found.values.value.tolist() == [[12.0], [10.0]]
    assert summed_to(np.ones((2, 3)), (2, 1)).tolist() == [[3.0], [3.0]]
    assert summed_to(np.ones((4, 2, 3)), (3,)).tolist() == [8.0, 8.0, 8.0]
    assert summed_to(np.zeros(()), (2,)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "slope"),
    [("sum(x)", 1.0), ("mean(x)", 0.25), ("reshape(x, shape=[2, 2])", None)],
)
def test_a_result_of_another_shape_gives_the_gradient_of_every_element(
    call: str, slope: float | None, gradient: Callable[..., GradientAnswer]
) -> None:
    found = gradient("x: [1.0, 2.0, 3.0, 4.0]", call)
    assert found.values.value.tolist() == ([slope] * 4 if slope else default_cotangent((2, 2)).ravel().tolist())


FORWARDS: dict[str, Callable[..., Any]] = {
    "sigmoid(x)": lambda c, y, x: c * y * (1 - y),
    "exp(x)": lambda c, y, x: c * y,
    "softmax(x, axis=0)": lambda c, y, x: y * (c - (c * y).sum()),
    "log_softmax(x, axis=0)": lambda c, y, x: c - np.exp(y) * c.sum(),
    "log_sigmoid(x)": lambda c, y, x: c * np.exp(-x - np.abs(y)),
}
"""Of a rounded result y, the weights c and the input, what frameworks work the gradient out with."""


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("numbers", ["5.55, 0.1", "8.05, -8.05", "0.1, -80.3, -60.7, -30.9", "-12.0, 3.5, 3.25, 1e-3"])
@pytest.mark.parametrize("call", FORWARDS)
def test_no_result_that_conforms_leads_to_a_gradient_that_is_refused(
    call: str, numbers: str, dtype: str, variants: Callable[..., Any], gradient: Callable[..., GradientAnswer]
) -> None:
    """The formula, worked out in float64, on the results at either end of what their budgets allow."""
    found = gradient(f"x: [{numbers}]", call, dtype=dtype)
    (variant,) = variants(f"  - {{name: one, given: {{x: [{numbers}]}}, for: {{dtype: [{dtype}]}}, call: '{call}'}}")
    x = materialise(variant)["x"]
    (answer,) = Answers().of_program(compile_variant(variant), [x])
    assert answer.values is not None
    assert answer.budget is not None
    for side in (-1, 1, np.array([(-1) ** place for place in range(x.size)])):
        y = np.ldexp(answer.values.units + side * np.floor(answer.budget - 0.5), answer.values.quantum)
        y = np.clip(y, 0, 1) if call.startswith(("sig", "soft")) else y
        # The sum of -x and of what is not negative never rounds to less than -x.
        y = np.minimum(y, np.minimum(x.astype(np.float64), 0)) if call.startswith("log_sig") else y
        got = FORWARDS[call](default_cotangent(x.shape), y, x.astype(np.float64))
        assert np.all(np.abs(got - exact(found)) <= found.reach * found.values.ulp())


@pytest.mark.parametrize(
    ("x", "target", "weight"), [(6.0, 0.9975, 1.0), (9.1, 0.999, 1.3), (-6.0, 0.0025, 2.0), (0.5, 1.0, 1.0)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_a_sigmoid_that_conforms_does_not_lead_to_a_refused_gradient_of_the_loss(
    x: float, target: float, weight: float, dtype: str, gradient: Callable[..., GradientAnswer]
) -> None:
    """w (s - t) cancels near s = t, and the sigmoid may be off by 5 ULP, 2 in 16 bits."""
    given = f"x: [{x}], t: [{target}], w: [{weight}]"
    found = gradient(given, "binary_cross_entropy_with_logits(x, t, weight=w)", dtype=dtype)
    numbers = np.array([x, target, weight]).astype(DTYPES[dtype].numpy).astype(np.float64)
    s = 1 / (1 + np.exp(-numbers[0]))
    for off in (-1, 1):
        bent = s * (1 + off * (10 if dtype != "bfloat16" else 4) * DTYPES[dtype].unit_roundoff)
        got = numbers[2] * (bent - numbers[1])
        assert abs(got - exact(found)[0]) <= found.reach[0] * found.values.ulp()[0]
    doubled = 2 * exact(found)[0] + 4 * numbers[2] * 2.0**-3
    assert abs(doubled - exact(found)[0]) > found.reach[0] * found.values.ulp()[0] or dtype == "bfloat16"


WRONG: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "doubled": lambda g: g * 2,
    "negated": lambda g: -g,
    "nothing": lambda g: g * 0,
    "weights forgotten": lambda g: g / default_cotangent(g.shape),
}


@pytest.mark.parametrize("change", WRONG)
@pytest.mark.parametrize(
    "call", ["sigmoid(x)", "softmax(x, axis=0)", "log_softmax(x, axis=0)", "log_sigmoid(x)", "exp(x)"]
)
def test_what_is_inherited_explains_no_wrong_gradient_where_nothing_cancels(
    call: str, change: str, gradient: Callable[..., GradientAnswer]
) -> None:
    found = gradient("x: [0.5, -1.5, 1.0]", call)
    wrong = WRONG[change](exact(found))
    moved = wrong != exact(found)
    assert moved.any()
    assert np.all((np.abs(wrong - exact(found)) > found.reach * found.values.ulp())[moved])


def test_behind_a_weight_that_is_not_finite_no_finite_gradient_is_due(gradient: Callable[..., GradientAnswer]) -> None:
    found = gradient("x: [1.0, 2.0], y: [3.0, 4.0]", "x * y", weights=[np.inf, 1])
    assert found.unbounded is not None
    assert found.unbounded.tolist() == [True, False]
    assert found.values.value[1] == 4
    assert gradient("x: [1.0], y: [3.0]", "x * y").unbounded is None
