"""The exact gradients of a step, and what they may be off by."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.execution.program import Step
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
    """The exact gradient with respect to one input, and what it may be off by."""

    values: Rounded
    budget: np.ndarray


def gradients(
    step: Step, received: Sequence[np.ndarray], wrt: Sequence[str], cotangent: np.ndarray
) -> list[GradientAnswer]:
    """Exact gradients of ``sum(cotangent * step)`` with respect to the arguments named in `wrt`.

    The budget is a running error bound: every product of slopes along a path from an input to the result may be off
    by what the operation's backward formulas take (`Operation.backward`), and by the summation of the terms that meet
    in one element, so the bound follows the sum of the paths' magnitudes, however much they cancel. Backward
    formulas that start from the rounded result, such as y (1 - y), inherit one rounding of it, times the cotangent;
    that is added where there is a function in them and the result has the input's shape.

    Raises:
        UndefinedError, UndecidedError: the gradient is not defined here (a kink, say).
    """
    operation = OPERATIONS[step.operation]
    arguments = step.bind(received)
    arguments = with_constants_as_arrays(operation, arguments, operation.result_dtype(**arguments))
    given = dict(step.arguments)
    spread = inherited = np.zeros(())
    met = 1.0

    def differentiate(name: str) -> Balls:
        nonlocal spread, inherited, met
        prepared = mapped_arrays(arguments, balls.exact)
        traced = gradient.trace(prepared[name])
        # An input that is given twice, as in x * x, has a slope along each of its places.
        same = [one for one, reference in given.items() if reference == given[name]]
        prepared |= dict.fromkeys(same, traced)
        output = balls.as_balls(operation.exact(**prepared))
        gradient.backward(output, balls.exact(np.broadcast_to(cotangent, output.shape)))
        slopes, spreads = gradient.slopes(traced)
        spread = settling.midpoints_and_radii(spreads)[0]
        result = settling.midpoints_and_radii(output)[0]
        # A number that was broadcast meets a term of each of its copies.
        copies = max(1.0, _largest_shape(arguments) / max(traced.size, 1))
        met = operation.backward.summed(**arguments) * copies * len(same)
        # A subnormal result is rounded as coarsely as the smallest normal one.
        rounded = np.maximum(np.abs(result), 2.0 ** dtypes.of(arguments[name]).min_exponent)
        inherits = operation.backward.functions > 0 and output.shape == traced.shape
        inherited = np.abs(cotangent) * rounded if inherits else np.zeros(())
        return slopes

    answers = []
    for name in wrt:
        dtype = dtypes.of(arguments[name])
        values = settle(functools.partial(differentiate, name), dtype)
        terms = operation.backward.steps(values) + summation_growth(math.ceil(met))
        allowed = (terms * spread + inherited) * dtype.unit_roundoff / values.ulp() + 0.5
        answers.append(GradientAnswer(values, np.minimum(allowed, half_significand(values))))
    return answers


def _largest_shape(arguments: Mapping[str, Any]) -> int:
    """The size of what the arrays among the arguments broadcast to."""
    shapes = [array.shape for array in arrays_in(arguments.values())]
    return math.prod(np.broadcast_shapes(*shapes)) if shapes else 1
