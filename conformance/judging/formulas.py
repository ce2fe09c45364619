"""A formula in place of an operation: each step is judged on what it received, and what they lose together is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program
from conformance.ground import dtypes
from conformance.judging.answers import chain
from conformance.truth import balls

_MOST_TRACED = 4096
"""Elements of a result up to which the step that lost its digits is looked for: once a step, a whole evaluation."""


@dataclass(frozen=True, slots=True)
class Written:
    """A variant whose operation is written as a formula.

    Attributes:
        variant: with the formula in place of the call, and nothing expected (`conformance.casefile.formulas`).
        program: its steps.
    """

    variant: Variant
    program: Program


def as_one_step(program: Program, outcome: Outcome) -> Outcome:
    """What came of a formula, as if the operation had given it: inputs and result alone.

    Args:
        program: of the operation.
        outcome: of the formula's program.
    """
    inputs = len(program.inputs)
    received = outcome.received[:inputs] + outcome.received[-1:] if len(outcome.received) > inputs else outcome.received
    weights = {inputs: outcome.cotangents[max(outcome.cotangents)]} if outcome.cotangents else {}
    return replace(outcome, received=received, recorded=[], kept={}, cotangents=weights)


def loss(program: Program, outcome: Outcome, check: str) -> str:
    """Which step of a formula, each of which is right, makes its result another than is due: in words.

    The step after which the exact rest of the formula leads furthest from where it led before it.

    Args:
        program: of the formula.
        outcome: what came, results included.
        check: of the variant.
    """
    inputs = len(program.inputs)
    results = outcome.received[inputs:]
    if all(map(dtypes.all_finite, outcome.received[:inputs])):
        for number, result in enumerate(results):
            if not dtypes.all_finite(result):
                return _told(program, number, "is no finite number")
    if check == "gradient":
        return "each step of the way back conforms, and what they round is lost to the gradient"
    furthest = _furthest(program, outcome.received)
    if furthest is None:
        return "each step conforms, and what they round is lost to the result"
    return _told(program, furthest, "rounds" if np.asarray(results[furthest]).any() else "is 0")


def _told(program: Program, number: int, what: str) -> str:
    return f"each step conforms; where step {number + 1}, {program.steps[number].operation}, {what}, digits are lost"


def _furthest(program: Program, received: list[np.ndarray]) -> int | None:
    """The number of the step whose rounding moves the result furthest; None where that can't be told."""
    inputs = len(program.inputs)
    if received[-1].size > _MOST_TRACED or not all(map(dtypes.all_finite, received)):
        return None
    balls.working_precision(balls.AMPLE_PRECISION)
    given = [balls.exact(array) for array in received]
    try:
        before, moved = _rest(program, given[:inputs]), []
        for number in range(len(program.steps)):
            after = _rest(program, given[: inputs + number + 1])
            moved.append(max((float(abs(a - b).mid()) for a, b in zip(after, before, strict=True)), default=0.0))
            before = after
    except (ArithmeticError, ValueError, TypeError, IndexError):  # a step's definition says nothing here
        return None
    return int(np.argmax(moved)) if moved and np.all(np.isfinite(moved)) and max(moved) > 0 else None


def _rest(program: Program, given: list[Any]) -> list[Any]:
    """The elements of the result that exact arithmetic makes of inputs and of the results of the first steps."""
    done = len(given) - len(program.inputs)
    last = chain(Program((), program.steps[done:], (), ()), given)[-1]
    return [balls.value_of(element) for element in np.asarray(last).ravel().tolist()]
