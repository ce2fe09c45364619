"""Softmax against loops in mpmath, and its budget against results that are wrong."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]


def loops(x: Any, axis: int) -> Any:
    """exp of each element over the sum of exp along its line, with no shift."""
    result = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        total = mpmath.mpf(0)
        for k in range(x.shape[axis]):
            place = list(index)
            place[axis] = k
            total += mpmath.exp(x[tuple(place)])
        result[index] = mpmath.exp(x[index]) / total
    return result


def sample(shape: tuple[int, ...], scale: float, dtype: np.dtype) -> np.ndarray:
    return (np.random.default_rng(3).standard_normal(shape) * scale).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_every_axis_of_a_cube(check: Any, dtype: np.dtype, axis: int) -> None:
    check.value("softmax", loops, x=sample((2, 3, 4), 3, dtype), axis=axis)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_a_spread_so_wide_that_results_are_subnormal_or_zero(check: Any, dtype: np.dtype) -> None:
    check.value("softmax", loops, x=np.array([0, -9, -16.5, -90, -104, -740, -800], dtype=dtype), axis=0)


def test_the_largest_values_need_no_range(check: Any) -> None:
    result = check.value("softmax", loops, x=np.array([1.7e308, 1.7e308, -1.7e308]), axis=0)
    np.testing.assert_array_equal(result.value, [0.5, 0.5, 0.0])


def test_gradient(check: Any) -> None:
    for axis in (0, 1):
        check.gradient("softmax", "x", loops, x=sample((3, 2), 1.0, np.dtype(np.float64)), axis=axis)


def test_a_line_without_elements_has_no_results(check: Any) -> None:
    result = check.answer("softmax", {"x": np.zeros((2, 0), dtype=np.float32), "axis": 1})
    assert result.value.shape == check.allowed("softmax", result, {"x": np.zeros((2, 0)), "axis": 1}).shape == (2, 0)


def test_all_zeros_over_20_000_classes_is_never_within_the_budget(check: Any) -> None:
    """Every exact value is 5e-5: an absolute tolerance of 1e-4 would let zeros pass."""
    arguments = {"x": np.zeros(20_000, dtype=np.float32), "axis": 0}
    result = check.answer("softmax", arguments)
    allowed = check.allowed("softmax", result, arguments)
    assert np.all(result.distance(np.zeros(20_000, dtype=np.float32)) > 1000 * allowed)
    assert np.all(result.distance(result.value) <= allowed)


def test_the_shifted_formula_is_within_the_budget_and_the_bare_one_is_not(check: Any) -> None:
    x = sample((4, 50), 60, np.dtype(np.float32))
    x[0, 0] = 100.0
    arguments = {"x": x, "axis": 1}
    result = check.answer("softmax", arguments)
    allowed = check.allowed("softmax", result, arguments)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    shifted = (e / e.sum(axis=1, keepdims=True)).astype(np.float32)
    normal = result.value > np.finfo(np.float32).tiny
    assert np.all((result.distance(shifted) <= allowed) | ~normal)
    with np.errstate(all="ignore"):
        bare = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    assert not np.all(result.distance(bare)[0] <= allowed[0])


def test_normalising_along_the_wrong_axis_is_not_within_the_budget(check: Any) -> None:
    x = sample((3, 3), 1, np.dtype(np.float32))
    result = check.answer("softmax", {"x": x, "axis": 0})
    other = check.answer("softmax", {"x": x, "axis": 1})
    assert np.all(result.distance(other.value) > check.allowed("softmax", result, {"x": x, "axis": 0}))


def test_the_budget_grows_with_the_length_and_with_the_distance_from_the_largest(check: Any) -> None:
    def allowed(x: np.ndarray) -> np.ndarray:
        arguments = {"x": x.astype(np.float32), "axis": 0}
        return check.allowed("softmax", check.answer("softmax", arguments), arguments)

    assert allowed(np.zeros(1000))[0] > allowed(np.zeros(10))[0]
    spread = allowed(np.array([0.0, -30.0]))
    assert spread[1] - spread[0] == pytest.approx(30)


def test_the_budget_is_a_number_where_the_spread_exceeds_float64(check: Any) -> None:
    arguments = {"x": np.array([1.7e308, -1.7e308]), "axis": 0}
    allowed = check.allowed("softmax", check.answer("softmax", arguments), arguments)
    assert np.all(np.isfinite(allowed))
    assert allowed[0] < 100


IMPLICIT = {0: None, 1: 0, 2: 1, 3: 0, 4: 1}
"""The axis that ``torch.nn.Softmax()`` takes, by rank."""


@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
@pytest.mark.parametrize("rank", IMPLICIT)
def test_without_an_axis_it_is_the_one_that_torch_takes(check: Any, operation: str, rank: int) -> None:
    x = np.asarray(sample((2, 3, 4, 5)[:rank], 2, np.dtype(np.float32)))
    without = check.answer(operation, {"x": x})
    assert without.value.shape == x.shape
    allowed = check.allowed(operation, without, {"x": x})
    assert allowed.shape == x.shape
    if rank == 0:
        assert without.value == (1 if operation == "softmax" else 0)
        return
    for axis in range(rank):
        given = check.answer(operation, {"x": x, "axis": axis})
        same = given.value.tobytes() == without.value.tobytes()
        assert same == (axis == IMPLICIT[rank])
        if same:
            np.testing.assert_array_equal(allowed, check.allowed(operation, given, {"x": x, "axis": axis}))
        else:
            assert not np.all(without.distance(given.value) <= allowed)


@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
def test_rank_0_counts_as_one_element_along_axis_0(check: Any, operation: str) -> None:
    x = np.array(-3.5, dtype=np.float32)
    for axis in (None, 0, -1):
        assert check.answer(operation, {"x": x, "axis": axis}).value == (1 if operation == "softmax" else 0)
    for axis in (1, -2):
        with pytest.raises(ValueError, match=f"axis {axis} is out of bounds"):
            check.answer(operation, {"x": x, "axis": axis})


def test_gradient_without_an_axis(check: Any) -> None:
    x = sample((2, 3), 1.0, np.dtype(np.float64))
    check.gradient("softmax", "x", lambda x: loops(x, 1), x=x)
