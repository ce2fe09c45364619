"""How arrays lie in memory: the numbers of each layout, its strides, and what lies between its elements."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.ground.layouts import LAYOUTS, copied, laid_out

OTHERS = [layout for layout in LAYOUTS if layout != "contiguous"]


def cube(dtype: str = "float32") -> np.ndarray:
    """Numbers that all differ, or as nearly so as the dtype allows."""
    return np.arange(24).reshape(2, 3, 4).astype(DTYPES[dtype].numpy)


def around(array: np.ndarray) -> np.ndarray:
    """The memory that a stepped array lies in."""
    base = array.base
    assert isinstance(base, np.ndarray)
    return base


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_keeps_shape_dtype_and_numbers_unless_elements_share_their_memory(layout: str, dtype: str) -> None:
    array = cube(dtype)
    got = laid_out(array, layout)
    assert (got.dtype, got.shape) == (array.dtype, array.shape)
    due = np.stack([array[0], array[0]]) if layout == "broadcast" else array
    if layout == "windows":  # of 0 to 11 the numbers 0 to 3, and the last ones of the other rows, 7 and 11
        due = np.arange(24)[np.array([[[0, 1, 2, 3], [1, 2, 3, 7], [2, 3, 7, 11]]]) + [[[0]], [[12]]]].astype(
            array.dtype
        )
    assert got.tobytes() == due.tobytes()


@pytest.mark.parametrize(
    ("layout", "strides"),
    [
        ("contiguous", (12, 4, 1)),
        ("transposed", (1, 2, 6)),  # as a column-major array of this shape
        ("stepped", (2 * 7 * 9, 2 * 9, 2)),  # every second element of an array of shape (5, 7, 9)
        ("padded", (3 * 7, 7, 1)),  # rows of four in rows of seven
        ("backwards", (-12, -4, -1)),
        ("broadcast", (0, 4, 1)),
        ("windows", (6, 1, 1)),  # rows of four in lines of six
    ],
)
def test_each_layout_has_its_strides(layout: str, strides: tuple[int, ...]) -> None:
    for dtype in ("int8", "float16", "float64"):
        array = cube(dtype)
        assert laid_out(array, layout).strides == tuple(n * array.itemsize for n in strides)


def test_all_layouts_but_the_first_are_not_contiguous() -> None:
    for layout in LAYOUTS:
        assert laid_out(cube(), layout).flags.c_contiguous == (layout == "contiguous")
    assert laid_out(cube(), "transposed").flags.f_contiguous


@pytest.mark.parametrize("dtype", DTYPES)
def test_between_the_elements_of_a_stepped_array_lies_what_would_show(dtype: str) -> None:
    """Of (2 * 2 + 1) * (2 * 3 + 1) * (2 * 4 + 1) elements, 24 are the array's."""
    got = laid_out(np.zeros((2, 3, 4), dtype=DTYPES[dtype].numpy), "stepped")
    base = around(got)
    assert base.shape == (5, 7, 9)
    between = np.ones(base.shape, dtype=bool)
    between[1::2, 1::2, 1::2] = False
    poison = base[between]
    assert poison.size == 5 * 7 * 9 - 24
    assert not base[~between].any()
    if DTYPES[dtype].kind in ("floating", "complex"):
        assert (poison != poison).all()
    else:
        assert (poison == (True if dtype == "bool" else np.iinfo(dtype).max)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_around_the_rows_of_a_padded_array_lies_what_would_show(dtype: str) -> None:
    got = laid_out(np.zeros((2, 3, 4), dtype=DTYPES[dtype].numpy), "padded")
    base = around(got)
    assert base.shape == (2, 3, 7)
    poison = np.concatenate([base[..., :1], base[..., 5:]], axis=-1)
    assert not base[..., 1:5].any()
    if DTYPES[dtype].kind in ("floating", "complex"):
        assert (poison != poison).all()
    else:
        assert (poison == (True if dtype == "bool" else np.iinfo(dtype).max)).all()


@pytest.mark.parametrize("dtype", ["int8", "float16", "bfloat16", "float64"])
def test_a_padded_vector_is_contiguous_and_begins_one_element_past_an_even_address(dtype: str) -> None:
    """Also in the copy that an adapter takes of it: what assumes a vector's alignment, or reads past the end, shows."""
    vector = laid_out(np.ones(5, dtype=DTYPES[dtype].numpy), "padded")
    for array in (vector, copied(vector), copied(copied(vector))):
        assert array.flags.c_contiguous
        assert array.__array_interface__["data"][0] % (2 * array.itemsize) == array.itemsize
        beyond = np.lib.stride_tricks.as_strided(array, shape=(6,), strides=array.strides)[-1]
        assert beyond != beyond or beyond == 127


def test_a_read_that_ignores_the_steps_finds_the_poison() -> None:
    """What a backend does that takes the pointer and not the strides."""
    got = laid_out(cube(), "stepped")
    start = (got.__array_interface__["data"][0] - around(got).__array_interface__["data"][0]) // got.itemsize
    careless = around(got).ravel()[start : start + got.size]
    assert np.isnan(careless).any()
    assert not np.isnan(got).any()


@pytest.mark.parametrize(
    ("layout", "rank"), [("transposed", 0), ("transposed", 1), ("stepped", 0), ("padded", 0), ("windows", 1)]
)
def test_a_rank_too_low_for_a_layout_is_refused(layout: str, rank: int) -> None:
    with pytest.raises(ValueError, match=f"an array of rank {rank} can't be laid out '{layout}'"):
        laid_out(np.zeros((2,) * rank), layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_lowest_rank_that_a_layout_takes_is_as_stated(layout: str) -> None:
    assert laid_out(np.zeros((2,) * LAYOUTS[layout]), layout).shape == (2,) * LAYOUTS[layout]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1,), (1, 1)])
def test_empty_arrays_and_single_elements_can_be_laid_out(shape: tuple[int, ...]) -> None:
    for layout in LAYOUTS:
        if len(shape) >= LAYOUTS[layout]:
            got = laid_out(np.full(shape, 7.0), layout)
            assert got.shape == shape
            assert (got == 7).all()
            assert copied(got).tobytes() == got.tobytes()


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_copy_lies_as_its_original_does_shares_nothing_and_can_be_written_to(layout: str, dtype: str) -> None:
    original = laid_out(cube(dtype), layout)
    original.flags.writeable = False
    before = original.tobytes()
    once = copied(original)
    for copy in (once, copied(once)):  # an adapter may copy what was copied for it
        assert (copy.dtype, copy.shape, copy.strides) == (original.dtype, original.shape, original.strides)
        assert copy.tobytes() == before
        assert not np.shares_memory(copy, original)
        copy.fill(0)
        assert not copy.any()
    assert original.tobytes() == before


def test_a_copy_takes_the_poison_with_it() -> None:
    copy = copied(laid_out(cube(), "stepped"))
    beside = np.lib.stride_tricks.as_strided(copy, shape=(7,), strides=(copy.itemsize,))
    assert np.isnan(beside[1::2]).all()
    np.testing.assert_array_equal(beside[::2], [0, 1, 2, 3])


def test_a_plain_copy_would_close_the_gaps() -> None:
    """Why there is a function for it."""
    for layout in ("stepped", "broadcast"):
        original = laid_out(cube(), layout)
        assert np.copy(original).strides != original.strides
        assert copied(original).strides == original.strides


def test_what_has_no_gaps_is_copied_like_any_array() -> None:
    for array in (np.arange(3.0), np.array(2.5), np.zeros((0, 2)), np.arange(6.0).reshape(2, 3)):
        copy = copied(array)
        assert copy.flags.c_contiguous and copy.flags.writeable
        assert (copy.shape, copy.tobytes()) == (array.shape, array.tobytes())
        assert not np.shares_memory(copy, array) or not array.size
