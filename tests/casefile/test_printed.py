"""Printouts of arrays as the intervals they stand for."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conformance.casefile.errors import Mistake
from conformance.casefile.printed import parse


def refused(text: str) -> Mistake:
    with pytest.raises(Mistake) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [
        ("tensor([[0.5000, 0.2689], [0.5000, 0.7311]])", (2, 2), None),
        ("tensor([[[0.5000, 0.5000], [0.5000, 0.2689]],[[0.5000, 0.5000],[0.5000, 0.7311]]])", (2, 2, 2), None),
        ("tensor(0.7922)", (), None),
        ("tensor([ 1, 4, 7])", (3,), None),
        ("tensor([1, 2], dtype=torch.int32)", (2,), "int32"),
        ("tensor([0.1000], device='cuda:0', dtype=torch.float64, grad_fn=<SoftmaxBackward0>)", (1,), "float64"),
        ("tensor(0.6931, requires_grad=True)", (), None),
        ("array([[0.5, 0.25],\n       [1. , 2.  ]], dtype=float32)", (2, 2), "float32"),
        ("array([1, 2, 3])", (3,), None),
        ("[[0.5  0.25]\n [1.   2.  ]]", (2, 2), None),
        ("Array([0.09003057, 0.24472848, 0.66524094], dtype=float32)", (3,), "float32"),
        ("Array(0.5, dtype=float32, weak_type=True)", (), "float32"),
        ("tf.Tensor([0.09003057 0.24472848], shape=(2,), dtype=float32)", (2,), "float32"),
        ("tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)", (2, 2), "int32"),
        ("tf.Tensor(0.5, shape=(), dtype=float32)", (), "float32"),
        ("np.float32(0.25)", (), None),
        ("0.7923", (), None),
        ("  -3  ", (), None),
        ("[]", (0,), None),
        ("[[], []]", (2, 0), None),
    ],
)
def test_printouts_of_every_framework_have_their_shape_and_dtype(
    text: str, shape: tuple[int, ...], dtype: str | None
) -> None:
    printed = parse(text)
    assert (printed.shape, printed.dtype) == (shape, dtype)
    assert len(printed.midpoints) == len(printed.radii) == len(printed.texts) == int(np.prod(shape))


@pytest.mark.parametrize(
    ("text", "midpoint", "radius"),
    [
        ("0.7923", Fraction(7923, 10**4), Fraction(1, 2 * 10**4)),
        ("-0.50", Fraction(-1, 2), Fraction(1, 200)),
        ("12.5", Fraction(25, 2), Fraction(1, 20)),
        ("1.0000e-05", Fraction(1, 10**5), Fraction(1, 2 * 10**9)),
        ("-2.5e+03", Fraction(-2500), Fraction(50)),
        ("1.e-05", Fraction(1, 10**5), Fraction(1, 2 * 10**5)),
        ("1e3", Fraction(1000), Fraction(500)),
        ("1.", Fraction(1), Fraction(0)),
        ("-7", Fraction(-7), Fraction(0)),
        ("0.", Fraction(0), Fraction(0)),
        ("0.0000", Fraction(0), Fraction(1, 2 * 10**4)),
        ("+3", Fraction(3), Fraction(0)),
    ],
)
def test_a_number_stands_for_half_a_unit_of_its_last_digit_to_either_side(
    text: str, midpoint: Fraction, radius: Fraction
) -> None:
    printed = parse(f"[{text}]")
    assert printed.midpoints == (midpoint,)
    assert printed.radii == (radius,)
    assert printed.texts == (text,)


def test_the_bounds_are_those_of_the_intervals() -> None:
    low, high = parse("[[0.7923, 2.], [-1.50, 3]]").bounds()
    np.testing.assert_array_equal(low, [[0.79225, 2.0], [-1.505, 3.0]])
    np.testing.assert_array_equal(high, [[0.79235, 2.0], [-1.495, 3.0]])
    assert low[0, 0] <= 0.79225 + 1e-16
    assert not low[0, 0] <= 0.7922


def test_special_numbers_stand_for_themselves() -> None:
    printed = parse("tensor([nan, inf, -inf, 1.5000])")
    assert np.isnan(printed.specials[0] or 0.0)
    assert printed.specials[1:] == (np.inf, -np.inf, None)
    low, high = printed.bounds()
    np.testing.assert_array_equal(low[:3], [np.nan, np.inf, -np.inf])
    np.testing.assert_array_equal(high[:3], [np.nan, np.inf, -np.inf])
    assert not printed.whole


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("[1, 2]", True),
        ("[-3]", True),
        ("7", True),
        ("[1.]", False),
        ("[1, 2.0]", False),
        ("[1e3]", False),
        ("[nan]", False),
        ("[]", False),
    ],
)
def test_only_integers_throughout_make_an_integer_array(text: str, whole: bool) -> None:
    assert parse(text).whole is whole


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("tensor([[1, 2], [3]])", "a ragged printed array: (1,) beside (2,)", 14),
        ("[1, [2]]", "a ragged printed array: (1,) beside ()", 2),
        ("[[1], 2]", "a ragged printed array: () beside (1,)", 4),
        ("tensor([1, 2]) and more", "expected the end of the printed array, found ') and more'", 13),
        ("[1, 2])", "expected the end of the printed array, found ')'", 6),
        ("[1][2]", "expected the end of the printed array, found '[2]'", 3),
        ("1 2", "expected the end of the printed array, found '2'", 1),
        ("tensor([1, 2]", "expected the end of the printed array, found the end", 13),
        ("tensor([1], nonsense=1)", "expected the end of the printed array", 11),
        ("tensor([1], numpy=)", "expected the end of the printed array", 11),
        ("tensor([1, 2", "expected a printed array, found the end", 12),
        ("[1, ..., 9]", "expected a printed array, found '..., 9]'", 4),
        ("[0.1, 0.2.3]", "expected a printed array, found '0.2.3]'", 6),
        ("[12x]", "expected a printed array, found '12x]'", 1),
        ("[0x10]", "expected a printed array, found '0x10]'", 1),
        ("[1_000]", "expected a printed array, found '1_000]'", 1),
        ("[.5]", "expected a printed array, found '.5]'", 1),
        ("[1e]", "expected a printed array, found '1e]'", 1),
        ("[infinity]", "expected a printed array, found 'infinity]'", 1),
        ("[--1]", "expected a printed array, found '--1]'", 1),
        ("[True]", "expected a printed array, found 'True]'", 1),
        ("torch.Size([2, 2, 2]) is what", "expected the end", 20),
        ("", "expected a printed array, found the end", 0),
        ("tensor()", "expected a printed array, found ')'", 7),
        ("]", "expected a printed array, found ']'", 1),
        ("hello", "expected a printed array, found 'hello'", 0),
        ("[1e99999]", "the number '1e99999' is out of all range", 1),
        ("[" * 20 + "1" + "]" * 20, "a printed array of more than 16 axes", 18),
    ],
)
def test_what_is_no_printed_array_is_refused_with_its_place(text: str, message: str, offset: int) -> None:
    found = refused(text)
    assert found.message.startswith(message), found.message
    assert abs(found.offset - offset) <= 1, found.offset


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "0." + "1" * 100_000,
        "[" * 100_000,
        "[1" + " " * 100_000,
        "1e" + "9" * 100_000,
        "[" + "1 " * 100_000,
    ],
)
@pytest.mark.timeout(60)  # what it guards against takes hours
def test_printouts_made_to_exhaust_a_parser_are_refused_at_once(text: str) -> None:
    refused(text)


def test_the_largest_numbers_printed_to_a_few_digits_reach_infinity() -> None:
    """1.7977e+308 is how the largest float64 is printed, and lies past it."""
    low, high = parse("[1.7977e+308, -1.7977e+308, 1e999]").bounds()
    assert low[0] < np.finfo(np.float64).max < high[0]
    assert low[1] == -np.inf
    assert high[1] > -np.inf
    assert low[2] == high[2] == np.inf


finite = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)


@pytest.mark.parametrize("digits", [2, 4, 8])
@settings(deadline=None, max_examples=60)
@given(array=hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=finite))
def test_what_numpy_prints_at_fixed_digits_stands_for_intervals_that_hold_the_array(
    array: np.ndarray, digits: int
) -> None:
    with np.printoptions(precision=digits, floatmode="fixed", threshold=10**6, suppress=True):
        texts = [str(array), repr(array)]
    for text in texts:
        printed = parse(text)
        low, high = printed.bounds()
        assert printed.shape == array.shape
        assert printed.dtype is None
        # Half of the last digit, and not a whole one: where the decimals are fixed, no interval is wider.
        assert np.all((low <= array) & (array <= high))
        assert set(printed.radii) == {Fraction(1, 2 * 10**digits)}


@settings(deadline=None, max_examples=60)
@given(array=hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=4), elements=st.floats(-1e30, 1e30)))
def test_what_numpy_prints_in_scientific_notation_holds_the_array_too(array: np.ndarray) -> None:
    text = np.array2string(array, formatter={"float_kind": lambda v: f"{v:.4e}"}, threshold=10**6)
    low, high = parse(text).bounds()
    assert np.all((low <= array) & (array <= high))


@settings(deadline=None, max_examples=60)
@given(array=hnp.arrays(st.sampled_from([np.int32, np.uint8, np.int64]), hnp.array_shapes(max_dims=3, max_side=3)))
def test_integers_are_read_back_exactly(array: np.ndarray) -> None:
    for text in (str(array), f"tensor({array.tolist()})"):
        printed = parse(text)
        assert printed.whole
        assert [int(m) for m in printed.midpoints] == array.ravel().tolist()
        assert printed.shape == array.shape
        assert set(printed.radii) == {0}


def test_one_unit_of_the_last_digit_beyond_is_outside() -> None:
    """The document's 0.7922 is not what prints as 0.7923."""
    low, high = parse("tensor(0.7922)").bounds()
    assert low <= 0.79218217 <= high
    assert not low <= 0.7923 <= high
    assert not low <= 0.7921 <= high


PIECES = [
    "tensor(", "array(", "Array(", "tf.Tensor(", ")", "[", "]", ",", " ", "\n", "1", "0.5000", "-0.", "1.", "2e3", "1e-07",
    "+", "-", "nan", "inf", "-inf", "...", ", dtype=", "torch.float64", "float32", "'x'", ", shape=(2,)", ", device='cpu'",
    ", grad_fn=<Mul>", "e", ".", "1e999", "1e9999", "9" * 30, "0" * 401, "True", "\0", "٣", "\u202e",
]  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_a_printed_array_or_a_mistake_at_a_place_in_it(text: str) -> None:
    try:
        found = parse(text)
    except Mistake as mistake:
        assert mistake.message
        assert 0 <= mistake.offset <= len(text)
        return
    count = math.prod(found.shape)
    assert len(found.midpoints) == len(found.radii) == len(found.specials) == len(found.texts) == count
    low, high = found.bounds()
    assert low.shape == high.shape == found.shape
    assert bool(((low <= high) | np.isnan(low)).all())
