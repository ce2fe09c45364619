"""A variant's expression as a straight line of steps: what backends run and what truth is worked out for.

Values are numbered: first the inputs, then the result of each step. Every step's result is kept, because each step
is judged on the inputs it really received.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.casefile import expressions
from conformance.casefile.expressions import Call, Comparison, Expression, ListOf, Name, ShapeOf
from conformance.casefile.variants import Variant


@dataclass(frozen=True, slots=True)
class Ref:
    """The value with this number."""

    index: int


@dataclass(frozen=True, slots=True)
class Refs:
    """A list of values."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShapeRef:
    """The shape of the value with this number, or of a value of a comparison that is no array."""

    index: int


Argument = Any
"""A `Ref`, `Refs`, or a plain value."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of an operation.

    `text` tells calls apart that do different things (unlike equality, for which 1, 1.0 and True are the same).
    """

    operation: str
    arguments: tuple[tuple[str, Argument], ...]
    text: str

    def bind(self, values: Sequence[Any]) -> dict[str, Any]:
        """The arguments by name, references replaced by values."""
        return {name: fetch(argument, values) for name, argument in self.arguments}


@dataclass(frozen=True, slots=True)
class Program:
    """Steps, and what is looked at in the end.

    Attributes:
        inputs: names of the inputs, in the order of their numbers.
        steps: in order.
        results: for a call the `Ref` of its result; for a claim one side each: a `Ref`, a `ShapeRef` or a plain value.
        relations: for a claim the comparisons between its sides; empty for a call.
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    results: tuple[Any, ...]
    relations: tuple[str, ...]

    @property
    def key(self) -> str:
        """Equal for programs that run the same steps on the same number of inputs."""
        return f"{len(self.inputs)} " + "; ".join(step.text for step in self.steps)


def fetch(argument: Argument, values: Sequence[Any]) -> Any:
    """An argument with references replaced by values."""
    if isinstance(argument, Ref):
        return values[argument.index]
    if isinstance(argument, Refs):
        return [values[i] for i in argument.indices]
    return argument


def compile_variant(variant: Variant) -> Program:
    """The program of a variant. A part that occurs twice in its expression is computed once."""
    expression = variant.case.expression
    compiler = _Compiler(list(variant.case.case.given), variant.bindings)
    if isinstance(expression, Comparison):
        results = tuple(compiler.argument(side) for side in expression.sides)
        relations = expression.relations
    else:
        results, relations = (compiler.argument(expression),), ()
    return Program(tuple(compiler.names), tuple(compiler.steps), results, relations)


class _Compiler:
    def __init__(self, names: list[str], bindings: Mapping[str, Any]) -> None:
        self.names = names
        self.steps: list[Step] = []
        self._bindings = bindings
        self._known: dict[str, int] = {}

    def argument(self, expression: Expression) -> Argument:
        match expression:
            case Name(name=name) if name in self.names:
                return Ref(self.names.index(name))
            case Call(operation=operation, arguments=arguments):
                bound = tuple((name, self.argument(argument)) for name, argument in arguments)
                return Ref(self._step(operation, bound))
            case ListOf(items=items):
                parts = [self.argument(item) for item in items]
                if parts and all(isinstance(part, Ref) for part in parts):
                    return Refs(tuple(part.index for part in parts))
                return parts
            case ShapeOf(of=of):
                inner = self.argument(of)
                return ShapeRef(inner.index) if isinstance(inner, Ref) else []
        return expressions.plain(expression, self._bindings)

    def _step(self, operation: str, arguments: tuple[tuple[str, Argument], ...]) -> int:
        text = f"{operation} {arguments!r}"
        if text not in self._known:
            self._known[text] = len(self.names) + len(self.steps)
            self.steps.append(Step(operation, arguments, text))
        return self._known[text]


def runner(program: Program, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., tuple[Any, ...]]:
    """A function of the inputs that runs the steps with the given functions and returns every step's result.

    It is made of plain tuples and closures only, so that compilers of the frameworks can trace it.
    """
    plan = tuple((functions[step.operation], tuple(map(_getter, step.arguments))) for step in program.steps)
    count = len(program.inputs)

    def run(*arrays: Any) -> tuple[Any, ...]:
        values = list(arrays)
        for function, getters in plan:
            values.append(function(**{name: get(values) for name, get in getters}))
        return tuple(values[count:])

    return run


def _getter(named: tuple[str, Argument]) -> tuple[str, Callable[[list[Any]], Any]]:
    name, argument = named
    if isinstance(argument, Ref):
        index = argument.index
        return name, lambda values: values[index]
    if isinstance(argument, Refs):
        indices = argument.indices
        return name, lambda values: [values[i] for i in indices]
    return name, lambda _: argument
