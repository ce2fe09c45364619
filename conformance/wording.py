"""Numbers and arrays in words, for findings and reports."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.truth.rounding import Rounded


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
    if array.dtype.kind in "iub":
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
