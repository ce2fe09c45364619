"""How many elements the results of an expression have, found out from shapes before anything is computed.

Inputs are limited one by one, but a broadcast multiplies their sizes and a stack adds them up: what is small in a file
could still ask for more memory than there is. What is reduced is held against the shapes on the way.
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

_ON_PURPOSE = "correct it, or state 'expect: raises' if the call is to be refused"


def check_extents(
    expression: Expression | Comparison,
    shapes: Mapping[str, Shape],
    bindings: Mapping[str, Any],
    refused: bool = False,
) -> None:
    """Refuse an expression one of whose calls gives more elements than `limits.ELEMENTS`, or reduces what it can't.

    Args:
        expression: checked against the names of its case.
        shapes: of the inputs.
        bindings: the grid's values by name.
        refused: whether the case expects that the call is refused, so that axes may be wrong.

    Raises:
        Mistake: at the call, or at the axes.
    """
    extents = _Extents(shapes, bindings, refused)
    for side in expression.sides if isinstance(expression, Comparison) else (expression,):
        extents.of(side)


class _Extents:
    def __init__(self, shapes: Mapping[str, Shape], bindings: Mapping[str, Any], refused: bool) -> None:
        self._shapes = shapes
        self._bindings = bindings
        self._refused = refused

    def of(self, expression: Expression) -> Shape:
        """The shape of a value; of a call that has none because it is refused, that of its largest argument."""
        match expression:
            case Name(name=name) if name in self._shapes:
                return self._shapes[name]
            case Name() | Constant():
                return _nested(plain(expression, self._bindings))
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
        try:
            axes = set(range(len(shape))) if axis is None else reduced_axes(axis, len(shape))
        except Mistake as mistake:
            if self._refused:
                return shape
            raise Mistake(mistake.message, offset=dict(call.arguments)["axis"].offset) from None
        return tuple(1 if k in axes else length for k, length in enumerate(shape) if kept or k not in axes)

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


def reduced_axes(axis: int | list[int], rank: int) -> set[int]:
    """The axes of an array of that rank that are reduced, counted from the first. Rank 0 counts as rank 1.

    Raises:
        Mistake: an axis that the array has not, or that is given twice.
    """
    rank = max(rank, 1)
    found: dict[int, int] = {}
    for one in axis if isinstance(axis, list) else [axis]:
        if not -rank <= one < rank:
            reach = "its one axis is 0 or -1" if rank == 1 else f"its axes go from {-rank} to {rank - 1}"
            raise Mistake(f"axis {one} is out of range at rank {rank}, {reach}: {_ON_PURPOSE}")
        if one % rank in found:
            before = found[one % rank]
            twice = f"axis {one} is given twice" if before == one else f"{before} and {one} are one axis at rank {rank}"
            raise Mistake(f"{twice}: {_ON_PURPOSE}")
        found[one % rank] = one
    return set(found)


def _nested(value: Any) -> Shape:
    """The shape of nested lists, as far as their first elements tell."""
    return (len(value), *(_nested(value[0]) if value else ())) if isinstance(value, list) else ()


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
