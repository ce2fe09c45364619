"""The elementary functions and the four arithmetic operations, against mpmath and exact fractions."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.ops import OPERATIONS
from conformance.ops.bounds import elementary
from conformance.truth.balls import UndefinedError
from conformance.truth.rounding import from_array

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]
BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}
UNARY = {"exp": mpmath.exp, "log": mpmath.log, "negative": lambda x: -x}


def unary(function: Any) -> Any:
    return lambda x: np.frompyfunc(function, 1, 1)(x)


def binary(function: Any) -> Any:
    def loops(a: Any, b: Any) -> Any:
        a, b = np.broadcast_arrays(a, b)
        result = np.empty(a.shape, dtype=object)
        for index in np.ndindex(a.shape):
            result[index] = function(a[index], b[index])
        return result

    return loops


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_arithmetic_is_exact_and_broadcasts(check: Any, dtype: np.dtype, name: str) -> None:
    rng = np.random.default_rng(11)
    a, b = (rng.standard_normal((3, 1)) * 9).astype(dtype), rng.standard_normal((1, 4)).astype(dtype)
    result = check.value(name, binary(BINARY[name]), a=a, b=b)
    assert result.value.shape == (3, 4)
    assert np.all(check.allowed(name, result, {"a": a, "b": b}) == 0.5)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda d: d.__name__)
def test_the_processor_rounds_basic_operations_as_the_definition_does(check: Any, dtype: Any, name: str) -> None:
    rng = np.random.default_rng(12)
    a, b = rng.standard_normal(300).astype(dtype), rng.standard_normal(300).astype(dtype)
    np.testing.assert_array_equal(check.answer(name, {"a": a, "b": b}).value, BINARY[name](a, b))


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_elementary_functions(check: Any, dtype: np.dtype, name: str) -> None:
    x = np.array([0.001, 0.5, 1.0, 2.5, 10.0] + ([] if name == "log" else [-3.0, -10.0])).astype(dtype)
    check.value(name, unary(UNARY[name]), x=x)


def test_exponentials_overflow_and_vanish_where_they_must(check: Any) -> None:
    x = np.array([89, -104, -103], dtype=np.float32)
    assert check.answer("exp", {"x": x}).value.tolist() == [np.inf, 0.0, np.float32(2.0**-149)]


def test_operations_have_no_value_at_their_poles(check: Any) -> None:
    for name, arguments in [
        ("log", {"x": np.array([0.0])}),
        ("log", {"x": np.array([-1.0])}),
        ("divide", {"a": np.array([1.0]), "b": np.array([0.0])}),
        ("divide", {"a": np.array([0.0]), "b": np.array([0.0])}),
    ]:
        with pytest.raises(UndefinedError):
            check.answer(name, arguments)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("wrt", ["a", "b"])
def test_gradients_of_arithmetic_with_respect_to_either_side(check: Any, name: str, wrt: str) -> None:
    a, b = np.array([[1.5, -2.0, 0.25]]), np.array([[3.0], [-0.5]])
    check.gradient(name, wrt, binary(BINARY[name]), a=a, b=b)


@pytest.mark.parametrize("name", UNARY)
def test_gradients_of_elementary_functions(check: Any, name: str) -> None:
    check.gradient(name, "x", unary(UNARY[name]), x=np.array([0.3, 2.0, 7.5]))


def test_a_result_one_ulp_off_is_wrong_for_arithmetic_and_allowed_to_an_exponential(check: Any) -> None:
    x = np.array([0.3, 2.0], dtype=np.float32)
    for name, arguments, within in [("add", {"a": x, "b": x}, False), ("exp", {"x": x}, True)]:
        result = check.answer(name, arguments)
        next_to = np.nextafter(result.value, np.float32(np.inf))
        assert np.all((result.distance(next_to) <= check.allowed(name, result, arguments)) == within)


def test_an_exponential_rounded_to_16_bits_may_be_off_by_less() -> None:
    assert elementary(from_array(np.ones(1, dtype=np.float32))) == 8
    assert elementary(from_array(np.ones(1, dtype=np.float16))) == 2


def test_arithmetic_of_two_dtypes_has_no_dtype_of_its_own() -> None:
    half, single, whole = (np.ones(2, dtype=d) for d in (np.float16, np.float32, np.int32))
    rule = OPERATIONS["add"].result_dtype
    assert rule(a=half, b=half) is DTYPES["float16"]
    assert rule(a=half, b=single) is None
    assert rule(a=whole, b=whole) is DTYPES["int32"]
    assert rule(a=whole, b=single) is None
    assert rule(a=whole > 0, b=whole > 0) is None
    assert OPERATIONS["divide"].result_dtype(a=whole, b=whole) is None  # frameworks differ
