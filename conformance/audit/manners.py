"""Errors that are swallowed or invented, memory that is shared or not, inputs that are written to."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from conformance.audit.defect import Defects, Right

defects = Defects()


def _never_refuses(operation: str) -> None:
    """Whatever is wrong with a call, a result comes."""

    @defects.spelling(operation, "errors are swallowed", "status")
    def _(right: Right, **arguments: Any) -> Any:
        try:
            return right(**arguments)
        except Exception:
            return np.zeros((2, 2), dtype=np.float32)


for _operation in ("stack", "reshape", "softmax", "log_softmax", "sum", "mean", "asarray"):
    _never_refuses(_operation)


@defects.spelling("softmax", "an axis out of range is counted around", "status")
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    return right(x, axis=axis % x.ndim if axis is not None and x.ndim else axis)


@defects.spelling("reshape", "a wrong size is made to fit", "status")
def _(right: Right, x: Any, shape: Any) -> Any:
    return right(x, shape) if -1 in shape else np.resize(x, shape)


@defects.spelling("stack", "arrays of different lengths are cut to the shortest", "status")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    if arrays and all(array.ndim for array in arrays):
        shortest = min(len(array) for array in arrays)
        arrays = [array[:shortest] for array in arrays]
    return right(arrays, axis=axis)


@defects.spelling("stack", "nothing comes where an error is due", "status")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    try:
        return right(arrays, axis=axis)
    except ValueError:
        return None


def _refuses(operation: str, dtype: Any) -> None:
    """A dtype without a kernel."""

    @defects.spelling(operation, f"{np.dtype(dtype).name} is refused", "status")
    def _(right: Right, **arguments: Any) -> Any:
        result = right(**arguments)
        if np.asarray(result).dtype == dtype:
            raise NotImplementedError("no kernel for this dtype")
        return result


for _operation, _dtype in (("sigmoid", np.float16), ("softmax", np.float64), ("stack", bool), ("reshape", np.int64)):
    _refuses(_operation, _dtype)


@defects.spelling("binary_cross_entropy", "targets that are neither 0 nor 1 are refused", "status")
def _(right: Right, p: Any, target: Any, **options: Any) -> Any:
    if ((target != 0) & (target != 1)).any():
        raise ValueError("targets must be 0 or 1")
    return right(p, target, **options)


@defects.spelling("reshape", "a copy where a view is due", "aliasing")
def _(right: Right, x: Any, shape: Any) -> Any:
    return right(x, shape).copy()


@defects.spelling("stack", "a view of the only array, where a copy is due", "aliasing")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return np.expand_dims(arrays[0], axis) if len(arrays) == 1 else right(arrays, axis=axis)


def _result_in_the_input(operation: str, argument: str) -> None:
    """An operation that keeps its result where its input was."""

    @defects.spelling(operation, "the result is written to the input", "aliasing")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        given = arguments[argument]
        if given.flags.writeable and given.shape == result.shape and given.dtype == result.dtype:
            given[...] = result
            return given
        return result


for _operation, _argument in (("sigmoid", "x"), ("softmax", "x"), ("log_softmax", "x"), ("exp", "x")):
    _result_in_the_input(_operation, _argument)


@defects.spelling("softmax", "the largest element is subtracted in the input", "aliasing", backends=("torch",))
def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
    result = right(x, axis=axis)
    if x.numel():
        x.sub_(1)
    return result


@defects.spelling("binary_cross_entropy", "the prediction is clamped in place", "aliasing", backends=("torch",))
def _(right: Right, p: Any, target: Any, **options: Any) -> Any:
    result = right(p, target, **options)
    p.clamp_(0.25, 0.75)
    return result


def _results_in_one_buffer(operation: str) -> None:
    """An operation that writes all results of a shape and dtype to the memory of the first."""
    buffers: dict[Any, Any] = {}

    @defects.spelling(operation, "the next call writes to the last one's result", "aliasing")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        buffer = buffers.setdefault((result.shape, result.dtype), np.empty_like(result))
        buffer[...] = result
        return buffer


for _operation in ("softmax", "sigmoid", "exp", "stack", "sum"):
    _results_in_one_buffer(_operation)


# Results where an error is due, which are registered: not every result is.


@defects.spelling("reshape", "what must be copied comes in the order of the memory", "value")
def _(right: Right, x: Any, shape: Any) -> Any:
    view = right(x, shape)
    return view if x.flags.c_contiguous or np.shares_memory(view, x) else np.reshape(x.ravel(order="K"), shape)


@defects.spelling("mean", "the mean of integers loses its fraction", "value")
def _(right: Right, x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    result = right(x, axis=axis, keepdims=keepdims)
    return np.trunc(result) if x.dtype.kind in "iub" else result


@defects.spelling("softmax", "of integers, by powers of 2", "value")
def _(right: Right, x: Any, *, axis: Any = None) -> Any:
    return right(x * np.log(2), axis=axis) if x.dtype.kind in "iu" else right(x, axis=axis)


@defects.spelling("binary_cross_entropy", "targets that are integers count as 0", "value")
def _(right: Right, p: Any, target: Any, **options: Any) -> Any:
    return right(p, target * 0 if target.dtype.kind in "iub" else target, **options)


@defects.spelling("exp", "NumPy's generator is seeded anew", "state")
def _(right: Right, x: Any) -> Any:
    np.random.seed(0)
    return right(x)


@defects.spelling("sigmoid", "something is printed", "state")
def _(right: Right, x: Any) -> Any:
    sys.stdout.write("debug")
    return right(x)


@defects.method("device_of", "arrays live on another device", "device")
def _(place: str) -> str:
    return "gpu"
