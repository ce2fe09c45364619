"""Numbers as cases write them, and nested lists of them as arrays.

A number is a YAML number (a decimal is the float64 nearest to it, as in a program's source text), ``true`` or
``false``, or one of these strings: a hexadecimal float (``"0x1.8p+1"``), and names whose value depends on the
dtype (``max``, ``tiny``, ``smallest_subnormal``, ``eps``), with a sign if need be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from conformance.casefile.errors import Mistake, did_you_mean
from conformance.ground.dtypes import DTYPES, NAMED_VALUES, DType
from conformance.truth.rounding import assemble, round_dyadic, round_floats, round_fraction

_HEX_FLOAT = re.compile(r"[-+]?0x([0-9a-fA-F]{1,64})(?:\.([0-9a-fA-F]{0,64}))?p([-+]?[0-9]{1,5})")
_NAMED = re.compile(rf"[-+]?({'|'.join(NAMED_VALUES)})")

Literal = Any
"""A number or a nested list of numbers, as read from YAML."""


def literal_shape(literal: Literal, keys: tuple[str | int, ...] = ()) -> tuple[int, ...]:
    """The shape of a nested list.

    Raises:
        Mistake: it is ragged, or holds something that is no number.
    """
    if not isinstance(literal, list):
        _check_number(literal, keys)
        return ()
    if not literal:
        return (0,)
    shapes = [literal_shape(item, (*keys, i)) for i, item in enumerate(literal)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise Mistake(
                f"a ragged array: this item has shape {list(shape)}, the first of its list {list(shapes[0])}",
                (*keys, i),
            )
    return (len(literal), *shapes[0])


def _check_number(value: Any, keys: tuple[str | int, ...]) -> None:
    if isinstance(value, (bool, int, float)):
        return
    if isinstance(value, str):
        if _NAMED.fullmatch(value) or _HEX_FLOAT.fullmatch(value):
            return
        hint = did_you_mean(value.lstrip("+-"), NAMED_VALUES)
        raise Mistake(f"expected a number, a hexadecimal float or a named value, found '{value}'{hint}", keys)
    raise Mistake(f"expected a number, found {_describe(value)}", keys)


def _describe(value: Any) -> str:
    return {dict: "a mapping", type(None): "nothing", list: "a list"}.get(type(value), repr(value))


def leaves(literal: Literal, keys: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every number of a nested list with the keys that lead to it, in row-major order."""
    if isinstance(literal, list):
        for i, item in enumerate(literal):
            yield from leaves(item, (*keys, i))
    else:
        yield keys, literal


def natural_dtype(literal: Literal) -> str:
    """The dtype of a literal whose case names none: float32, or int64 or bool where all numbers are of that kind."""
    kinds = {type(number) for _, number in leaves(literal)}
    if kinds in ({int}, {int, bool}):
        return "int64"
    return "bool" if kinds == {bool} else "float32"


def to_array(literal: Literal, dtype: DType, keys: tuple[str | int, ...] = ()) -> np.ndarray:
    """A literal in a dtype, each number correctly rounded.

    Raises:
        Mistake: ragged, not a number, or a number that the dtype can't hold.
    """
    shape = literal_shape(literal, keys)
    numbers = [(at, number) for at, number in leaves(literal, keys)] if shape.count(0) == 0 else []
    if dtype.kind == "floating":
        values = [number for _, number in numbers]
        if all(type(v) is float or (type(v) is int and -(2**53) <= v <= 2**53) for v in values):
            array = round_floats(np.array(values, dtype=np.float64), dtype)
            if np.array_equal(np.isinf(array), np.isinf(np.array(values, dtype=np.float64))):
                return array.reshape(shape)
        flat = [_rounded(number, dtype, at) for at, number in numbers]
        return np.array(flat, dtype=dtype.numpy).reshape(shape)
    if dtype.kind == "complex":  # of real numbers only: the case language writes no others
        return to_array(literal, DTYPES["float32"], keys).astype(dtype.numpy)
    flat = [_whole(number, dtype, at) for at, number in numbers]
    return np.array(flat, dtype=dtype.numpy).reshape(shape)


def _rounded(number: Any, dtype: DType, keys: tuple[str | int, ...]) -> Any:
    if isinstance(number, float) and number - number != 0:
        return dtype.numpy.type(number)
    sign = -1 if isinstance(number, str) and number.startswith("-") else 1
    named = dtype.named_value(number.lstrip("+-")) if isinstance(number, str) else None
    if named is not None:
        part = round_dyadic(sign * named[0], named[1], dtype)
    elif isinstance(number, str):
        value = _hexadecimal(number)
        part = round_fraction(value, dtype)
        if part[2] != 0 and abs(part[0]) < 2**dtype.precision:  # one that overflows is refused below
            raise Mistake(f"'{number}' is not a {dtype.name}: a hexadecimal float must be exact", keys)
    else:
        part = round_fraction(Fraction(number), dtype)
    rounded = assemble([part], (), dtype).value
    if np.isinf(rounded.astype(np.float64)):
        raise Mistake(f"{number} does not fit {dtype.name}; for its largest value write max, for infinity .inf", keys)
    # A fraction has no signed zero.
    negative_zero = part == (0, dtype.smallest_quantum, 0.0) and str(number).startswith("-")
    return dtype.numpy.type(-0.0) if negative_zero else rounded[()]


def _hexadecimal(text: str) -> Fraction:
    """The exact value of a hexadecimal float (``float.fromhex`` would round it)."""
    match = _HEX_FLOAT.fullmatch(text)
    assert match is not None  # `_check_number` let nothing else pass
    whole, decimals, exponent = match[1], match[2] or "", int(match[3])
    magnitude = Fraction(int(whole + decimals, 16), 16 ** len(decimals)) * Fraction(2) ** exponent
    return -magnitude if text.startswith("-") else magnitude


def _whole(number: Any, dtype: DType, keys: tuple[str | int, ...]) -> Any:
    if dtype.kind == "bool":
        if isinstance(number, bool) or number in (0, 1):
            return bool(number)
        raise Mistake(f"{number!r} is no bool: impossible in an array of dtype bool", keys)
    if isinstance(number, str) and number.lstrip("+-") == "max":
        info = np.iinfo(dtype.numpy)
        return info.min if number.startswith("-") else info.max
    if isinstance(number, str) or (isinstance(number, float) and not number.is_integer()):
        raise Mistake(f"{number!r} is no integer: impossible in an array of dtype {dtype.name}", keys)
    info = np.iinfo(dtype.numpy)
    if not info.min <= number <= info.max:
        raise Mistake(f"{number} does not fit {dtype.name}, which holds {info.min} to {info.max}", keys)
    return int(number)


def dtype_named(name: str, keys: tuple[str | int, ...] = ()) -> DType:
    """The dtype of a name.

    Raises:
        Mistake: there is none.
    """
    if name not in DTYPES:
        raise Mistake(f"unknown dtype '{name}'{did_you_mean(name, DTYPES)}", keys)
    return DTYPES[name]
