"""Arrays in run files: every bit comes back, and data that is no array is refused."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import runfile
from conformance.ground.dtypes import DTYPES
from conformance.runfile import Stored

X = Stored.of(np.array([1.0], dtype=np.float32))

BITS = {
    name: np.arange(1, 13, dtype=np.uint8).repeat(dtype.numpy.itemsize)[: 12 * dtype.numpy.itemsize].view(dtype.numpy)
    if dtype.kind != "bool"
    else np.array([True, False] * 6)
    for name, dtype in DTYPES.items()
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_of_every_dtype_comes_back_bit_for_bit(dtype: str) -> None:
    for shape in [(12,), (3, 4), (2, 3, 2), (3, 4, 1)]:
        array = BITS[dtype].reshape(shape)
        back = Stored.of(array).array()
        assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, shape, array.tobytes())


def test_special_values_empty_arrays_and_strided_ones_come_back() -> None:
    nans = np.array([0x7FC00000, 0x7F800001, 0xFFC00001, 0x80000000, 0xFF800000], dtype=np.uint32).view(np.float32)
    for array in [nans, np.zeros((0, 3)), np.array(2.5), np.arange(12.0).reshape(3, 4).T[::2]]:
        back = Stored.of(array).array()
        assert (back.shape, back.tobytes()) == (array.shape, np.ascontiguousarray(array).tobytes())


def test_a_large_array_is_stored_as_its_digest_and_first_elements() -> None:
    array = np.arange(runfile.LARGEST_STORED + 1, dtype=np.float64).reshape(1, -1)
    stored = Stored.of(array)
    assert not stored.whole
    np.testing.assert_array_equal(stored.array(), np.arange(16.0))
    assert stored.shape == [1, 4097]
    changed = array.copy()
    changed[0, -1] += 1
    assert Stored.of(changed).sha256 != stored.sha256
    assert Stored.of(array.copy()).sha256 == stored.sha256
    largest = Stored.of(array[0, :-1])
    assert largest.whole and largest.array().size == runfile.LARGEST_STORED


@pytest.mark.parametrize(
    "stored",
    [
        Stored("float128", [1], ""),
        Stored("float32", [2], X.data),
        Stored("float64", [1], X.data),
        Stored("float32", [1], "?"),
        Stored("float32", [1], X.data[:-1]),
        Stored("float32", [-2], X.data),
    ],
)
def test_data_that_is_no_array_of_its_dtype_and_shape_is_a_value_error(stored: Stored) -> None:
    with pytest.raises(ValueError):
        stored.array()
