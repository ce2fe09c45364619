"""Making an array from numbers, the document's ``torch.tensor`` and ``torch.FloatTensor``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from conformance.ground.dtypes import DTYPES, DType
from conformance.ops.base import Data, MaybeDType, operation
from conformance.truth.rounding import assemble, round_floats, round_fraction


def inferred_dtype(data: Any, dtype: str | None = None) -> DType:
    """float32 where any number is a float, else int64 where any is an integer, else bool; float32 for no numbers.

    These are the rules of ``torch.tensor`` with its default dtype, which the document relies on.
    """
    if dtype is not None:
        return DTYPES[dtype]
    kinds = {type(number) for number in _leaves(data)}
    if float in kinds or not kinds:
        return DTYPES["float32"]
    return DTYPES["int64"] if int in kinds else DTYPES["bool"]


def _leaves(data: Any) -> list[Any]:
    if isinstance(data, (list, tuple)):
        return [leaf for item in data for leaf in _leaves(item)]
    return [data]


@operation(document="torch.tensor(data, dtype=dtype)", moves=True, result_dtype=inferred_dtype)
def asarray(data: Data, *, dtype: MaybeDType = None) -> np.ndarray:
    """An array of the numbers in a nested list.

    Args:
        data: numbers or bools in lists of equal lengths; a plain number gives rank 0.
        dtype: the result's dtype. Left out: float32 for floats, int64 for integers, bool for bools.

    Returns:
        The numbers, each correctly rounded to the dtype; an integer dtype takes the whole part.

    Raises:
        ValueError: lists of unequal lengths, or a number that an integer dtype can't hold.
    """
    target = inferred_dtype(data, dtype)
    numbers = np.array(data, dtype=object)
    if any(isinstance(number, (list, tuple)) for number in numbers.flat):
        raise ValueError("lists of unequal lengths")
    if target.kind == "floating":
        return _rounded(numbers, target)
    if target.kind == "integer":
        info = np.iinfo(target.numpy)
        for number in numbers.flat:
            if not info.min <= number <= info.max:
                raise ValueError(f"{number} does not fit {target.name}")
    return numbers.astype(target.numpy)


def _rounded(numbers: np.ndarray, target: DType) -> np.ndarray:
    # float64 does not hold every integer past 2**53: by way of it those would be rounded twice.
    large = [i for i, number in enumerate(numbers.flat) if type(number) is int and abs(number) > 2**53]
    floats = numbers.copy()
    floats.flat[large] = 0
    result = round_floats(floats.astype(np.float64), target)
    for i in large:
        result.flat[i] = assemble([round_fraction(Fraction(numbers.flat[i]), target)], (), target).value
    return result
