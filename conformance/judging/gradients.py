"""The gradients of an outcome, and what came while they were recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET

from conformance.casefile.variants import Variant
from conformance.execution.executor import differentiated
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program
from conformance.ground import dtypes
from conformance.judging.answers import Answers, end_to_end_gradient
from conformance.judging.elements import Elements
from conformance.judging.findings import Finding
from conformance.judging.slopes import GradientAnswer
from conformance.judging.stated import stated_elements
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.words.wording import count, describe, first, format_number, place, ulps


class Gradients:
    """The gradients of an outcome: of each step with respect to each value, on the weights that it really received."""

    def __init__(
        self,
        variant: Variant,
        program: Program,
        outcome: Outcome,
        answers: Answers,
        elements: Elements,
        add: Callable[..., None],
        of_formula: bool = False,
    ) -> None:
        self._variant = variant
        self._program = program
        self._outcome = outcome
        self._answers = answers
        self._elements = elements
        self._add = add
        self._of_formula = of_formula
        self._values: Sequence[np.ndarray] = outcome.recorded or outcome.received

    def check(self, findings: Sequence[Finding]) -> None:
        """Add what is wrong to the findings; nothing, where the result itself has another shape than is due."""
        outcome = self._outcome
        if any(finding.channel == "shape" for finding in findings):
            return  # a gradient of another result, with other weights: not one that an exact answer is due for
        if not outcome.gradients:
            self._add("gradient", "a floating input to differentiate by", "none")
            return
        if self._variant.case.expect.values is not UNSET:
            name, got = next(iter(outcome.gradients.items()))
            given = outcome.received[dict(self._program.differentiable)[name]]
            if got.dtype != given.dtype:
                self._add("gradient", dtypes.of(given).name, dtypes.of(got).name, f"with respect to {name}")
            stated_elements(self._variant, self._elements, got, self._add)
            return
        self._recorded()
        undefined: list[str] = []
        for name, index, got in self._came():
            try:
                due = self._answers.of_gradient(self._program, self._values, index, outcome.cotangents)
            except (UndecidedError, UndefinedError) as reason:
                if str(reason) not in undefined and not self._of_formula:
                    undefined.append(str(reason))
                    self._add("gradient", "a stated result", "something the definition does not say", str(reason))
                continue
            self._gradient(name, due, got)

    def _came(self) -> Iterator[tuple[str, int, np.ndarray]]:
        """Every gradient that came: what it is by, the number of that value, and the gradient; the last steps first."""
        first_step, last = len(self._program.inputs), len(self._outcome.received) - 1
        for number in sorted(self._outcome.cotangents, reverse=True):
            if number != last:
                step = number - first_step
                yield (
                    f"step {step + 1}, {self._program.steps[step].operation}",
                    number,
                    self._outcome.cotangents[number],
                )
        numbers = dict(differentiated(self._program, self._outcome.received))
        for name, got in self._outcome.gradients.items():
            yield name, numbers[name], got

    def _gradient(self, name: str, due: GradientAnswer, got: np.ndarray) -> None:
        exact, by = due.values, f"with respect to {name}"
        if got.dtype != exact.value.dtype or got.shape != exact.value.shape:
            self._add("gradient", describe(exact.value), describe(got), by)
            return
        error = exact.distance(got)
        if due.unbounded is not None:
            tame = due.unbounded & dtypes.finite(got) & (got != 0)
            if tame.any():
                at, detail = (
                    first(tame),
                    f"{by}, behind weights that are not finite; {count(tame)} of {got.size} elements",
                )
                self._add("gradient", "NaN or an infinity", format_number(got[at]), f"{detail}; {place(at)}")
            error = np.where(due.unbounded, 0.0, error)
        self._elements.measure(error, due.budget, 0, exact, due.unbounded, wrt=name)
        wrong = ~(error <= due.budget)
        lost = wrong & ~dtypes.finite(got)
        if self._of_formula and not all(map(dtypes.all_finite, self._values)):
            wrong, lost = wrong & ~lost, np.zeros_like(lost)  # 0 times a result that overflowed
        cancelled = wrong & ~lost & (error <= due.reach)
        # Apart, since a registered divergence may be about either, and what cancelled is no failure.
        for which in (lost, wrong & ~lost & ~cancelled, cancelled):
            if which.any():
                self._wrong(by, due, error, which, got, which is cancelled)

    def _wrong(
        self, by: str, due: GradientAnswer, error: np.ndarray, wrong: np.ndarray, got: np.ndarray, cancelled: bool
    ) -> None:
        """Note the wrong elements of a gradient, all of one kind."""
        at = first(wrong)
        allowed = f"{ulps(due.budget[at])} allowed" + (f", {ulps(due.reach[at])} explained" if cancelled else "")
        detail = f"{by}; {ulps(error[at])} away, {allowed}; {count(wrong)} of {got.size} elements; {place(at)}"
        finite = bool(np.isfinite(float(got[at])))
        self._add(
            "gradient",
            format_number(due.values.value[at]),
            format_number(got[at]),
            detail,
            flushed=self._elements.flushed(wrong, got, due.values.subnormal()),
            non_finite=0 if finite else int(wrong.sum()),
            zeros=int((wrong & (got == 0) & (due.values.units != 0)).sum()),
            ulp=float(error[wrong].max()) if finite else None,
            cancelled=cancelled,
        )

    def _recorded(self) -> None:
        """What came while gradients were recorded, where it is not what came without: that is no worse than this.

        A result that does not conform without is a matter of the value's own variants.
        """
        inputs = len(self._program.inputs)
        for number in range(inputs, len(self._outcome.recorded)):
            step, plain = self._program.steps[number - inputs], self._outcome.received[number]
            got = self._outcome.kept.get(number, self._outcome.recorded[number])
            if dtypes.same_bits(plain, got):
                continue
            where = f"while gradients are recorded; step {number - inputs + 1}, {step.operation}"
            if plain.dtype != got.dtype:
                self._add("dtype", dtypes.of(plain).name, dtypes.of(got).name, where)
            elif plain.shape != got.shape:
                self._add("shape", str(list(plain.shape)), str(list(got.shape)), where)
            elif not self._findings(number, plain, self._outcome.received, where):
                for finding, named in self._findings(number, got, self._values, where):
                    self._add(*finding, **named)

    def _findings(
        self, number: int, got: np.ndarray, received: Sequence[np.ndarray], where: str
    ) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """What is wrong with the elements of one result, as `add` takes it."""
        found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

        def note(*finding: Any, **named: Any) -> None:
            found.append((finding, named))

        step = self._program.steps[number - len(self._program.inputs)]
        due = self._answers.of_step(step, received, dtypes.of(got) if dtypes.of(got).kind == "floating" else None)
        elements = Elements(self._variant, self._program, self._outcome, note)
        if due.array is None or due.array.shape != got.shape:
            return found
        if due.values is not None:
            elements.computed(number - len(self._program.inputs), due, got, where)
        elif due.bits is not None:
            elements.bits(due.bits, got, where)
        return found

    def end_to_end(self) -> float | None:
        """The largest error of a gradient against exact arithmetic all through; None of one step, or with no answer."""
        if len(self._program.steps) < 2 or not all(map(dtypes.all_finite, self._outcome.received)):
            return None
        inputs = self._outcome.received[: len(self._program.inputs)]
        cotangent, errors = self._outcome.cotangents[len(self._outcome.received) - 1], [0.0]
        for name, index in differentiated(self._program, inputs):
            got = self._outcome.gradients.get(name)
            try:
                exact = end_to_end_gradient(self._program, inputs, index, cotangent)
            except (ArithmeticError, ValueError, TypeError, IndexError):  # undefined, or refused by a step's definition
                return None
            if got is None or got.shape != exact.value.shape or got.dtype != exact.value.dtype:
                return None
            errors.append(float(np.max(exact.distance(got), initial=0.0)))
        return max(errors)
