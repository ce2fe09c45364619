"""Generated inputs: the same bits on every machine.

The bits come from PCG64, whose raw stream NumPy keeps stable, and reach their distribution by exact steps and
correctly rounded float64 arithmetic only. No logarithm or cosine is involved: those differ between machines.
"""

from __future__ import annotations

import math

import numpy as np

from conformance.casefile.model import Bernoulli, Full, Integers, Linspace, Normal, Uniform

Generator = Normal | Uniform | Integers | Bernoulli | Linspace | Full


_recent: dict[tuple[int, tuple[int, ...]], tuple[Generator, np.ndarray]] = {}
_MOST_RECENT = 32


def generate(spec: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """The generator's numbers as float64 (`Integers`: int64), before they are rounded to a dtype.

    Args:
        spec: what to generate; `Full` is not numeric until its dtype is known, and is not handled here.
        shape: the array's shape (`Linspace` has its own).

    Returns:
        An array that is kept for the next call, since the dtypes of a grid share it: it is read-only.
    """
    key = (id(spec), shape)  # the spec is kept beside its numbers, so that nothing else can take its id
    _, values = _recent.pop(key, (spec, None))
    if values is None:
        values = _generate(spec, shape)
        values.flags.writeable = False
    _recent[key] = (spec, values)
    if len(_recent) > _MOST_RECENT:
        del _recent[next(iter(_recent))]
    return values


def _generate(spec: Generator, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(shape)
    match spec:
        case Uniform(seed=seed, low=low, high=high):
            values = low + (high - low) * _unit(seed, count)
        case Normal(seed=seed, scale=scale, mean=mean):
            values = mean + scale * _irwin_hall(seed, count)
        case Bernoulli(seed=seed, probability=probability):
            values = (_unit(seed, count) < probability).astype(np.float64)
        case Integers(seed=seed, low=low, high=high):
            values = _bounded(seed, count, low, high)
        case Linspace(start=start, stop=stop, count=steps):
            index = np.arange(steps, dtype=np.float64)
            spaced = np.asarray((start * (steps - 1 - index) + stop * index) / (steps - 1))
            spaced[0], spaced[-1] = start, stop  # which the division may miss by a rounding
            return spaced
        case _:
            raise TypeError(f"{type(spec).__name__} generates no numbers by itself")
    return values.reshape(shape)


def _raw(seed: int, count: int) -> np.ndarray:
    return np.random.PCG64(seed).random_raw(count)


def _unit(seed: int, count: int) -> np.ndarray:
    """Multiples of 2**-53 in [0, 1)."""
    return np.asarray((_raw(seed, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _irwin_hall(seed: int, count: int) -> np.ndarray:
    """The sum of twelve uniform numbers, less 6: mean 0, variance 1, within 6. Exact: integers of 40 bits each."""
    words = _raw(seed, 12 * count).reshape(count, 12) >> np.uint64(24)
    return np.asarray(words.sum(axis=1).astype(np.float64) * 2.0**-40 - 6.0)


def _bounded(seed: int, count: int, low: int, high: int) -> np.ndarray:
    """Integers in [low, high] by the high bits of a 64-bit product (the bias is below 2**-32 for spans under 2**32)."""
    span = high - low + 1
    words = (_raw(seed, count) >> np.uint64(32)).astype(object)
    return np.array([low + ((int(word) * span) >> 32) for word in words], dtype=np.int64)
