"""Integers that don't fit their dtypes are mistakes of the case, at their call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.casefile.errors import CaseFileError
from conformance.casefile.loader import load

INT8 = "x: {array: [100, -3], dtype: int8}"


def told(folder: Callable[..., Path], given: str, what: str, more: str = "") -> str:
    """The mistake in a case; empty where it has none."""
    try:
        load(folder(f"  - {{name: one, given: {{{given}}}, {what}{more}}}"))
    except CaseFileError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("given", "what", "mistake"),
    [
        ("x: {array: [1], dtype: uint8}", "call: -3 * x", "-3 does not fit uint8, which this call is computed in"),
        (INT8, "call: x + 300", "300 does not fit int8, which this call is computed in, and which holds -128 to 127"),
        (
            INT8,
            "call: x + x",
            "the result 200 of 'add' at [0] does not fit int8, which holds -128 to 127: expected num",
        ),
        (INT8, "call: sum(x * x)", "the result 10000 of 'multiply' at [0] does not fit int8"),
        (INT8, "call: 'stack([x, x + 28])'", "the result 128 of 'add' at [0] does not fit int8"),
        ("x: {array: [[1, 0]], dtype: uint8}", "call: -x", "the result -1 of 'negative' at [0, 0] does not fit uint8"),
        (
            "x: {array: [max, 1], dtype: int64}",
            "call: sum(x)",
            "the result 9223372036854775808 of 'sum' at [] does not",
        ),
        (
            INT8,
            "claim: x + x == 2 * x",
            "does not fit int8, which holds -128 to 127: expected numbers whose result fits",
        ),
        (INT8, "claim: 'shape(x + x) == [2]'", "the result 200 of 'add' at [0] does not fit int8"),
        ("x: {full: {shape: [3], value: 64}, dtype: int8}", "call: x + x", "the result 128 of 'add' at [0]"),
        ("x: {array: [1], dtype: int8, put: {at: [0], value: 70}}", "call: x + x", "the result 140 of 'add'"),
        ("x: {integers: {shape: [9], seed: 1, low: 100, high: 127}, dtype: int8}", "call: x + x", "of 'add' at [0]"),
        (INT8, "call: x * 0.5", "the dtype of the result of 'multiply' is not defined for int8"),
        (INT8, "call: x * 0.25, expect: {dtype: int8}", "is not made of integers, and its dtype int8 holds no others"),
        (
            "x: {array: [1, 2], dtype: int32}",
            "call: mean(x), expect: {dtype: int32}",
            "of 'mean' is not made of integers",
        ),
        (INT8, "call: x - 1, expect: {wraps: true}", "nothing here wraps: every result fits its dtype"),
        ("x: [1.5]", "call: x - 1, expect: {wraps: true}", "nothing here wraps"),
        (
            INT8,
            "call: x + x, expect: {wraps: true, values: [0, 0], because: so}",
            "expected one of 'wraps' and 'values'",
        ),
        (INT8, "call: x + x, expect: {wraps: true, raises: true}", "a call that is refused has no other outcome"),
    ],
)
def test_what_does_not_fit_is_a_mistake_at_its_call(
    given: str, what: str, mistake: str, folder: Callable[..., Path]
) -> None:
    assert mistake in told(folder, given, what)


def test_the_mistake_is_in_the_call_and_names_a_way_round(folder: Callable[..., Path]) -> None:
    text = told(folder, INT8, "call: sum(x + x)")
    assert ":2:80: the result 200 of 'add'" in text or "the result 200 of 'add'" in text
    assert text.rstrip().endswith("expected numbers whose result fits, or 'expect: {wraps: true}'")
    assert told(folder, INT8, "claim: x + x == 0").rstrip().endswith("expected numbers whose result fits")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (INT8, "call: x + 300, expect: raises"),
        (INT8, "call: x + x, expect: raises"),
        (INT8, "call: x + x, expect: {wraps: true}"),
        (INT8, "call: x + 300, expect: {wraps: true}"),
        (INT8, "call: x + x, expect: {dtype: int16}"),
        (INT8, "call: x + 300, expect: {dtype: int16}"),
        (INT8, "call: x / 1000, expect: {dtype: float32}"),
        (INT8, "call: x + x, expect: {values: [127, -6], because: this framework saturates}"),
        ("x: {array: [1, 3], dtype: int32}", "call: mean(x), expect: {dtype: int32}"),
        ("x: {array: [true, true], dtype: bool}", "call: sum(x)"),
        (INT8, "call: sum(x)"),
        (INT8, "claim: sum(x) == 97"),
        ("x: [200.0, 300.0]", "call: x + 70000"),
    ],
)
def test_what_fits_or_is_said_is_none(given: str, what: str, folder: Callable[..., Path]) -> None:
    assert told(folder, given, what) == ""


def test_one_variant_of_a_grid_that_does_not_fit_is_enough(folder: Callable[..., Path]) -> None:
    grid = ", for: {dtype: [int32, int8], k: [1, 2]}"
    assert "the result 200 of 'multiply' at [0]" in told(folder, "x: [100, 3]", "call: x * k", grid)
    assert told(folder, "x: [100, 3]", "call: x * k", ", for: {dtype: [int32, int16], k: [1, 2]}") == ""
    assert told(folder, "x: [100, 3]", "call: x * k, expect: {wraps: true}", grid) == ""  # one that wraps, likewise
