"""Stored arrays, read back and shown."""

from __future__ import annotations

import math

import numpy as np

from conformance.runfile import Stored
from conformance.wording import format_number


def load(stored: Stored) -> np.ndarray | None:
    """The elements that are stored, or None where they can't be read."""
    try:
        return stored.array()
    except ValueError:  # base64's own error is one too
        return None


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
