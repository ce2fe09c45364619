"""Which dtypes the steps of an expression have, found out from those of the inputs before anything is computed.

Where an operation's semantics leave the dtype open (a mean of integers, a loss of two dtypes), no result could be
judged: that is a mistake of the case, and no backend's failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import Call, Comparison, Expression, ListOf, Name, ShapeOf, plain
from conformance.ground import dtypes
from conformance.ground.dtypes import DType
from conformance.ops import OPERATIONS
from conformance.ops.base import arrays_in


def check_dtypes(
    expression: Expression | Comparison, given: Mapping[str, DType], bindings: Mapping[str, Any], stated: bool
) -> None:
    """Refuse an expression one of whose calls gives a result of no defined dtype.

    Args:
        expression: checked against the names of its case.
        given: the dtypes of the inputs.
        bindings: the grid's values by name.
        stated: whether the case says which dtype the last result has.

    Raises:
        Mistake: at the call.
    """
    if isinstance(expression, Comparison):
        for side in expression.sides:
            _of(side.of if isinstance(side, ShapeOf) else side, given, bindings, False)
    else:
        _of(expression, given, bindings, stated)


def _of(expression: Expression, given: Mapping[str, DType], bindings: Mapping[str, Any], stated: bool) -> Any:
    """An array without elements of the dtype that a value has, or a plain value."""
    match expression:
        case Name(name=name) if name in given:
            return np.empty(0, dtype=given[name].numpy)
        case ListOf(items=items):
            return [_of(item, given, bindings, False) for item in items]
        case ShapeOf():
            return []
        case Call(operation=name, arguments=arguments):
            return _of_call(expression, {n: _of(a, given, bindings, False) for n, a in arguments}, name, stated)
    return plain(expression, bindings)


def _of_call(call: Call, arguments: dict[str, Any], name: str, stated: bool) -> np.ndarray:
    operation = OPERATIONS[name]
    named = {n: p.default for n, p in operation.parameters.items() if not p.required} | arguments
    found = operation.result_dtype(**named)
    if found is not None:
        return np.empty(0, dtype=found.numpy)
    if stated:
        return np.empty(0)
    of = " and ".join(dict.fromkeys(dtypes.of(array).name for array in arrays_in(arguments.values()))) or "no array"
    raise Mistake(
        f"the dtype of the result of '{name}' is not defined for {of}: expected inputs of one floating dtype, or, for "
        "the last call, its dtype under expect.dtype",
        offset=call.offset,
    )
