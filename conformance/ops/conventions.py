"""What conventions have in common: results that arithmetic does not define, because an input is NaN or infinite."""

from __future__ import annotations

import numpy as np

Conventional = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]
"""Finite stand-ins by argument name, where the convention names the result, and those results."""

LIMITS = "NaN gives NaN, and an infinity gives the definition's limit there"
IEEE = "IEEE 754: NaN and infinities as its operations give them"


def finite(x: np.ndarray) -> np.ndarray:
    """`x` with 0 in place of NaN and infinities."""
    return np.where(np.isfinite(x), x, 0.0)


def limits(x: np.ndarray, at_minus_infinity: float, at_infinity: float) -> Conventional:
    """An elementwise function of `x` with these limits; NaN gives NaN."""
    values = np.where(np.isnan(x), np.nan, np.where(x > 0, at_infinity, at_minus_infinity))
    return {"x": finite(x)}, ~np.isfinite(x), values
