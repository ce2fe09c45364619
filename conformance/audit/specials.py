"""NaN, infinities, subnormals and signed zeros that come out wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.audit.defect import Defects, Right

defects = Defects()


def _nan_becomes_zero(operation: str) -> None:
    """A NaN that is due comes as 0."""

    @defects.spelling(operation, "NaN is turned into 0", "nan-inf")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        return np.where(np.isnan(result), result.dtype.type(0), result) if result.dtype.kind not in "iub" else result


for _operation in (
    "softmax",
    "log_softmax",
    "sigmoid",
    "log_sigmoid",
    "sum",
    "mean",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "stack",
    "reshape",
):
    _nan_becomes_zero(_operation)


@defects.spelling("softmax", "NaN is ignored by the largest element and by the sum", "nan-inf")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    if np.isnan(x).all(axis=axis).any():
        return right(x, axis=axis)
    e = np.exp(x - np.nanmax(x, axis=axis, keepdims=True))
    return e / np.nansum(e, axis=axis, keepdims=True)


@defects.spelling("softmax", "-inf among the logits gives NaN everywhere", "nan-inf")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return right(np.where(np.isneginf(x), x.dtype.type(np.nan), x), axis=axis)


@defects.spelling("softmax", "all logits -inf give 0, not NaN", "nan-inf")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    empty = np.isneginf(x).all(axis=axis, keepdims=True)
    return np.where(empty, x.dtype.type(0), right(x, axis=axis))


@defects.spelling("softmax", "a NaN in one slice reaches all of them", "nan-inf", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    result = right(x, axis=axis)
    return np.full_like(result, np.nan) if np.isnan(result).any() else result


@defects.spelling("sum", "NaN is left out", "nan-inf")
def _(right: Right, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    return right(np.where(np.isnan(x), x.dtype.type(0), x), axis=axis, keepdims=keepdims)


@defects.spelling("sum", "inf and -inf make 0", "nan-inf")
def _(right: Right, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    result = np.asarray(right(x, axis=axis, keepdims=keepdims))
    both = np.isposinf(x).any(axis=axis, keepdims=keepdims) & np.isneginf(x).any(axis=axis, keepdims=keepdims)
    return np.where(both, result.dtype.type(0), result) if x.dtype.kind == "f" else result


@defects.spelling("subtract", "inf - inf is 0", "nan-inf")
def _(right: Right, a: Any, b: Any) -> Any:
    result = np.asarray(right(a, b))
    return np.where(np.isinf(a) & (a == b), result.dtype.type(0), result)


@defects.spelling("divide", "0 / 0 is 0", "nan-inf")
def _(right: Right, a: Any, b: Any) -> Any:
    result = np.asarray(right(a, b))
    return np.where((np.asarray(a) == 0) & (np.asarray(b) == 0), result.dtype.type(0), result)


@defects.spelling("divide", "division by zero gives the largest number", "nan-inf", "value")
def _(right: Right, a: Any, b: Any) -> Any:
    result = np.asarray(right(a, b))
    return np.nan_to_num(result, nan=np.nan) if result.dtype.kind == "f" else result


@defects.spelling("exp", "overflow gives the largest number", "nan-inf", "value")
def _(right: Right, x: Any) -> Any:
    result = np.asarray(right(x))
    return np.nan_to_num(result, nan=np.nan) if result.dtype.kind == "f" else result


@defects.spelling("log", "of 0 is the logarithm of the smallest number", "nan-inf", "value")
def _(right: Right, x: Any) -> Any:
    tiny = np.finfo(x.dtype).tiny if x.dtype.kind == "f" else x.dtype.type(1e-38)
    return right(np.where(x == 0, x.dtype.type(tiny), x))


@defects.spelling("log", "of a negative number is that of its magnitude", "nan-inf")
def _(right: Right, x: Any) -> Any:
    return right(np.abs(x))


@defects.spelling("sigmoid", "NaN at the infinities", "nan-inf", "value")
def _(right: Right, x: Any) -> Any:
    return np.where(np.isinf(x), x.dtype.type(np.nan), right(x))


@defects.spelling("log_sigmoid", "a finite value at -inf", "nan-inf", "value")
def _(right: Right, x: Any) -> Any:
    return right(np.maximum(x, x.dtype.type(-1e4)))


def _flushed(operation: str) -> None:
    """Subnormal results come as zero."""

    @defects.spelling(operation, "subnormal results come as zero", "value")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        if result.dtype.kind in "iub":
            return result
        tiny = np.finfo(result.dtype).tiny if result.dtype.kind == "f" else 2.0**-126
        return np.where(np.abs(result.astype(np.float64)) < tiny, result * result.dtype.type(0), result)


for _operation in ("multiply", "divide", "exp", "stack", "reshape", "asarray"):
    _flushed(_operation)


def _zeros_without_sign(operation: str) -> None:
    """Every zero comes as a positive one."""

    @defects.spelling(operation, "zeros lose their sign", "signed-zero")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        return result + result.dtype.type(0) if result.dtype != bool else result


for _operation in ("add", "subtract", "multiply", "divide", "negative", "stack", "reshape", "asarray"):
    _zeros_without_sign(_operation)


@defects.spelling("stack", "a NaN of another bit pattern", harmless=True)
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    result = right(arrays, axis=axis)
    return np.where(np.isnan(result), -np.abs(result), result) if result.dtype.kind == "f" else result
