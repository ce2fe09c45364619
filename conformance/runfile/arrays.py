"""Stored arrays, read back and shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from conformance.ground import dtypes
from conformance.ground.dtypes import DTYPES
from conformance.runfile import Stored
from conformance.words.wording import exact_digits, format_number

_FLOATING = frozenset(dtype.numpy for dtype in DTYPES.values() if dtype.kind == "floating")


def load(stored: Stored) -> np.ndarray | None:
    """The elements that are stored, or None where they can't be read."""
    return _loaded(stored.dtype, tuple(stored.shape), stored.data, stored.sha256)


@lru_cache(maxsize=64)  # about a variant's: each part of a report looks at the same arrays
def _loaded(dtype: str, shape: tuple[int, ...], data: str, sha256: str) -> np.ndarray | None:
    try:
        array = Stored(dtype, list(shape), data, sha256).array()
        array.flags.writeable = False
        return array
    except ValueError:  # base64's own error is one too
        return None


def bits(arrays: Iterable[Stored]) -> str:
    """A key that is equal for arrays of the same dtypes, shapes and bits; of large ones, of the same digests."""
    return repr([(stored.dtype, stored.shape, stored.data, stored.sha256) for stored in arrays])


def identical(left: Stored, right: Stored) -> bool:
    """Whether two arrays agree in dtype, shape and every bit; any NaN counts as the same NaN.

    Of large arrays only digests are stored: there every bit counts.
    """
    if left == right:
        return True
    if (left.dtype, left.shape) != (right.dtype, right.shape) or not (left.whole and right.whole):
        return False
    a, b = load(left), load(right)
    if a is None or b is None:
        return False
    if a.dtype.kind == "c":
        a, b = a.ravel().view(a.real.dtype), b.ravel().view(b.real.dtype)
    if a.dtype not in _FLOATING:
        return bool((a == b).all())
    return bool((((a == b) & (np.signbit(a) == np.signbit(b))) | ((a != a) & (b != b))).all())


def described(stored: Stored) -> str:
    """Dtype and shape, as NumPy users write them: ``float32[2, 3]``; a scalar is just ``float32``."""
    return f"{stored.dtype}{stored.shape}" if stored.shape else stored.dtype


def shown(stored: Stored, most: int) -> str:
    """Dtype, shape and up to `most` first elements: ``float32[2, 3]: 0.5, 0.25, …``."""
    return f"{described(stored)}: {elements(stored, most)}"


def elements(stored: Stored, most: int) -> str:
    """Up to `most` first elements: ``0.5, 0.25, …``."""
    array = load(stored)
    if array is None:
        return "unreadable"
    size = math.prod(stored.shape)
    if size == 0:
        return "no elements"
    if size == most + 1:  # the ellipsis would take the place of the one element it stands for
        most = size
    texts = [format_number(value) for value in array.ravel()[:most]]
    return ", ".join(texts) + (", …" if size > len(texts) else "")


def decimals(answer: Stored, residuals: Sequence[float]) -> list[str]:
    """The exact values behind an answer's first elements, in up to 20 digits: one for each residual."""
    array = load(answer)
    if array is None or array.dtype not in _FLOATING or array.size < len(residuals):
        return []
    return exact_digits(array.ravel()[: len(residuals)], np.array(residuals))


@dataclass(frozen=True, slots=True)
class Distance:
    """Between two arrays: the largest number of steps between numbers, and whether a NaN met a number."""

    steps: int
    nan_apart: bool


def distance(left: np.ndarray, right: np.ndarray) -> Distance | None:
    """The largest distance between elements, in representable steps; None for different dtypes or shapes.

    Neighbouring values of a floating dtype are one step apart, over zero too; the two zeros are 0 apart, as are two
    NaNs; infinity is one step past the largest finite value. Integers are as far apart as their difference.
    """
    if left.dtype != right.dtype or left.shape != right.shape or not dtypes.known(left.dtype):
        return None
    if not left.size:
        return Distance(0, False)
    floating = dtypes.of(left).kind == "floating"
    nan_left, nan_right = (left != left, right != right) if floating else (np.zeros(left.shape, bool),) * 2
    numbers = ~(nan_left | nan_right)
    a, b = _ordered(left)[numbers], _ordered(right)[numbers]
    # Unsigned and modular: the distance between the ends of float64 or int64 fits no signed integer.
    steps = np.where(a >= b, a.astype(np.uint64) - b.astype(np.uint64), b.astype(np.uint64) - a.astype(np.uint64))
    return Distance(int(steps.max(initial=0)), bool((nan_left != nan_right).any()))


def _ordered(array: np.ndarray) -> np.ndarray:
    """Integers in the order of the values, one apart for neighbours."""
    if array.dtype == np.uint64:
        return array
    if dtypes.of(array).kind != "floating":
        return array.astype(np.int64)
    width = array.dtype.itemsize * 8
    bits = np.ascontiguousarray(array).view(f"i{width // 8}").astype(np.int64)
    magnitude = bits & ((1 << (width - 1)) - 1)
    return np.where(bits < 0, -magnitude, magnitude)
