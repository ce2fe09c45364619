"""How many elements the results of an expression have, found out from shapes before anything is computed.

Inputs are limited one by one, but a broadcast multiplies their sizes and a stack adds them up: what is small in a file
could still ask for more memory than there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import Call, Comparison, Constant, Expression, ListOf, Name, ShapeOf, plain
from conformance.ground import limits

Shape = tuple[int, ...]


def check_extents(
    expression: Expression | Comparison, shapes: Mapping[str, Shape], bindings: Mapping[str, Any]
) -> None:
    """Refuse an expression one of whose calls gives more elements than `limits.ELEMENTS`.

    Args:
        expression: checked against the names of its case.
        shapes: of the inputs.
        bindings: the grid's values by name.

    Raises:
        Mistake: at the call.
    """
    extents = _Extents(shapes, bindings)
    for side in expression.sides if isinstance(expression, Comparison) else (expression,):
        extents.of(side)


class _Extents:
    def __init__(self, shapes: Mapping[str, Shape], bindings: Mapping[str, Any]) -> None:
        self._shapes = shapes
        self._bindings = bindings

    def of(self, expression: Expression) -> Shape:
        """The shape of a value; of a call that has none because it is refused, that of its largest argument."""
        match expression:
            case Name(name=name) if name in self._shapes:
                return self._shapes[name]
            case Name() | Constant():
                value = plain(expression, self._bindings)
                return (len(value),) if isinstance(value, list) else ()
            case ListOf(items=items):
                return (len(items), *_broadcast([self.of(item) for item in items]))
            case ShapeOf(of=of):
                return (len(self.of(of)),)
        return self.limited(expression, _RULES.get(expression.operation, _Extents.elementwise)(self, expression))

    def limited(self, call: Call, shape: Shape) -> Shape:
        """The shape, unless it has too many elements."""
        size = math.prod(shape)
        if size > limits.ELEMENTS:
            allowed = f"{limits.ELEMENTS:,} are allowed"
            raise Mistake(f"'{call.operation}' gives {size:,} elements; {allowed}", offset=call.offset)
        return shape

    def elementwise(self, call: Call) -> Shape:
        """Every operation that works element by element, or along an axis that stays."""
        return _broadcast([self.of(a) for _, a in call.arguments if isinstance(a, Call) or self._is_input(a)])

    def loss(self, call: Call) -> Shape:
        """A loss, whose terms are broadcast before they are reduced."""
        terms = self.limited(call, self.elementwise(call))
        return terms if self._value(call, "reduction", "mean") == "none" else ()

    def reshape(self, call: Call) -> Shape:
        """A new shape, which the elements need not fit."""
        size, shape = math.prod(self._argument(call, "x")), self._value(call, "shape", [])
        known = math.prod(length for length in shape if length != -1)
        return tuple(size // max(known, 1) if length == -1 else max(length, 0) for length in shape)

    def reduction(self, call: Call) -> Shape:
        """A sum or a mean."""
        shape = self._argument(call, "x")
        axis, kept = self._value(call, "axis", None), self._value(call, "keepdims", False)
        if axis is None:
            return (1,) * len(shape) if kept else ()
        if not -len(shape) <= axis < len(shape):
            return shape
        at = axis % len(shape)
        return (*shape[:at], *((1,) if kept else ()), *shape[at + 1 :])

    def stack(self, call: Call) -> Shape:
        """Arrays of one shape along a new axis."""
        count, *shape = self._argument(call, "arrays")
        axis = self._value(call, "axis", 0)
        at = axis % (len(shape) + 1) if -len(shape) - 1 <= axis <= len(shape) else 0
        return (*shape[:at], count, *shape[at:])

    def asarray(self, call: Call) -> Shape:
        """Nested lists as an array."""
        return self._argument(call, "data")

    def _argument(self, call: Call, name: str) -> Shape:
        return self.of(dict(call.arguments)[name])

    def _value(self, call: Call, name: str, default: Any) -> Any:
        found = dict(call.arguments).get(name)
        return default if found is None else plain(found, self._bindings)

    def _is_input(self, expression: Expression) -> bool:
        return isinstance(expression, Name) and expression.name in self._shapes


def _broadcast(shapes: list[Shape]) -> Shape:
    """The common shape; that of the largest where there is none, and the call is refused."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return max(shapes, key=math.prod)


_RULES: dict[str, Callable[[_Extents, Call], Shape]] = {
    "reshape": _Extents.reshape,
    "sum": _Extents.reduction,
    "mean": _Extents.reduction,
    "stack": _Extents.stack,
    "asarray": _Extents.asarray,
    "binary_cross_entropy": _Extents.loss,
    "binary_cross_entropy_with_logits": _Extents.loss,
}
"""What an operation's shape follows from, where it is not just the broadcast of its arrays."""
