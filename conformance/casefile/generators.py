"""Generated inputs: the same bits on every machine.

The bits come from PCG64, whose raw stream NumPy keeps stable, and reach their distribution by exact steps and
correctly rounded float64 arithmetic only. No logarithm or cosine is involved: those differ between machines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from conformance.casefile.model import Bernoulli, Binades, Full, Integers, Linspace, Normal, Uniform
from conformance.ground.dtypes import DType
from conformance.truth.rounding import round_floats

Generator = Normal | Uniform | Integers | Bernoulli | Binades | Linspace | Full


_recent: dict[tuple[Generator, tuple[int, ...]], np.ndarray] = {}
_MOST_RECENT = 32


def generate(spec: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """The generator's numbers as float64 (`Integers`: int64), before they are rounded to a dtype.

    Args:
        spec: what to generate, with no name of the grid left in it; `Full` is not numeric until its dtype is known,
            and is not handled here.
        shape: the array's shape (`Linspace` has its own).

    Returns:
        An array that is kept for the next call, since the dtypes of a grid share it: it is read-only.
    """
    if isinstance(getattr(spec, "shape", ""), list):
        spec = msgspec.structs.replace(spec, shape="")  # which makes it hashable
    key = (spec, shape)
    values = _recent.pop(key, None)
    if values is None:
        values = _generate(spec, shape)
        values.flags.writeable = False
    _recent[key] = values
    if len(_recent) > _MOST_RECENT:
        del _recent[next(iter(_recent))]
    return values


def _generate(spec: Any, shape: tuple[int, ...]) -> np.ndarray:
    make = MAKERS.get(type(spec).__name__.lower())
    if make is None or isinstance(spec, Full):
        raise TypeError(f"{type(spec).__name__} generates no numbers by itself")
    if isinstance(spec, Linspace):
        return make(**arguments(spec))
    return make(math.prod(shape), **arguments(spec)).reshape(shape)


def arguments(spec: Generator) -> dict[str, Any]:
    """What the function in `MAKERS` takes for a generator, beside the number of elements."""
    return {name: getattr(spec, name) for name in spec.__struct_fields__ if name != "shape"}


def linspace(count: int, start: float, stop: float) -> np.ndarray:
    """Evenly spaced numbers from `start` to `stop`, both included."""
    index = np.arange(count, dtype=np.float64)
    # Sums of large ends would overflow before they are divided; a power of two changes no bit.
    scale = 2.0**64 if max(abs(start), abs(stop)) > 2.0**900 else 1.0
    spaced = np.asarray((start / scale * (count - 1 - index) + stop / scale * index) / (count - 1)) * scale
    spaced[0], spaced[-1] = start, stop  # which the division may miss by a rounding
    return spaced


def last_below(low: float, high: float, dtype: DType) -> float:
    """What no uniform number in [low, high) may pass before it is rounded to a floating dtype.

    Rounding must not reach the upper end, which is left out: the largest number of the dtype below it stands for all
    numbers that it would take there. Infinity where nothing lies between the ends.
    """
    if not low < high:
        return math.inf
    end = round_floats(np.array(high, dtype=np.float64), dtype)
    return float(end if float(end) < high else np.nextafter(end, dtype.numpy.type(-math.inf)))


def words(count: int, seed: int) -> np.ndarray:
    """Random 64-bit words: PCG64's raw stream, which NumPy keeps stable."""
    return np.random.PCG64(seed).random_raw(count)


def unit(count: int, seed: int) -> np.ndarray:
    """Multiples of 2**-53 in [0, 1)."""
    return np.asarray((words(count, seed) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def uniform(count: int, seed: int, low: float, high: float) -> np.ndarray:
    """Uniform numbers in [low, high), or at `high` by rounding: `last_below` says what stands for those."""
    drawn = unit(count, seed)
    if high / 2 - low / 2 > 2.0**1022:  # further apart than float64 reaches
        return low * (1 - drawn) + high * drawn
    return low + (high - low) * drawn


def bernoulli(count: int, seed: int, probability: float) -> np.ndarray:
    """Zeros and ones."""
    return (unit(count, seed) < probability).astype(np.float64)


def normal(count: int, seed: int, scale: float, mean: float) -> np.ndarray:
    """Nearly normal numbers: twelve uniform ones, added up, less 6 (within 6, and exact: integers of 40 bits each)."""
    parts = words(12 * count, seed).reshape(count, 12) >> np.uint64(24)
    return mean + scale * np.asarray(parts.sum(axis=1).astype(np.float64) * 2.0**-40 - 6.0)


def binades(count: int, seed: int, low: int, high: int, sign: str) -> np.ndarray:
    """Signed numbers of 53 random bits whose exponents are uniform in [low, high]."""
    random = words(2 * count, seed)
    significands = 1.0 + (random[:count] >> np.uint64(12)).astype(np.float64) * 2.0**-52
    span = np.uint64(high - low + 1)
    exponents = low + (((random[count:] >> np.uint64(32)) * span) >> np.uint64(32)).astype(np.int64)
    magnitudes = np.ldexp(significands, exponents)
    if sign == "positive":
        return magnitudes
    return -magnitudes if sign == "negative" else np.where(random[count:] & np.uint64(1), -magnitudes, magnitudes)


def integers(count: int, seed: int, low: int, high: int) -> np.ndarray:
    """Integers in [low, high] by the high bits of a 64-bit product (the bias is below 2**-32 for spans under 2**32)."""
    span = high - low + 1
    random = (words(count, seed) >> np.uint64(32)).astype(object)
    return np.array([low + ((int(word) * span) >> 32) for word in random], dtype=np.int64)


def full(count: int, value: float) -> np.ndarray:
    """One number everywhere."""
    return np.full(count, value)


MAKERS: dict[str, Callable[..., np.ndarray]] = {
    made.__name__: made for made in (normal, uniform, integers, bernoulli, binades, linspace, full)
}
"""The functions that make the numbers, by the name that cases give to their source. Scripts that repeat a result
contain their source: they are functions of plain numbers, and need nothing but NumPy and each other."""
