"""A case's call or claim as Python statements, one an operation, as the suite runs them.

Every step's result is returned, since a backend's compiled function returns them all in the suite: what a compiler may
fuse depends on it. The expression has gone through the case language's own parser, so nothing else can be in it.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.casefile.expressions import Call, Comparison, Constant, Expression, ListOf, Name, ShapeOf
from conformance.ops import OPERATIONS
from conformance.ops.base import Data

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "negative": "-"}
"""The operators, and how Python writes them."""

_PLAIN = re.compile("[A-Za-z0-9 .,_+-]*")
_STEP = re.compile("(step|own|nothing)_[0-9]+")


class NotPythonError(ValueError):
    """An expression that does not fit its inputs, or a value that is no literal."""


@dataclass(slots=True)
class Statements:
    """A call or claim, written out.

    Attributes:
        inputs: the parameters of the function, in the order of the inputs.
        bindings: assignments of the other names that the expression uses.
        steps: an expression each; they call each other's results ``step_1``, ``step_2``, …
        sides: what is looked at in the end: a step, an input or a plain value each; of a call just one.
        shapes: which of the sides are shapes.
        operations: what each step calls.
    """

    inputs: list[str]
    bindings: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    shapes: list[bool] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)


def literal(value: Any) -> str:
    """A plain value as Python source, of ASCII characters only.

    Raises:
        NotPythonError: it is none.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'
    if isinstance(value, str):
        return f'"{value}"' if _PLAIN.fullmatch(value) else ascii(value)
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise NotPythonError(f"{value!r} is no plain value")


def write(
    expression: Expression | Comparison,
    inputs: Sequence[str],
    bindings: Mapping[str, Any],
    taken: Collection[str] = (),
    positional: Mapping[str, Sequence[str]] | None = None,
    signs: Collection[str] = tuple(SIGNS),
) -> Statements:
    """Write a call or claim out.

    Args:
        expression: as parsed.
        inputs: names of the inputs.
        bindings: what other names stand for.
        taken: names that the script has for something else; an input of such a name gets an underscore.
        positional: of operations, the parameters that their functions take by position, in order; without them, as
            the operation's own signature has them.
        signs: the operators that are written with their sign, and not as a call.

    Raises:
        NotPythonError: a name that is neither an input nor bound, or is no identifier.
    """
    writer = _Writer(inputs, bindings, taken, positional or {}, signs)
    for side in expression.sides if isinstance(expression, Comparison) else (expression,):
        writer.side(side)
    return writer.statements


class _Writer:
    def __init__(
        self,
        inputs: Sequence[str],
        bindings: Mapping[str, Any],
        taken: Collection[str],
        positional: Mapping[str, Sequence[str]],
        signs: Collection[str],
    ) -> None:
        self._taken = {*taken, *OPERATIONS, "run", "recorded", "result", "gradient", "error", "os"}
        self._bindings = bindings
        self._positional = positional
        self._signs = signs
        self._known: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for name in (*inputs, *bindings):
            self._names[name] = self._free(name)
        self._inputs = {name: number for number, name in enumerate(inputs)}
        self.statements = Statements([self._names[name] for name in inputs])
        self.statements.bindings = [f"{self._names[name]} = {literal(value)}" for name, value in bindings.items()]

    def _free(self, name: str) -> str:
        if not (name.isascii() and name.isidentifier()):
            raise NotPythonError(f"{name!r} is no name")
        used = {*self._taken, *self._names.values()}
        while name in used or keyword.iskeyword(name) or hasattr(builtins, name) or _STEP.fullmatch(name):
            name += "_"
        return name

    def side(self, expression: Expression) -> None:
        """Write what one side of a claim, or the call, comes from."""
        shape = isinstance(expression, ShapeOf)
        text, _ = self._value(expression.of if isinstance(expression, ShapeOf) else expression)
        self.statements.sides.append(text)
        self.statements.shapes.append(shape)

    def _value(self, expression: Expression) -> tuple[str, str]:
        """An expression as source, and what tells it from others."""
        match expression:
            case Name(name=name) if name in self._inputs:
                return self._names[name], f"input {self._inputs[name]}"
            case Name(name=name) if name in self._bindings:
                return self._names[name], repr(self._bindings[name])
            case Constant(value=value):
                return literal(value), repr(value)
            case ListOf(items=items):
                parts = [self._value(item) for item in items]
                return f"[{', '.join(text for text, _ in parts)}]", f"[{', '.join(key for _, key in parts)}]"
            case Call():
                return self._step(expression)
        raise NotPythonError("a name that is neither an input nor bound")

    def _step(self, call: Call) -> tuple[str, str]:
        written = [(name, *self._value(argument), argument) for name, argument in call.arguments]
        key = f"{call.operation} {[(name, told) for name, _, told, _ in written]}"
        if key not in self._known:
            arguments = [(name, self._argument(name, text, argument)) for name, text, _, argument in written]
            self.statements.steps.append(self._called(call.operation, arguments))
            self._known[key] = f"step_{len(self.statements.steps)}"
            self.statements.operations.append(call.operation)
        return self._known[key], key

    def _argument(self, name: str, text: str, argument: Expression) -> str:
        """As the suite hands it to an idiom: a dtype of the framework for its name, a tuple for a list of axes."""
        match argument:
            case Name(name=bound) if bound in self._bindings:
                value = self._bindings[bound]
            case Constant(value=constant):
                value = constant
            case ListOf():
                value = []
            case _:
                return text
        if name == "dtype" and value is not None:
            return f"dtype_named({text})"
        return f"tuple({text})" if name == "axis" and isinstance(value, list) else text

    def _called(self, operation: str, arguments: list[tuple[str, str]]) -> str:
        if operation in self._signs:
            operands = [f"({text})" if text.startswith("-") else text for _, text in arguments]
            return f"-{operands[0]}" if operation == "negative" else f" {SIGNS[operation]} ".join(operands)
        parameters = OPERATIONS[operation].parameters
        order = self._positional.get(operation, [n for n, p in parameters.items() if not p.keyword_only])
        texts, leading = [], True
        for number, (name, text) in enumerate(arguments):
            data = parameters[name].holds_arrays or parameters[name].kind == Data
            leading = leading and data and list(order[number : number + 1]) == [name]
            texts.append(text if leading else f"{name}={text}")
        return f"{operation}({', '.join(texts)})"
