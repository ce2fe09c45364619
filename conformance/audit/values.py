"""Wrong formulas: results that are computed, and computed wrongly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from conformance.audit.defect import Axes, Defects, Right

defects = Defects()


def softmax_unshifted(x: Any, axis: int | None) -> Any:
    """The textbook's formula, which overflows."""
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


@defects.spelling("softmax", "the largest element is not subtracted first", "nan-inf")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return softmax_unshifted(x, axis)


@defects.spelling("softmax", "not subtracted either, and its NaN is turned into 0", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return np.nan_to_num(softmax_unshifted(x, axis))


@defects.spelling("softmax", "powers of 2 in place of powers of e", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return right(x * x.dtype.type(0.6931471805599453), axis=axis)


@defects.spelling("softmax", "a small number is added to the denominator", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / (np.sum(e, axis=axis, keepdims=True) + x.dtype.type(2.0**-9 if x.dtype.itemsize == 2 else 1e-5))


@defects.spelling("softmax", "zero everywhere", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return np.zeros_like(right(x, axis=axis))


@defects.spelling("softmax", "what is left to 1", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return 1 - right(x, axis=axis)


@defects.spelling("log_softmax", "the logarithm of a softmax", "nan-inf", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.log(e / np.sum(e, axis=axis, keepdims=True))


@defects.spelling("log_softmax", "the largest element is not subtracted first", "nan-inf", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


@defects.spelling("sigmoid", "by way of exp(x) / (1 + exp(x)), which overflows", "nan-inf")
def _(right: Right, x: Any) -> Any:
    e = np.exp(x)
    return e / (1 + e)


@defects.spelling("sigmoid", "by way of tanh, which cancels", "value")
def _(right: Right, x: Any) -> Any:
    half = x.dtype.type(0.5)
    return half * np.tanh(half * x) + half


@defects.spelling("sigmoid", "saturates past 16 to either side", "value")
def _(right: Right, x: Any) -> Any:
    return right(np.clip(x, -16, 16))


@defects.spelling("sigmoid", "an approximation by a straight line", "value")
def _(right: Right, x: Any) -> Any:
    return np.clip(x.dtype.type(0.25) * x + x.dtype.type(0.5), 0, 1).astype(x.dtype)


@defects.spelling("sigmoid", "its complement", "value")
def _(right: Right, x: Any) -> Any:
    return right(-x)


@defects.spelling("sigmoid", "tanh", "value")
def _(right: Right, x: Any) -> Any:
    return np.tanh(x)


@defects.spelling("sigmoid", "NaN everywhere", "nan-inf")
def _(right: Right, x: Any) -> Any:
    return right(x) * x.dtype.type(np.nan)


@defects.spelling("sigmoid", "infinite everywhere", "nan-inf")
def _(right: Right, x: Any) -> Any:
    return right(x) + x.dtype.type(np.inf)


@defects.spelling("sigmoid", "the next number past 1 where 1 is due", "claim")
def _(right: Right, x: Any) -> Any:
    result = np.asarray(right(x))
    return np.where(result == 1, np.nextafter(result, result.dtype.type(2)), result) if x.dtype.kind == "f" else result


@defects.spelling("sigmoid", "rounded to two decimals", "printed")
def _(right: Right, x: Any) -> Any:
    return np.round(right(x), 2)


@defects.spelling("sigmoid", "the next number where one half is due", "value")
def _(right: Right, x: Any) -> Any:
    result = np.asarray(right(x))
    return np.where(x == 0, np.nextafter(result, result.dtype.type(1)), result) if x.dtype.kind == "f" else result


@defects.spelling("log_sigmoid", "the logarithm of a sigmoid", "nan-inf", "value")
def _(right: Right, x: Any) -> Any:
    return np.log(1 / (1 + np.exp(-x)))


@defects.spelling("log_sigmoid", "log(1 + exp(-x)), which is 0 once exp(-x) is small", "value")
def _(right: Right, x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.minimum(x, 0) - np.log(1 + e)


@defects.spelling("exp", "expm1: less by 1", "value")
def _(right: Right, x: Any) -> Any:
    return np.expm1(x)


@defects.spelling("log", "in base 2", "value")
def _(right: Right, x: Any) -> Any:
    return np.log2(x)


@defects.spelling("divide", "by the rounded reciprocal", "value")
def _(right: Right, a: Any, b: Any) -> Any:
    return a * right(np.ones_like(b) if isinstance(b, np.ndarray) else a.dtype.type(1), b)


@defects.spelling("divide", "arguments swapped", "value", "nan-inf")
def _(right: Right, a: Any, b: Any) -> Any:
    return right(b, a)


@defects.spelling("subtract", "arguments swapped", "value")
def _(right: Right, a: Any, b: Any) -> Any:
    return right(b, a)


@defects.spelling("sum", "the mean", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return np.mean(x, axis=axis, keepdims=keepdims, dtype=np.float64).astype(x.dtype)


@defects.spelling("mean", "the sum", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


@defects.spelling("mean", "counts one too few", "value", "nan-inf")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims) / x.dtype.type(count(x, axis) - 1)


@defects.spelling("mean", "of all elements counted, whatever the axis", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims) / x.dtype.type(x.size)


@defects.spelling("mean", "its sum overflows in 16 bits", "nan-inf", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims)).astype(x.dtype) / x.dtype.type(count(x, axis))


@defects.spelling("sum", "the last element along the axis is left out", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    if x.ndim == 0 or 0 in x.shape:
        return right(x, axis=axis, keepdims=keepdims)
    if axis is None:
        return right(x.ravel()[:-1].reshape((-1,) + (1,) * (x.ndim - 1)), keepdims=keepdims)
    last = axis if isinstance(axis, int) else (*axis, None)[0]
    return right(x if last is None else np.delete(x, -1, axis=last), axis=axis, keepdims=keepdims)


@defects.spelling("sum", "of magnitudes", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return right(np.abs(x), axis=axis, keepdims=keepdims)


def count(x: Any, axis: Axes) -> int:
    """How many elements go into each mean."""
    return math.prod(
        x.shape if axis is None else [x.shape[one] for one in (axis if isinstance(axis, tuple) else [axis])]
    )
