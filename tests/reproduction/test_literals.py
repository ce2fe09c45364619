"""Arrays as source: exactly their bits, in a form that is short and can be read."""

from __future__ import annotations

import ast
import base64
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, settings
from hypothesis import given as examples
from hypothesis import strategies as st

from conformance.casefile import generators
from conformance.ground.dtypes import DTYPES
from conformance.ground.layouts import MAKERS as LAYOUTS
from conformance.ground.layouts import laid_out
from conformance.reproduction import helpers
from conformance.reproduction.literals import NotStoredError, first, given
from conformance.runfile import Made, Stored, encoded
from conformance.truth.rounding import round_floats, to_odd_float32

NAMES: dict[str, Any] = {
    **generators.MAKERS,
    **LAYOUTS,
    "native": lambda array: array,
    "array": helpers.array,
    "checked": helpers.checked,
    "replaced": helpers.replaced,
    "to_odd_float32": to_odd_float32,
    "base64": base64,
    "np": np,
}


def value(text: str) -> np.ndarray:
    """What source gives in a script."""
    ast.parse(text, mode="eval")
    return np.asarray(eval(text, dict(NAMES)))


def same(got: np.ndarray, due: np.ndarray) -> bool:
    return (got.dtype, got.shape, got.tobytes()) == (due.dtype, due.shape, due.tobytes())


@example("complex64", b"\0\0\xc0\x7f\0\0\0\0", ())  # NaN: no literal reads as it
@example("complex64", b"\0\0\0\0\0\0\0\x80", (-1,))  # 0 - 0j, which in source is -0 - 0j
@example("complex64", b"\0\0\x80\x3f\0\0\0\x40", (1, -1))
@example("bfloat16", b"\x81\x7f", (-1,))  # a signalling NaN, which NumPy warns of
@settings(max_examples=200, deadline=None)
@examples(st.sampled_from(sorted(DTYPES)), st.binary(max_size=320), st.sampled_from([(), (-1,), (1, -1), (-1, 1)]))
def test_any_bits_come_back_in_any_dtype(dtype: str, raw: bytes, shape: tuple[int, ...]) -> None:
    """NaN of every payload, both zeros and subnormals among them."""
    kind = DTYPES[dtype].numpy
    raw = bytes(byte & 1 for byte in raw) if dtype == "bool" else raw
    elements = np.frombuffer(raw[: len(raw) // kind.itemsize * kind.itemsize], dtype=kind)
    array = elements.reshape(shape) if shape else elements[:1].reshape(-1)[:1].reshape(() if elements.size else (0,))
    for written in (0, 4, 1000):
        assert same(value(given(Stored.of(array), None, written)), array)
    dtype_name, its_shape, numbers = ast.literal_eval(first(Stored.of(array), 8, 4).replace("bytes.fromhex", ""))
    assert (dtype_name, its_shape) == (dtype, array.shape)
    assert numbers is not None


@pytest.mark.parametrize(
    ("dtype", "numbers", "text"),
    [
        ("float32", [1.0, -0.0, 0.1, math.inf, math.nan], '"1.0 -0.0 0x1.99999ap-4 inf nan"'),
        ("float64", [0.5, 0.1, 5e-324], '"0.5 0x1.999999999999ap-4 0x0.0000000000001p-1022"'),
        ("bfloat16", [3.140625, 1e-40], '"3.140625 0x1p-133"'),
        ("int64", [1, -(2**63)], "[1, -9223372036854775808]"),
        ("uint64", [2**64 - 1], "[18446744073709551615]"),
        ("bool", [True, False], "[True, False]"),
        ("complex64", [1 - 2j], "[(1-2j)]"),
        ("float16", [], '""'),
    ],
)
def test_few_numbers_are_written_in_decimal_where_that_is_exact_and_short(
    dtype: str, numbers: list[Any], text: str
) -> None:
    array = np.array(numbers, dtype=DTYPES[dtype].numpy)
    assert given(Stored.of(array), None, 32) == f'native(array("{dtype}", ({len(numbers)},), {text}))'


def test_a_nan_of_another_payload_stands_as_its_bytes() -> None:
    array = np.array([0x7FC00001, 0x3F800000], dtype=np.uint32).view(np.float32)
    text = given(Stored.of(array), None, 32)
    assert "base64.b64decode" in text
    assert same(value(text), array)
    assert "bytes.fromhex" in first(Stored.of(array), 8, 4)


def test_many_numbers_stand_as_their_bytes_on_short_lines() -> None:
    array = np.arange(1000, dtype=np.float64) / 7
    text = given(Stored.of(array), None, 32)
    assert same(value(text), array)
    assert max(map(len, text.splitlines())) <= 120
    assert "base64.b64decode" in text


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["bool", "int8", "bfloat16", "float64"])
def test_a_layout_is_made_again(layout: str, dtype: str) -> None:
    array = laid_out(np.arange(12).reshape(3, 4).astype(DTYPES[dtype].numpy), layout)
    got = value(given(Stored.of(array), Made(layout=layout), 32))
    assert same(got, array)
    assert got.strides == array.strides


SOURCES: dict[str, dict[str, Any]] = {
    "normal": {"seed": 1, "scale": 3.0, "mean": 0.5},
    "uniform": {"seed": 2, "low": -4.0, "high": 4.0},
    "integers": {"seed": 3, "low": 0, "high": 100},
    "bernoulli": {"seed": 4, "probability": 0.5},
    "binades": {"seed": 5, "low": -20, "high": 10, "sign": "both"},
    "linspace": {"start": -1.0, "stop": 2.0, "count": 60},
    "full": {"value": 0.1},
}


def made(source: str, dtype: str, count: int = 60) -> np.ndarray:
    arguments = {"count": count} | SOURCES[source]
    values = generators.MAKERS[source](**arguments)
    kind = DTYPES[dtype]
    return round_floats(values.astype(np.float64), kind) if kind.kind == "floating" else values.astype(kind.numpy)


@pytest.mark.parametrize(
    ("source", "dtype"),
    [(source, dtype) for source in SOURCES for dtype in ("float16", "bfloat16", "float32", "float64")]
    + [(source, "int64") for source in ("integers", "bernoulli", "uniform")],
)
def test_what_was_generated_is_generated_again(source: str, dtype: str) -> None:
    array = made(source, dtype).reshape(3, 20)
    text = given(Stored.of(array), Made(source, SOURCES[source]), 32)
    assert f"{source}(60, " in text
    assert "base64" not in text and "0x" not in text
    assert same(value(text), array)


def test_a_replaced_element_is_replaced_again() -> None:
    array = made("normal", "float32")
    array[7] = np.nan
    text = given(Stored.of(array), Made("normal", SOURCES["normal"], [7, encoded(math.nan)]), 32)
    assert 'replaced(normal(60, seed=1, scale=3.0, mean=0.5), 7, float("nan"))' in text
    assert same(value(text), array)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_uniform_numbers_do_not_round_to_their_upper_end_again(dtype: str) -> None:
    numbers = {"seed": 1, "low": 0.0, "high": 1.0}
    last = generators.last_below(0.0, 1.0, DTYPES[dtype])
    values = generators.uniform(20_000, **numbers)
    array = round_floats(np.minimum(values, last), DTYPES[dtype])
    text = given(Stored.of(array), Made("uniform", numbers), 32)
    assert f"np.minimum(uniform(20000, seed=1, low=0.0, high=1.0), {last!r})" in text
    assert same(value(text), array)
    assert "np.minimum" not in given(Stored.of(array[:5]), Made("uniform", numbers), 32), "where none of them would"


@pytest.mark.parametrize(
    "arguments", [{"seed": 1}, {"seed": 1, "low": "a", "high": 1.0}, {"seed": -1, "low": 0, "high": 1}]
)
def test_uniform_numbers_that_no_case_has_are_written_out(arguments: dict[str, Any]) -> None:
    array = np.array([0.5, 0.25], dtype=np.float32)
    assert same(value(given(Stored.of(array), Made("uniform", arguments), 32)), array)


def test_the_largest_binade_does_not_round_up_to_infinity() -> None:
    numbers = {"seed": 3, "low": 15, "high": 15, "sign": "positive"}
    values = generators.binades(4000, **numbers)
    array = np.clip(values, None, 65504.0).astype(np.float16)
    assert (values >= 65520).any()
    text = given(Stored.of(array), Made("binades", numbers), 32)
    assert "np.clip(binades(" in text
    assert same(value(text), array)


def test_large_arrays_are_generated_again_and_compared_with_their_digest() -> None:
    array = made("uniform", "float32", 5000)
    stored = Stored.of(array)
    assert not stored.whole
    text = given(stored, Made("uniform", SOURCES["uniform"]), 32)
    assert same(value(text), array)
    with pytest.raises(SystemExit):
        value(text.replace("seed=2", "seed=3"))


@pytest.mark.parametrize(
    "wrong",
    [
        Made("uniform", {"seed": 3, "low": -4.0, "high": 4.0}),
        Made("uniform", {"seed": 2, "low": -4.0}),
        Made("uniform", {"seed": -1, "low": -4.0, "high": 4.0}),
        Made("uniform", {"seed": "2); import os; (", "low": -4.0, "high": 4.0}),
        Made("uniform", {"seed": 2, "low": {"float": "x"}, "high": 4.0}),
        Made("uniform", {"seed": 2, "low": -4.0, "high": 4.0, "os.system": 1}),
        Made("uniform", {"seed": 2, "low": -4.0, "high": 4.0, "count": 10**12}),
        Made("uniform", SOURCES["uniform"], [10**9, 1.0]),
        Made("uniform", SOURCES["uniform"], ["0", "1"]),
        Made("uniform", SOURCES["uniform"], [0]),
        Made("__import__('os').system", {}),
        Made(""),
    ],
)
def test_how_an_array_was_made_is_believed_only_where_it_gives_the_same_bits(wrong: Made) -> None:
    array = made("uniform", "float32", 200)
    text = given(Stored.of(array), wrong, 32)
    assert "uniform" not in text and "import" not in text
    assert same(value(text), array)
    with pytest.raises(NotStoredError, match="5,000 elements"):
        given(Stored.of(made("uniform", "float32", 5000)), wrong, 32)


@pytest.mark.parametrize(
    "stored",
    [
        Stored("float32'); import os", [1], "AAAAAA=="),
        Stored("float32", [2], "AAAAAA=="),
        Stored("float32", [-1], "AAAAAA=="),
        Stored("float32", [1], "not base64"),
        Stored("float32", [2**40], "", "ab" * 32),
    ],
)
def test_what_is_no_array_is_refused(stored: Stored) -> None:
    with pytest.raises(NotStoredError):
        given(stored, Made("full", {"value": 1.0}) if stored.sha256 else None, 32)


def test_a_layout_that_the_array_can_not_have_is_refused() -> None:
    for layout in ("transposed", "os.system"):
        with pytest.raises(NotStoredError, match="has no layout"):
            given(Stored.of(np.zeros(3)), Made(layout=layout), 32)
