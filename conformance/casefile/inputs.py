"""A variant's inputs as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.casefile import printed
from conformance.casefile.errors import Mistake
from conformance.casefile.generators import generate
from conformance.casefile.model import Full, Given, Linspace
from conformance.casefile.numbers import dtype_named, to_array
from conformance.casefile.printed import Printed
from conformance.casefile.variants import Variant
from conformance.dtypes import DType
from conformance.truth.rounding import assemble, round_floats, round_fraction

MAX_ELEMENTS = 2**24


def materialise(variant: Variant) -> dict[str, np.ndarray]:
    """The inputs under `given` by name, each in its dtype. They are read-only.

    Raises:
        Mistake: an input that its dtype can't hold, or a shape too large.
    """
    result = {}
    for name, given in variant.case.case.given.items():
        array = _array(given, variant, ("given", name))
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
    if source == "array":
        return to_array(spec, dtype, (*keys, "array"))
    if source == "printed":
        return printed_array(printed.parse(spec), dtype, (*keys, "printed"))
    shape = () if isinstance(spec, Linspace) else resolve_shape(spec.shape, variant.bindings, (*keys, source, "shape"))
    if isinstance(spec, Full):
        return np.full(shape, to_array(spec.value, dtype, (*keys, source, "value")), dtype=dtype.numpy)
    values = generate(spec, shape)
    if dtype.kind == "floating":
        return round_floats(values.astype(np.float64), dtype)
    if source not in ("integers", "bernoulli"):
        raise Mistake(f"'{source}' makes real numbers, which dtype {dtype.name} can't hold", keys)
    if dtype.kind == "integer" and values.size:
        info = np.iinfo(dtype.numpy)
        if values.min() < info.min or values.max() > info.max:
            raise Mistake(f"the integers reach {values.min()} to {values.max()}, past {dtype.name}", keys)
    return values.astype(dtype.numpy)


def resolve_shape(shape: Any, bindings: Mapping[str, Any], keys: tuple[str | int, ...]) -> tuple[int, ...]:
    """A shape, or the grid value that a name stands for, as a tuple.

    Raises:
        Mistake: no such name, not a shape, or more than 16 M elements.
    """
    value = bindings.get(shape, shape) if isinstance(shape, str) else shape
    if not isinstance(value, list) or not all(type(n) is int and n >= 0 for n in value) or len(value) > 8:
        raise Mistake(
            f"expected a shape (a list of up to 8 lengths) or the name of one under 'for', found {value!r}", keys
        )
    size = 1
    for length in value:
        size *= length
    if size > MAX_ELEMENTS:
        raise Mistake(f"a shape of {size:,} elements; {MAX_ELEMENTS:,} are allowed", keys)
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
