"""What error budgets are made of: bounds of single steps and of sums, and absolute errors in ULP."""

from __future__ import annotations

import math

import numpy as np

from conformance.ground import dtypes
from conformance.truth.rounding import Rounded

ELEMENTARY = 4.0
"""ULP allowed to one exp, log or log1p in float32 and float64: the bound that vector mathematics libraries state
(SLEEF 3.5, Intel SVML's low-accuracy variants 4, CUDA's single precision 1 to 2)."""


ELEMENTARY_NARROW = 1.0
"""The same in float16 and bfloat16, whose elementary functions are computed in float32 and rounded once."""


ELEMENTARY_SLACK = (
    "exponentials and logarithms are allowed what vector mathematics libraries state for their faster variants, 4 ULP; "
    "those of the CPU builds seen so far stay within 2"
)


def elementary(result: Rounded) -> float:
    """Units roundoff allowed to one exp, log or log1p in the result's dtype.

    One ULP is between one and two units roundoff of a value, so the bounds in ULP count twice.
    """
    return 2 * (ELEMENTARY if dtypes.of(result.value).precision >= 24 else ELEMENTARY_NARROW)


def summation_growth(n: int) -> float:
    """Units roundoff by which a sum of `n` terms may be off, relative to the sum of their magnitudes.

    min(n - 1, 3 sqrt n): Higham, Accuracy and Stability of Numerical Algorithms (2002), section 4.2, is n - 1 for
    any order of summation; Higham & Mary, A New Approach to Probabilistic Rounding Error Analysis (2019), Theorem
    2.4, lowers it to lambda sqrt n, here with lambda = 3.
    """
    return min(max(n - 1.0, 0.0), 3.0 * math.sqrt(n))


def half_significand(result: Rounded) -> np.ndarray:
    """The error in ULP at which half of each value's significant bits are wrong; at least half an ULP.

    A value of ``k`` significant bits has ``2**(k-1) <= units < 2**k`` (fewer bits among the subnormals), and half of
    them are right while the error stays under ``2**(k/2)`` ULP.
    """
    _, bits = np.frexp(result.units)
    return np.exp2(np.maximum(bits, -2) / 2.0)


def relative_to(result: Rounded, units_roundoff: np.ndarray) -> np.ndarray:
    """Absolute errors, given in units roundoff of the result's dtype, as ULP of the exact values.

    An error that float64 has no number for is infinite.
    """
    units_roundoff = np.asarray(units_roundoff)
    ulp = units_roundoff * dtypes.of(result.value).unit_roundoff / result.ulp()
    return np.where(np.isinf(units_roundoff), np.inf, ulp)


def exponential_error(exponent: np.ndarray, error: np.ndarray) -> np.ndarray:
    """What exp of an exponent that is not positive may be off by, absolute, where that may be off by `error`."""
    near = np.exp(exponent) * np.expm1(np.minimum(error, 1.0))
    return np.where(error < 1, near, np.exp(np.minimum(exponent + error, 0.0)))


def gradual_underflow(result: Rounded) -> float:
    """What a product or a quotient may be off by more than relatively where it is subnormal, in units roundoff.

    Half the smallest subnormal number (IEEE 754, gradual underflow; Higham 2002, section 2.8), as an absolute error.
    """
    dtype = dtypes.of(result.value)
    return float(2.0**dtype.smallest_quantum / 2 / dtype.unit_roundoff)
