"""Wrong axes, shapes and places of elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from conformance.audit.defect import Defects, Right

defects = Defects()


def _along_the_wrong_axis(operation: str, rank: int) -> None:
    """An operation along an axis takes another one, for arrays of one rank only."""
    words = f"along the next axis at rank {rank}" if rank > 1 else "along no axis at rank 1"

    @defects.spelling(operation, words, *(("value",) if "softmax" in operation else ("shape", "value")))
    def _(right: Right, x: Any, *, axis: int | None = None, **options: Any) -> Any:
        if x.ndim != rank or axis is None or not -rank <= axis < rank:
            return right(x, axis=axis, **options)
        if rank == 1:
            return right(x[:, None], axis=1).reshape(x.shape)
        return right(x, axis=(axis % rank + 1) % rank, **options)


for _operation in ("softmax", "log_softmax", "sum", "mean"):
    for _rank in (1, 2, 3, 4):
        _along_the_wrong_axis(_operation, _rank)


def _a_negative_axis_missed_by_one(operation: str) -> None:
    """An axis that is counted from the end is one too far in front."""

    @defects.spelling(operation, "a negative axis is one too far in front", "value", "shape", "status")
    def _(right: Right, x: Any, *, axis: int | None = None, **options: Any) -> Any:
        return right(x, axis=axis - 1 if axis is not None and -x.ndim < axis < 0 else axis, **options)


for _operation in ("softmax", "log_softmax", "sum", "mean"):
    _a_negative_axis_missed_by_one(_operation)


@defects.spelling("softmax", "over all elements, whatever the axis", "value")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return right(x.ravel(), axis=0).reshape(x.shape)


@defects.spelling("softmax", "the axis left out is the last one", "value", backends=("torch",))
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return right(x, axis=-1 if axis is None else axis)


def _keepdims(operation: str) -> None:
    """A reduction that keeps its axes, or drops them, whatever was asked."""

    @defects.spelling(operation, "keepdims is ignored", "shape")
    def _(right: Right, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
        return right(x, axis=axis)

    @defects.spelling(operation, "reduced axes always stay", "shape")
    def _(right: Right, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
        return right(x, axis=axis, keepdims=True)


for _operation in ("sum", "mean"):
    _keepdims(_operation)


@defects.spelling("sum", "axis 0 is taken for no axis", "shape", "value")
def _(right: Right, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    return right(x, axis=axis or None, keepdims=keepdims)


@defects.spelling("stack", "a negative axis is counted before the new one is there", "shape", "value", "status")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right(arrays, axis=axis % arrays[0].ndim if -arrays[0].ndim <= axis < 0 else axis)


@defects.spelling("stack", "joined along an axis that is there", "shape", "status")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


@defects.spelling("stack", "in reverse order", "value")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right(arrays[::-1], axis=axis)


@defects.spelling("stack", "the last array is left out", "shape")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right(arrays[:-1], axis=axis)


@defects.spelling("stack", "the first array twice, the last one not at all", "value")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right([arrays[0], *arrays[:-1]], axis=axis)


@defects.spelling("stack", "along the first axis, whatever was asked", "shape", "value")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right(arrays, axis=0)


@defects.spelling("stack", "the last two axes change places at rank 3", "shape", "value")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    result = right(arrays, axis=axis)
    return np.swapaxes(result, -1, -2) if result.ndim == 3 else result


@defects.spelling("reshape", "in column-major order", "value")
def _(right: Right, x: Any, shape: Any) -> Any:
    return np.reshape(x, shape, order="F")


@defects.spelling("reshape", "all elements shifted by one", "value")
def _(right: Right, x: Any, shape: Any) -> Any:
    return right(np.roll(x, 1), shape)


@defects.spelling("reshape", "the length for -1 is one too small", "shape")
def _(right: Right, x: Any, shape: Any) -> Any:
    result = right(x, shape)
    if -1 not in shape:
        return result
    axis = list(shape).index(-1)
    return result.take(range(max(result.shape[axis] - 1, 0)), axis=axis)


@defects.spelling("reshape", "-1 stands for the rest only if it is the only length", "shape", "status")
def _(right: Right, x: Any, shape: Any) -> Any:
    if -1 not in shape or len(shape) == 1:
        return right(x, shape)
    return np.resize(x, [x.size if n == -1 else n for n in shape])


@defects.spelling("reshape", "axes of length 1 are left out", "shape")
def _(right: Right, x: Any, shape: Any) -> Any:
    return np.squeeze(right(x, shape))


@defects.spelling("sigmoid", "a leading axis too many", "shape")
def _(right: Right, x: Any) -> Any:
    return np.asarray(right(x))[None]


@defects.spelling("sigmoid", "a flat result", "shape")
def _(right: Right, x: Any) -> Any:
    return np.ravel(right(x))


@defects.spelling("add", "broadcast to the left argument's shape only", "shape", "status", "value")
def _(right: Right, a: Any, b: Any) -> Any:
    result = np.asarray(right(a, b))
    return result.ravel()[: math.prod(np.shape(a))].reshape(np.shape(a)) if np.ndim(a) < result.ndim else result


@defects.spelling("asarray", "inner lists become columns", "value", "shape")
def _(right: Right, data: Any, *, dtype: Any = None) -> Any:
    return right(data, dtype=dtype).T
