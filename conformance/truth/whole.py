"""Whole numbers out of exact definitions: results in integer dtypes, which are exact or wrap around."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from conformance.ground.dtypes import DType
from conformance.truth import balls


def whole_numbers(compute: Callable[[], Any]) -> tuple[tuple[int, ...], list[int] | None]:
    """The shape of an exact result, and its elements in row-major order where all of them are integers, else None.

    Args:
        compute: gives the result as balls, at the working precision; called with more until it is exact.
    """
    precision = balls.AMPLE_PRECISION
    while True:
        balls.working_precision(precision)
        exact = np.asarray(compute())
        elements = [balls.value_of(element) for element in exact.ravel().tolist()]
        if all(element.is_exact() for element in elements):
            break
        if precision >= balls.MAX_PRECISION:
            return exact.shape, None
        precision *= 2
    if not all(element.is_integer() for element in elements):
        return exact.shape, None
    return exact.shape, [int(element.unique_fmpz()) for element in elements]


def wrapped(numbers: Sequence[int], dtype: DType) -> np.ndarray:
    """Integers modulo two to the dtype's width, in two's complement where it has a sign.

    Args:
        numbers: of any size.
        dtype: an integer one.

    Returns:
        A vector of that dtype.
    """
    info = np.iinfo(dtype.numpy)
    return np.array([(number - int(info.min)) % (1 << info.bits) + int(info.min) for number in numbers], dtype.numpy)
