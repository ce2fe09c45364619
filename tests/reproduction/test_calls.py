"""Calls and claims as Python statements: the steps that the suite runs, and nothing that was not in the expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from conformance.casefile.expressions import parse_call, parse_claim
from conformance.reproduction.calls import NotPythonError, Statements, literal, write


def call(text: str, *inputs: str, bindings: Mapping[str, Any] | None = None, **more: Any) -> Statements:
    return write(parse_call(text), inputs, bindings or {}, **more)


def test_a_call_of_one_operation_stays_as_it_was_written() -> None:
    found = call("softmax(x, axis=axis)", "x", bindings={"axis": 0})
    assert found.steps == ["softmax(x, axis=axis)"]
    assert (found.inputs, found.bindings, found.sides) == (["x"], ["axis = 0"], ["step_1"])
    assert found.operations == ["softmax"]


def test_nested_calls_are_steps_and_one_that_occurs_twice_is_computed_once() -> None:
    found = call("binary_cross_entropy(sigmoid(x), sigmoid(x), weight=w)", "x", "w")
    assert found.steps == ["sigmoid(x)", "binary_cross_entropy(step_1, step_1, weight=w)"]
    assert (found.sides, found.operations) == (["step_2"], ["sigmoid", "binary_cross_entropy"])


def test_equal_grid_values_make_one_step_as_in_the_suite_and_1_is_not_true() -> None:
    both = write(parse_claim("sum(x, axis=a) == sum(x, axis=b)"), ["x"], {"a": 1, "b": 1})
    assert (both.steps, both.sides) == (["sum(x, axis=a)"], ["step_1", "step_1"])
    apart = write(parse_claim("sum(x, axis=1) == sum(x, axis=1, keepdims=True)"), ["x"], {})
    assert len(apart.steps) == 2


def test_operators_are_written_with_their_sign_unless_the_backend_spells_them_otherwise() -> None:
    assert call("2 * x - -1.5", "x").steps == ["2 * x", "step_1 - (-1.5)"]
    assert call("-x / y", "x", "y").steps == ["-x", "step_1 / y"]
    assert call("2 * x", "x", signs=()).steps == ["multiply(2, x)"]


def test_dtypes_and_lists_of_axes_are_what_the_suite_hands_to_an_idiom() -> None:
    assert call("asarray([1, 2.5], dtype='float16')").steps == ['asarray([1, 2.5], dtype=dtype_named("float16"))']
    assert call("asarray(data, dtype=dtype)", bindings={"data": [1], "dtype": "int8"}).steps == [
        "asarray(data, dtype=dtype_named(dtype))"
    ]
    assert call("asarray([1], dtype=dtype)", bindings={"dtype": None}).steps == ["asarray([1], dtype=dtype)"]
    assert call("sum(x, axis=[0, 1])", "x").steps == ["sum(x, axis=tuple([0, 1]))"]
    assert call("sum(x, axis=axis)", "x", bindings={"axis": [0, 1]}).steps == ["sum(x, axis=tuple(axis))"]
    assert call("reshape(x, shape=[-1])", "x").steps == ["reshape(x, shape=[-1])"]


def test_an_idiom_that_takes_its_parameters_in_another_order_gets_them_by_name() -> None:
    found = call("binary_cross_entropy(p, y)", "p", "y", positional={"binary_cross_entropy": ["target", "p"]})
    assert found.steps == ["binary_cross_entropy(p=p, target=y)"]
    found = call("binary_cross_entropy(p, y)", "p", "y", positional={"binary_cross_entropy": ["p"]})
    assert found.steps == ["binary_cross_entropy(p, target=y)"]


def test_the_sides_of_a_claim_are_steps_inputs_plain_values_and_shapes() -> None:
    found = write(parse_claim("shape(softmax(x, axis=0)) == shape(x) == [2, 3]"), ["x"], {})
    assert (found.sides, found.shapes) == (["step_1", "x", "[2, 3]"], [True, True, False])


@pytest.mark.parametrize("name", ["sum", "softmax", "run", "result", "np", "print", "match", "step_1", "if"])
def test_an_input_does_not_take_a_name_that_the_script_needs(name: str) -> None:
    found = write(parse_call("exp(x)"), ["x", name], {}, taken={"np"})
    assert found.inputs[0] == "x"
    assert found.inputs[1] == (name if name == "match" else f"{name}_")


def test_two_inputs_never_get_the_same_name() -> None:
    assert len(set(write(parse_call("exp(np)"), ["np_", "np", "np__"], {"run": 1}, taken={"np"}).inputs)) == 3


@pytest.mark.parametrize("name", ["", "x y", "x\nimport os", "é", "x=1", "0"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(NotPythonError):
        write(parse_call("exp(x)"), ["x", name], {})
    with pytest.raises(NotPythonError):
        write(parse_call("exp(x)"), ["x"], {name: 1})


def test_a_name_that_stands_for_nothing_is_refused() -> None:
    with pytest.raises(NotPythonError, match="neither an input nor bound"):
        call("softmax(x, axis=axis)", "x")


@pytest.mark.parametrize(
    "value",
    [0, -3, 2**63, True, None, 0.1, -0.0, 5e-324, [], [[1.5, None], ["mean"]], "it's \"\n\\", "\u202e", "é" * 3],
)
def test_a_literal_is_the_value_in_ascii(value: Any) -> None:
    text = literal(value)
    assert text.isascii() and text.isprintable()
    assert repr(eval(text, {})) == repr(value)


def test_infinities_and_nan_are_literals_too() -> None:
    assert literal([float("inf"), float("-inf")]) == '[float("inf"), float("-inf")]'
    assert literal(float("nan")) == 'float("nan")'


def test_other_values_are_refused() -> None:
    for value in ({"a": 1}, (1,), b"", 1j):
        with pytest.raises(NotPythonError):
            literal(value)
