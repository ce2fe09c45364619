"""Programs run on one backend, whose compiled functions are kept for a while."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from conformance.backends.base import Backend
from conformance.backends.spelling import Function, Unsupported
from conformance.backends.state import Watch, of_calls
from conformance.execution.outcome import Outcome, Raised
from conformance.execution.program import Probed, Program, Step, probed, runner
from conformance.ground import dtypes
from conformance.ground.layouts import copied, overwrite
from conformance.truth.gradient import default_cotangent

_MOST_COMPILED = 256
"""Compiled functions that are kept: enough for the cases that share them, and no more, so that memory is bounded."""


class Executor:
    """Runs programs on one backend. Compiled functions are kept for a while, for programs that run the same steps.

    Attributes:
        watch: what looks at the state of the process around every call.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._compiled: dict[tuple[str, str, str], Function] = {}
        self._flushes: dict[tuple[str, str], bool] = {}
        self.watch = Watch(of_calls(backend.own_variables), backend.state, backend.restore)

    def run(
        self, program: Program, inputs: Sequence[np.ndarray], mode: str, idiom: str = "", aliasing: bool = False
    ) -> Outcome:
        """Run a program in a mode and keep the result of every step. What the framework raises becomes an outcome.

        Args:
            program: what to run.
            inputs: its inputs.
            mode: of the backend.
            idiom: the spelling of its operations, where they have one of that name; empty for the primary ones.
            aliasing: also find out whether the result shares the memory of the first input, and whether it outlives
                the next call.
        """
        outcome = Outcome(flushes=partial(self._flushed, mode))
        calling = False
        key = (mode, idiom, program.key)
        before = [array.tobytes() for array in inputs]
        try:
            if key not in self._compiled:
                self._import_needs(program, idiom)
            with self.watch, self._backend.scope(mode), self._backend.placing():
                natives = [self._backend.from_numpy(copied(array) if aliasing else array) for array in inputs]
                self._locate(outcome, "the input", program.inputs, natives)
                outcome.received = [self._backend.to_numpy(native) for native in natives]
                outcome.narrowed = {
                    name: (given.dtype.name, received.dtype.name)
                    for name, given, received in zip(program.inputs, inputs, outcome.received, strict=True)
                    if given.dtype != received.dtype
                }
                function = self._function(key, program)
                calling = True
                results = function(*natives)
                self._backend.synchronise(results)
                calling = False
                operations = [step.operation for step in program.steps]
                self._locate(outcome, "the result of", operations, _all_of(results, program))
                outcome.received += [_judgeable(self._backend.to_numpy(result)) for result in results]
                outcome.overwritten = self._written_to(program, inputs, before, natives)
                if aliasing:
                    outcome.received = [array.copy() for array in outcome.received]
                    outcome.reused = self._reuses(function, inputs, results[-1])
                    outcome.aliases = self._aliases(natives[0], results[-1])
        except Unsupported as reason:
            outcome.unsupported = str(reason)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, or a framework's own
            outcome.raised = _raised(error, calling)
        self._unwrite(outcome, program, inputs, before)
        outcome.changes = self.watch.changes
        return outcome

    def _import_needs(self, program: Program, idiom: str) -> None:
        """Import what spellings need, which may change what is watched; what is wrong is said where they are called."""
        with contextlib.suppress(Exception):
            self._functions(program, idiom)
        self.watch.settle()

    def _locate(self, outcome: Outcome, what: str, names: Iterable[str], arrays: Sequence[Any]) -> None:
        """Note the arrays that do not live on the backend's device.

        Raises:
            TypeError: one is no array of the framework.
        """
        device, device_of = self._backend.device, self._backend.device_of
        for name, array in zip(names, arrays, strict=True):
            try:
                where = device_of(array)
            except TypeError as error:
                raise TypeError(f"{what} {name}: {error}") from None
            if where != device:
                outcome.elsewhere[f"{what} {name}"] = where

    def _written_to(
        self, program: Program, inputs: Sequence[np.ndarray], before: Sequence[bytes], natives: Sequence[Any]
    ) -> list[str]:
        """The inputs that the framework holds otherwise than they were handed over."""
        found = []
        for name, given, bits, native in zip(program.inputs, inputs, before, natives, strict=True):
            now = self._backend.to_numpy(native)
            if now.dtype == given.dtype and now.tobytes() != bits:
                found.append(name)
        return found

    def _unwrite(
        self, outcome: Outcome, program: Program, inputs: Sequence[np.ndarray], before: Sequence[bytes]
    ) -> None:
        """Put back inputs that were written to where they were handed over: other modes and backends get the same."""
        for name, given, bits in zip(program.inputs, inputs, before, strict=True):
            if given.tobytes() != bits:
                overwrite(given, bits)
                if name not in outcome.overwritten:
                    outcome.overwritten.append(name)

    def _reuses(self, function: Function, inputs: Sequence[np.ndarray], result: Any) -> bool:
        """Whether another call, of zeros laid out alike, shows in the result of an earlier one.

        Compilers that keep one buffer for all results of a function do that.
        """
        before = self._backend.to_numpy(result).tobytes()
        zeros = [copied(array) for array in inputs]
        for array in zeros:
            if array.flags.writeable:
                array[...] = 0
        try:
            self._backend.synchronise(function(*map(self._backend.from_numpy, zeros)))
        except Exception:  # zeros need not be among what it takes
            return False
        return self._backend.to_numpy(result).tobytes() != before

    def _aliases(self, given: Any, result: Any) -> bool:
        """Whether a write to an array shows in another one."""
        seen = []
        for value in (0, 1):
            if not self._backend.fill(given, value):
                return False
            seen.append(self._backend.to_numpy(result).tobytes())
        return seen[0] != seen[1]

    def gradient(self, program: Program, inputs: Sequence[np.ndarray], mode: str, idiom: str = "") -> Outcome:
        """Like `run`, and take the gradients of the result with respect to each floating input that has one.

        Of a program of several steps, also those with respect to the floating results between them.
        """
        outcome = self.run(program, inputs, mode, idiom)
        if type(self._backend).gradient is Backend.gradient and not outcome.unsupported:  # whatever became of the value
            outcome.raised, outcome.unsupported = None, f"{self._backend.name} has no gradients"
        if outcome.raised or outcome.unsupported:
            return outcome
        result, first = outcome.received[-1], len(program.inputs)
        wrt = differentiated(program, inputs)
        cotangent = default_cotangent(result.shape)
        outcome.cotangents = {len(outcome.received) - 1: cotangent}
        between = list(enumerate(outcome.received))[first:-1]
        floating = [number for number, value in between if dtypes.of(value).kind == "floating"]
        probing = probed(program, floating)
        before = [array.tobytes() for array in inputs]
        try:
            with self.watch, self._backend.scope(mode), self._backend.placing():
                function = self._function((mode, idiom, probing.program.key), probing.program)
                natives = [self._backend.from_numpy(array) for array in inputs]
                nothing = [np.full_like(outcome.received[number], -0.0) for number in floating]
                probes = [self._backend.from_numpy(array) for array in nothing]
                weights = self._backend.from_numpy(cotangent.astype(result.dtype))
                own = list(dict.fromkeys(index for _, index in wrt))  # an input given twice has one gradient
                numbers = own + [first + place for place in range(len(probes))]
                results, found = self._backend.recorded(function, [*natives, *probes], numbers, weights)
                names = [program.inputs[index] for index in own] + [f"step {n - first + 1}" for n in floating]
                self._locate(outcome, "the gradient for", names, found)
                came = [_judgeable(self._backend.to_numpy(gradient)) for gradient in found]
                of_inputs = dict(zip(own, came, strict=False))
                outcome.gradients = {name: of_inputs[index] for name, index in wrt}
                outcome.cotangents |= dict(zip(floating, came[len(own) :], strict=True))
                if results:
                    self._record(outcome, probing, results)
                written = self._written_to(program, inputs, before, natives)
                outcome.overwritten += [name for name in written if name not in outcome.overwritten]
        except Unsupported as reason:
            outcome.unsupported = str(reason)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, or a framework's own
            outcome.raised = _raised(error)
        self._unwrite(outcome, program, inputs, before)
        outcome.changes = [*outcome.changes, *self.watch.changes]
        return outcome

    def _record(self, outcome: Outcome, probing: Probed, results: Sequence[Any]) -> None:
        """Note the results that came while gradients were recorded."""
        every = [_judgeable(self._backend.to_numpy(one)) for one in _all_of(results, probing.program)]
        first = len(outcome.received) - len(probing.places)
        outcome.recorded = [*outcome.received[:first], *(every[place] for place in probing.places)]
        outcome.kept = {number: every[probing.own[number - first]] for number in probing.probes}

    def computes(self) -> bool:
        """Whether an array still comes back as it was handed over.

        After some errors it does not: an assertion within a CUDA kernel fails every later call of the process.
        """
        given = np.array([1, -2], dtype=np.float32)
        try:
            with self.watch, self._backend.scope(self._backend.modes[0]):
                native = self._backend.from_numpy(given.copy())
                self._backend.synchronise(native)
                return self._backend.to_numpy(native).tobytes() == given.tobytes()
        except (Exception, SystemExit):
            return False

    def _flushed(self, mode: str, dtype: str) -> bool:
        """Whether subnormal results of a dtype are flushed in a mode; tried once, and not where that can't be."""
        if (mode, dtype) not in self._flushes:
            try:
                with self.watch:
                    self._flushes[mode, dtype] = self._backend.flushes_subnormals(mode, dtype)
            except Exception:  # a dtype that it does not have, a broken adapter: nothing is excused
                self._flushes[mode, dtype] = False
        return self._flushes[mode, dtype]

    def release(self) -> None:
        """Let go of every compiled function."""
        self._compiled.clear()
        self._backend.release()

    def _function(self, key: tuple[str, str, str], program: Program) -> Function:
        mode, idiom, _ = key
        function = self._compiled.pop(key, None)
        if function is None:
            steps = tuple(native_step(self._backend, step) for step in program.steps)
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
        functions = {step.operation: idioms.spelling(step.operation, idiom).ready() for step in program.steps}
        for step in program.steps:
            _refuse_signature(step.operation, functions[step.operation], tuple(name for name, _ in step.arguments))
        return functions


def native_step(backend: Backend, step: Step) -> Step:
    """A step with dtype names replaced by the framework's dtypes, and lists of axes by tuples."""

    def native(name: str, value: Any) -> Any:
        if name == "axis" and isinstance(value, list):
            return tuple(value)
        return backend.dtype(value) if name == "dtype" and value is not None else value

    return Step(step.operation, tuple((n, native(n, v)) for n, v in step.arguments), step.text)


def differentiated(program: Program, inputs: Sequence[np.ndarray]) -> list[tuple[str, int]]:
    """What the gradients of a call are taken by, of what is floating: names, and the inputs' numbers."""
    return [(name, index) for name, index in program.differentiable if dtypes.of(inputs[index]).kind == "floating"]


@cache
def _refuse_signature(operation: str, function: Function, names: tuple[str, ...]) -> None:
    """Refuse a spelling that can't be called with these arguments: that is no refusal of the framework's.

    Raises:
        TypeError: it can't.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function written in C that does not say
        return
    try:
        signature.bind(**dict.fromkeys(names))
    except TypeError:
        raise TypeError(
            f"the idiom of {operation} takes {signature}, and can't be called with {', '.join(names)}"
        ) from None


def _all_of(results: Any, program: Program) -> Sequence[Any]:
    """The results, if there is one of each step."""
    if not isinstance(results, (tuple, list)) or len(results) != len(program.steps):
        found = f"{len(results)} results" if isinstance(results, (tuple, list)) else f"a {type(results).__name__}"
        raise TypeError(f"a tuple of {len(program.steps)} results was due of the compiled function, and {found} came")
    return results


def _judgeable(array: Any) -> np.ndarray:
    if type(array) is not np.ndarray or not dtypes.known(array.dtype):
        found = array.dtype if type(array) is np.ndarray else type(array).__name__
        raise TypeError(f"the result is a {found}, which is no dtype of this suite")
    return array


def _raised(error: BaseException, refused: bool = True) -> Raised:
    message = " ".join(str(error).split())
    return Raised(type(error).__name__, message if len(message) <= 400 else message[:400] + "…", refused)
