"""`asarray`, `stack` and `reshape` against hand-written loops: every bit is determined."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.ground.dtypes import DTYPES
from conformance.ops import OPERATIONS

asarray, stack, reshape = (OPERATIONS[name].exact for name in ("asarray", "stack", "reshape"))
each_dtype = pytest.mark.parametrize("name", DTYPES)


def odd_values(name: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Any bit patterns, NaNs with payloads and signed zeros included."""
    dtype = DTYPES[name].numpy
    size = int(np.prod(shape))
    if name == "bool":
        return (np.random.default_rng(seed).integers(0, 2, size) == 1).reshape(shape)
    return np.frombuffer(np.random.default_rng(seed).bytes(size * dtype.itemsize), dtype=dtype).reshape(shape)


def bits(array: np.ndarray) -> list[bytes]:
    return [array[index].tobytes() for index in np.ndindex(array.shape)]


@each_dtype
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_stacked_elements_stand_where_loops_put_them(name: str, axis: int) -> None:
    arrays = [odd_values(name, (2, 3), seed) for seed in range(4)]
    got = stack(arrays, axis=axis)
    place = axis % 3
    assert got.shape == tuple(np.insert((2, 3), place, 4))
    assert got.dtype == DTYPES[name].numpy
    for k, i, j in itertools.product(range(4), range(2), range(3)):
        index = [i, j]
        index.insert(place, k)
        assert got[tuple(index)].tobytes() == arrays[k][i, j].tobytes()


def test_stacking_begins_at_the_first_axis_by_default_and_refuses_unequal_shapes() -> None:
    assert stack([np.zeros(3), np.ones(3)]).shape == (2, 3)
    for wrong in ([np.zeros(3), np.zeros(4)], []):
        with pytest.raises(ValueError):
            stack(wrong)
    with pytest.raises(IndexError):
        stack([np.zeros(3)], axis=2)


@each_dtype
@pytest.mark.parametrize(
    ("shape", "full"), [([4, 6], (4, 6)), ([-1], (24,)), ([2, -1, 2], (2, 6, 2)), ([24, 1], (24, 1))]
)
def test_reshaped_elements_keep_their_row_major_order(name: str, shape: list[int], full: tuple[int, ...]) -> None:
    x = odd_values(name, (2, 3, 4))
    got = reshape(x, shape)
    assert got.shape == full
    assert got.dtype == x.dtype
    assert bits(got) == bits(x)
    transposed = np.ascontiguousarray(x.T).T  # the same elements, laid out otherwise
    assert bits(reshape(transposed, shape)) == bits(x)


@pytest.mark.parametrize("shape", [[5], [-1, 5], [-1, -1], [2, 3, 5]])
def test_reshaping_to_another_size_is_refused(shape: list[int]) -> None:
    with pytest.raises(ValueError):
        reshape(np.zeros((2, 3, 4)), shape)


def test_results_of_moving_have_the_common_dtype_or_none() -> None:
    whole, single = np.zeros(2, dtype=np.int16), np.zeros(2, dtype=np.float32)
    rule = OPERATIONS["stack"].result_dtype
    assert rule(arrays=[whole, whole]) is DTYPES["int16"]
    assert rule(arrays=[whole, single]) is None
    assert OPERATIONS["reshape"].result_dtype(x=whole, shape=[2]) is DTYPES["int16"]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1.0, 2], "float32"),
        ([1, 2], "int64"),
        ([True, False], "bool"),
        ([True, 2], "int64"),
        ([True, 2.5], "float32"),
        ([], "float32"),
        ([[], []], "float32"),
        (3, "int64"),
        (0.5, "float32"),
        (True, "bool"),
        ([[1, 2], [3, 4.5]], "float32"),
    ],
)
def test_numbers_choose_their_dtype_as_the_document_relies_on(data: Any, dtype: str) -> None:
    got = asarray(data)
    assert got.dtype == DTYPES[dtype].numpy
    assert got.shape == np.shape(data)
    assert OPERATIONS["asarray"].result_dtype(data=data) is DTYPES[dtype]
    assert got.tolist() == data


@each_dtype
def test_a_stated_dtype_wins_over_the_numbers(name: str) -> None:
    got = asarray([[1, 0], [1, 1]], dtype=name)
    assert got.dtype == DTYPES[name].numpy
    assert got.tolist() == [[1, 0], [1, 1]]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(width=64), max_size=5))
def test_floats_are_rounded_once_to_the_nearest(data: list[float]) -> None:
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(asarray(data), np.array(data, dtype=np.float64).astype(np.float32))
        np.testing.assert_array_equal(asarray(data, dtype="float64"), np.array(data, dtype=np.float64))


@pytest.mark.parametrize(
    ("data", "dtype", "expected"),
    [
        (1 + 2.0**-8 + 2.0**-30, "bfloat16", 1 + 2.0**-7),  # by way of float32: 1
        (2**60 + 2**36 + 1, "float32", 2.0**60 + 2.0**37),  # by way of float64: 2**60
        (-(2**60) - 2**36 - 1, "float32", -(2.0**60) - 2.0**37),
        (2**53 + 1, "float64", 2.0**53),
        (10**400, "float32", np.inf),
    ],
)
def test_no_number_is_rounded_twice(data: Any, dtype: str, expected: float) -> None:
    assert float(asarray(data, dtype=dtype)) == expected
    assert asarray([[0.5, data]], dtype=dtype).astype(np.float64).tolist() == [[0.5, expected]]


def test_special_numbers_are_kept() -> None:
    got = asarray([-0.0, float("inf"), float("nan")], dtype="bfloat16")
    assert got.dtype == ml_dtypes.bfloat16
    assert np.signbit(got[0].astype(np.float64))
    assert got[1] == np.inf
    assert np.isnan(got[2].astype(np.float64))


def test_an_integer_dtype_takes_the_whole_part() -> None:
    assert asarray([1.9, -1.9], dtype="int32").tolist() == [1, -1]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([300], "uint8"),
        ([-1], "uint8"),
        ([128], "int8"),
        ([2**70], None),
        ([float("nan")], "int32"),
        ([float("inf")], "int64"),
        ([[1], [2, 3]], None),
        ([[1.0], [2.0, 3.0]], None),
        ([[True], [True, False]], None),
        ([1, [2]], "float32"),
    ],
)
def test_what_no_array_of_the_dtype_can_be_is_refused(data: Any, dtype: str | None) -> None:
    with pytest.raises(ValueError):
        asarray(data, dtype=dtype)
