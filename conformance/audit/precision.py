"""Results computed in another dtype, or returned in one."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from conformance.audit.defect import Axes, Defects, Right
from conformance.ground.dtypes import DTYPES

defects = Defects()

FLOAT64, FLOAT32, FLOAT16 = np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.float16)
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def _converted(value: Any, dtype: Any) -> Any:
    """Arrays of an argument in another dtype; what is none stays."""
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return [item.astype(dtype) for item in value]
    return value.astype(dtype) if isinstance(value, (np.ndarray, np.generic)) else value


def _computed_in(operation: str, given: np.dtype, used: np.dtype) -> None:
    """An operation that is computed in a narrower dtype, and returned in the right one."""

    @defects.spelling(operation, f"{given.name} is computed in {used.name}", "value", "nan-inf", "signed-zero")
    def _(right: Right, **arguments: Any) -> Any:
        result_dtype = np.asarray(result := right(**arguments)).dtype
        if result_dtype != given:
            return result
        narrow = right(**{name: _converted(value, used) for name, value in arguments.items()})
        return np.asarray(narrow).astype(given)


for _operation in ("softmax", "log_softmax", "sigmoid", "log_sigmoid", "sum", "mean"):
    _computed_in(_operation, FLOAT64, FLOAT32)
for _operation in ("binary_cross_entropy", "binary_cross_entropy_with_logits", "exp", "log", "stack"):
    _computed_in(_operation, FLOAT64, FLOAT32)
for _operation in ("softmax", "sigmoid", "sum"):
    _computed_in(_operation, FLOAT32, BFLOAT16)
for _operation in ("softmax", "binary_cross_entropy_with_logits"):
    _computed_in(_operation, FLOAT32, FLOAT16)


def _returned_in(operation: str, given: np.dtype, returned: np.dtype) -> None:
    """An operation whose result has another dtype than is due."""

    @defects.spelling(operation, f"{given.name} comes back as {returned.name}", "dtype")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        return result.astype(returned) if result.dtype == given else result


for _operation, _given, _returned in (
    ("softmax", FLOAT32, FLOAT64),
    ("sigmoid", FLOAT16, FLOAT32),
    ("mean", BFLOAT16, FLOAT32),
    ("log_softmax", FLOAT64, FLOAT32),
    ("binary_cross_entropy", FLOAT32, FLOAT64),
    ("stack", np.dtype(np.int64), FLOAT64),
    ("stack", np.dtype(np.bool_), np.dtype(np.uint8)),
    ("reshape", np.dtype(np.int64), np.dtype(np.int32)),
    ("sum", np.dtype(np.int64), FLOAT64),
):
    _returned_in(_operation, _given, _returned)


@defects.spelling("sum", "integers add up in their own dtype, and wrap around", "dtype")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


@defects.spelling("sum", "integers wrap around in int8, and come back as int64", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    if x.dtype.kind == "f" or x.dtype == BFLOAT16:
        return right(x, axis=axis, keepdims=keepdims)
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims, dtype=np.int8)).astype(np.int64)


@defects.spelling("sum", "int64 by way of float64, which has 53 bits", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    if x.dtype != np.int64:
        return right(x, axis=axis, keepdims=keepdims)
    return np.asarray(np.sum(x.astype(np.float64), axis=axis, keepdims=keepdims)).astype(np.int64)


@defects.spelling("asarray", "the dtype is ignored", "dtype")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    return right(data)


@defects.spelling("asarray", "integers become int32", "dtype")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    result = right(data, dtype=dtype)
    return result.astype(np.int32) if dtype is None and result.dtype == np.int64 else result


@defects.spelling("asarray", "bools become integers", "dtype")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    result = right(data, dtype=dtype)
    return result.astype(np.int64) if result.dtype == bool else result


@defects.spelling("asarray", "rounds toward zero", "value")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    result = np.asarray(right(data, dtype=dtype))
    if result.dtype not in (FLOAT16, FLOAT32):
        return result
    exact = np.asarray(right(data, dtype=np.float64))
    past = np.abs(result.astype(np.float64)) > np.abs(exact)
    return np.where(past, np.nextafter(result, result.dtype.type(0)), result)


@defects.spelling("asarray", "floats are truncated to whole numbers", "value")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    return np.trunc(right(data, dtype=dtype)) if dtype is not None else right(data)


@defects.spelling("asarray", "whole parts are rounded to the nearest integer, not cut off", "value")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    if dtype is None or np.dtype(dtype).kind not in "iu":
        return right(data, dtype=dtype)
    return np.rint(np.asarray(data, dtype=np.float64)).astype(dtype)


@defects.spelling("asarray", "float64 by way of float32", "value")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    result = right(data, dtype=dtype)
    return result.astype(np.float32).astype(np.float64) if dtype == FLOAT64 else result


@defects.method("from_numpy", "float64 inputs arrive as float32", "dtype")
def _(array: Any) -> Any:
    return array.astype(DTYPES["float32"].numpy) if array.dtype == FLOAT64 else array
