"""The exact answers: of one step on the inputs it received, and of a whole program on exact or printed inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flint import arb

from conformance.execution.program import Program, Ref, Step
from conformance.ground import dtypes
from conformance.ground.dtypes import DType
from conformance.judging.constants import mapped_arrays, with_constants_as_arrays
from conformance.judging.slopes import GradientAnswer, Use, gradient_at
from conformance.ops import OPERATIONS, Operation
from conformance.ops.base import Labels, arrays_in
from conformance.truth import balls, gradient
from conformance.truth.balls import Balls, UndecidedError, UndefinedError
from conformance.truth.gradient import default_cotangent
from conformance.truth.rounding import Rounded, from_array
from conformance.truth.settling import settle
from conformance.truth.whole import whole_numbers, wrapped


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step must give.

    Attributes:
        shape: of the result; None where the definition itself refuses these arguments.
        dtype: of the result; None where the document's semantics leave it open.
        values: the correctly rounded values of a computed floating result, with their residuals.
        bits: the result itself where every bit is determined (operations that only move elements, integer results).
        budget: ULP allowed to each element of `values`.
        why_not: why neither `values` nor `bits` is there.
        special: where a result is what the operation's convention says, since arithmetic defines none (a NaN among
            the inputs, say); None where nowhere. `values` holds it there.
        convention: that convention, in words.
        signed: where a true zero among `values` has a sign that is due; None where nowhere.
    """

    shape: tuple[int, ...] | None
    dtype: DType | None
    values: Rounded | None = None
    bits: np.ndarray | None = None
    budget: np.ndarray | None = None
    why_not: str = ""
    special: np.ndarray | None = None
    convention: str = ""
    signed: np.ndarray | None = None

    @property
    def array(self) -> np.ndarray | None:
        """The right result, rounded."""
        return self.values.value if self.values is not None else self.bits


class Answers:
    """Works out answers, and remembers those of the current case: its modes mostly receive the same inputs."""

    def __init__(self) -> None:
        self._steps: dict[Any, Answer] = {}
        self._gradients: dict[Any, GradientAnswer] = {}
        self._case = ""

    def of_case(self, case_id: str) -> None:
        """Forget what belongs to other cases, so that memory grows with one case and not with a run."""
        if case_id != self._case:
            self._case = case_id
            self._steps.clear()
            self._gradients.clear()

    def of_step(self, step: Step, received: Sequence[np.ndarray], dtype: DType | None = None) -> Answer:
        """The answer of a step.

        Args:
            step: the call.
            received: every value so far, as arrays; the step's references count into it.
            dtype: round to this dtype, not to the one that is due.
        """
        arguments = step.bind(received)
        key = (step.text, step.wraps, dtype, tuple(_fingerprint(a) for a in arguments.values()))
        if key not in self._steps:
            self._steps[key] = _answer(OPERATIONS[step.operation], arguments, dtype, step.wraps)
        return self._steps[key]

    def of_gradient(
        self, program: Program, received: Sequence[np.ndarray], index: int, cotangents: Mapping[int, np.ndarray]
    ) -> GradientAnswer:
        """The gradient with respect to one value, by the steps that take it, remembered like the answers of steps.

        Args:
            program: the call.
            received: every value of it, the inputs first, as arrays.
            index: the number of the value, which is floating.
            cotangents: of the results of steps, by their numbers, as they came from the steps after them; those of
                which there is none add nothing.

        Raises:
            UndefinedError, UndecidedError: the gradient is not defined here (a kink, say).
        """
        uses = [
            (step, cotangents[number])
            for number, step in enumerate(program.steps, len(program.inputs))
            if number in cotangents and index in step.values
        ]
        given = [tuple(_fingerprint(a) for a in step.bind(received).values()) for step, _ in uses]
        key = (index, tuple((step.text, _fingerprint(c)) for step, c in uses), tuple(given))
        if key not in self._gradients:
            self._gradients[key] = gradient_at(index, received, [self._use(*use, received) for use in uses])
        return self._gradients[key]

    def _use(self, step: Step, cotangent: np.ndarray, received: Sequence[np.ndarray]) -> Use:
        answer = self.of_step(step, received)
        if answer.values is None or answer.budget is None:
            return Use(step, cotangent)
        return Use(step, cotangent, answer.values, answer.budget * answer.values.ulp())

    def of_gradients(self, program: Program, inputs: Sequence[np.ndarray], wrt: Sequence[int]) -> list[GradientAnswer]:
        """The gradients with respect to some inputs, each step taking the correctly rounded ones of those after it.

        The result's elements have the weights of `default_cotangent`.

        Raises:
            UndefinedError, UndecidedError: they are not defined here.
        """
        answers = self.of_program(program, inputs)
        results = [answer.array for answer in answers if answer.array is not None]
        if len(results) < len(program.steps):
            raise UndefinedError(answers[-1].why_not or "no result")
        values, first = [*inputs, *results], len(inputs)
        cotangents = {len(values) - 1: default_cotangent(results[-1].shape)}
        for number in reversed(range(first, len(values) - 1)):
            if dtypes.of(values[number]).kind == "floating":
                cotangents[number] = self.of_gradient(program, values, number, cotangents).values.value
        return [self.of_gradient(program, values, index, cotangents) for index in wrt]

    def of_program(self, program: Program, inputs: Sequence[np.ndarray]) -> list[Answer]:
        """The answer of every step on the correctly rounded results of the steps before it.

        The list ends early where a step has no answer.
        """
        values, answers = list(inputs), []
        for step in program.steps:
            answers.append(self.of_step(step, values))
            if answers[-1].array is None:
                break
            values.append(answers[-1].array)
        return answers


def _fingerprint(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.dtype, argument.shape, argument.tobytes()
    if isinstance(argument, list) and argument and isinstance(argument[0], np.ndarray):
        return tuple(_fingerprint(item) for item in argument)
    return None  # plain values are part of the step


def _answer(operation: Operation, arguments: dict[str, Any], dtype: DType | None, wraps: bool = False) -> Answer:
    due = operation.result_dtype(**arguments)
    arguments = with_constants_as_arrays(operation, arguments, dtype or due)
    if operation.moves:
        try:
            result = np.asarray(operation.exact(**arguments))
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            return Answer(None, due, why_not=f"the definition refuses these arguments: {error}")
        if dtype is not None:
            result = result.astype(dtype.numpy)
        return Answer(result.shape, dtype or due, bits=result)
    shape, problem = _shape(operation, arguments)
    if problem:
        return Answer(shape, due, why_not=problem)
    target = dtype or due
    if target is None:
        return Answer(shape, None, why_not="the dtype of the result is not defined for these inputs")
    if any(dtypes.of(array).kind == "complex" for array in arrays_in(arguments.values())):
        return Answer(shape, due, why_not="exact arithmetic here is that of real numbers")
    if not all(map(dtypes.all_finite, arrays_in(arguments.values()))):
        why = "arithmetic defines no result for infinite or NaN inputs"
        return _conventional(operation, arguments, Answer(shape, due, why_not=why), target)
    if target.kind != "floating":
        return _whole_answer(operation, arguments, target, wraps)
    try:
        values = settle(lambda: balls.as_balls(operation.exact(**mapped_arrays(arguments, balls.exact))), target)
    except UndefinedError as error:
        undefined = Answer(shape, due, why_not=f"the definition has {error}")
        return _conventional(operation, arguments, undefined, target)
    except UndecidedError as error:
        return Answer(shape, due, why_not=f"the exact result can't be told: {error}")
    wide = mapped_arrays(arguments, lambda a: a.astype(np.float64))
    allowed, signed = operation.allowed(values, **wide), None
    true_zeros = (values.units == 0) & (values.residual == 0)
    if operation.zero_sign is not None and true_zeros.any():
        with np.errstate(all="ignore"):
            negative = np.signbit(operation.zero_sign(*(wide[name] for name in operation.parameters)))
        signed = true_zeros
        wide_value = np.where(true_zeros & negative, -0.0, values.value.astype(np.float64))
        values = replace(values, value=wide_value.astype(target.numpy))
    return Answer(values.value.shape, target, values, budget=allowed, signed=signed)


def _conventional(operation: Operation, arguments: dict[str, Any], undefined: Answer, target: DType) -> Answer:
    """The answer where inputs are infinite or NaN, or lie outside the definition's domain.

    The operation's convention names the results that follow from such inputs; all others are those of the definition
    with finite stand-ins in their place. Where there is no such convention, the answer stays `undefined`.
    """
    if operation.convention is None or target.kind != "floating":
        return undefined
    wide = mapped_arrays(arguments, lambda a: a.astype(np.float64))
    with np.errstate(all="ignore"):
        stand_ins, special, values = operation.convention(**wide)
    # In float64, which reaches further than most dtypes; integers that nothing stands in for stay as they are.
    finite = {
        name: stand_ins[name] if name in stand_ins and not np.array_equal(stand_ins[name], wide[name]) else value
        for name, value in arguments.items()
    }
    if not special.any() and all(map(dtypes.all_finite, arrays_in(arguments.values()))):
        return undefined
    if special.all() and not all(array.size for array in arrays_in(arguments.values())):  # nothing is left to define
        zeros = np.zeros(np.broadcast_shapes(special.shape, undefined.shape or ()))
        answer = Answer(zeros.shape, target, from_array(zeros.astype(target.numpy)), budget=zeros + 0.5)
    elif all(map(dtypes.all_finite, arrays_in(finite.values()))):
        answer = _answer(operation, finite, target)
    else:
        return undefined
    if answer.values is None:
        return replace(undefined, why_not=answer.why_not)
    special = np.broadcast_to(special, answer.values.value.shape)
    with np.errstate(over="ignore"):
        shown = np.where(special, values, answer.values.value.astype(np.float64)).astype(target.numpy)
    return Answer(
        answer.shape,
        target,
        replace(answer.values, value=shown),
        budget=answer.budget,
        special=special,
        convention=operation.convention_source,
        signed=answer.signed,
    )


def _whole_answer(operation: Operation, arguments: dict[str, Any], target: DType, wraps: bool) -> Answer:
    """The result of a computing operation in an integer dtype: exact; none where that is no integer, or too large.

    With `wraps`, what is too large is taken modulo two to the dtype's width.
    """
    exact = mapped_arrays(arguments, balls.exact)
    shape, numbers = whole_numbers(lambda: operation.exact(**exact))
    if numbers is None:
        return Answer(shape, target, why_not="the exact result is no integer")
    bits = wrapped(numbers, target)
    if not wraps and bits.tolist() != numbers:
        return Answer(shape, target, why_not=f"the exact result does not fit {target.name}")
    return Answer(shape, target, bits=bits.reshape(shape))


def _shape(operation: Operation, arguments: dict[str, Any]) -> tuple[tuple[int, ...] | None, str]:
    """The result's shape, and why the definition refuses the arguments, if it does."""
    first = next(iter(arguments.values()))
    for name, parameter in operation.parameters.items():
        if parameter.kind == Labels and arguments[name].shape != first.shape:
            shapes = f"{first.shape} and {arguments[name].shape}"
            return None, f"prediction and {name} must have one shape; they have {shapes}"
    key = (operation.name, *((n, _shapes(v)) for n, v in arguments.items()))
    if key not in _KNOWN_SHAPES:
        if len(_KNOWN_SHAPES) > _MOST_KNOWN_SHAPES:
            _KNOWN_SHAPES.clear()
        _KNOWN_SHAPES[key] = _shape_of_ones(operation, arguments)
    return _KNOWN_SHAPES[key]


_MOST_KNOWN_SHAPES = 4096
_KNOWN_SHAPES: dict[Any, tuple[tuple[int, ...] | None, str]] = {}


def _shapes(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.shape
    if isinstance(argument, list):
        return tuple(map(_shapes, argument))
    return repr(argument)


def _shape_of_ones(operation: Operation, arguments: dict[str, Any]) -> tuple[tuple[int, ...] | None, str]:
    """The shape that a run of the definition on ones gives: it depends on nothing but shapes and parameters."""
    try:
        ones = mapped_arrays(arguments, lambda a: np.broadcast_to(np.array(arb(1), dtype=object), a.shape))
        return np.asarray(operation.exact(**ones)).shape, ""
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        return None, f"the definition refuses these arguments: {error}"


def chain(program: Program, inputs: Sequence[Balls]) -> list[Balls]:
    """Every value of a program in exact arithmetic, at the current working precision: inputs, then steps.

    With balls of a radius as inputs (printed numbers), every result holds all that the inputs could have given.
    """
    values: list[Any] = list(inputs)
    for step in program.steps:
        arguments = step.bind(values)
        result = OPERATIONS[step.operation].exact(**arguments)
        values.append(balls.as_balls(result))
    return values


def end_to_end_gradient(program: Program, inputs: Sequence[np.ndarray], index: int, cotangent: np.ndarray) -> Rounded:
    """The exact gradient of ``sum(cotangent * result)`` with respect to an input, with no rounding on the way.

    Raises:
        UndefinedError, UndecidedError: there is none.
    """

    def differentiate() -> Balls:
        given = [balls.exact(array) for array in inputs]
        given[index] = gradient.trace(given[index])
        output = chain(program, given)[-1]
        gradient.backward(output, balls.exact(np.broadcast_to(cotangent, output.shape)))
        return gradient.slopes(given[index])[0]

    return settle(differentiate, dtypes.of(inputs[index]), informational=True)


def end_to_end(program: Program, inputs: Sequence[np.ndarray], dtype: DType) -> Rounded:
    """The exact result of a whole call from its own inputs, with no rounding between its steps.

    Raises:
        UndefinedError, UndecidedError: there is none.
    """
    last: Ref = program.results[0]
    return settle(lambda: chain(program, [balls.exact(a) for a in inputs])[last.index], dtype, informational=True)
