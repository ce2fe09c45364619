"""A variant's inputs as arrays: every source, in every dtype."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from conformance.casefile.errors import Mistake
from conformance.casefile.inputs import MAX_ELEMENTS, materialise, printed_array, printed_inputs, resolve_shape
from conformance.casefile.printed import parse
from conformance.casefile.variants import Variant
from conformance.dtypes import DTYPES

Variants = Callable[[str], dict[str, Variant]]


def case(given: str, grid: str = "{}", call: str = "sum(x)") -> str:
    return f"cases:\n  - name: a\n    given: {given}\n    for: {grid}\n    call: {call}\n"


def arrays(variants: Variants, *arguments: str) -> dict[str, np.ndarray]:
    return {name: materialise(v)["x"] for name, v in variants(case(*arguments)).items()}


def test_a_literal_takes_the_dtype_of_its_variant_and_cannot_be_written_to(variants: Variants) -> None:
    got = arrays(variants, "{x: [[1, 2.5]]}", "{dtype: [float16, bfloat16]}")
    for name in ("float16", "bfloat16"):
        x = got[f"a[{name}]"]
        assert x.dtype == DTYPES[name].numpy
        assert x.astype(float).tolist() == [[1.0, 2.5]]
        with pytest.raises(ValueError):
            x[0, 0] = 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{array: [1, -0.0, max], dtype: float16}", [1.0, -0.0, 65504.0]),
        ("{array: [1, 2], dtype: int8}", [1, 2]),
        ("{printed: 'tensor([0.1000, nan, -inf])'}", [np.float32(0.1), np.nan, -np.inf]),
        ("{printed: '[3 -7]', dtype: int64}", [3, -7]),
        ("{linspace: {start: 0, stop: 1, count: 3}}", [0.0, 0.5, 1.0]),
        ("{full: {shape: [2], value: eps}}", [2.0**-23] * 2),
        ("{full: {shape: [2], value: true}, dtype: bool}", [True, True]),
        ("{integers: {shape: [2], low: 4, high: 4, seed: 1}}", [4, 4]),
        ("{bernoulli: {shape: [2], probability: 1, seed: 1}, dtype: bool}", [True, True]),
        ("{bernoulli: {shape: [2], probability: 1, seed: 1}, dtype: uint8}", [1, 1]),
        ("{uniform: {shape: [2, 0], seed: 1}}", [[], []]),
    ],
)
def test_every_source_gives_its_numbers(variants: Variants, source: str, expected: list[Any]) -> None:
    (x,) = arrays(variants, f"{{x: {source}}}").values()
    np.testing.assert_array_equal(x.astype(np.float64) if x.dtype.kind == "f" else x, expected)
    assert not x.flags.writeable


def test_shapes_come_from_the_grid_by_name(variants: Variants) -> None:
    got = arrays(variants, "{x: {normal: {shape: s, seed: 1}}}", "{s: [[2, 3], [], [4]]}")
    assert {name: x.shape for name, x in got.items()} == {
        "a[float32,s=2x3]": (2, 3),
        "a[float32,s=scalar]": (),
        "a[float32,s=4]": (4,),
    }


def test_generated_numbers_are_rounded_once_to_the_dtype(variants: Variants) -> None:
    got = arrays(variants, "{x: {normal: {shape: [500], seed: 1, scale: 3}}}", "{dtype: floating}")
    wide = got["a[float64]"]
    for name in ("float16", "bfloat16", "float32"):
        narrow = got[f"a[{name}]"]
        below, above = (np.nextafter(narrow, narrow.dtype.type(d)).astype(np.float64) for d in (-np.inf, np.inf))
        mine = np.abs(narrow.astype(np.float64) - wide)
        assert np.all((mine <= np.abs(below - wide)) & (mine <= np.abs(above - wide)))


def test_the_same_input_twice_is_the_same_array_twice_and_not_shared(variants: Variants) -> None:
    text = case(
        "{x: {uniform: {shape: [3], seed: 1}}, y: {uniform: {shape: [3], seed: 1}}}", "{dtype: float64}", "add(x, y)"
    )
    (variant,) = variants(text).values()
    inputs = materialise(variant)
    np.testing.assert_array_equal(inputs["x"], inputs["y"])
    assert not np.shares_memory(inputs["x"], inputs["y"])


def test_only_printed_inputs_are_intervals(variants: Variants) -> None:
    text = case("{x: {printed: '[0.25, 1.]'}, y: [0.25, 1.0]}", "{}", "add(x, y)")
    (variant,) = variants(text).values()
    printed = printed_inputs(variant)
    assert list(printed) == ["x"]
    assert printed["x"].radii == (Fraction(1, 200), 0)


@pytest.mark.parametrize("shape", [[2, "3"], [-1], [1.0], [True], "s", None, {}, [1] * 9, 3])
def test_what_is_no_shape_is_refused(shape: Any) -> None:
    with pytest.raises(Mistake, match="expected a shape"):
        resolve_shape(shape, {}, ())


def test_a_shape_may_have_many_elements_but_not_without_end() -> None:
    assert resolve_shape([MAX_ELEMENTS, 1], {}, ()) == (MAX_ELEMENTS, 1)
    assert resolve_shape("n", {"n": [2, 0]}, ()) == (2, 0)
    with pytest.raises(Mistake, match="elements"):
        resolve_shape([MAX_ELEMENTS, 2], {}, ())
    with pytest.raises(Mistake, match="elements"):
        resolve_shape([2**24] * 8, {}, ())


@pytest.mark.parametrize(
    ("text", "dtype", "message"),
    [
        ("[300]", "int8", "300 does not fit int8"),
        ("[1.5]", "int32", "printed with decimals"),
        ("[1.5, 7e4]", "float16", "does not fit float16"),
    ],
)
def test_printed_numbers_that_the_dtype_cannot_hold_are_refused(text: str, dtype: str, message: str) -> None:
    with pytest.raises(Mistake, match=message):
        printed_array(parse(text), DTYPES[dtype])
