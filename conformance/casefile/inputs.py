"""A variant's inputs as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from conformance.casefile import printed
from conformance.casefile.errors import Mistake
from conformance.casefile.generators import generate, last_below
from conformance.casefile.model import Binades, Full, Given, Integers, Linspace, Put, Uniform
from conformance.casefile.numbers import dtype_named, to_array
from conformance.casefile.printed import Printed
from conformance.casefile.variants import Variant
from conformance.ground import limits
from conformance.ground.dtypes import DType
from conformance.ground.layouts import laid_out
from conformance.truth.rounding import assemble, round_floats, round_fraction


def materialise(variant: Variant) -> dict[str, np.ndarray]:
    """The inputs under `given` by name, each in its dtype. They are read-only.

    Raises:
        Mistake: an input that its dtype can't hold, or a shape too large.
    """
    result = {}
    for name, given in variant.case.case.given.items():
        array = _array(given, variant, ("given", name))
        if array.flags.writeable:
            array.flags.writeable = False
        result[name] = array
    return result


def printed_inputs(variant: Variant) -> dict[str, Printed]:
    """The inputs that were given as printed arrays: their numbers are known to half a digit only."""
    return {
        name: printed.parse(given.printed)
        for name, given in variant.case.case.given.items()
        if isinstance(given, Given) and isinstance(given.printed, str)
    }


def _array(given: Any, variant: Variant, keys: tuple[str | int, ...]) -> np.ndarray:
    if not isinstance(given, Given):
        return to_array(given, variant.dtype, keys)
    dtype = dtype_named(given.dtype, (*keys, "dtype")) if given.dtype else variant.dtype
    source, spec = next(iter(given.sources.items()))
    array = _numbers(source, spec, dtype, variant.bindings, (*keys, source))
    if given.put is not None:
        array = put(array, given.put, dtype, variant.bindings, (*keys, "put"))
    layout = variant.bindings.get(given.layout or "", given.layout)
    if layout is not None:
        try:
            array = laid_out(array, layout)
        except ValueError as error:
            raise Mistake(str(error), (*keys, "layout")) from None
    return array


def _numbers(
    source: str, spec: Any, dtype: DType, bindings: Mapping[str, Any], keys: tuple[str | int, ...]
) -> np.ndarray:
    if source == "array":
        return to_array(spec, dtype, keys)
    if source == "printed":
        return printed_array(printed.parse(spec), dtype, keys)
    spec, shape = resolved(spec, dtype, bindings, keys)
    if isinstance(spec, Full):
        return np.full(shape, to_array(spec.value, dtype, (*keys, "value")), dtype=dtype.numpy)
    values = generate(spec, shape)
    if dtype.kind == "floating":
        if isinstance(spec, Uniform):
            values = np.minimum(values, last_below(float(spec.low), float(spec.high), dtype))
        rounded = round_floats(values.astype(np.float64), dtype)
        if isinstance(spec, Binades):  # of the top binade, numbers may round up to infinity
            largest = to_array("max", dtype)
            rounded = np.clip(rounded, -largest, largest).astype(dtype.numpy)
        return np.asarray(rounded)  # NumPy's functions make a scalar of an array of rank 0
    if source not in ("integers", "bernoulli"):
        raise Mistake(f"'{source}' makes real numbers, which dtype {dtype.name} can't hold", keys)
    if dtype.kind == "integer" and values.size:
        info = np.iinfo(dtype.numpy)
        if values.min() < info.min or values.max() > info.max:
            raise Mistake(f"the integers reach {values.min()} to {values.max()}, past {dtype.name}", keys)
    return values.astype(dtype.numpy)


def put(
    array: np.ndarray, spec: Put, dtype: DType, bindings: Mapping[str, Any], keys: tuple[str | int, ...] = ()
) -> np.ndarray:
    """A copy of an array with one element replaced.

    Raises:
        Mistake: no such element, or a number that the dtype can't hold.
    """
    at = index(spec, array.shape, bindings, keys)
    value = bindings.get(spec.value, spec.value) if isinstance(spec.value, str) else spec.value
    array = array.copy()
    array[at] = to_array(value, dtype, (*keys, "value"))
    return array


def index(
    spec: Put, shape: tuple[int, ...], bindings: Mapping[str, Any], keys: tuple[str | int, ...] = ()
) -> tuple[int, ...]:
    """Which element of an array of that shape is replaced.

    Raises:
        Mistake: it has no such element.
    """
    at = bindings.get(spec.at, spec.at) if isinstance(spec.at, str) else spec.at
    fits = isinstance(at, list) and len(at) == len(shape)
    if not fits or not all(type(i) is int and -n <= i < n for i, n in zip(at, shape, strict=True)):
        raise Mistake(f"expected an index into an array of shape {list(shape)}, found {at!r}", (*keys, "at"))
    return tuple(at)


def resolved(
    spec: Any, dtype: DType, bindings: Mapping[str, Any], keys: tuple[str | int, ...] = ()
) -> tuple[Any, tuple[int, ...]]:
    """A generator with the grid's values in place of their names, and its shape (which `Linspace` has not).

    Raises:
        Mistake: no such name, or a value that is no number.
    """
    changes: dict[str, Any] = {}
    for name in names_of_numbers(spec):
        if isinstance(text := getattr(spec, name), str):
            value = bindings.get(text, text)
            if isinstance(spec, Full):  # max, 0x1p-3 and their like are numbers too
                changes[name] = value
            elif type(value) not in (int, float):
                raise Mistake(f"expected a number, or the name of one under 'for', found {value!r}", (*keys, name))
            elif type(value) is float and (name == "seed" or not _is_real(spec)):
                raise Mistake(f"expected an integer, found {value!r}", (*keys, name))
            elif name == "seed" and not 0 <= value < 2**32:
                raise Mistake(f"expected a seed from 0 to 2**32 - 1, found {value}", (*keys, name))
            else:
                changes[name] = value
    if isinstance(spec, Binades):
        low, high = changes.get("low", spec.low), changes.get("high", spec.high)
        changes["low"] = dtype.smallest_quantum if low is None else low
        changes["high"] = dtype.max_exponent if high is None else high
    shape: tuple[int, ...] = ()
    if not isinstance(spec, Linspace):
        shape = resolve_shape(spec.shape, bindings, (*keys, "shape"))
        changes["shape"] = ""
    return msgspec.structs.replace(spec, **changes), shape


def names_of_numbers(spec: Any) -> list[str]:
    """The fields of a generator that hold numbers, or the names of some."""
    return [name for name in spec.__struct_fields__ if name not in ("shape", "count", "sign")]


def _is_real(spec: Any) -> bool:
    return not isinstance(spec, Integers | Binades)


def resolve_shape(shape: Any, bindings: Mapping[str, Any], keys: tuple[str | int, ...]) -> tuple[int, ...]:
    """A shape, or the grid value that a name stands for, as a tuple.

    Raises:
        Mistake: no such name, not a shape, or more elements than are allowed.
    """
    value = bindings.get(shape, shape) if isinstance(shape, str) else shape
    if not isinstance(value, list) or not all(type(n) is int and n >= 0 for n in value) or len(value) > limits.RANK:
        raise Mistake(
            f"expected a shape (a list of up to {limits.RANK} lengths) or the name of one under 'for', found {value!r}",
            keys,
        )
    size = math.prod(value)
    if size > limits.ELEMENTS:
        raise Mistake(f"a shape of {size:,} elements; {limits.ELEMENTS:,} are allowed", keys)
    if max(value, default=0) > limits.ELEMENTS:  # beside a length of 0
        raise Mistake(f"a length of {max(value):,} in a shape; {limits.ELEMENTS:,} are allowed", keys)
    return tuple(value)


def printed_array(source: Printed, dtype: DType, keys: tuple[str | int, ...] = ()) -> np.ndarray:
    """The printed numbers, correctly rounded to a dtype.

    Raises:
        Mistake: numbers that the dtype can't hold.
    """
    if dtype.kind != "floating":
        if not source.whole:
            raise Mistake(f"printed with decimals: impossible in an array of dtype {dtype.name}", keys)
        return to_array([int(m) for m in source.midpoints], dtype, keys).reshape(source.shape)
    parts = [round_fraction(m, dtype) for m in source.midpoints]
    values = np.array(assemble(parts, source.shape, dtype).value)
    if np.isinf(values.astype(np.float64)).any():
        raise Mistake(f"a printed number does not fit {dtype.name}", keys)
    for index, special in enumerate(source.specials):
        if special is not None:
            values.flat[index] = special
    return values
