"""Whether the integers of a case fit their dtypes: worked out with Python's integers, before anything runs.

A sum, a difference, a product or a negation of integers that does not fit has no exact answer in its dtype, nor has one
with a plain number that does not fit. Both are mistakes of the case, and no backend's failure, unless it says what is
expected: that the dtype wraps, or that the call is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import UNSET

from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import Call, Comparison, Expression, ListOf, Name, ShapeOf, plain
from conformance.casefile.inputs import materialise
from conformance.casefile.model import Given
from conformance.casefile.variants import LoadedCase, expand
from conformance.ground.dtypes import DTYPES, DType
from conformance.ops import OPERATIONS
from conformance.ops.base import arrays_in
from conformance.truth import balls
from conformance.truth.whole import whole_numbers, wrapped

_UNKNOWN = object()
"""A value that is no array of integers, or that the definition refuses: there is nothing to wrap in it."""


def check_integers(case: LoadedCase) -> None:
    """Refuse a case with integers that don't fit their dtypes, and one that says of none that they wrap.

    Args:
        case: whose parts are checked.

    Raises:
        Mistake: at the call, in the first variant in which that is so.
    """
    if case.expect.raises or not _has_integers(case):
        return
    sides = case.expression.sides if isinstance(case.expression, Comparison) else [case.expression]
    wrapped = False
    for variant in expand(case):
        if variant.check == "value":
            stated = DTYPES[case.expect.dtype] if case.expect.dtype else None
            integers = _Integers(materialise(variant), variant.bindings, case.expect.wraps, len(sides) > 1)
            for side in sides:
                if case.expect.values is not UNSET and isinstance(side, Call):  # of the last result, the case says it
                    for _, argument in side.arguments:
                        integers.of(argument)
                else:
                    integers.of(side, stated)
            wrapped = wrapped or integers.wrapped
    if case.expect.wraps and not wrapped:
        raise Mistake("nothing here wraps: every result fits its dtype; leave out 'wraps'")


def _has_integers(case: LoadedCase) -> bool:
    """Whether an input may be of integers; without one, no call gives any but `asarray`, which computes nothing."""
    names = case.grid.get("dtype") or [variant.dtype.name for variant in expand(case)[:1]]
    own = [given.dtype for given in case.case.given.values() if isinstance(given, Given) and given.dtype is not None]
    kinds = {DTYPES[name].kind for name in (*names, *own)}
    return bool(kinds & {"integer", "bool"}) or case.expect.wraps


class _Integers:
    """The values of one variant's expression.

    Args:
        given: the inputs by name.
        bindings: the grid's values by name.
        wraps: whether what does not fit wraps around.
        claim: whether it is a claim, in which nothing can.

    Attributes:
        wrapped: whether anything did.
    """

    def __init__(
        self, given: Mapping[str, np.ndarray], bindings: Mapping[str, Any], wraps: bool, claim: bool = False
    ) -> None:
        self._given = given
        self._bindings = bindings
        self._wraps = wraps
        self._or_wraps = "" if claim else ", or 'expect: {wraps: true}'"
        self._or_raises = "" if claim else ", or 'expect: raises'"
        self.wrapped = False

    def of(self, expression: Expression, stated: DType | None = None) -> Any:
        """The value: an array, a list of them, a plain value, or `_UNKNOWN`.

        Args:
            expression: a part of the case's.
            stated: of the last call, the dtype that the case expects, if it says one.
        """
        match expression:
            case Name(name=name) if name in self._given:
                return self._given[name]
            case ListOf(items=items):
                parts = [self.of(item) for item in items]
                return _UNKNOWN if any(part is _UNKNOWN for part in parts) else parts
            case ShapeOf(of=of):
                self.of(of)
                return _UNKNOWN
            case Call():
                return self._of_call(expression, stated)
        return plain(expression, self._bindings)

    def _of_call(self, call: Call, stated: DType | None) -> Any:
        operation = OPERATIONS[call.operation]
        arguments = {name: self.of(argument) for name, argument in call.arguments}
        if any(value is _UNKNOWN for value in arguments.values()):
            return _UNKNOWN
        arguments = {n: p.default for n, p in operation.parameters.items() if not p.required} | arguments
        target = stated or operation.result_dtype(**arguments)
        if target is None or target.kind != "integer":
            return _UNKNOWN
        if operation.moves:
            return self._taken(lambda: np.asarray(operation.exact(**arguments)))
        if arrays_in(arguments.values()):
            for value in arguments.values():
                self._check_number(value, target, call)
        exact = {name: balls.exact(v) if isinstance(v, np.ndarray) else v for name, v in arguments.items()}
        result = self._taken(lambda: whole_numbers(lambda: operation.exact(**exact)))
        if result is _UNKNOWN:
            return _UNKNOWN
        shape, numbers = result
        if numbers is None:
            raise Mistake(
                f"the exact result of '{call.operation}' is not made of integers, and its dtype {target.name} holds no "
                "others: expected a floating dtype under expect.dtype, or stated values",
                offset=call.offset,
            )
        return self._fitting(shape, numbers, target, call)

    @staticmethod
    def _taken(compute: Any) -> Any:
        try:
            return compute()
        except (ValueError, TypeError, IndexError, OverflowError):  # refused: that is told when the case is judged
            return _UNKNOWN

    def _check_number(self, value: Any, target: DType, call: Call) -> None:
        """That a plain integer fits the dtype of the result, unless that wraps: before or after, it is the same."""
        info = np.iinfo(target.numpy)
        if type(value) is int and not info.min <= value <= info.max:
            if not self._wraps:
                raise Mistake(
                    f"{value} does not fit {target.name}, which this call is computed in, and which holds {info.min} "
                    f"to {info.max}: expected one that fits{self._or_wraps}{self._or_raises}",
                    offset=call.offset,
                )
            self.wrapped = True

    def _fitting(self, shape: tuple[int, ...], numbers: list[int], target: DType, call: Call) -> np.ndarray:
        """The result in its dtype, wrapped where the case says so."""
        info = np.iinfo(target.numpy)
        outside = next((i for i, number in enumerate(numbers) if not info.min <= number <= info.max), None)
        if outside is not None:
            if not self._wraps:
                at = [int(i) for i in np.unravel_index(outside, shape)]
                raise Mistake(
                    f"the result {numbers[outside]} of '{call.operation}' at {at} does not fit {target.name}, which "
                    f"holds {info.min} to {info.max}: expected numbers whose result fits{self._or_wraps}",
                    offset=call.offset,
                )
            self.wrapped = True
        return wrapped(numbers, target).reshape(shape)
