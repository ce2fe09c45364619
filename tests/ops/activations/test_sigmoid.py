"""The logistic sigmoid against mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]


def loops(x: Any) -> Any:
    result = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        result[index] = 1 / (1 + mpmath.exp(-x[index]))
    return result


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_usual_logits(check: Any, dtype: np.dtype) -> None:
    check.value("sigmoid", loops, x=np.linspace(-9, 9, 37).reshape(1, 37).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_zero_is_one_half_and_subnormals_are_too(check: Any, dtype: np.dtype) -> None:
    smallest = 2.0 ** next(d for d in DTYPES.values() if d.numpy == dtype).smallest_quantum
    result = check.value("sigmoid", loops, x=np.array([0.0, -0.0, smallest, -smallest]).astype(dtype))
    assert result.value.astype(np.float64).tolist() == [0.5] * 4


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_far_out_the_result_is_subnormal_or_0_or_1(check: Any, dtype: np.dtype) -> None:
    result = check.value("sigmoid", loops, x=np.array([-17, 17, -88, 88, -103.5, -740, 740]).astype(dtype))
    assert float(result.value[-1]) == 1.0


def test_the_ends_of_float64(check: Any) -> None:
    result = check.value("sigmoid", loops, x=np.array([1e308, -1e308, 2.0**21, -(2.0**21), -745.0]))
    assert result.value[:4].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert 0 < result.value[4] < 1e-323


def test_gradient(check: Any) -> None:
    check.gradient("sigmoid", "x", loops, x=np.array([-30.0, -2.5, 0.0, 0.75, 40.0]))


def test_a_naive_formula_that_overflows_is_not_within_the_budget(check: Any) -> None:
    """sigmoid(-88.8) is a float32, yet exp(88.8) is none."""
    arguments = {"x": np.array([-88.8], dtype=np.float32)}
    result = check.answer("sigmoid", arguments)
    with np.errstate(over="ignore"):
        naive = 1 / (1 + np.exp(-arguments["x"]))
    assert naive[0] == 0
    assert result.value[0] > 0
    assert result.distance(naive)[0] > check.allowed("sigmoid", result, arguments)[0]


def test_a_piecewise_linear_stand_in_is_not_within_the_budget(check: Any) -> None:
    """What one framework calls hard_sigmoid."""
    arguments = {"x": np.array([-2.0, 0.5, 2.0], dtype=np.float32)}
    result = check.answer("sigmoid", arguments)
    hard = np.clip(0.2 * arguments["x"] + 0.5, 0, 1).astype(np.float32)
    assert np.all(result.distance(hard) > check.allowed("sigmoid", result, arguments))
