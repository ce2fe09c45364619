"""A variant's expression as a straight line of steps: what backends run and what truth is worked out for.

Values are numbered: first the inputs, then the result of each step. Every step's result is kept, because each step
is judged on the inputs it really received.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.casefile import expressions
from conformance.casefile.differentiation import differentiable
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
    `wraps` says that integers which don't fit its result's dtype wrap around; it changes what is due, not what is run.
    """

    operation: str
    arguments: tuple[tuple[str, Argument], ...]
    text: str
    wraps: bool = False

    @property
    def values(self) -> set[int]:
        """The numbers of the values that it takes."""
        taken = [argument for _, argument in self.arguments]
        one = {argument.index for argument in taken if isinstance(argument, Ref)}
        return one.union(*(argument.indices for argument in taken if isinstance(argument, Refs)))

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
        differentiable: of a call, what a gradient may be taken by: names, and the inputs' numbers.
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    results: tuple[Any, ...]
    relations: tuple[str, ...]
    differentiable: tuple[tuple[str, int], ...] = ()

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
    compiler = _Compiler(list(variant.case.case.given), variant.bindings, variant.case.expect.wraps)
    if isinstance(expression, Comparison):
        results = tuple(compiler.argument(side) for side in expression.sides)
        relations = expression.relations
    else:
        results, relations = (compiler.argument(expression),), ()
    names = list(compiler.names)
    by = tuple((own, names.index(name)) for own, name in differentiable(expression, names))
    return Program(tuple(names), tuple(compiler.steps), results, relations, by)


@dataclass(frozen=True, slots=True)
class Probed:
    """A program whose intermediate results can be differentiated by.

    Attributes:
        program: takes one more input for each of `probes`, which is added to a result before later steps take it.
        probes: the numbers, in the program that was probed, of the values that have one.
        places: where each step's result stands among the steps of `program`, as later steps take it.
        own: the same, as the step itself gave it.
    """

    program: Program
    probes: tuple[int, ...]
    places: tuple[int, ...]
    own: tuple[int, ...]


def probed(program: Program, probes: Sequence[int]) -> Probed:
    """A program with an addition after each of some steps.

    The gradient with respect to what is added, -0.0, is that with respect to the result, which stays as it was, bit for
    bit. So each step of the way back can be judged on the weights that it really received.

    Args:
        program: the call.
        probes: numbers of results in it.
    """
    inputs = (*program.inputs, *(f"probe {number}" for number in probes))
    now = dict(enumerate(range(len(program.inputs))))  # where each value stands
    steps: list[Step] = []
    places, own = [], []
    for number, step in enumerate(program.steps, len(program.inputs)):
        arguments = tuple((name, _moved(argument, now)) for name, argument in step.arguments)
        steps.append(Step(step.operation, arguments, f"{step.operation} {arguments!r}"))
        own.append(len(steps) - 1)
        if number in probes:
            sides = (
                ("a", Ref(len(inputs) + len(steps) - 1)),
                ("b", Ref(len(program.inputs) + list(probes).index(number))),
            )
            steps.append(Step("add", sides, f"add {sides!r}"))
        places.append(len(steps) - 1)
        now[number] = len(inputs) + len(steps) - 1
    results = (Ref(len(inputs) + len(steps) - 1),)
    return Probed(Program(inputs, tuple(steps), results, ()), tuple(probes), tuple(places), tuple(own))


def _moved(argument: Argument, now: Mapping[int, int]) -> Argument:
    if isinstance(argument, Ref):
        return Ref(now[argument.index])
    if isinstance(argument, Refs):
        return Refs(tuple(now[index] for index in argument.indices))
    return argument


class _Compiler:
    def __init__(self, names: list[str], bindings: Mapping[str, Any], wraps: bool) -> None:
        self.names = names
        self.steps: list[Step] = []
        self._bindings = bindings
        self._wraps = wraps
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
            self.steps.append(Step(operation, arguments, text, self._wraps))
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
