"""A formula in a framework's code: what it looks like, where it is offered, and that it gives what its steps give."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance import backends
from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms
from conformance.casefile.formulas import FORMULAS, Formula, written_out
from conformance.casefile.inputs import materialise
from conformance.casefile.variants import Variant
from conformance.execution.executor import Executor
from conformance.execution.program import compile_variant
from conformance.suite.formula_code import code_of, has

EVERY = [formula for formulas in FORMULAS.values() for formula in formulas.values()]
INF, NAN = math.inf, math.nan
CERTAIN = "given: {p: [0.0, 0.0, 1.0], t: [0.0, 1.0, 0.0]}, call: \"binary_cross_entropy(p, t, reduction='none')\""
FAR = "given: {x: [40.0], t: [0.0]}, call: \"binary_cross_entropy_with_logits(x, t, reduction='none')\""
UNCLAMPED = "-(t * log(p) + (1 - t) * log(1 - p))"

KNOWN: list[tuple[str, str, list[Any]]] = [
    ("given: {x: [[1000.0, 1001.0]]}, call: 'softmax(x, axis=1)'", "exp(x) / sum(exp(x))", [[NAN, NAN]]),
    ("given: {x: [[-1000.0, -999.0]]}, call: 'softmax(x, axis=1)'", "exp(x) / sum(exp(x))", [[NAN, NAN]]),
    ("given: {x: [[0.0, -200.0]]}, call: 'log_softmax(x, axis=1)'", "log(softmax(x))", [[0, -INF]]),
    ("given: {x: [[1000.0, 0.0]]}, call: 'log_softmax(x, axis=1)'", "x - log(sum(exp(x)))", [[-INF, -INF]]),
    ("given: {x: [-200.0, 20.0]}, call: log_sigmoid(x)", "log(sigmoid(x))", [-INF, 0]),
    ("given: {x: [-200.0, 20.0]}, call: log_sigmoid(x)", "log(1 / (1 + exp(-x)))", [-INF, 0]),
    ("given: {x: [-200.0, 20.0]}, call: log_sigmoid(x)", "-log(1 + exp(-x))", [-INF, 0]),
    ("given: {x: [100.0]}, call: sigmoid(x)", "exp(x) / (1 + exp(x))", [NAN]),
    (CERTAIN, UNCLAMPED, [NAN, INF, INF]),
    (CERTAIN, "-(t * log(p + 1e-8) + (1 - t) * log(1 - p + 1e-8))", [0, 18.420681, 18.420681]),
    (FAR, "binary_cross_entropy(sigmoid(x), t)", [100]),
    (FAR, UNCLAMPED + ", p = sigmoid(x)", [INF]),
    (FAR, UNCLAMPED + ", p = 1 / (1 + exp(-x))", [INF]),
]
"""Cases, formulas, and what those come to in float32, worked out by hand."""


def _formula(operation: str, text: str) -> Formula:
    return FORMULAS[operation]["formula: " + text]


def test_it_is_what_somebody_would_type() -> None:
    torch, jax = backends.load("torch").idioms, backends.load("jax").idioms
    assert code_of(_formula("sigmoid", "1 / (1 + exp(-x))"), torch) == (
        "def sigmoid(x):\n    return 1 / (1 + torch.exp(-x))"
    )
    assert code_of(_formula("softmax", "exp(x) / sum(exp(x))"), jax) == (
        "def softmax(x, *, axis):\n    return jnp.exp(x) / jnp.sum(jnp.exp(x), axis=axis, keepdims=True)"
    )
    assert code_of(_formula("binary_cross_entropy", UNCLAMPED), torch).splitlines() == [
        'def binary_cross_entropy(p, target, *, reduction="mean"):',
        "    loss = -(target * torch.log(p) + (1 - target) * torch.log(1 - p))",
        '    if reduction == "none":',
        "        return loss",
        '    return torch.mean(loss) if reduction == "mean" else torch.sum(loss)',
    ]


def test_a_formula_is_offered_where_the_framework_has_a_function_for_each_operation() -> None:
    numpy, torch = backends.load("numpy").idioms, backends.load("torch").idioms
    assert has(numpy, _formula("sigmoid", "1 / (1 + exp(-x))"))
    assert has(torch, _formula("log_sigmoid", "log(sigmoid(x))"))
    assert not has(numpy, _formula("log_sigmoid", "log(sigmoid(x))"))  # its sigmoid is a formula itself
    few = Idioms(operators.idiom)
    assert not has(few, _formula("sigmoid", "1 / (1 + exp(-x))"))
    few("exp")(lambda x: x)  # what has no source that is one call is none of the framework's
    assert not has(few, _formula("sigmoid", "1 / (1 + exp(-x))"))


def test_every_formula_is_offered_somewhere() -> None:
    kinds = [backends.load(name).idioms for name in ("numpy", "torch", "tensorflow", "jax")]
    assert [formula.name for formula in EVERY if not any(has(idioms, formula) for idioms in kinds)] == []
    assert sum(has(idioms, formula) for idioms in kinds for formula in EVERY) > 2 * len(EVERY)


def _by_steps(backend: Any, variant: Variant, formula: Formula) -> np.ndarray:
    program = compile_variant(written_out(variant, formula))
    outcome = Executor(backend).run(program, list(materialise(variant).values()), backend.modes[0])
    assert outcome.raised is None
    return outcome.received[-1]


def _by_code(backend: Any, variant: Variant, formula: Formula) -> np.ndarray:
    namespace = dict(vars(__import__(type(backend).__module__, fromlist=["backend"])))
    exec(code_of(formula, backend.idioms), namespace)  # a function that this suite wrote
    step = compile_variant(variant).steps[0]
    with backend.scope(backend.modes[0]):
        natives = [backend.from_numpy(array) for array in materialise(variant).values()]
        found: np.ndarray = backend.to_numpy(namespace[formula.operation](**step.bind(natives)))
    return found


@pytest.mark.parametrize(("text", "name", "due"), KNOWN, ids=[f"{text} {name}" for text, name, _ in KNOWN])
def test_code_and_steps_give_the_same_bits_which_are_known(
    text: str, name: str, due: Any, framework: Any, variants: Callable[[str], list[Variant]]
) -> None:
    (variant,) = variants(f"  - {{name: one, {text}}}")
    formula = _formula(variant.case.headline, name)
    if not has(framework.idioms, formula):
        pytest.skip(f"{framework.name} has no function for an operation of this formula")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps, code = _by_steps(framework, variant, formula), _by_code(framework, variant, formula)
    assert steps.dtype == np.float32
    np.testing.assert_allclose(steps, np.array(due), rtol=1e-6)
    np.testing.assert_array_equal(steps, code)
