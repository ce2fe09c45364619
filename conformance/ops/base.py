"""What an operation is: a signature, an executable exact definition, and an error budget with its source.

An operation is written as its exact definition, decorated. The definition's signature is the operation's
signature, and its annotations say what each parameter may be::

    @operation(document="torch.nn.Softmax(dim=axis)(x)")
    def softmax(x: Array, *, axis: Axis) -> Balls: ...

    @softmax.budget("where the bound comes from")
    def _(result, x, *, axis): ...   # ULP allowed at each element
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_type_hints

import numpy as np

from conformance.ground import dtypes
from conformance.ground.dtypes import DType
from conformance.ops.bounds import elementary, half_significand
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded

# What a parameter may be. The second item is what error messages call it.
Array = Annotated[np.ndarray, "an array"]
MaybeArray = Annotated[np.ndarray | None, "an array or null"]
Labels = Annotated[np.ndarray, "an array (of targets)"]
Arrays = Annotated[Sequence[np.ndarray], "a list of arrays"]
Data = Annotated[Any, "a nested list of numbers"]
Axis = Annotated[int, "an axis (an integer)"]
OptionalAxis = Annotated[int | None, "an axis (an integer)"]
MaybeAxes = Annotated[int | Sequence[int] | None, "an axis (an integer), a list of axes, or null"]
Shape = Annotated[Sequence[int], "a shape (a list of integers)"]
Flag = Annotated[bool, "true or false"]
Reduction = Annotated[Literal["none", "mean", "sum"], "one of 'none', 'mean', 'sum'"]
MaybeDType = Annotated[str | None, "the name of a dtype, or null"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, as a case may give it."""

    name: str
    kind: Any
    default: Any
    keyword_only: bool

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty

    @property
    def expects(self) -> str:
        """What it may be, in words."""
        return str(get_args(self.kind)[1])

    @property
    def differentiable(self) -> bool:
        """Whether a gradient with respect to it is checked. Targets are data, not something that is learned."""
        return self.kind in (Array, MaybeArray, Arrays)

    @property
    def holds_arrays(self) -> bool:
        """Whether it takes arrays."""
        return self.kind in (Array, Labels, MaybeArray, Arrays)

    def accepts(self, value: Any) -> bool:
        """Whether a value that is not an array fits (arrays are told apart before this is asked)."""
        if self.kind == OptionalAxis and isinstance(value, list):  # several axes, which torch refuses
            return len(value) > 1 and all(map(_is_integer, value))
        if self.kind == MaybeAxes:
            return value is None or all(map(_is_integer, value if isinstance(value, list) else [value]))
        if self.kind in (Axis, OptionalAxis):
            return _is_integer(value)
        if self.kind == Shape:
            return isinstance(value, Sequence) and not isinstance(value, str) and all(map(_is_integer, value))
        if self.kind == Flag:
            return isinstance(value, bool)
        if self.kind == Reduction:
            return value in ("none", "mean", "sum")
        if self.kind == MaybeDType:
            return value is None or (isinstance(value, str) and value in dtypes.DTYPES)
        if self.kind == MaybeArray:
            return value is None
        return self.kind == Data


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Backward:
    """What a backward formula of an operation takes, for the budget of gradients.

    Attributes:
        functions: exponentials and logarithms on the way from an input to its gradient.
        basics: additions, products and divisions.
        summed: how many terms of one slice meet in an element of the gradient, from the arguments.
    """

    functions: int = 0
    basics: int = 0
    summed: Callable[..., float] = lambda **_: 1.0

    def steps(self, result: Rounded) -> float:
        """Units roundoff by which each term may be off, in the result's dtype."""
        return self.functions * elementary(result) + self.basics


class DefinitionError(Exception):
    """Part of an operation's definition makes no sense: nothing that a framework did, and nothing to judge it by."""


Budget = Callable[..., "np.ndarray | float"]
Inherited = Callable[..., "np.ndarray | float"]
Convention = Callable[..., "tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]"]
DTypeRule = Callable[..., "DType | None"]


def same_dtype(*arguments: Any, **parameters: Any) -> DType | None:
    """The common dtype of the floating arguments; None where they differ or are not floating."""
    found = {dtypes.of(a) for a in arrays_in((*arguments, *parameters.values()))}
    only = found.pop() if len(found) == 1 else None
    return only if only is not None and only.kind == "floating" else None


def operands_dtype(*arguments: Any, **parameters: Any) -> DType | None:
    """The common dtype of floating or of integer arguments, in which sums and products of integers stay integers.

    Beside a plain number with a fraction integers have none.
    """
    only = common_dtype(*arguments, **parameters)
    broken = any(isinstance(value, float) for value in (*arguments, *parameters.values()))
    return only if only is not None and (only.kind == "floating" or (only.kind == "integer" and not broken)) else None


def common_dtype(*arguments: Any, **parameters: Any) -> DType | None:
    """The common dtype of all arguments, whatever its kind; None where they differ."""
    found = {dtypes.of(a) for a in arrays_in((*arguments, *parameters.values()))}
    return found.pop() if len(found) == 1 else None


def arrays_in(arguments: Iterable[Any]) -> list[np.ndarray]:
    """The arrays among arguments, those in lists included, in order."""
    flat: list[np.ndarray] = []
    for value in arguments:
        if isinstance(value, np.ndarray):
            flat.append(value)
        elif isinstance(value, (list, tuple)):
            flat.extend(item for item in value if isinstance(item, np.ndarray))
    return flat


@dataclass(slots=True)
class Operation:
    """A framework-neutral function.

    Attributes:
        name: what cases call it.
        document: how the tutorial document, or torch where the document does not use it, spells it.
        family: what it belongs to, for readers of a report: 'activations', 'losses', 'reductions', …
        exact: the definition. Computing operations take and return object arrays of balls; operations that `moves`
            only move elements take and return plain arrays of any dtype, NaN and infinities included.
        moves: whether the operation only moves elements, so that every bit of its result is determined.
        slack: why the budget is wide, where it is.
        backward: what its backward formulas take.
        convention: see `by_convention`.
        zero_sign: of the basic operations, IEEE 754's: a function of the arguments (float64 arrays) whose result has
            the sign that a true zero must have. None where none is due.
        result_dtype: the dtype of the result from the received arguments; None where the document's semantics do
            not say (mixed or integer inputs of a floating operation): a case must then say what it expects.
        parameters: by name, in order.
    """

    name: str
    document: str
    family: str
    exact: Callable[..., Any]
    moves: bool
    result_dtype: DTypeRule
    parameters: dict[str, Parameter]
    signature: inspect.Signature
    budget_source: str = ""
    slack: str = ""
    backward: Backward = field(default_factory=Backward)
    convention: Convention | None = field(default=None, repr=False)
    convention_source: str = ""
    zero_sign: Callable[..., np.ndarray] | None = field(default=None, repr=False)
    _budget: Budget | None = field(default=None, repr=False)
    _inherited: Inherited | None = field(default=None, repr=False)
    inherited_source: str = ""

    @property
    def elementwise(self) -> bool:
        """Whether an element of the result depends on the elements in its own place alone, whatever the parameters."""
        kinds = {parameter.kind for parameter in self.parameters.values()}
        return not self.moves and kinds <= {Array, MaybeArray, Labels}

    @property
    def summary(self) -> str:
        """The first line of the definition's docstring."""
        return (inspect.getdoc(self.exact) or "").partition("\n")[0]

    def by_convention(self, source: str) -> Callable[[Convention], Convention]:
        """Register what comes of inputs for which arithmetic defines no result (NaN, infinities, a logarithm of 0).

        Args:
            source: the convention in words, for readers of a report.

        Returns:
            A decorator of a function of the arguments (float64 arrays, parameters). It returns finite stand-ins for
            the arguments that need them, by name; a bool array of the result's shape, true where the convention names
            the result; and those results, float64. Elsewhere the definition's results on the stand-ins hold.
        """

        def register(function: Convention) -> Convention:
            self.convention, self.convention_source = function, source
            return function

        return register

    def budget(self, source: str, slack: str = "") -> Callable[[Budget], Budget]:
        """Register the budget: a function of the rounded exact result and the arguments (float64 arrays, parameters).

        It returns ULP of the exact value, a number or an array of the result's shape. `slack` says why the bound is
        more than eight times what any framework was seen to need, where it is.
        """

        def register(function: Budget) -> Budget:
            self._budget = function
            self.budget_source, self.slack = source, slack
            return function

        return register

    def allowed(self, result: Rounded, *arguments: Any, **parameters: Any) -> np.ndarray:
        """ULP by which each element may be off: float64 of the result's shape.

        Never so much that fewer than half of a value's significant bits are right, whatever the analysis allows.
        """
        if self._budget is None:
            raise LookupError(f"operation '{self.name}' states no error budget")
        with np.errstate(all="ignore"):
            analysed = np.asarray(self._budget(result, *arguments, **parameters), dtype=np.float64)
        return np.minimum(self._numbers(analysed, "budget", self._budget), half_significand(result))

    def _numbers(self, found: np.ndarray, what: str, function: Callable[..., Any]) -> np.ndarray:
        """What an analysis says, unless it is NaN somewhere: then nothing can be judged by it."""
        if np.isnan(found).any():
            code = function.__code__
            where = f"{code.co_filename}, line {code.co_firstlineno}"
            raise DefinitionError(
                f"the {what} of operation '{self.name}' is NaN: a fault of the suite's own, in {where}"
            )
        return found

    def inherits(self, source: str) -> Callable[[Inherited], Inherited]:
        """Register what a gradient inherits from the numbers that its formula starts with, such as the rounded result.

        Of a formula like y (1 - y) the roundings of its own steps are not all: y may be off by as much as its budget
        allows. Terms that cancel in a formula, and not in the definition's slopes, belong here too.

        Args:
            source: the derivation in words, for readers of a report.

        Returns:
            A decorator of a function of the name of the argument that is differentiated by, the rounded exact result,
            what each of its elements may be off by (float64, absolute), the cotangent (float64, of the result's shape),
            and the arguments (float64 arrays, parameters). It returns what an element of the gradient may be off by,
            absolute, of the argument's shape or of the one that it is broadcast to.
        """

        def register(function: Inherited) -> Inherited:
            self._inherited, self.inherited_source = function, source
            return function

        return register

    def inherited(
        self, wrt: str, result: Rounded, error: np.ndarray, cotangent: np.ndarray, **arguments: Any
    ) -> np.ndarray:
        """What the registered function says, float64; 0 where there is none."""
        if self._inherited is None:
            return np.zeros(())
        with np.errstate(all="ignore"):
            found = np.asarray(self._inherited(wrt, result, error, cotangent, **arguments), dtype=np.float64)
        return self._numbers(found, "inherited error", self._inherited)


_REGISTRY: dict[str, Operation] = {}


def operation(
    *,
    document: str,
    moves: bool = False,
    result_dtype: DTypeRule = same_dtype,
    backward: Backward | None = None,
) -> Callable[[Callable[..., Any]], Operation]:
    """Make an operation of its exact definition, and register it under the definition's name.

    Its family is the file or the folder of this package that it stands in.
    """

    def make(definition: Callable[..., Any]) -> Operation:
        hints = get_type_hints(definition, include_extras=True)
        signature = inspect.signature(definition)
        parameters = {
            name: Parameter(name, hints[name], p.default, p.kind is inspect.Parameter.KEYWORD_ONLY)
            for name, p in signature.parameters.items()
        }
        made = Operation(
            definition.__name__.rstrip("_"),
            document,
            _family(definition.__module__),
            definition,
            moves,
            result_dtype,
            parameters,
            signature,
        )
        made.backward = backward or Backward()
        if moves:
            made.budget_source = "the operation only moves elements: every bit is determined"
        if made.name in _REGISTRY:
            raise ValueError(f"operation '{made.name}' is defined twice")
        _REGISTRY[made.name] = made
        return made

    return make


def _family(module: str) -> str:
    """Of a module of this package, the first name below it: 'conformance.ops.arrays.stack' is in 'arrays'."""
    package, name = __package__.split("."), module.split(".")
    return name[len(package)] if name[: len(package)] == package and len(name) > len(package) else "others"


def registry() -> Mapping[str, Operation]:
    """All operations by name (`conformance.ops` imports the modules that define them)."""
    return _REGISTRY


__all__ = ["Array", "Arrays", "Balls", "Data", "Operation", "Parameter", "operation", "registry"]
