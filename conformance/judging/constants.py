"""The arguments of a call as exact definitions take them: plain numbers in the dtype that they take beside arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.ground import dtypes
from conformance.ground.dtypes import DType
from conformance.ops import Operation
from conformance.ops.base import arrays_in
from conformance.truth.rounding import round_floats


def with_constants_as_arrays(operation: Operation, arguments: dict[str, Any], target: DType | None) -> dict[str, Any]:
    """Plain numbers where arrays go (``2 * x``) as arrays of the dtype that they take, rounded to it once.

    That is the other side's where it can hold them, as a floating dtype does, or an integer one an integer within its
    range; else that of the result, if that is floating; and else they stay the numbers they are.

    Args:
        operation: that is called.
        arguments: of the call, by name.
        target: the dtype of its result; None where it is not told.
    """
    arrays = arrays_in(arguments.values())
    if not arrays:
        return arguments
    other = dtypes.of(arrays[0])

    def taken(value: float) -> np.ndarray:
        if other.kind == "floating":
            return round_floats(np.array(float(value)), other)
        info = np.iinfo(other.numpy) if other.kind == "integer" else None
        if info is not None and isinstance(value, int) and info.min <= value <= info.max:
            return np.array(value, dtype=other.numpy)
        if target is not None and target.kind == "floating":
            return round_floats(np.array(float(value)), target)
        return np.array(value)

    return {
        name: taken(value) if type(value) in (int, float) and operation.parameters[name].holds_arrays else value
        for name, value in arguments.items()
    }


def mapped_arrays(arguments: Mapping[str, Any], function: Any) -> dict[str, Any]:
    """The arguments with a function applied to the arrays among them."""

    def mapped(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return function(value)
        if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
            return [function(item) for item in value]
        return value

    return {name: mapped(value) for name, value in arguments.items()}
