"""Wrong only under a condition: a layout, a size, a rank, a dtype, a part of the array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from conformance.audit.defect import Axes, Defects, Right

defects = Defects()

FAR = 2048
"""Elements after which a vectorised loop has a tail, a block, or another thread."""

FARTHER = 65_536
"""Elements that 16 bits number."""

FLOATING = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)


def in_memory_order(x: Any) -> Any:
    """What a kernel reads that takes an array for contiguous: as many elements, beginning at its first."""
    if x.flags.c_contiguous or 0 in x.strides or min(x.strides, default=0) < 0:
        return x
    steps = np.cumprod((1, *x.shape[:0:-1]))[::-1] * x.itemsize
    return np.lib.stride_tricks.as_strided(x, strides=tuple(int(s) for s in steps))


def _takes_everything_for_contiguous(operation: str, arguments: tuple[str, ...]) -> None:
    """An operation that overlooks the strides of its inputs."""

    @defects.spelling(operation, "strides are overlooked", "value", "nan-inf")
    def _(right: Right, **given: Any) -> Any:
        return right(**{n: in_memory_order(v) if n in arguments and v is not None else v for n, v in given.items()})


for _operation, _arguments in (
    ("sigmoid", ("x",)),
    ("softmax", ("x",)),
    ("log_softmax", ("x",)),
    ("sum", ("x",)),
    ("mean", ("x",)),
    ("reshape", ("x",)),
    ("binary_cross_entropy", ("p", "target")),
    ("binary_cross_entropy_with_logits", ("x", "target")),
):
    _takes_everything_for_contiguous(_operation, _arguments)


@defects.spelling("stack", "strides are overlooked", "value", "nan-inf")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right([in_memory_order(array) for array in arrays], axis=axis)


def one_element_early(x: Any) -> Any:
    """What a kernel reads that rounds an address down, of a contiguous part of a larger array."""
    within = x.flags.c_contiguous and x.size and isinstance(x.base, np.ndarray) and x.base.nbytes > x.nbytes
    if not within or x.__array_interface__["data"][0] % (2 * x.itemsize) == 0:
        return x
    return np.ndarray(x.shape, x.dtype, x.base.data, 0)


def _aligned_by_force(operation: str) -> None:
    """An operation that takes for granted where in memory an array may begin."""

    @defects.spelling(operation, "an odd address is rounded down", "value", "nan-inf")
    def _(right: Right, **given: Any) -> Any:
        return right(**{n: one_element_early(v) if isinstance(v, np.ndarray) else v for n, v in given.items()})


for _operation in ("sigmoid", "log_sigmoid", "sum", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
    _aligned_by_force(_operation)


@defects.spelling("sum", "a row that is broadcast counts once", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    if x.ndim and x.strides[0] == 0 and x.shape[0] > 1 and axis in (None, 0):
        return right(x[:1], axis=axis, keepdims=keepdims)
    return right(x, axis=axis, keepdims=keepdims)


def _changed(result: Any, where: Any) -> Any:
    """A floating result, wrong by a tenth where it is said."""
    result = np.array(result)
    return np.where(where, result * result.dtype.type(1.125), result) if result.dtype.kind not in "iub" else result


def _wrong_where(operation: str, words: str, where: Callable[[Any], Any]) -> None:
    """An operation that is wrong in the elements which a function of its right result says."""

    @defects.spelling(operation, words, "value")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.asarray(right(**arguments))
        return _changed(result, where(result))


def _past(result: Any) -> Any:
    return (np.arange(result.size) >= FAR).reshape(result.shape)


def _last(result: Any) -> Any:
    return (np.arange(result.size) == result.size - 1).reshape(result.shape)


def _tail(result: Any) -> Any:
    return (np.arange(result.size) >= result.size // 8 * 8).reshape(result.shape)


def _beyond_the_first_slice(result: Any) -> Any:
    return np.broadcast_to(np.arange(len(result)).reshape(-1, *[1] * (result.ndim - 1)) > 0, result.shape)


def _farther(result: Any) -> Any:
    return (np.arange(result.size) >= FARTHER).reshape(result.shape)


LOSSES = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
BASIC = ("add", "subtract", "multiply", "divide", "negative")

for _operation in ("sigmoid", "log_sigmoid", "exp", "softmax"):
    _wrong_where(_operation, f"wrong past {FAR:,} elements", _past)
for _operation in (
    "sigmoid",
    "log_sigmoid",
    "exp",
    "log",
    "softmax",
    "log_softmax",
    *LOSSES,
    *BASIC,
    "stack",
    "reshape",
):
    _wrong_where(_operation, f"wrong past {FARTHER:,} elements", _farther)
for _operation in ("sigmoid", "softmax", "log_softmax", "log"):
    _wrong_where(_operation, "the last element is wrong", _last)
_wrong_where("binary_cross_entropy", "wrong past the last whole vector of 8", _tail)
for _operation in ("softmax", "log_softmax", "binary_cross_entropy_with_logits"):
    _wrong_where(
        _operation,
        "right in the first row only",
        lambda result: _beyond_the_first_slice(result) if result.ndim > 1 else np.zeros(result.shape, dtype=bool),
    )


def _wrong_in(operation: str, dtype: Any) -> None:
    name = np.dtype(dtype).name
    _wrong_where(operation, f"wrong in {name}", lambda result: np.full(result.shape, result.dtype == dtype))


for _operation in ("softmax", "log_sigmoid", "mean", "binary_cross_entropy_with_logits"):
    for _dtype in (np.float16, ml_dtypes.bfloat16, np.float64):
        _wrong_in(_operation, _dtype)


def _past_whole_vectors(operation: str, dtype: Any) -> None:
    """A dtype whose loop over what is left over is wrong, for any length that a vector has."""

    def left_over(result: Any) -> Any:
        return (np.arange(result.size) >= max(result.size // 128 * 128, 1)).reshape(result.shape) & (
            result.dtype == dtype and result.size > 128
        )

    _wrong_where(operation, f"in {np.dtype(dtype).name}, wrong past the last whole vector", left_over)


for _operation in ("sigmoid", "log_sigmoid", "exp", "log", *LOSSES, *BASIC):
    for _dtype in FLOATING:
        _past_whole_vectors(_operation, _dtype)


def _lying_apart(operation: str, dtype: Any) -> None:
    """A dtype whose loop over elements that lie apart is wrong."""

    @defects.spelling(operation, f"in {np.dtype(dtype).name}, wrong where elements lie apart", "value")
    def _(right: Right, **given: Any) -> Any:
        result = np.asarray(right(**given))
        apart = any(isinstance(v, np.ndarray) and not v.flags.c_contiguous for v in given.values())
        return _changed(result, result.dtype == dtype and apart)


for _operation in ("exp", "log", "mean", *BASIC):
    for _dtype in FLOATING:
        _lying_apart(_operation, _dtype)


@defects.spelling("sum", f"terms past {FARTHER:,} are left out", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return right(x.ravel()[:FARTHER]) if axis is None and not keepdims else right(x, axis=axis, keepdims=keepdims)


@defects.spelling("mean", "the number of terms is counted in 16 bits", "value", "nan-inf")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    result = right(x, axis=axis, keepdims=keepdims)
    n = x.size // max(result.size, 1)
    return result * result.dtype.type(n / (n % FARTHER)) if n > FARTHER and result.dtype != np.float16 else result


@defects.spelling("sum", f"terms past {FAR:,} are left out", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    if axis is None and x.size > FAR and not keepdims:
        return right(x.ravel()[:FAR])
    if isinstance(axis, int) and x.ndim and x.shape[axis] > FAR:
        return right(x.take(range(FAR), axis=axis), axis=axis, keepdims=keepdims)
    return right(x, axis=axis, keepdims=keepdims)


@defects.spelling("mean", f"terms past {FAR:,} are left out", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    return right(x.ravel()[:FAR]) if axis is None and not keepdims else right(x, axis=axis, keepdims=keepdims)


def _rank_0(operation: str) -> None:
    """A single number comes back as an array of one."""

    @defects.spelling(operation, "a result of rank 0 has the shape [1]", "shape")
    def _(right: Right, **arguments: Any) -> Any:
        return np.atleast_1d(right(**arguments))


for _operation in ("sigmoid", "log_sigmoid", "sum", "mean", "binary_cross_entropy", "asarray", "exp"):
    _rank_0(_operation)


@defects.spelling("sum", "of nothing is NaN", "nan-inf")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    result = np.asarray(right(x, axis=axis, keepdims=keepdims))
    return np.full_like(result, np.nan) if x.size == 0 and result.dtype.kind == "f" else result


@defects.spelling("mean", "of nothing is 0", "nan-inf", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    result = np.asarray(right(x, axis=axis, keepdims=keepdims))
    return np.zeros_like(result) if x.size == 0 else result


def _nothing_is_refused(operation: str) -> None:
    """An array without elements is refused."""

    @defects.spelling(operation, "an array without elements is refused", "status")
    def _(right: Right, **arguments: Any) -> Any:
        first = next(iter(arguments.values()))
        if np.size(first) == 0:
            raise ValueError("zero-size array to a reduction that has no identity")
        return right(**arguments)


for _operation in ("sigmoid", "softmax", "stack", "reshape", "asarray"):
    _nothing_is_refused(_operation)
