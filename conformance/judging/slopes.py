"""The exact gradient with respect to a value of a program, and what it may be off by."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.execution.program import Ref, Refs, Step
from conformance.ground import dtypes
from conformance.judging.constants import mapped_arrays, with_constants_as_arrays
from conformance.ops import OPERATIONS
from conformance.ops.base import arrays_in
from conformance.ops.bounds import half_significand, summation_growth
from conformance.truth import balls, gradient, settling
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded
from conformance.truth.settling import settle


@dataclass(frozen=True, slots=True)
class GradientAnswer:
    """The exact gradient with respect to one value.

    Attributes:
        values: correctly rounded, with residuals.
        budget: ULP that each element may be off by.
        reach: the same as error analysis has it, also where fewer than half of a value's significant bits would be
            right: there terms of the backward formula cancel, and roundings that were allowed before leave less.
        unbounded: where the gradient is not finite, since a weight that came from a later step is not: nothing but an
            infinity, a NaN or a zero may come there. None where nowhere.
    """

    values: Rounded
    budget: np.ndarray
    reach: np.ndarray
    unbounded: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A step that takes the value which is differentiated by.

    Attributes:
        step: the step.
        cotangent: the weights of its result's elements, as they came from the steps after it.
        result: its rounded exact result; None where it has none.
        error: what each element of that may be off by, absolute, float64.
    """

    step: Step
    cotangent: np.ndarray
    result: Rounded | None = None
    error: np.ndarray = field(default_factory=lambda: np.zeros(()))


def gradient_at(index: int, received: Sequence[np.ndarray], uses: Sequence[Use]) -> GradientAnswer:
    """The exact gradient of ``sum(cotangent * result)``, added up over the steps that use a value, with respect to it.

    The budget is a running error bound: every product of slopes along a path from the value to a result may be off
    by what the operation's backward formulas take (`Operation.backward`), and by the summation of the terms that meet
    in one element, so the bound follows the sum of the paths' magnitudes, however much they cancel. To that comes what
    the formulas inherit (`Operation.inherits`).

    Args:
        index: the value's number.
        received: every value as it was received, the inputs first.
        uses: the steps that take the value, with the weights of their results.

    Raises:
        UndefinedError, UndecidedError: the gradient is not defined here (a kink, say).
    """
    value = received[index]
    dtype = dtypes.of(value)
    found: list[tuple[Balls, np.ndarray, float]] = []

    def differentiate() -> Balls:
        found[:] = [_backward(index, received, use) for use in uses]
        return balls.as_balls(functools.reduce(operator.add, [slopes for slopes, _, _ in found]))

    values = settle(differentiate, dtype)
    bound = np.zeros(value.shape)
    with np.errstate(all="ignore"):  # magnitudes past float64 are infinite, and what is off by them is not bounded
        for use, (_, spread, met) in zip(uses, found, strict=True):
            steps = OPERATIONS[use.step.operation].backward.steps(values)
            steps += summation_growth(math.ceil(met) + len(uses) - 1)
            bound = bound + spread * steps * dtype.unit_roundoff + _inherited(index, received, use)
        allowed = bound / values.ulp() + 0.5
    budget = np.minimum(allowed, half_significand(values))
    return GradientAnswer(values, budget, allowed, _unbounded(index, received, uses))


def _arguments(received: Sequence[np.ndarray], step: Step) -> dict[str, Any]:
    operation = OPERATIONS[step.operation]
    arguments = step.bind(received)
    return with_constants_as_arrays(operation, arguments, operation.result_dtype(**arguments))


def _traced(index: int, received: Sequence[np.ndarray], step: Step) -> tuple[Balls, Balls]:
    """The value as traced elements, the same in each place that holds it, and the step's result on them."""
    arguments = _arguments(received, step)
    prepared = mapped_arrays(arguments, balls.exact)
    traced = gradient.trace(balls.exact(received[index]))
    for name, argument in step.arguments:
        if argument == Ref(index):
            prepared[name] = traced
        elif isinstance(argument, Refs):
            prepared[name] = [
                traced if number == index else array
                for number, array in zip(argument.indices, prepared[name], strict=True)
            ]
    return traced, balls.as_balls(OPERATIONS[step.operation].exact(**prepared))


def _backward(index: int, received: Sequence[np.ndarray], use: Use) -> tuple[Balls, np.ndarray, float]:
    """The slopes with respect to the value, the sums of their paths' magnitudes, and how many terms meet in one."""
    traced, output = _traced(index, received, use.step)
    cotangent = np.broadcast_to(use.cotangent, output.shape)
    gradient.backward(output, balls.exact(np.where(dtypes.finite(cotangent), cotangent, 0)))
    slopes, spreads = gradient.slopes(traced)
    arguments = _arguments(received, use.step)
    # A number that was broadcast meets a term of each of its copies.
    copies = max(1.0, _largest(use.step, arguments) / max(traced.size, 1))
    times = sum(len(_places(index, argument)) for _, argument in use.step.arguments)
    met = OPERATIONS[use.step.operation].backward.summed(**arguments) * copies * times
    return slopes, settling.midpoints_and_radii(spreads)[0], met


def _places(index: int, argument: Any) -> list[int]:
    """Where an argument holds the value."""
    numbers = argument.indices if isinstance(argument, Refs) else [argument.index] if isinstance(argument, Ref) else []
    return [place for place, number in enumerate(numbers) if number == index]


def _largest(step: Step, arguments: Mapping[str, Any]) -> int:
    """The size of what the arrays among the arguments broadcast to; 0 where they are in a list of their own."""
    if any(isinstance(argument, Refs) for _, argument in step.arguments):
        return 0
    shapes = [array.shape for array in arrays_in(arguments.values())]
    return math.prod(np.broadcast_shapes(*shapes)) if shapes else 1


def _inherited(index: int, received: Sequence[np.ndarray], use: Use) -> np.ndarray:
    """What the backward formulas inherit, absolute, of the value's shape: added up where the value was broadcast."""
    operation = OPERATIONS[use.step.operation]
    total = np.zeros(received[index].shape)
    if use.result is None or operation.moves:
        return total
    wide = mapped_arrays(_arguments(received, use.step), lambda array: array.astype(np.float64))
    cotangent = np.where(dtypes.finite(use.cotangent), use.cotangent, 0).astype(np.float64)
    for name, argument in use.step.arguments:
        if argument == Ref(index):
            error = operation.inherited(name, use.result, use.error, cotangent, **wide)
            total = total + summed_to(error, total.shape)
    return total


def summed_to(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What broadcasting takes back: the sums over the copies of each element of a shape."""
    array = np.broadcast_to(array, np.broadcast_shapes(array.shape, shape))
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1 and array.shape[axis] != 1)
    return np.asarray(array.sum(axis=stretched, keepdims=True))


def _unbounded(index: int, received: Sequence[np.ndarray], uses: Sequence[Use]) -> np.ndarray | None:
    """Which elements come from a weight that is not finite."""
    found = np.zeros(received[index].shape, dtype=bool)
    for use in uses:
        if not dtypes.all_finite(use.cotangent):
            traced, output = _traced(index, received, use.step)
            found |= gradient.reached(output, ~dtypes.finite(np.broadcast_to(use.cotangent, output.shape)), traced)
    return found if found.any() else None
