"""Making an array from numbers, the document's ``torch.tensor`` and ``torch.FloatTensor``."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.dtypes import DTYPES, DType
from conformance.ops.base import Data, MaybeDType, operation
from conformance.truth.rounding import round_floats


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
        The numbers, each correctly rounded to the dtype.
    """
    target = inferred_dtype(data, dtype)
    if target.kind == "floating":
        return round_floats(np.array(data, dtype=np.float64), target)
    return np.array(data, dtype=target.numpy if data == [] else None).astype(target.numpy)
