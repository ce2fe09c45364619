"""What goes wrong with several axes, and with none: one of them is lost, or stays, or counts for all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from conformance.audit.defect import Axes, Defects, Right
from conformance.judging.findings import Channel

defects = Defects()

Several = tuple[int, ...]


def _instead(operation: str, words: str, change: Callable[[Any, Several], Axes], *channels: Channel) -> None:
    """A reduction along other axes than the list that it was given, where there is a list."""

    @defects.spelling(operation, words, *channels)
    def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
        return right(x, axis=change(x, axis) if isinstance(axis, tuple) else axis, keepdims=keepdims)


def _of_one_length(x: Any, axes: Several) -> Several:
    """Of an array whose axes have one length, the first ones, as many as were given."""
    alike = x.ndim > len(axes) and len(set(x.shape)) == 1
    return tuple(range(len(axes))) if alike else axes


def _once(x: Any, axes: Several) -> Several:
    """Each axis once, as if nothing were given twice."""
    return tuple(dict.fromkeys(axis % x.ndim for axis in axes)) if x.ndim and len(axes) > 1 else axes


def _one_stays(operation: str) -> None:
    """A reduction that leaves the first of several axes in the result, with length 1."""

    @defects.spelling(operation, "the first of several axes stays", "shape")
    def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
        if not isinstance(axis, tuple) or len(axis) < 2 or keepdims:
            return right(x, axis=axis, keepdims=keepdims)
        result = right(x, axis=axis, keepdims=True)
        others = {one % x.ndim for one in axis[1:]}
        return result.reshape([n for k, n in enumerate(result.shape) if k not in others])


for _operation in ("sum", "mean"):
    _instead(_operation, "the last of several axes is lost", lambda x, axes: axes[:-1] or axes, "shape", "value")
    _instead(_operation, "no axis is taken for all", lambda x, axes: axes or None, "shape")
    _instead(_operation, "several axes of one length are the first ones", _of_one_length, "value")
    _instead(_operation, "an axis given twice is taken once", _once, "status")
    _instead(
        _operation, "several axes are all of them", lambda x, axes: None if len(axes) > 1 else axes, "shape", "value"
    )
    _one_stays(_operation)


def _miscounted(words: str, count: Callable[[Any, Several], float]) -> None:
    """A mean along several axes that is divided by another number than there are terms."""

    @defects.spelling("mean", words, "value")
    def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
        result = right(x, axis=axis, keepdims=keepdims)
        if not isinstance(axis, tuple) or len(axis) < 2 or not x.ndim or not x.size or x.dtype.kind in "iub":
            return result
        terms = math.prod(x.shape[one] for one in axis)
        return (result * (terms / count(x, axis))).astype(result.dtype)


_miscounted("several axes: divided by the length of the first", lambda x, axes: x.shape[axes[0]])
_miscounted("several axes: divided by the sum of their lengths", lambda x, axes: sum(x.shape[one] for one in axes))
_miscounted("several axes: divided by the number of all elements", lambda x, axes: x.size)


@defects.spelling("mean", "along no axis, divided by the number of elements", "value")
def _(right: Right, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    result = right(x, axis=axis, keepdims=keepdims)
    return (result / max(x.size, 1)).astype(result.dtype) if axis == () else result
