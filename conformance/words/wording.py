"""Numbers and arrays in words, for findings and reports."""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb

from conformance.truth import balls
from conformance.truth.rounding import Rounded, from_array


def place(at: tuple[int, ...], where: str = "") -> str:
    """Where an element stands: which step, and its index."""
    parts = [where] if where else []
    if at:
        parts.append(f"at [{', '.join(map(str, at))}]")
    return ", ".join(parts)


def ulps(error: float) -> str:
    """An error in ULP."""
    return f"{error:.3g} ULP" if error < 1e6 else f"{error:.1e} ULP"


def short(value: Any) -> str:
    """A number in up to 10 digits."""
    return repr(float(value)) if abs(value) < 1e-4 or abs(value) >= 1e6 else f"{float(value):.10g}"


def exact_text(exact: Rounded, at: tuple[int, ...]) -> str:
    """The leading digits of an exact value."""
    value = (float(exact.units[at]) + float(exact.residual[at])) * 2.0 ** float(exact.quantum[at])
    return f"{value:.10g}…"


def format_number(value: Any) -> str:
    """One element as the shortest text that reads back as the same value of its dtype."""
    array = np.asarray(value)
    if array.dtype.kind in "iubc":
        return str(array[()])
    if array.dtype == np.float64:
        return repr(float(array))
    if array.dtype in (np.dtype(np.float32), np.dtype(np.float16)):
        return str(array[()])
    return f"{float(array):.4g}"  # bfloat16: no value needs more digits to be told from its neighbours


def describe(array: np.ndarray) -> str:
    """A short description of an array: its values where they are few, else dtype and shape."""
    if array.size == 1:
        return f"{format_number(array.ravel()[0])} ({array.dtype.name}, shape {list(array.shape)})"
    if array.size <= 8:
        return f"[{', '.join(map(format_number, array.ravel()))}] ({array.dtype.name}, shape {list(array.shape)})"
    return f"{array.dtype.name} of shape {list(array.shape)}"


def count(flags: np.ndarray) -> int:
    """How many are true."""
    return int(np.count_nonzero(flags))


def first(flags: np.ndarray) -> tuple[int, ...]:
    """The index of the first that is true."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(flags)), flags.shape))


def exact_digits(value: np.ndarray, residual: np.ndarray) -> list[str]:
    """Exact values in up to 20 significant digits.

    Args:
        value: correctly rounded values, of any shape.
        residual: what rounding left of each, in ULP of the value, as `conformance.truth.rounding.Rounded` has it.

    Returns:
        One text an element, in row-major order.
    """
    rounded = from_array(value)
    balls.working_precision(balls.AMPLE_PRECISION)
    digits = []
    for units, quantum, left, infinite in zip(
        rounded.units.ravel().tolist(),
        rounded.quantum.ravel().tolist(),
        residual.ravel().tolist(),
        np.isinf(value.astype(np.float64)).ravel().tolist(),
        strict=True,
    ):
        # Past the largest finite value only that much is known of where the exact one lies.
        digits.append("overflow" if infinite else balls.to_decimal((arb(units) + arb(left)) * arb(2) ** quantum))
    return digits
