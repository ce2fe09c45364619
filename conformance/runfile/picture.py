"""How far each element of a result lies from the exact answer, small enough to be drawn for every variant.

A picture is ``WIDTH ROWS RUN CELLS`` joined by spaces: how many cells stand in a row, how many rows there are, how many
elements a cell stands for, and a letter a cell, that of the cell's largest error: ``0`` where all are the exact value,
rounded; ``a`` to ``f`` up to 1, 2, 4, 16 and 256 ULP and beyond, in capitals where the result is too small; ``!`` where
one of the two is no number or not finite and the other is not the same.
"""

from __future__ import annotations

import math

import numpy as np

from conformance.ground import dtypes
from conformance.truth.rounding import signed_errors

FEW = 8
"""Arrays of up to so many elements are shown as numbers, and not drawn."""

MOST_CELLS = 256
_LONGEST_ROW = 64
_ENDS = (1.0, 2.0, 4.0, 16.0, 256.0)
_SIGNS = "aAbBcCdDeEfF!0"
"""The letter of each class, by its number; the last one is that of class -1."""

_OUTSIDE = _SIGNS.index("!")


def picture(exact: np.ndarray, got: np.ndarray) -> str:
    """The picture of a result; empty where there is none to draw.

    Args:
        exact: the exact answer, correctly rounded; floating.
        got: the result, of the same dtype and shape, with more than 8 elements.
    """
    if (exact.dtype, exact.shape) != (got.dtype, got.shape) or got.size <= FEW:
        return ""
    if not dtypes.known(exact.dtype) or dtypes.of(exact).kind != "floating":
        return ""
    rows, width = _rows(got.shape)
    run = max(math.ceil(width / _LONGEST_ROW), math.ceil(width * rows / MOST_CELLS) if rows == 1 else 1)
    # The largest class of some neighbours is that of their worst element.
    cells = np.maximum.reduceat(_classes(exact, got).reshape(rows, width), np.arange(0, width, run), axis=1)
    if cells.size > MOST_CELLS:
        many = math.ceil(cells.size / MOST_CELLS)
        cells = np.maximum.reduceat(cells, np.arange(0, rows, many), axis=0)
        run *= many
    text = "".join(_SIGNS[value] for value in cells.ravel().tolist())
    return f"{cells.shape[1]} {cells.shape[0]} {run} {text}"


def _rows(shape: tuple[int, ...]) -> tuple[int, int]:
    """The last axis along a row; a single row where there is but one axis."""
    return math.prod(shape[:-1]), shape[-1]


def _classes(exact: np.ndarray, got: np.ndarray) -> np.ndarray:
    """A number for each element, larger for larger errors: even where the result is too large, odd where too small."""
    known = dtypes.finite(exact)
    errors = signed_errors(np.where(known, exact, exact.dtype.type(0)), got)
    size = np.searchsorted(_ENDS, np.abs(errors), side="left")
    classes = np.where(errors == 0, -1, 2 * size + (errors < 0))
    same = (exact == got) | ((exact != exact) & (got != got))
    outside = ~known | ~dtypes.finite(got)
    return np.where(outside, np.where(same, -1, _OUTSIDE), classes).astype(np.int64)
