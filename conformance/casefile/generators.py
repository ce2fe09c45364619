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
    if type(spec) not in _MAKERS:
        raise TypeError(f"{type(spec).__name__} generates no numbers by itself")
    values = _MAKERS[type(spec)](spec, math.prod(shape))
    return values if isinstance(spec, Linspace) else values.reshape(shape)


def _linspace(start: float, stop: float, steps: int) -> np.ndarray:
    index = np.arange(steps, dtype=np.float64)
    spaced = np.asarray((start * (steps - 1 - index) + stop * index) / (steps - 1))
    spaced[0], spaced[-1] = start, stop  # which the division may miss by a rounding
    return spaced


def _raw(seed: int, count: int) -> np.ndarray:
    return np.random.PCG64(seed).random_raw(count)


def _unit(seed: int, count: int) -> np.ndarray:
    """Multiples of 2**-53 in [0, 1)."""
    return np.asarray((_raw(seed, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _irwin_hall(seed: int, count: int) -> np.ndarray:
    """The sum of twelve uniform numbers, less 6: mean 0, variance 1, within 6. Exact: integers of 40 bits each."""
    words = _raw(seed, 12 * count).reshape(count, 12) >> np.uint64(24)
    return np.asarray(words.sum(axis=1).astype(np.float64) * 2.0**-40 - 6.0)


def _binades(seed: int, count: int, low: int, high: int, sign: str) -> np.ndarray:
    """Signed numbers of 53 random bits whose exponents are uniform in [low, high]."""
    words = _raw(seed, 2 * count)
    significands = 1.0 + (words[:count] >> np.uint64(12)).astype(np.float64) * 2.0**-52
    span = np.uint64(high - low + 1)
    exponents = low + (((words[count:] >> np.uint64(32)) * span) >> np.uint64(32)).astype(np.int64)
    magnitudes = np.ldexp(significands, exponents)
    if sign == "positive":
        return magnitudes
    return -magnitudes if sign == "negative" else np.where(words[count:] & np.uint64(1), -magnitudes, magnitudes)


def _bounded(seed: int, count: int, low: int, high: int) -> np.ndarray:
    """Integers in [low, high] by the high bits of a 64-bit product (the bias is below 2**-32 for spans under 2**32)."""
    span = high - low + 1
    words = (_raw(seed, count) >> np.uint64(32)).astype(object)
    return np.array([low + ((int(word) * span) >> 32) for word in words], dtype=np.int64)


_MAKERS: dict[type, Callable[[Any, int], np.ndarray]] = {
    Uniform: lambda spec, count: spec.low + (spec.high - spec.low) * _unit(spec.seed, count),
    Normal: lambda spec, count: spec.mean + spec.scale * _irwin_hall(spec.seed, count),
    Bernoulli: lambda spec, count: (_unit(spec.seed, count) < spec.probability).astype(np.float64),
    Integers: lambda spec, count: _bounded(spec.seed, count, spec.low, spec.high),
    Binades: lambda spec, count: _binades(spec.seed, count, spec.low, spec.high, spec.sign),
    Linspace: lambda spec, _: _linspace(spec.start, spec.stop, spec.count),
}
