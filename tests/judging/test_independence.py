"""An element's answer depends on nothing but what its definition reads: not on other elements, nor on what ran before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES, DType
from conformance.judging.answers import Answer, _answer
from conformance.ops import OPERATIONS
from conformance.truth import balls

FLOAT32 = DTYPES["float32"].numpy
SPECIALS = [np.nan, np.inf, -np.inf, -0.0, 1.0, float(np.finfo(np.float32).max)]
PROBABILITIES = [np.nan, np.inf, 0.0, 1.0, 0.25]


def answer(name: str, dtype: DType | None = None, **arguments: Any) -> Answer:
    operation = OPERATIONS[name]
    defaults = {p.name: p.default for p in operation.parameters.values() if not p.required}
    return _answer(operation, arguments | {n: d for n, d in defaults.items() if n not in arguments}, dtype)


def array(values: Any) -> np.ndarray:
    return np.array(values, dtype=FLOAT32)


def told(found: Answer, index: tuple[int, ...] = ()) -> Any:
    """What a result is judged by at an element: its bits, its residual, whether a convention names it, its budget."""
    if found.values is None:
        return found.why_not
    value, special = found.values.value[index], found.special is not None and bool(found.special[index])
    if special:
        return str(value), "by convention"
    residual = round(float(found.values.residual[index]), 11)  # it is true to 2**-42 ULP
    signed = residual != 0 or (found.signed is not None and bool(found.signed[index]))
    return str(value), signed, residual, round(float(np.asarray(found.budget)[index]), 9)


def assert_independent(name: str, arrays: dict[str, np.ndarray], **parameters: Any) -> None:
    """An answer held against the answers of its elements one by one."""
    whole = answer(name, **arrays, **parameters)
    for i in range(len(next(iter(arrays.values())))):
        alone = answer(name, **{key: value[i : i + 1] for key, value in arrays.items()}, **parameters)
        if whole.values is None or alone.values is None:
            assert whole.values is None, f"{name} of {arrays}: {alone.why_not}"
            continue
        assert told(whole, (i,)) == told(alone, (0,)), f"{name} of {arrays} at {i}"


UNARY = ["exp", "log", "negative", "sigmoid", "log_sigmoid"]
BINARY = ["add", "subtract", "multiply", "divide"]
LOSSES = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


def test_every_elementwise_operation_is_looked_at() -> None:
    assert {name for name, one in OPERATIONS.items() if one.elementwise} == {*UNARY, *BINARY}


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_argument(name: str) -> None:
    for pair in itertools.product(SPECIALS, repeat=2):
        assert_independent(name, {"x": array(pair)})


@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_arguments(name: str) -> None:
    for a, b, c, d in itertools.product(SPECIALS, repeat=4):
        assert_independent(name, {"a": array([a, b]), "b": array([c, d])})


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_is_not_reduced(name: str) -> None:
    first = "p" if name == "binary_cross_entropy" else "x"
    for a, b, c, d in itertools.product(PROBABILITIES, repeat=4):
        assert_independent(name, {first: array([a, b]), "target": array([c, d])}, reduction="none")


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sum", "mean"])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_slice_along_an_axis(name: str, axis: int) -> None:
    pairs = list(itertools.product([*SPECIALS[1:], -3e4], repeat=2)) + [(np.nan, 1.0)]
    pairs = pairs[::2]
    for first, second in itertools.product(pairs, repeat=2):
        x = array([first, second]) if axis == 1 else array([first, second]).T
        whole = answer(name, x=x, axis=axis)
        for i, pair in enumerate((first, second)):
            alone = answer(name, x=array(pair), axis=0)
            if whole.values is None or alone.values is None:
                assert whole.values is None, f"{name} of {x}: {alone.why_not}"
                continue
            for j in range(alone.values.value.size):
                at = (i,) if whole.values.value.ndim == 1 else ((i, j) if axis == 1 else (j, i))
                assert told(whole, at) == told(alone, (j,) if alone.values.value.ndim else ()), f"{name} of {x} at {at}"


@pytest.mark.parametrize("name", ["sum", "mean"])
@pytest.mark.parametrize("axes", [[0, 2], [2, 0], [-1, 0], [1, 2], [0, 1]])
def test_a_slice_along_several_axes(name: str, axes: list[int]) -> None:
    """Two slices of four elements, laid out along the axes that are reduced; the other axis tells them apart."""
    fours = list(itertools.product([*SPECIALS[1:], -3e4], repeat=4))[::37]
    (kept,) = set(range(3)) - {axis % 3 for axis in axes}
    for first, second in zip(fours, reversed(fours), strict=True):
        x = np.moveaxis(array([first, second]).reshape(2, 2, 2), 0, kept)
        whole = answer(name, x=x, axis=axes)
        for i, one in enumerate((first, second)):
            alone = answer(name, x=array(one))
            assert told(whole, (i,)) == told(alone), f"{name} of {x} at {i}"


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_along_no_axis_each_element_stands_alone(name: str) -> None:
    for pair in itertools.product(SPECIALS, repeat=2):
        assert_independent(name, {"x": array(pair)}, axis=[])


@pytest.mark.parametrize(
    ("name", "a", "b", "right"),
    [
        ("add", [np.inf, 1], [1, 0], [np.inf, 1]),
        ("subtract", [np.nan, 1], [1, 0], [np.nan, 1]),
        ("multiply", [np.inf, 2], [1, 0], [np.inf, 0]),
        ("divide", [np.inf, 2], [1, 0], [np.inf, np.inf]),
    ],
)
def test_a_zero_beside_a_special_number_is_a_zero(
    name: str, a: Sequence[float], b: Sequence[float], right: Sequence[float]
) -> None:
    assert np.array_equal(answer(name, a=array(a), b=array(b)).array, array(right), equal_nan=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_lowest_number_of_a_dtype_beside_minus_infinity_is_certain(name: str, dtype: str) -> None:
    one = DTYPES[dtype].numpy
    lowest = -float(2 - 2.0 ** (1 - DTYPES[dtype].precision)) * 2.0 ** DTYPES[dtype].max_exponent
    found = answer(name, x=np.array([lowest, -np.inf, lowest], dtype=one))
    half = 0.5 if name == "softmax" else np.log(0.5)
    assert found.array is not None
    due = np.array([half, 0 if name == "softmax" else -np.inf, half], dtype=one)
    assert found.array.tolist() == due.tolist()


def test_no_answer_depends_on_the_precision_that_an_earlier_one_left() -> None:
    large = np.array([9007199254740993, 1, 4611686018427387904])
    for bits in (30, 53, 1024):
        balls.working_precision(bits)
        assert answer("sum", x=large).array == 4620693217682128898
        balls.working_precision(bits)
        assert str(answer("multiply", a=large[:2], b=large[:2]).why_not) == "the exact result does not fit int64"
        balls.working_precision(bits)
        assert told(answer("exp", x=array([1.0])), (0,)) == told(answer("exp", x=array([1.0])), (0,))


@pytest.mark.parametrize("name", ["log_softmax", "softmax"])
@pytest.mark.parametrize("low", [-120.0, -200.0, -4100.0, -4200.0, -12000.0])
@pytest.mark.parametrize("high", [0.00048, 0.00048828125, 2.0**-20])
def test_the_sign_that_a_zero_is_due_does_not_depend_on_how_precisely_another_element_has_to_be_known(
    name: str, low: float, high: float
) -> None:
    """The last one of these lies next to a tie, and takes thousands of bits; beside it the first one did too."""
    alone = answer(name, x=array([low, high]), axis=0)
    beside = answer(name, x=array([[low, high], [-4100.0, 2.0**-11]]), axis=1)
    for index in range(2):
        assert told(alone, (index,)) == told(beside, (0, index))


def test_a_sign_is_due_where_the_value_itself_tells_it() -> None:
    found = answer("log_softmax", x=array([-106.0, 0.5]), axis=0).values
    assert found is not None
    assert (found.units[1], bool(found.residual[1] < 0), str(found.value[1])) == (0, True, "-0.0")


@pytest.mark.parametrize(
    ("name", "a", "b", "due"),
    [
        ("multiply", [0.0, -0.0, 0.0, -0.0], [2.0, 2.0, -2.0, -2.0], "+--+"),
        ("divide", [0.0, -0.0, 0.0, -0.0], [2.0, 2.0, -2.0, -2.0], "+--+"),
        ("add", [0.0, -0.0, 1.0, 0.0], [-0.0, -0.0, -1.0, 0.0], "+-++"),
        ("subtract", [0.0, -0.0, 1.0, 0.0], [0.0, 0.0, 1.0, -0.0], "+-++"),
    ],
)
def test_a_true_zero_of_a_basic_operation_has_the_sign_of_ieee_754(
    name: str, a: list[float], b: list[float], due: str
) -> None:
    found = answer(name, a=array(a), b=array(b))
    assert found.values is not None
    assert found.signed is not None
    assert found.signed.all()
    assert "".join("-" if negative else "+" for negative in np.signbit(found.values.value)) == due


def test_true_zeros_of_other_operations_have_no_sign_that_is_due() -> None:
    for name, given in (("sum", [0.0, -0.0]), ("mean", [1.0, -1.0]), ("log", [1.0]), ("log_softmax", [1.0])):
        found = answer(name, x=array(given), **({"axis": 0} if name == "log_softmax" else {}))
        assert found.values is not None
        assert found.signed is None
        assert (found.values.residual == 0).all()
