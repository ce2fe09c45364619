"""A cell on its way to its times: called, judged, checked to be done when it returns, and then timed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from conformance.backends.base import Backend
from conformance.execution.executor import native_step
from conformance.ground import dtypes
from conformance.judging.judge import Judge
from conformance.timing import copying
from conformance.timing.conformity import Truth
from conformance.timing.loop import Effort, Loop, call_text, direct
from conformance.timing.model import Cell
from conformance.timing.plan import Job
from conformance.timing.readiness import unfinished

_ARRAYS_AT_ONCE = 3
"""A call with its result, its gradients and what lies between takes so many times its own arrays, at most."""

_LARGE = 2**22
"""Bytes of a cell before which the collector lets go of what earlier ones left in cycles: it takes some 30 ms."""


class Withheld(Exception):  # noqa: N818 - not an error: a cell without times, and the reason
    """No times can be shown, for this reason."""


class Rounds(Protocol):
    """Takes the times of rounds: pytest-benchmark, or a stand-in."""

    def __call__(self, run: Callable[[], Any], effort: Effort) -> None:
        """Call `run`, which makes all calls of a round, once a round, and note how long it took."""


class Timed:
    """A cell on its way to its times.

    Attributes:
        facts: of the cell, as far as they are known.
        stage: what is being done, for an error that comes up.
    """

    def __init__(self, job: Job, judge: Judge) -> None:
        self._job = job
        self._truth = Truth(job, judge)
        self._forward = job.direction == "forward"
        self.stage = "making the inputs"
        self.facts: dict[str, Any] = {}

    def cell(self) -> Cell:
        """The cell's facts."""
        job = self._job
        return Cell(
            id=job.id,
            operation=job.operation,
            mode=job.mode,
            dtype=job.dtype,
            shape=job.shape,
            direction=job.direction,
            call=" ".join((job.value.case.case.call or "").split()),
            bytes=self._bytes(),
            **self.facts,
        )

    def _bytes(self) -> int:
        """What must at least be read and written: each array once.

        A reshaped array shows the same memory; a list in Python is no array.
        """
        if self._job.operation in ("reshape", "asarray"):
            return 0
        size, times = dtypes.DTYPES[self._job.dtype].numpy.itemsize, self._job.times
        inputs = [array.size * times for array in self._truth.block.values()]
        small = self._truth.small_shape
        result = int(np.prod(small)) * times if small else 1
        if self._job.operation == "stack":
            result = sum(inputs)
        gradients = [] if self._forward else [*(inputs[index] for _, index in self._truth.wrt), result]
        return size * (sum(inputs) + result + sum(gradients))  # backward reads the outputs' weights as well

    def run(self, backend: Backend, rounds: Rounds) -> None:
        """Call, judge, check and time.

        Raises:
            Withheld: no times can be shown.
        """
        job = self._job
        if not self._forward and not (job.gradient and self._truth.wrt):
            raise Withheld("no gradient of it is defined here: there would be nothing to judge it by")
        if job.operation not in backend.idioms:
            raise Withheld(f"{backend.name} has no idiom for it")
        _check_memory(self._bytes())
        given = self._truth.inputs()
        natives = [backend.from_numpy(array) for array in given]
        for array, native in zip(given, natives, strict=True):
            received = backend.to_numpy(native).dtype
            if received != array.dtype:
                raise Withheld(f"the backend narrows its input from {array.dtype.name} to {received.name} in this mode")
        loop = self._prepare(backend, natives)
        self.stage = "the first call"
        self.facts["first_seconds"] = loop.run(1)
        self._check_place(backend, [*natives, *self._parts(loop.result)], "an input or a result")
        first = self._outputs(backend, loop.result)
        self._judged(first, "the first call's output")
        self.stage = "a later call"
        seconds = self._second_call(loop)
        self._check_done(backend, loop, seconds)
        effort = loop.effort(seconds)
        before = copying.reference()
        self.stage = "a timed call"
        rounds(lambda: loop.run(effort.iterations), effort)
        self.facts["reference"] = (before, copying.reference())
        last = self._outputs(backend, loop.result)
        if not all(map(dtypes.same_bits, first, last)):
            self._judged(last, "the last timed call's output")
        self.stage = "reading the inputs back"
        for name, array, native in zip(self._truth.block, given, natives, strict=True):
            if not dtypes.same_bits(backend.to_numpy(native), array):
                raise Withheld(f"the calls wrote to their input {name}")
        self.facts["judged"] = f"{self._truth.how()}; of the first call and of the last one timed"

    def _prepare(self, backend: Backend, natives: Sequence[Any]) -> Loop:
        """The loop, in a state as fresh as a process can have: nothing of what other cells compiled is kept."""
        job, step = self._job, self._truth.program.steps[-1]
        plain = job.mode in (backend.modes[0], *backend.gpu_modes)  # which compile nothing
        backend.release()
        if self._bytes() >= _LARGE:
            gc.collect()
        self.stage = "preparing the call"
        arrays = {f"a{i}": native for i, native in enumerate(natives)}
        if self._forward and plain:
            text, constants = call_text(native_step(backend, step))
            names = {"call": backend.idioms.spelling(step.operation).ready(), **constants, **arrays}
            return Loop(text, names, backend.waiter())
        function = direct(backend, step, len(natives))
        if self._forward:
            call = backend.compile(function, job.mode)
            return Loop(f"call({', '.join(arrays)})", {"call": call, **arrays}, backend.waiter())
        weights = self._truth.cotangent().astype(dtypes.DTYPES[job.dtype].numpy)
        cotangent, wrt = backend.from_numpy(weights), [index for _, index in self._truth.wrt]
        return Loop(
            "call()", {"call": backend.training_step(function, job.mode, natives, wrt, cotangent)}, backend.waiter()
        )

    def _outputs(self, backend: Backend, result: Any) -> list[np.ndarray]:
        return [backend.to_numpy(part) for part in self._parts(result)]

    def _parts(self, result: Any) -> Sequence[Any]:
        """The result, and the gradients after it."""
        return [result] if self._forward else list(result)

    def _check_place(self, backend: Backend, arrays: Sequence[Any], what: str) -> None:
        """What is timed was computed on the device that the timing is about."""
        for array in arrays:
            place = backend.device_of(array)
            if place != backend.device:
                raise Withheld(f"{what} lives on {place}, and {backend.device} is to be timed")

    def _judged(self, outputs: Sequence[np.ndarray], which: str) -> None:
        stage, self.stage = self.stage, "judging"
        problem = self._truth.problem(outputs)
        if problem:
            raise Withheld(f"{which} does not conform: {problem}")
        self.stage = stage

    def _second_call(self, loop: Loop) -> float:
        """Seconds of a second call, whose result must be another array than the first one's.

        A result that is handed out again was not computed again. (To move elements, an operation need do nothing.)
        """
        first = loop.result
        seconds = loop.run(1)
        again = loop.result is first if self._forward else loop.result[0] is first[0]
        if again and self._truth.computes:
            raise Withheld("the second call handed out the first one's result: nothing was computed")
        return seconds

    def _check_done(self, backend: Backend, loop: Loop, seconds: float) -> None:
        """The call has ended when it returns."""

        def call() -> Any:
            loop.run(1)
            return loop.result

        hidden = unfinished(call, lambda result: self._outputs(backend, result), seconds)
        if hidden:
            raise Withheld(
                f"the call returns before its work is done: its result can be read only {hidden * 1e3:.3g} ms later, "
                f"and the backend's synchronise does not wait for it"
            )


def _check_memory(moved: int) -> None:
    """Refuse a cell that would exhaust the machine's memory, which would end the process and all its timings."""
    needed = _ARRAYS_AT_ONCE * moved
    with suppress(OSError, ValueError), open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
                if needed > free:
                    raise Withheld(f"it takes some {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free")
