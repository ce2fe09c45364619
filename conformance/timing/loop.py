"""A call that is repeated as bare as `timeit` does it, its arguments and result kept in place."""

from __future__ import annotations

import gc
import itertools
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.backends.base import Backend
from conformance.backends.spelling import Function
from conformance.execution.executor import native_step
from conformance.execution.program import Ref, Refs, Step
from conformance.ops import OPERATIONS
from conformance.timing.statistics import FEWEST

ROUND_SECONDS = 1e-3
"""A round takes at least so long: its own start and the clock's reading are then below 0.3 % of it."""
CELL_SECONDS = 0.05
"""What all rounds of a cell are to take together, where one round takes less."""
_MOST_ROUNDS = 25


def call_text(step: Step) -> tuple[str, dict[str, Any]]:
    """A step as Python text, ``call(a0, axis=c0)``, and the values of its constants.

    Arrays are named by their number. Positional parameters stay positional, as a user would write them.
    """
    parameters = OPERATIONS[step.operation].parameters
    parts: list[str] = []
    constants: dict[str, Any] = {}
    for name, argument in step.arguments:
        if isinstance(argument, Ref):
            text = f"a{argument.index}"
        elif isinstance(argument, Refs):
            text = f"[{', '.join(f'a{index}' for index in argument.indices)}]"
        else:
            text = f"c{len(constants)}"
            constants[text] = argument
        parts.append(f"{name}={text}" if parameters[name].keyword_only else text)
    return f"call({', '.join(parts)})", constants


def direct(backend: Backend, step: Step, arrays: int) -> Function:
    """The primary idiom of a step as a function of its arrays alone, for compiling.

    Raises:
        KeyError: the backend has no idiom for it.
    """
    text, constants = call_text(native_step(backend, step))
    names = {"call": backend.idioms.spelling(step.operation).ready(), **constants}
    function: Function = eval(f"lambda {', '.join(f'a{i}' for i in range(arrays))}: {text}", names)
    return function


@dataclass(frozen=True, slots=True)
class Effort:
    """How often a call is repeated.

    Attributes:
        rounds: how many times are taken.
        iterations: calls a round.
    """

    rounds: int
    iterations: int


_LOOP = """
def loop(iterations):
    for _ in repeat(None, iterations):
        kept = {text}
    return kept
"""


class Loop:
    """Repeats a call. Each result is kept until the next one takes its place, and waited for where it must be.

    The loop is a function made for the call, like that of `timeit`: what surrounds the call is a local variable.

    Args:
        text: of the call: Python made by `call_text`, or ``call()``.
        names: what the names in it stand for.
        wait: waits for a result; None where a call returns only when its work is done.
    """

    def __init__(self, text: str, names: Mapping[str, Any], wait: Callable[[Any], Any] | None) -> None:
        known: dict[str, Any] = {"repeat": itertools.repeat, "wait": wait, **names}
        source = _LOOP.format(text=text if wait is None else f"{text}; wait(kept)")
        exec(source, known)
        self._loop: Callable[[int], Any] = known["loop"]
        self._kept: Any = None

    def run(self, iterations: int) -> float:
        """Call so many times; seconds for all of them. The collector of cycles stays out of it, as with `timeit`."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            start = time.perf_counter()
            self._kept = self._loop(iterations)
            return time.perf_counter() - start
        finally:
            if collecting:
                gc.enable()

    @property
    def result(self) -> Any:
        """Of the last call."""
        return self._kept

    def drop(self) -> None:
        """Let go of the result."""
        self._kept = None

    def effort(self, seconds: float) -> Effort:
        """Find out how often to call: more often where a call is short, and never less than 7 rounds.

        Args:
            seconds: of a call that was timed before; a short call is timed again, more often and thus better.
        """
        iterations = 1
        if seconds < ROUND_SECONDS:
            seconds = self.run(iterations)
            while seconds < ROUND_SECONDS / 4:
                iterations *= 2 if seconds > ROUND_SECONDS / 32 else 8
                seconds = self.run(iterations)
            seconds = statistics.median([seconds, self.run(iterations), self.run(iterations)]) / iterations
        iterations = max(1, math.ceil(ROUND_SECONDS / seconds))
        rounds = int(CELL_SECONDS / (seconds * iterations))
        return Effort(max(FEWEST + 1, min(rounds, _MOST_ROUNDS)), iterations)
