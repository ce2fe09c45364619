"""What the gradient of a call may be taken by."""

from __future__ import annotations

from collections.abc import Collection

from conformance.casefile.expressions import Call, Comparison, Expression, ListOf, Name, operations_in
from conformance.ops import OPERATIONS


def differentiable(expression: Expression | Comparison, inputs: Collection[str]) -> list[tuple[str, str]]:
    """What a gradient of a call may be taken by: what each is called, and its input.

    Of one operation that are its arguments, by their own names; in a list, and in a call of several operations, inputs.
    Targets are data, not something that is learned.
    """
    if not isinstance(expression, Call):
        return []
    single = not any(operations_in(argument) for _, argument in expression.arguments)
    found: list[tuple[str, str]] = []
    for name, argument in expression.arguments:
        if not OPERATIONS[expression.operation].parameters[name].differentiable:
            continue
        match argument:
            case Name(name=given) if given in inputs:
                found.append((name if single else given, given))
            case ListOf(items=items):
                for item in items:
                    taken = [(item.name, item.name)] if isinstance(item, Name) else differentiable(item, inputs)
                    found += [(given, given) for _, given in taken if given in inputs]
            case Call():
                found += [(given, given) for _, given in differentiable(argument, inputs)]
    return list(dict.fromkeys(found))
