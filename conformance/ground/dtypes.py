"""The element types that cases may name, and the parameters of the floating ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ml_dtypes
import numpy as np

Kind = Literal["floating", "integer", "bool", "complex"]


@dataclass(frozen=True, slots=True)
class DType:
    """One element type.

    For floating types `precision` is the significand's length in bits (the hidden bit included),
    `max_exponent` the exponent of the largest finite binade (its values lie in
    ``[2**max_exponent, 2**(max_exponent + 1))``) and `min_exponent` that of the smallest normal one.
    All three are 0 for the other kinds.
    """

    name: str
    kind: Kind
    numpy: np.dtype
    precision: int = 0
    max_exponent: int = 0
    min_exponent: int = 0

    @property
    def smallest_quantum(self) -> int:
        """Exponent of the smallest subnormal: no two values are closer than ``2**smallest_quantum``."""
        return self.min_exponent - self.precision + 1

    @property
    def unit_roundoff(self) -> float:
        """Largest relative error of one correct rounding, ``2**-precision``."""
        return 2.0**-self.precision

    def named_value(self, name: str) -> tuple[int, int] | None:
        """``(m, e)`` with the named value equal to ``m * 2**e``; None where the name means nothing here."""
        if self.kind != "floating":
            return None
        match name:
            case "max":
                return 2**self.precision - 1, self.max_exponent - self.precision + 1
            case "tiny":
                return 1, self.min_exponent
            case "smallest_subnormal":
                return 1, self.smallest_quantum
            case "eps":
                return 1, 1 - self.precision
        return None


NAMED_VALUES = ("max", "tiny", "smallest_subnormal", "eps")

_FLOATING = (
    DType("float16", "floating", np.dtype(np.float16), 11, 15, -14),
    DType("bfloat16", "floating", np.dtype(ml_dtypes.bfloat16), 8, 127, -126),
    DType("float32", "floating", np.dtype(np.float32), 24, 127, -126),
    DType("float64", "floating", np.dtype(np.float64), 53, 1023, -1022),
)
_INTEGER = tuple(
    DType(name, "integer", np.dtype(name))
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
)
_BOOL = (DType("bool", "bool", np.dtype(np.bool_)),)
_COMPLEX = (DType("complex64", "complex", np.dtype(np.complex64)),)
"""Complex numbers have no exact answers here: whether a framework takes them at all is what can be asked."""

DTYPES: dict[str, DType] = {dtype.name: dtype for dtype in (*_FLOATING, *_INTEGER, *_BOOL, *_COMPLEX)}

GROUPS: dict[str, tuple[str, ...]] = {
    "floating": tuple(dtype.name for dtype in _FLOATING),
    "integer": tuple(dtype.name for dtype in _INTEGER),
    "all": tuple(dtype.name for dtype in (*_FLOATING, *_INTEGER, *_BOOL)),
}
"""Names that a grid may use for several dtypes at once."""

_BY_NUMPY = {dtype.numpy: dtype for dtype in DTYPES.values()}


def of(array: np.ndarray) -> DType:
    """The `DType` of an array.

    Raises:
        KeyError: for element types the suite does not know, such as complex ones.
    """
    return _BY_NUMPY[array.dtype]


def known(dtype: np.dtype) -> bool:
    """Whether the suite can judge arrays of this NumPy dtype."""
    return dtype in _BY_NUMPY


def finite(array: np.ndarray) -> np.ndarray:
    """Where an array of any dtype holds neither NaN nor infinity."""
    return np.asarray(np.isfinite(array if array.dtype.kind == "c" else array.astype(np.float64)))


def all_finite(array: np.ndarray) -> bool:
    """Whether an array of any dtype holds neither NaN nor infinity."""
    return bool(finite(array).all())


UNSIGNED = {n: np.dtype(f"u{n}") for n in (1, 2, 4, 8)}
"""The dtypes that show the bits of a number, by its size in bytes."""


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have one dtype, one shape and the same bits."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if known(a.dtype) and a.itemsize in UNSIGNED:
        kind = UNSIGNED[a.itemsize]
        return bool(np.array_equal(np.ascontiguousarray(a).view(kind), np.ascontiguousarray(b).view(kind)))
    return a.tobytes() == b.tobytes()
