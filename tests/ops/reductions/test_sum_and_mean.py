"""Sums and means against exact fractions, and the dtype of their results."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.ops import OPERATIONS
from conformance.ops.bounds import summation_growth
from conformance.truth import balls

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]
WHOLE = [d.name for d in DTYPES.values() if d.kind in ("integer", "bool")]


def summed(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    axes = range(x.ndim) if axis is None else [axis % x.ndim]
    kept = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    totals = np.empty(kept, dtype=object)
    totals[...] = mpmath.mpf(0)
    for index in np.ndindex(x.shape):
        place = tuple(0 if k in axes else i for k, i in enumerate(index))
        totals[place] = totals[place] + x[index]
    return totals if keepdims else totals.reshape([n for k, n in enumerate(x.shape) if k not in axes])


def averaged(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return summed(x, axis, keepdims) / (x.size if axis is None else x.shape[axis])


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sums_and_means_along_every_axis(check: Any, dtype: np.dtype, axis: int | None, keepdims: bool) -> None:
    x = (np.random.default_rng(10).standard_normal((2, 3, 5)) * 10).astype(dtype)
    check.value("sum", summed, x=x, axis=axis, keepdims=keepdims)
    check.value("mean", averaged, x=x, axis=axis, keepdims=keepdims)


def test_a_sum_that_cancels_is_exact_and_its_budget_admits_that_it_cancels(check: Any) -> None:
    arguments = {"x": np.array([1e8, 1.0, -1e8, 2.0**-30], dtype=np.float32)}
    result = check.value("sum", summed, **arguments)
    assert result.value == np.float32(1 + 2.0**-30)
    in_order = np.float32(np.float32(np.float32(1e8) + np.float32(1)) - np.float32(1e8)) + np.float32(2.0**-30)
    assert result.distance(np.array(in_order)) > check.allowed("sum", result, arguments)  # half the digits are lost


def test_sums_overflow_only_in_the_end(check: Any) -> None:
    largest = np.finfo(np.float32).max
    assert check.answer("sum", {"x": np.array([largest, largest, -largest], dtype=np.float32)}).value == largest
    assert check.answer("sum", {"x": np.array([largest, largest], dtype=np.float32)}).value == np.inf
    assert check.value("mean", averaged, x=np.array([largest, largest], dtype=np.float32)).value == largest
    assert check.value("mean", averaged, x=np.array([1.7e308, 1.7e308])).value == 1.7e308


def test_the_sum_of_nothing_is_0(check: Any) -> None:
    assert check.answer("sum", {"x": np.zeros((0,), dtype=np.float32)}).value == 0
    assert check.answer("sum", {"x": np.zeros((2, 0), dtype=np.float32), "axis": 1}).value.tolist() == [0, 0]
    assert check.answer("sum", {"x": np.zeros((2, 0), dtype=np.float32), "axis": 0}).value.shape == (0,)


def test_the_mean_of_nothing_is_not_defined(check: Any) -> None:
    with pytest.raises(ArithmeticError):
        check.answer("mean", {"x": np.zeros((0,), dtype=np.float32)})


def test_gradients(check: Any) -> None:
    x = np.array([[1.0, -2.0], [3.0, 0.5], [0.0, 7.0]])
    for axis in (None, 0, 1):
        check.gradient("sum", "x", summed, x=x, axis=axis)
        check.gradient("mean", "x", averaged, x=x, axis=axis, keepdims=True)


@pytest.mark.parametrize("name", WHOLE)
def test_integers_and_bools_add_up_in_int64_without_any_loss(name: str) -> None:
    top = 1 if name == "bool" else min(np.iinfo(name).max, 2**61)
    x = np.array([[top, top], [1, 0]], dtype=name)
    total = OPERATIONS["sum"].exact(balls.exact(x))[()]
    assert int(total.unique_fmpz()) == 2 * top + 1
    assert OPERATIONS["sum"].result_dtype(x=x, axis=None) is DTYPES["int64"]
    assert OPERATIONS["mean"].result_dtype(x=x, axis=None) is None


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_floats_keep_their_dtype(dtype: np.dtype) -> None:
    x = np.zeros(3, dtype=dtype)
    for name in ("sum", "mean"):
        assert OPERATIONS[name].result_dtype(x=x, axis=0, keepdims=True).numpy == dtype


def test_the_growth_of_a_sum_is_linear_at_first_and_a_root_later() -> None:
    assert [summation_growth(n) for n in (0, 1, 2, 8)] == [0, 0, 1, 7]
    assert summation_growth(10**6) == 3000
