"""Whether the output of a timed call conforms: the project's own judge, on every element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from conformance.casefile.inputs import materialise
from conformance.casefile.variants import Variant
from conformance.execution.executor import differentiated
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program, compile_variant
from conformance.ground import dtypes
from conformance.judging.judge import Judge
from conformance.ops import OPERATIONS
from conformance.timing.plan import Job
from conformance.timing.tiles import extremes, repeated
from conformance.truth.gradient import default_cotangent
from conformance.words.wording import describe


class Truth:
    """What a job's outputs are judged against.

    Args:
        job: the cell.
        judge: keeps exact answers, which the modes and sizes of a call share.

    Attributes:
        program: of the call.
        block: the small inputs, by name.
    """

    def __init__(self, job: Job, judge: Judge) -> None:
        self._job = job
        self._judge = judge
        self.program: Program = compile_variant(job.value)
        self.block: dict[str, np.ndarray] = dict(materialise(job.value))
        self._step = self.program.steps[-1]
        self._operation = OPERATIONS[self._step.operation]

    def inputs(self) -> list[np.ndarray]:
        """The job's inputs in their full size."""
        return [repeated(array, self._job.times) for array in self.block.values()]

    @property
    def wrt(self) -> list[tuple[str, int]]:
        """The arguments that the gradient is taken by: their names, and the inputs' numbers."""
        return differentiated(self.program, list(self.block.values()))

    @property
    def small_shape(self) -> tuple[int, ...]:
        """The shape of the small inputs' result."""
        return self._small_answer().shape

    def _small_answer(self) -> np.ndarray:
        self._judge.answers.of_case(self._job.value.case.id)
        answer = self._judge.answers.of_step(self._step, list(self.block.values())).array
        assert answer is not None  # every call that is timed has an exact answer
        return answer

    @property
    def computes(self) -> bool:
        """Whether the operation does more than move elements."""
        return not self._operation.moves

    def cotangent(self) -> np.ndarray:
        """The weights of the outputs in the scalar whose gradient is taken, float64.

        Of a mean over everything it is the number of repetitions: each element's gradient is then the small array's.
        """
        if not self.small_shape:
            return np.array(float(self._job.times))
        return repeated(default_cotangent(self.small_shape), self._job.times)

    def how(self) -> str:
        """How outputs are judged, in words."""
        if self._operation.moves and self._job.direction == "forward":
            return "every bit of the output, which is determined"
        every = "every element of the output" if self._job.direction == "forward" else "every element of the gradients"
        if self._job.times == 1:
            return f"{every}, against its exact answer"
        size = next(iter(self.block.values())).size
        return f"{every}, against exact answers of {size:,} elements that repeat {self._job.times:,} times"

    def problem(self, outputs: Sequence[np.ndarray]) -> str:
        """Why outputs don't conform; empty where they do.

        Args:
            outputs: the result; for 'forward+backward' the gradients after it, in the order of `wrt`.
        """
        result, *gradients = outputs
        wrong = self._value_problem(result)
        if wrong or self._job.direction == "forward":
            return wrong
        return self._gradient_problem(gradients)

    def _value_problem(self, got: np.ndarray) -> str:
        if self._operation.moves:
            due = np.asarray(self._operation.exact(**self._step.bind(self.inputs())))
            if dtypes.same_bits(due, got):
                return ""
            return f"value: expected {describe(due)}, of which every bit is determined, got {describe(got)}"
        try:
            parts = extremes(got, self.small_shape, self._job.times)
        except ValueError as error:
            return f"shape: {error}"
        given = list(self.block.values())
        for part in parts:
            reason = self._verdict(self._job.value, Outcome(received=[*given, part]))
            if reason and not (self._job.times > 1 and not self.small_shape and self._within_full_budget(part)):
                return reason
        return ""

    def _within_full_budget(self, got: np.ndarray) -> bool:
        """Whether a result over all repetitions is within what is allowed for so many terms.

        The budget of the small array, which is tried first, is never more than that: it grows with their number.
        """
        answer = self._judge.answers.of_step(self._step, list(self.block.values()))
        if answer.values is None or got.dtype != answer.values.value.dtype or not dtypes.all_finite(got):
            return False
        wide = [array.astype(np.float64) for array in self.inputs()]
        allowed = self._operation.allowed(answer.values, **self._step.bind(wide))
        return bool((answer.values.distance(got) <= allowed).all())

    def _gradient_problem(self, got: Sequence[np.ndarray]) -> str:
        assert self._job.gradient is not None  # without one, nothing is timed
        given = list(self.block.values())
        value = self._small_answer()
        names = [name for name, _ in self.wrt]
        if len(got) != len(names):
            return f"gradient: expected {len(names)} gradients, got {len(got)}"
        parts: dict[str, list[np.ndarray]] = {}
        for (name, index), gradient in zip(self.wrt, got, strict=True):
            try:
                parts[name] = extremes(gradient, given[index].shape, self._job.times)
            except ValueError as error:
                return f"gradient: with respect to {name}: {error}"
        weights = default_cotangent(self.small_shape) if self.small_shape else np.ones(())
        for which in (0, -1):
            chosen: Mapping[str, np.ndarray] = {name: found[which] for name, found in parts.items()}
            outcome = Outcome(received=[*given, value], gradients=dict(chosen), cotangents={len(given): weights})
            reason = self._verdict(self._job.gradient, outcome)
            if reason:
                return reason
        return ""

    def _verdict(self, variant: Variant, outcome: Outcome) -> str:
        judgement = self._judge.judge(variant, self.program, outcome)
        return "" if judgement.verdict == "passed" else judgement.reason
