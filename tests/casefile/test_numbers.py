"""Numbers as cases write them, in every dtype, and what no dtype can hold."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.casefile.errors import Mistake
from conformance.casefile.numbers import dtype_named, leaves, literal_shape, natural_dtype, to_array
from conformance.ground.dtypes import DTYPES, NAMED_VALUES

FLOATING = [d for d in DTYPES.values() if d.kind == "floating"]
INTEGER = [d for d in DTYPES.values() if d.kind == "integer"]
each_floating = pytest.mark.parametrize("dtype", FLOATING, ids=lambda d: d.name)
each_integer = pytest.mark.parametrize("dtype", INTEGER, ids=lambda d: d.name)


def refused(literal: Any, dtype: str = "float32") -> Mistake:
    with pytest.raises(Mistake) as caught:
        to_array(literal, DTYPES[dtype])
    return caught.value


def value(literal: Any, dtype: str) -> float:
    return float(to_array(literal, DTYPES[dtype]))


@pytest.mark.parametrize(
    ("literal", "shape"),
    [
        (3, ()),
        ([], (0,)),
        ([1], (1,)),
        ([[1, 2], [3, 4]], (2, 2)),
        ([[], []], (2, 0)),
        ([[[]]], (1, 1, 0)),
        ([["max"], [True]], (2, 1)),
    ],
)
def test_the_shape_of_nested_lists(literal: Any, shape: tuple[int, ...]) -> None:
    assert literal_shape(literal) == shape
    assert to_array(literal, DTYPES["float64"]).shape == shape


@pytest.mark.parametrize(
    ("literal", "keys", "message"),
    [
        ([[1, 2], [3]], (1,), "a ragged array: this item has shape [1], the first of its list [2]"),
        ([1, [2]], (1,), "this item has shape [1], the first of its list []"),
        ([[1], 2], (1,), "this item has shape [], the first of its list [1]"),
        ([[[1], [2]], [[3], [4, 5]]], (1, 1), "this item has shape [2], the first of its list [1]"),
        ([[], [1]], (1,), "a ragged array"),
        ([1, None], (1,), "expected a number, found nothing"),
        ([[0], [{"a": 1}]], (1, 0), "expected a number, found a mapping"),
        (["mx"], (0,), "expected a number, a hexadecimal float or a named value, found 'mx'; did you mean 'max'?"),
        (["1.5"], (0,), "found '1.5'"),
        ([".inf"], (0,), "found '.inf'"),
        (["--max"], (0,), "found '--max'"),
        (["+-0x1p0"], (0,), "found '+-0x1p0'"),
        (["0x10"], (0,), "found '0x10'"),
        (["0x1p0x"], (0,), "found '0x1p0x'"),
        (["0x1p999999"], (0,), "found '0x1p999999'"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused_and_placed(literal: Any, keys: tuple[int, ...], message: str) -> None:
    for check in (literal_shape, lambda value: to_array(value, DTYPES["float32"])):
        with pytest.raises(Mistake) as caught:
            check(literal)
        assert caught.value.keys == keys
        assert message in caught.value.message


@each_floating
def test_named_values_are_those_of_the_dtype_and_take_a_sign(dtype: Any) -> None:
    info = ml_dtypes.finfo(dtype.numpy)
    expected = {"max": info.max, "tiny": info.tiny, "smallest_subnormal": info.smallest_subnormal, "eps": info.eps}
    assert set(expected) == set(NAMED_VALUES)
    for name, number in expected.items():
        for sign, factor in (("", 1), ("+", 1), ("-", -1)):
            got = to_array(sign + name, dtype)
            assert got.dtype == dtype.numpy
            assert float(got) == factor * float(number)


@each_integer
def test_of_integers_only_the_largest_has_a_name(dtype: Any) -> None:
    assert int(to_array("max", dtype)) == np.iinfo(dtype.numpy).max
    for name in ("tiny", "eps", "smallest_subnormal"):
        assert "is no integer" in refused([name], dtype.name).message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x1.8p+1", 3.0),
        ("0x1p-3", 0.125),
        ("-0x1.8p0", -1.5),
        ("+0xAp0", 10.0),
        ("0x1.p4", 16.0),
        ("0x0p0", 0.0),
        ("0x.8p0", None),
    ],
)
def test_hexadecimal_floats_are_exact(text: str, expected: float | None) -> None:
    if expected is None:
        refused([text])
        return
    for dtype in FLOATING:
        assert value(text, dtype.name) == expected == float.fromhex(text)


@settings(deadline=None, max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float64_can_be_written_in_hexadecimal(number: float) -> None:
    got = to_array(number.hex(), DTYPES["float64"])
    assert got.tobytes() == np.float64(number).tobytes()


@pytest.mark.parametrize(
    ("text", "dtype", "message"),
    [
        ("0x1.000001p0", "float16", "is not a float16: a hexadecimal float must be exact"),
        ("0x1.000001p0", "bfloat16", "is not a bfloat16"),
        ("0x1.0000008p0", "float32", "is not a float32"),
        ("0x1.00000000000008p0", "float64", "is not a float64"),  # which Python's own reading would round
        ("0x1p-2000", "float64", "is not a float64"),
        ("0x1p-150", "float32", "is not a float32"),
        ("0x1p128", "float32", "0x1p128 does not fit float32"),
        ("-0x1p99999", "float64", "does not fit float64"),
    ],
)
def test_a_hexadecimal_float_that_is_no_value_of_the_dtype_is_refused(text: str, dtype: str, message: str) -> None:
    assert message in refused([[0.0], [text]], dtype).message
    assert refused([[0.0], [text]], dtype).keys == (1, 0)


@each_floating
@pytest.mark.parametrize("literal", [-0.0, "-0x0p0"])
def test_minus_zero_keeps_its_sign(dtype: Any, literal: Any) -> None:
    got = to_array([literal, 0.0, 0], dtype).astype(np.float64)
    assert np.signbit(got).tolist() == [True, False, False]
    mixed = to_array([literal, "tiny"], dtype).astype(np.float64)  # a name takes another way
    assert np.signbit(mixed).tolist() == [True, False]


@each_floating
def test_infinities_and_nan_are_values_of_every_floating_dtype(dtype: Any) -> None:
    got = to_array([float("inf"), float("-inf"), float("nan"), "max"], dtype)
    assert got.dtype == dtype.numpy
    np.testing.assert_array_equal(got[:3].astype(np.float64), [np.inf, -np.inf, np.nan])


@pytest.mark.parametrize(
    ("literal", "dtype", "expected"),
    [
        (0.1, "float32", 0.100000001490116119384765625),
        (0.1, "float16", 0.0999755859375),
        (0.1, "bfloat16", 0.10009765625),
        (1.00390625 + 2.0**-30, "bfloat16", 1.0078125),  # by way of float32: 1
        (2**60 + 2**36 + 1, "float32", 2.0**60 + 2.0**37),  # by way of float64: 2**60
        (65519.99, "float16", 65504.0),
        (True, "float32", 1.0),
        (1e-50, "float32", 0.0),
    ],
)
def test_numbers_are_rounded_once_to_the_nearest(literal: Any, dtype: str, expected: float) -> None:
    assert value(literal, dtype) == expected


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-60000, 60000) | st.integers(-60000, 60000) | st.just("eps"), min_size=1, max_size=6))
def test_a_name_among_numbers_does_not_change_how_the_numbers_are_rounded(numbers: list[Any]) -> None:
    plain = [n for n in numbers if n != "eps"]
    for dtype in FLOATING:
        assert to_array(["eps", *plain], dtype)[1:].tobytes() == to_array(plain, dtype).tobytes()


@pytest.mark.parametrize(
    ("literal", "dtype", "message"),
    [
        (70000, "float16", "70000 does not fit float16; for its largest value write max, for infinity .inf"),
        (65520, "float16", "65520 does not fit float16"),
        (3.4e39, "float32", "does not fit float32"),
        (-(10**400), "float64", "does not fit float64"),
        (300, "int8", "300 does not fit int8, which holds -128 to 127"),
        (-1, "uint8", "-1 does not fit uint8, which holds 0 to 255"),
        (2**64, "uint64", "does not fit uint64"),
        (1e20, "int64", "does not fit int64"),
        (1.5, "int32", "1.5 is no integer: impossible in an array of dtype int32"),
        (float("inf"), "int32", "inf is no integer"),
        (float("nan"), "int32", "nan is no integer"),
        ("0x1p0", "int32", "'0x1p0' is no integer"),
        (2, "bool", "2 is no bool"),
        (0.5, "bool", "0.5 is no bool"),
        ("max", "bool", "'max' is no bool"),
    ],
)
def test_numbers_that_a_dtype_cannot_hold_are_refused_with_their_place(literal: Any, dtype: str, message: str) -> None:
    found = refused([[0, 0], [0, literal]], dtype)
    assert found.message.startswith(message) or message in found.message
    assert found.keys == (1, 1)


@each_integer
def test_integers_reach_to_both_ends_of_their_dtype_and_not_further(dtype: Any) -> None:
    info = np.iinfo(dtype.numpy)
    got = to_array([info.min, info.max, 2.0, True], dtype)
    assert got.dtype == dtype.numpy
    assert got.tolist() == [info.min, info.max, 2, 1]
    refused([info.max + 1], dtype.name)
    refused([info.min - 1], dtype.name)


def test_bools_are_written_as_such_or_as_0_and_1() -> None:
    assert to_array([True, False, 1, 0, 1.0], DTYPES["bool"]).tolist() == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("literal", "dtype"),
    [
        ([1, 2], "int64"),
        ([1, 2.0], "float32"),
        ([True, False], "bool"),
        ([], "float32"),
        (["max", 1], "float32"),
        (7, "int64"),
    ],
)
def test_the_dtype_of_a_literal_that_names_none(literal: Any, dtype: str) -> None:
    assert natural_dtype(literal) == dtype


def test_leaves_come_in_row_major_order_with_their_keys() -> None:
    assert list(leaves([[1, 2], [3]], ("k",))) == [(("k", 0, 0), 1), (("k", 0, 1), 2), (("k", 1, 0), 3)]


def test_an_unknown_dtype_is_refused_with_the_nearest_name() -> None:
    assert dtype_named("bfloat16") is DTYPES["bfloat16"]
    with pytest.raises(Mistake, match="unknown dtype 'flot32'; did you mean 'float32'"):
        dtype_named("flot32", ("dtype",))
