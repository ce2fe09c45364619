"""A variant on a backend: what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance import dtypes
from conformance.backends.base import Backend
from conformance.backends.spelling import Function, Unsupported
from conformance.layouts import copied
from conformance.ops import OPERATIONS
from conformance.program import Program, Ref, Step, runner
from conformance.truth.gradient import default_cotangent


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that came instead of a result.

    Attributes:
        type, message: of the error.
        refused: whether the call itself raised it; an input that can't be handed over, or a result that can't be
            read, is no refusal.
    """

    type: str
    message: str
    refused: bool = True


@dataclass(slots=True)
class Outcome:
    """What a backend made of a variant.

    Attributes:
        received: the inputs as the backend holds them (a backend may narrow them), then the result of each step.
        narrowed: the inputs that changed their dtype on the way into the backend: the dtypes before and after.
        raised: the error that came instead.
        unsupported: why the backend could not be asked.
        gradients: for a gradient variant, by argument name.
        cotangent: the weights of the outputs in the scalar whose gradient was taken.
        aliases: whether the result shares the memory of the first input, where that was asked.
        overwritten: the inputs that the call changed.
    """

    received: list[np.ndarray] = field(default_factory=list)
    narrowed: dict[str, tuple[str, str]] = field(default_factory=dict)
    raised: Raised | None = None
    unsupported: str = ""
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    cotangent: np.ndarray | None = None
    aliases: bool | None = None
    overwritten: list[str] = field(default_factory=list)


_MOST_COMPILED = 256
"""Compiled functions that are kept: enough for the cases that share them, and no more, so that memory is bounded."""


class Executor:
    """Runs programs on one backend. Compiled functions are kept for a while, for programs that run the same steps."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._compiled: dict[tuple[str, str, str], Function] = {}

    def run(
        self, program: Program, inputs: Sequence[np.ndarray], mode: str, idiom: str = "", aliasing: bool = False
    ) -> Outcome:
        """Run a program in a mode and keep the result of every step. What the framework raises becomes an outcome.

        Args:
            program: what to run.
            inputs: its inputs.
            mode: of the backend.
            idiom: the spelling of its operations, where they have one of that name; empty for the primary ones.
            aliasing: also find out whether the result shares the memory of the first input.
        """
        outcome = Outcome()
        calling = False
        with self._backend.scope(mode):
            try:
                natives = [self._backend.from_numpy(copied(array) if aliasing else array) for array in inputs]
                outcome.received = [self._backend.to_numpy(native) for native in natives]
                outcome.narrowed = {
                    name: (given.dtype.name, received.dtype.name)
                    for name, given, received in zip(program.inputs, inputs, outcome.received, strict=True)
                    if given.dtype != received.dtype
                }
                calling = True
                results = self._function(program, mode, idiom)(*natives)
                self._backend.synchronise(results)
                calling = False
                outcome.received += [_judgeable(self._backend.to_numpy(result)) for result in results]
                outcome.overwritten = [
                    name
                    for name, given, received in zip(program.inputs, inputs, outcome.received, strict=False)
                    if given.dtype == received.dtype and given.tobytes() != received.tobytes()
                ]
                if aliasing:
                    outcome.received = [array.copy() for array in outcome.received]
                    outcome.aliases = self._aliases(natives[0], results[-1])
            except Unsupported as reason:
                outcome.unsupported = str(reason)
            except Exception as error:
                outcome.raised = _raised(error, calling)
        return outcome

    def _aliases(self, given: Any, result: Any) -> bool:
        """Whether a write to an array shows in another one."""
        seen = []
        for value in (0, 1):
            if not self._backend.fill(given, value):
                return False
            seen.append(self._backend.to_numpy(result).tobytes())
        return seen[0] != seen[1]

    def gradient(self, program: Program, inputs: Sequence[np.ndarray], mode: str, idiom: str = "") -> Outcome:
        """Like `run`, and take the gradients of the result with respect to each floating input of the only step."""
        outcome = self.run(program, inputs, mode, idiom)
        if outcome.raised or outcome.unsupported:
            return outcome
        result = outcome.received[-1]
        wrt = differentiated(program, inputs)
        cotangent = default_cotangent(result.shape)
        outcome.cotangent = cotangent
        with self._backend.scope(mode):
            try:
                function = self._function(program, mode, idiom)
                natives = [self._backend.from_numpy(array) for array in inputs]
                weights = self._backend.from_numpy(cotangent.astype(result.dtype))
                found = self._backend.gradient(
                    lambda *arrays: function(*arrays)[-1], natives, [index for _, index in wrt], weights
                )
                outcome.gradients = {
                    name: _judgeable(self._backend.to_numpy(g)) for (name, _), g in zip(wrt, found, strict=True)
                }
            except Unsupported as reason:
                outcome.unsupported = str(reason)
            except Exception as error:
                outcome.raised = _raised(error)
        return outcome

    def release(self) -> None:
        """Let go of every compiled function."""
        self._compiled.clear()
        self._backend.release()

    def _function(self, program: Program, mode: str, idiom: str) -> Function:
        key = (mode, idiom, program.key)
        function = self._compiled.pop(key, None)
        if function is None:
            steps = tuple(self._native(step) for step in program.steps)
            plan = Program(program.inputs, steps, program.results, program.relations)
            function = self._backend.compile(runner(plan, self._functions(plan, idiom)), mode)
        self._compiled[key] = function  # the last used stands last
        if len(self._compiled) > _MOST_COMPILED:
            del self._compiled[next(iter(self._compiled))]
        return function

    def _functions(self, program: Program, idiom: str) -> dict[str, Function]:
        idioms = self._backend.idioms
        missing = sorted({step.operation for step in program.steps} - set(idioms))
        if missing:
            raise Unsupported(f"{self._backend.name} has no idiom for {', '.join(missing)}")
        return {step.operation: idioms.spelling(step.operation, idiom).ready() for step in program.steps}

    def _native(self, step: Step) -> Step:
        """The step with dtype names replaced by the framework's dtypes, and lists of axes by tuples."""

        def native(name: str, value: Any) -> Any:
            if name == "axis" and isinstance(value, list):
                return tuple(value)
            return self._backend.dtype(value) if name == "dtype" and value is not None else value

        return Step(step.operation, tuple((n, native(n, v)) for n, v in step.arguments), step.text)


def differentiated(program: Program, inputs: Sequence[np.ndarray]) -> list[tuple[str, int]]:
    """The arguments of a program's only step whose gradients are checked: their names, and the inputs' numbers."""
    (step,) = program.steps
    parameters = OPERATIONS[step.operation].parameters
    return [
        (name, argument.index)
        for name, argument in step.arguments
        if isinstance(argument, Ref)
        and dtypes.of(inputs[argument.index]).kind == "floating"
        and parameters[name].differentiable
    ]


def _judgeable(array: Any) -> np.ndarray:
    if not isinstance(array, np.ndarray) or not dtypes.known(array.dtype):
        found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"the result is a {found}, which is no dtype of this suite")
    return array


def _raised(error: Exception, refused: bool = True) -> Raised:
    message = " ".join(str(error).split())
    return Raised(type(error).__name__, message if len(message) <= 400 else message[:400] + "…", refused)
