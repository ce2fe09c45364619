"""Logarithm of softmax against loops in mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]


def loops(x: Any, axis: int) -> Any:
    """x less the logarithm of the sum of exp along its line, with no shift."""
    result = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        total = mpmath.mpf(0)
        for k in range(x.shape[axis]):
            place = list(index)
            place[axis] = k
            total += mpmath.exp(x[tuple(place)])
        result[index] = x[index] - mpmath.log(total)
    return result


def sample(shape: tuple[int, ...], scale: float, dtype: np.dtype) -> np.ndarray:
    return (np.random.default_rng(4).standard_normal(shape) * scale).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_every_axis_of_a_cube(check: Any, dtype: np.dtype, axis: int) -> None:
    check.value("log_softmax", loops, x=sample((2, 3, 4), 3, dtype), axis=axis)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_next_to_one_hot_the_largest_is_a_tiny_number_and_not_zero(check: Any, dtype: np.dtype) -> None:
    result = check.value("log_softmax", loops, x=np.array([0, -12, -80], dtype=dtype), axis=0)
    assert -1e-5 < float(result.value[0]) < -1e-6


def test_a_single_class_is_certain(check: Any) -> None:
    assert check.value("log_softmax", loops, x=np.array([[3.5], [-2.0]]), axis=1).value.tolist() == [[0.0], [0.0]]


def test_the_largest_values_overflow_only_where_the_result_does(check: Any) -> None:
    with mpmath.workdps(700):
        result = check.value("log_softmax", loops, x=np.array([1.7e308, 0.0, -1.7e308]), axis=0)
    np.testing.assert_array_equal(result.value, [0.0, -1.7e308, -np.inf])


def test_gradient(check: Any) -> None:
    for axis in (0, 1):
        check.gradient("log_softmax", "x", loops, x=sample((3, 2), 1.0, np.dtype(np.float64)), axis=axis)


def test_a_line_without_elements_has_no_results(check: Any) -> None:
    assert check.answer("log_softmax", {"x": np.zeros((2, 0), dtype=np.float32), "axis": 1}).value.shape == (2, 0)


def test_the_logarithm_of_a_rounded_softmax_is_not_within_the_budget(check: Any) -> None:
    """What the operation exists for: exp(-110) is no float32, but its logarithm is."""
    arguments = {"x": np.array([0.0, -110.0], dtype=np.float32), "axis": 0}
    result = check.answer("log_softmax", arguments)
    e = np.exp(arguments["x"])
    with np.errstate(divide="ignore"):
        composed = np.log(e / e.sum())
    assert result.distance(composed)[1] > check.allowed("log_softmax", result, arguments)[1]
