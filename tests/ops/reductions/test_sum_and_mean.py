"""Sums and means against exact fractions, and the dtype of their results."""

from __future__ import annotations

import math
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


Axes = int | list[int] | None


def reduced(x: Any, axis: Axes) -> list[int]:
    if axis is None:
        return list(range(x.ndim))
    return [one % x.ndim for one in (axis if isinstance(axis, list) else [axis])]


def summed(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    axes = reduced(x, axis)
    kept = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    totals = np.empty(kept, dtype=object)
    totals[...] = mpmath.mpf(0)
    for index in np.ndindex(x.shape):
        place = tuple(0 if k in axes else i for k, i in enumerate(index))
        totals[place] = totals[place] + x[index]
    return totals if keepdims else totals.reshape([n for k, n in enumerate(x.shape) if k not in axes])


def averaged(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    return summed(x, axis, keepdims) / math.prod(x.shape[k] for k in reduced(x, axis))


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sums_and_means_along_every_axis(check: Any, dtype: np.dtype, axis: int | None, keepdims: bool) -> None:
    x = (np.random.default_rng(10).standard_normal((2, 3, 5)) * 10).astype(dtype)
    check.value("sum", summed, x=x, axis=axis, keepdims=keepdims)
    check.value("mean", averaged, x=x, axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [[], [1], [0, 2], [-1, 0], [2, 1], [2, -3, 1]])
def test_sums_and_means_along_several_axes_and_none(check: Any, axis: list[int], keepdims: bool) -> None:
    x = (np.random.default_rng(11).standard_normal((2, 3, 5)) * 10).astype(np.float32)
    check.value("sum", summed, x=x, axis=axis, keepdims=keepdims)
    check.value("mean", averaged, x=x, axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("name", ["sum", "mean"])
@pytest.mark.parametrize(
    ("axis", "refusal"),
    [([0, 0], "repeated axis"), ([1, -1], "repeated axis"), ([0, 2], "axis 2 is out of bounds"), ([-3], "axis -3")],
)
def test_an_axis_that_is_not_there_or_given_twice_has_no_sum(
    check: Any, name: str, axis: list[int], refusal: str
) -> None:
    with pytest.raises(ValueError, match=refusal):
        check.answer(name, {"x": np.zeros((2, 3)), "axis": axis})


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_a_single_number_has_one_axis(check: Any, name: str) -> None:
    x = np.array(2.5, dtype=np.float32)
    for axis in (None, [], 0, -1, [0], [-1]):
        assert check.answer(name, {"x": x, "axis": axis}).value == 2.5
    for axis in (1, [1], [0, -1], [0, 0]):
        with pytest.raises(ValueError, match=r"out of bounds|repeated"):
            check.answer(name, {"x": x, "axis": axis})


def test_the_budget_is_that_of_as_many_terms_as_all_the_axes_have(check: Any) -> None:
    x = np.ones((3, 4, 5), dtype=np.float32)
    for axis, terms in (([0, 2], 15), ([1], 4), ([2, 1, 0], 60)):
        for name, scale, steps in (("sum", terms, 0), ("mean", 1, 1)):
            arguments = {"x": x, "axis": axis}
            result = check.answer(name, arguments)
            assert (result.value == scale).all()
            # The unit roundoff is half an ULP of 1, and less of what lies above a power of two.
            due = (summation_growth(terms) + steps) * scale * 2.0**-24 / 2.0 ** (math.frexp(scale)[1] - 24) + 0.5
            np.testing.assert_allclose(check.allowed(name, result, arguments), due)


def test_what_is_reduced_over_no_axis_or_over_one_element_is_exact(check: Any) -> None:
    x = np.array([[1.5, 0.1, -3.0]], dtype=np.float32)
    for name in ("sum", "mean"):
        for axis in ([], 0, [0]):
            arguments = {"x": x, "axis": axis}
            result = check.answer(name, arguments)
            np.testing.assert_array_equal(result.value.ravel(), x.ravel())
            assert (check.allowed(name, result, arguments) == 0.5).all()
            beside = np.nextafter(result.value, np.float32(np.inf))
            assert (result.distance(beside) > 0.5).all()


@pytest.mark.filterwarnings("ignore:invalid value")  # an infinity less another
def test_conventions_along_several_axes() -> None:
    x = np.array([[[np.inf, 1.0], [2.0, 3.0]], [[4.0, -np.inf], [5.0, np.inf]]])
    for name in ("sum", "mean"):
        stand_ins, special, values = OPERATIONS[name].convention(x, axis=[0, 2])  # type: ignore[misc]
        assert special.tolist() == [True, True]
        assert np.isnan(values[0]) and values[1] == np.inf
        assert np.isfinite(stand_ins["x"]).all()
        _, special, values = OPERATIONS[name].convention(x, axis=[])  # type: ignore[misc]
        assert special.tolist() == np.isinf(x).tolist()
        assert (values[special] == x[special]).all()


def test_the_mean_of_nothing_along_several_axes_is_nan_and_along_none_of_them_nothing() -> None:
    convention = OPERATIONS["mean"].convention
    assert convention is not None
    x = np.zeros((2, 0, 3))
    for axis, shape, named in (([0, 1], (3,), True), ([0, 2], (0,), False), ([1, 2], (2,), True), ([], x.shape, False)):
        _, special, values = convention(x, axis=axis)
        assert (special.shape, values.shape) == (shape, shape)
        assert np.isnan(values).all()
        assert special.all() and bool(special.size) == named


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
    for axis in (None, 0, 1, [0, 1], [-1, 0], [1], []):
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
