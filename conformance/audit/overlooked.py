"""What a corpus overlooks: square arrays, high ranks, steps backwards, rows that overlap, long arrays and lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from conformance.audit.defect import Axes, Defects, Right, Wrong
from conformance.audit.gradients import passed_back

defects = Defects()

FARTHEST = 131_072
"""Elements past which an index times a size in 16 bits, or two blocks of 65,536, have gone wrong."""

MANY = 128
"""Arrays that the arguments of one kernel hold."""

HIGH = 6
"""A rank past those that kernels are written out for."""

LOSSES = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
ALONG = ("softmax", "log_softmax", "sum", "mean")
FLOATING = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)


def _square(x: Any) -> bool:
    """Whether axes can change places unnoticed."""
    return len(x.shape) >= 2 and x.shape[0] == x.shape[-1] > 1


def _weights_along_the_first_axis(operation: str, argument: str, rank: int) -> None:
    """Weights for the columns that go to the rows, where there are as many of each."""

    @defects.spelling(operation, f"{argument} goes along the first axis of a square array of rank {rank}", "value")
    def _(right: Right, first: Any = None, **given: Any) -> Any:
        weights = given.get(argument)
        x = next(v for n, v in given.items() if n in ("x", "p"))
        if weights is not None and x.ndim == rank and _square(x) and weights.shape == x.shape[-1:]:
            given[argument] = weights.reshape(-1, *[1] * (rank - 1))
        return right(**given)


for _operation in LOSSES:
    for _rank in (2, 3):
        _weights_along_the_first_axis(_operation, "weight", _rank)
for _rank in (2, 3):
    _weights_along_the_first_axis(LOSSES[1], "pos_weight", _rank)


def _along(operation: str, words: str, change: Callable[[Any, int], int]) -> None:
    """An operation along another axis than it was given, where a function of array and axis says so."""

    @defects.spelling(operation, words, "value", "shape")
    def _(right: Right, x: Any, *, axis: Axes = None, **options: Any) -> Any:
        given = isinstance(axis, int) and -x.ndim <= axis < x.ndim
        return right(x, axis=change(x, axis) if given and isinstance(axis, int) else axis, **options)


for _operation in ALONG:
    _along(_operation, "axis -3 is taken for -2", lambda x, axis: -2 if axis == -3 else axis)
    _along(
        _operation,
        "along the other axis of a square array",
        lambda x, axis: 1 - axis % 2 if x.ndim == 2 and _square(x) else axis,
    )
    _along(_operation, f"along the axis before at rank {HIGH}", lambda x, axis: axis - 1 if x.ndim == HIGH else axis)


@defects.spelling("stack", f"the last two axes change places at rank {HIGH}", "value", "shape")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    result = right(arrays, axis=axis)
    return np.swapaxes(result, -1, -2) if result.ndim == HIGH else result


@defects.spelling("reshape", f"from rank {HIGH}, in column-major order", "value")
def _(right: Right, x: Any, shape: Any) -> Any:
    return np.reshape(x, shape, order="F" if x.ndim == HIGH else "C")


@defects.spelling("stack", f"arrays past the first {MANY} are the first one", "value")
def _(right: Right, arrays: Any, *, axis: int = 0) -> Any:
    return right([*arrays[:MANY], *[arrays[0]] * len(arrays[MANY:])], axis=axis)


def forwards(x: Any) -> Any:
    """What a kernel reads that drops the signs of strides, and begins where the memory does."""
    if not isinstance(x, np.ndarray) or min(x.strides, default=0) >= 0:
        return x
    return x[tuple(slice(None, None, -1) if step < 0 else slice(None) for step in x.strides)]


def side_by_side(x: Any) -> Any:
    """What a kernel reads that takes rows which overlap for rows that follow each other."""
    overlap = isinstance(x, np.ndarray) and x.ndim >= 2 and x.strides[-2:] == (x.itemsize,) * 2 and min(x.shape) > 1
    if not overlap:
        return x
    line = np.concatenate([x[..., 0, :], x[..., 1:, -1]], axis=-1)
    return np.resize(line, x.shape)


def _misread(operation: str, words: str, read: Callable[[Any], Any]) -> None:
    """An operation that reads its inputs otherwise than they lie."""

    @defects.spelling(operation, words, "value", "nan-inf")
    def _(right: Right, *args: Any, **given: Any) -> Any:
        def of(value: Any) -> Any:
            return [read(item) for item in value] if isinstance(value, list) else read(value)

        return right(*[of(a) for a in args], **{n: of(v) if n != "shape" else v for n, v in given.items()})


for _operation in ("sigmoid", "exp", "softmax", "sum", "mean", "add", "stack", "reshape"):
    _misread(_operation, "the signs of strides are overlooked", forwards)
for _operation in ("sigmoid", "exp", "softmax", "sum", "mean", "add", "stack", "reshape"):
    _misread(_operation, "rows that overlap are taken for rows that follow each other", side_by_side)


def _farthest(operation: str, dtype: Any) -> None:
    """An operation that is wrong in one dtype where arrays are very long."""

    @defects.spelling(operation, f"in {np.dtype(dtype).name}, wrong past {FARTHEST:,} elements", "value")
    def _(right: Right, **arguments: Any) -> Any:
        result = np.array(right(**arguments))
        if result.dtype != dtype:
            return result
        past = (np.arange(result.size) >= FARTHEST).reshape(result.shape)
        return np.where(past, result * result.dtype.type(1.125), result)


for _operation in ("add", "reshape"):
    for _dtype in FLOATING:
        _farthest(_operation, _dtype)


def _view_of_the_only_row(operation: str) -> None:
    """A reduction over an axis of length 1 that gives its input back."""

    @defects.spelling(operation, "over an axis of length 1, a view", "aliasing")
    def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
        alone = isinstance(axis, int) and -x.ndim <= axis < x.ndim and x.shape[axis] == 1 and x.dtype.kind == "f"
        return np.squeeze(x, axis) if alone and not keepdims else right(x, axis=axis, keepdims=keepdims)


for _operation in ("sum", "mean"):
    _view_of_the_only_row(_operation)


def _gradient(operation: str, words: str, backends: tuple[str, ...]) -> Callable[[Wrong], Wrong]:
    return defects.spelling(operation, words, "gradient", backends=backends, check="gradient")


def _transposed_gradient(operation: str, argument: str, backends: tuple[str, ...] = ("torch", "jax")) -> None:
    """An operation whose gradient has its axes changed, which no shape tells of where the array is square."""

    @_gradient(operation, f"gradient of {argument} is transposed where that is square", backends)
    def _(right: Right, **arguments: Any) -> Any:
        given = arguments[argument]
        if len(given.shape) == 2 and _square(given):
            arguments[argument] = passed_back(right, given, lambda g, value: g.T)
        return right(**arguments)


for _operation, _argument in (
    ("softmax", "x"),
    ("log_softmax", "x"),
    ("sum", "x"),
    ("mean", "x"),
    ("multiply", "a"),
    ("divide", "a"),
):
    _transposed_gradient(_operation, _argument)


def _lost_at_subnormals(operation: str, argument: str) -> None:
    """An operation whose gradient is doubled where an input is subnormal; JAX takes those for zeros."""

    @_gradient(operation, f"gradient of {argument} is doubled at subnormal numbers", ("torch",))
    def _(right: Right, **arguments: Any) -> Any:
        def doubled(g: Any, value: Any) -> Any:
            return g * (1 + ((abs(value) < 2.0**-126) & (value != 0)).to(g.dtype))

        arguments[argument] = passed_back(right, arguments[argument], doubled)
        return right(**arguments)


for _operation, _argument in (("sigmoid", "x"), ("log_sigmoid", "x"), ("softmax", "x"), ("exp", "x")):
    _lost_at_subnormals(_operation, _argument)
