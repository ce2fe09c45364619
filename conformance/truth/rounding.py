"""Correct rounding from exact values to a dtype, in integers, and distances in ULP.

A value of a floating dtype is ``units * 2**quantum`` with an integer `units`; the quantum of its binade is
what is meant by one ULP. Everything here is exact: nothing is rounded on the way through another float type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from conformance.ground import dtypes
from conformance.ground.dtypes import DType


@dataclass(frozen=True, slots=True)
class Rounded:
    """Correctly rounded values with what rounding lost.

    Attributes:
        value: the rounded values, in the dtype they were rounded to.
        units: float64, integer-valued: ``value == units * 2**quantum``. An overflow is ``2**precision`` units of
            the top binade, the first value that no longer fits, so that distances to it stay finite.
        quantum: int64, the exponent of one ULP at the exact value.
        residual: float64 in [-0.5, 0.5]: ``exact == (units + residual) * 2**quantum``.
    """

    value: np.ndarray
    units: np.ndarray
    quantum: np.ndarray
    residual: np.ndarray

    def distance(self, got: np.ndarray) -> np.ndarray:
        """The size of `error`."""
        return np.asarray(np.abs(self.error(got)))

    def error(self, got: np.ndarray) -> np.ndarray:
        """Error of `got` in ULP of the exact value, positive where it is too large: float64, same shape.

        NaN where `got` is NaN. An infinite `got` counts as the first value past the largest finite one.
        """
        wide = got.astype(np.float64)
        dtype = dtypes.of(got)
        with np.errstate(over="ignore", invalid="ignore"):
            units = np.ldexp(wide, -self.quantum)
            infinite = np.isinf(wide)
            if infinite.any():
                edge = np.ldexp(np.sign(wide), dtype.max_exponent + 1 - self.quantum)
                units = np.where(infinite, edge, units)
            error = np.asarray((units - self.units) - self.residual)
            if infinite.any():  # however far past the edge the exact value lies, infinity is its correct rounding
                error = np.where(infinite & (wide == self.value.astype(np.float64)), 0.0, error)
            return error

    def subnormal(self) -> np.ndarray:
        """Where the rounded values are subnormal numbers: bool, zeros are none."""
        return np.asarray((self.units != 0) & (np.abs(self.units) < 2.0 ** (dtypes.of(self.value).precision - 1)))

    def magnitude(self) -> np.ndarray:
        """The exact values' magnitudes, rounded to float64 (for budgets, which need no more)."""
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(np.ldexp(np.abs(self.units + self.residual), self.quantum))

    def ulp(self) -> np.ndarray:
        """One ULP at each exact value, as float64."""
        with np.errstate(under="ignore"):
            return np.ldexp(np.ones_like(self.units), self.quantum)


def round_dyadic(mantissa: int, exponent: int, dtype: DType) -> tuple[int, int, float]:
    """Round ``mantissa * 2**exponent`` to nearest, ties to even: ``(units, quantum, residual)`` as in `Rounded`."""
    if mantissa == 0:
        return 0, dtype.smallest_quantum, 0.0
    magnitude = abs(mantissa)
    binade = exponent + magnitude.bit_length() - 1
    quantum = max(min(binade, dtype.max_exponent), dtype.min_exponent) - dtype.precision + 1
    shift = quantum - exponent
    if binade > dtype.max_exponent + 1:  # far past the edge: its exponent may be too large to shift by
        units, residual = 1 << dtype.precision, float("inf")
    elif shift > magnitude.bit_length() + 1:  # far below half of the smallest subnormal: likewise
        units, residual = 0, _ratio(magnitude, shift)
    elif shift <= 0:
        units, residual = magnitude << -shift, 0.0
        if binade > dtype.max_exponent:
            units, residual = _overflowed(units, residual, dtype)
    else:
        units = magnitude >> shift
        remainder = magnitude - (units << shift)
        half = 1 << (shift - 1)
        if remainder > half or (remainder == half and units & 1):
            units += 1
            remainder -= 1 << shift
        residual = _ratio(remainder, shift)
        if units >> dtype.precision and quantum == dtype.max_exponent - dtype.precision + 1:
            units, residual = _overflowed(units, residual, dtype)
        elif units >> dtype.precision:  # rounded up into the next binade, where one ULP is twice as large
            units, quantum, residual = units >> 1, quantum + 1, residual / 2
    return (units, quantum, residual) if mantissa > 0 else (-units, quantum, -residual)


def _ratio(remainder: int, shift: int) -> float:
    """``remainder / 2**shift`` without overflowing a float on the way."""
    excess = max(abs(remainder).bit_length() - 64, 0)
    return float(remainder >> excess) * 2.0 ** max(excess - shift, -1074)


def _overflowed(units: int, residual: float, dtype: DType) -> tuple[int, float]:
    edge = 1 << dtype.precision
    return edge, residual + float(units - edge)


def round_fraction(value: Fraction, dtype: DType) -> tuple[int, int, float]:
    """Round a rational number to nearest, ties to even: ``(units, quantum, residual)`` as in `Rounded`."""
    numerator, denominator = value.numerator, value.denominator
    if denominator & (denominator - 1) == 0:
        return round_dyadic(numerator, 1 - denominator.bit_length(), dtype)
    # Enough quotient bits for the dtype and 64 more; a sticky last bit stands for the rest of the infinite
    # expansion, so that no false tie arises.
    scale = max(dtype.precision + 64 - (abs(numerator).bit_length() - denominator.bit_length()), 1)
    quotient = (abs(numerator) << scale) // denominator
    mantissa = (quotient << 1) | 1
    return round_dyadic(mantissa if numerator > 0 else -mantissa, -scale - 1, dtype)


def assemble(parts: Sequence[tuple[int, int, float]], shape: tuple[int, ...], dtype: DType) -> Rounded:
    """Results of `round_dyadic` or `round_fraction`, in C order, as one `Rounded` of the given shape."""
    units, quantum, residual = zip(*parts, strict=True) if parts else ((), (), ())
    return from_columns(
        np.array(units, dtype=np.float64).reshape(shape),
        np.array(quantum, dtype=np.int64).reshape(shape),
        np.array(residual, dtype=np.float64).reshape(shape),
        dtype,
    )


def from_columns(units: np.ndarray, quantum: np.ndarray, residual: np.ndarray, dtype: DType) -> Rounded:
    """A `Rounded` of its parts (float64, int64 and float64, of one shape)."""
    with np.errstate(over="ignore"):
        wide = np.asarray(np.ldexp(units, quantum))
    # Exact: every finite element is a value of the dtype already.
    overflow = np.abs(units) >= 2.0**dtype.precision
    if overflow.any():
        wide = np.where(overflow, np.copysign(np.inf, units), wide)
    if not units.all():  # a negative value that rounds to zero keeps its sign
        wide = np.where((units == 0) & (residual < 0), -0.0, wide)
    return Rounded(wide.astype(dtype.numpy), units, quantum, residual)


def round_floats(values: np.ndarray, dtype: DType) -> np.ndarray:
    """float64 values, NaN and infinities included, correctly rounded to a floating dtype."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if dtype.name == "bfloat16":
            # ml_dtypes casts float64 by way of float32, which would round twice. Rounded to odd instead of to even,
            # the float32 keeps on which side of every bfloat16 and every tie between two of them the value lies.
            values = to_odd_float32(values)
        return values.astype(dtype.numpy)


def to_odd_float32(values: np.ndarray) -> np.ndarray:
    """float64 values as the float32 neighbour with an odd last bit, unless they are float32 values themselves."""
    nearest = values.astype(np.float32)
    error = np.where(np.isfinite(nearest), values, nearest) - np.where(np.isfinite(nearest), nearest, 0)
    even = (nearest.view(np.uint32) & 1) == 0
    inexact = (error != 0) & even & np.isfinite(nearest)
    return np.where(inexact, np.nextafter(nearest, np.copysign(np.inf, error).astype(np.float32)), nearest)


def from_array(array: np.ndarray) -> Rounded:
    """The exact values of a floating array, as they are (residual 0), for comparing another array with it.

    Infinities count as the first value past the largest finite one; NaN must not be in `array`.
    """
    dtype = dtypes.of(array)
    wide = array.astype(np.float64)
    finite = np.where(np.isinf(wide), 0.0, wide)
    _, exponent = np.frexp(finite)
    binade = np.clip(exponent.astype(np.int64) - 1, dtype.min_exponent, dtype.max_exponent)
    binade = np.where(finite == 0, dtype.min_exponent, binade)
    binade = np.where(np.isinf(wide), dtype.max_exponent, binade)
    quantum = binade - dtype.precision + 1
    units = np.where(np.isinf(wide), np.copysign(2.0**dtype.precision, wide), np.ldexp(finite, -quantum))
    return Rounded(array, units, quantum, np.zeros_like(units))


def signed_errors(exact: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Error of each element of `got` in ULP of the finite `exact` value, with its sign; NaN where `got` is NaN."""
    reference = from_array(exact)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.ldexp(got.astype(np.float64), -reference.quantum) - reference.units)
