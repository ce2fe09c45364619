"""One outcome, looked at in every channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import UNSET

from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program
from conformance.ground import dtypes
from conformance.judging.accuracy import Profile
from conformance.judging.answers import Answer, Answers, end_to_end
from conformance.judging.claims import Claim
from conformance.judging.elements import Elements
from conformance.judging.findings import Channel, Finding, Measured
from conformance.judging.gradients import Gradients
from conformance.judging.prints import Print
from conformance.judging.stated import stated_elements
from conformance.ops.base import arrays_in
from conformance.words.wording import describe


class Examination:
    """One outcome, looked at in every channel.

    Args:
        variant: what was run.
        program: its steps.
        outcome: what came of it.
        answers: the exact answers of the case.
        of_formula: whether the steps are those of a formula, written for an operation. Where the definition says
            nothing (which dtype, what of complex numbers, a gradient at infinity), no case can have stated it.
    """

    def __init__(
        self, variant: Variant, program: Program, outcome: Outcome, answers: Answers, of_formula: bool = False
    ) -> None:
        self._variant = variant
        self._program = program
        self._outcome = outcome
        self._answers = answers
        self._expect = variant.case.expect
        self._of_formula = of_formula
        self.findings: list[Finding] = []
        self.answer: Answer | None = None
        self.end_to_end: float | None = None
        self._elements = Elements(variant, program, outcome, self._add, of_formula)

    def run(self) -> None:
        """Look at every channel that this variant has."""
        outcome = self._outcome
        self.look_at_manners()
        if outcome.raised is not None:
            if not (self._expect.raises and outcome.raised.refused):
                wanted = "a refusal of the call" if self._expect.raises else "a result"
                self._add("status", wanted, f"{outcome.raised.type}: {outcome.raised.message}")
            return
        if self._expect.raises:
            result = outcome.received[-1]
            self._add("status", "an error", f"a result: {describe(result)}")
            self._where_an_error_is_due()
            return
        for name, (given, received) in outcome.narrowed.items():
            self._add("dtype", f"the input {name} as {given}", received, "the backend narrows it before anything runs")
        budgets: list[np.ndarray | None] = []
        inputs = len(self._program.inputs)
        for number, step in enumerate(self._program.steps):
            got = outcome.received[inputs + number]
            due = self._answers.of_step(step, outcome.received)
            last = number == len(self._program.steps) - 1 and not self._program.relations
            budgets.append(self._step(number, due, got, last))
        if self._program.relations:
            Claim(self._variant, self._program, outcome, budgets, self._add).check()
        elif self._variant.check == "gradient":
            gradients = Gradients(
                self._variant, self._program, outcome, self._answers, self._elements, self._add, self._of_formula
            )
            gradients.check(self.findings)
            self.end_to_end = gradients.end_to_end()
        else:
            if self._expect.prints is not None:
                Print(
                    self._variant, self._program, outcome, self._expect.prints, self.answer, self.findings, self._add
                ).check()
            self._aliasing()
            if len(self._program.steps) > 1:
                self._measure_end_to_end(outcome.received[-1])

    @property
    def measured(self) -> Measured | None:
        """Of the element that is nearest its budget; None where nothing was measured."""
        return self._elements.measured

    @property
    def profile(self) -> Profile | None:
        """The errors by exponent, of a case whose accuracy is drawn."""
        return self._elements.profile

    def look_at_manners(self) -> None:
        """What the call did beside its result: what it left changed, what it wrote to, and where it ran."""
        for change in self._outcome.changes:
            self._add("state", change.expected, change.got)
        for what, where in self._outcome.elsewhere.items():
            self._add("device", f"{what} on the device asked for", where)
        for name in self._outcome.overwritten:
            self._add("aliasing", f"the input {name} as it was given", "another: the call wrote to it")
        if self._outcome.reused:
            self._add("aliasing", "a result that stays as it is", "another: the next call wrote to its memory")

    def _aliasing(self) -> None:
        due, came = self._expect.aliases, self._outcome.aliases
        if due is not None and due != came:
            words = {True: "a view: what is written to the input shows", False: "a copy", None: "nothing that tells"}
            self._add("aliasing", words[due], words[came])

    def _add(self, channel: Channel, expected: str, got: str, detail: str = "", **more: Any) -> None:
        self.findings.append(Finding(channel, expected, got, detail, **more))

    def _where_an_error_is_due(self) -> None:
        """Results that should not be there, against what the definition says all the same.

        A registered divergence allows a result in place of an error, and not any result. Where the definition itself
        refuses these arguments, it says nothing. Of dtypes there is no right one: errors are counted in the dtype that
        came, or in that of the inputs where it is narrower.
        """
        inputs = len(self._program.inputs)
        for number, step in enumerate(self._program.steps):
            got = self._outcome.received[inputs + number]
            given = arrays_in(step.bind(self._outcome.received).values())
            floating = [dtype for dtype in map(dtypes.of, [got, *given]) if dtype.kind == "floating"]
            counted = min(floating, key=lambda dtype: dtype.precision, default=None)
            due = self._answers.of_step(step, self._outcome.received, counted)
            where = f"step {number + 1}, {step.operation}" if len(self._program.steps) > 1 else ""
            if due.array is None:
                continue
            if got.shape != due.array.shape:
                self._add("shape", str(list(due.array.shape)), str(list(got.shape)), where)
            elif due.values is not None:
                self._elements.computed(number, due, got, where)
            elif due.bits is not None:
                self._elements.bits(due.bits, got, where)

    def _step(self, number: int, due: Answer, got: np.ndarray, last: bool) -> np.ndarray | None:
        """Judge the result of one step; returns the absolute error it was allowed, by element."""
        expect = self._expect
        found = dtypes.of(got)
        stated = last and expect.values is not UNSET and self._variant.check == "value"
        expected_dtype = expect.dtype if last and expect.dtype else (due.dtype.name if due.dtype else None)
        where = f"step {number + 1}, {self._program.steps[number].operation}" if len(self._program.steps) > 1 else ""
        if expected_dtype is None and not self._of_formula:
            self._add(
                "dtype", "a dtype stated by the case (expect.dtype): these inputs leave it open", found.name, where
            )
        elif expected_dtype is not None and found.name != expected_dtype:
            self._add("dtype", expected_dtype, found.name, where)
        expected_shape = tuple(expect.shape) if last and expect.shape is not None else due.shape
        if expected_shape is None and not stated:
            self._add("shape", "an error or a stated result", str(list(got.shape)), due.why_not)
            return None
        if expected_shape is not None and got.shape != expected_shape:
            self._add("shape", str(list(expected_shape)), str(list(got.shape)), where)
            return None
        if stated:
            self.answer = stated_elements(self._variant, self._elements, got, self._add)
            return None
        if found.kind == "complex" and due.bits is None:
            if expected_dtype == found.name and not self._of_formula:
                self._add("value", "values stated by the case (expect.values)", describe(got), "complex numbers")
            return None  # another dtype was noted already
        stated_integer = found.kind == "integer" and expected_dtype == (None if self._of_formula else found.name)
        if found != due.dtype and (found.kind == "floating" or stated_integer):
            due = self._answers.of_step(self._program.steps[number], self._outcome.received, found)
        if last:
            self.answer = due
        if self._variant.check == "gradient":
            return None  # the value's elements are judged by the value's own variants
        if due.values is not None:
            self._elements.computed(number, due, got, where)
            return None if due.budget is None else due.budget * due.values.ulp()
        if due.bits is not None:
            self._elements.bits(due.bits, got, where)
            return np.zeros(got.shape)
        self._add("value", "values stated by the case (expect.values)", describe(got), due.why_not)
        return None

    def _measure_end_to_end(self, got: np.ndarray) -> None:
        found = dtypes.of(got)
        inputs = self._outcome.received[: len(self._program.inputs)]
        if found.kind != "floating" or not all(map(dtypes.all_finite, inputs)):
            return
        try:
            exact = end_to_end(self._program, inputs, found)
        except (ArithmeticError, ValueError, TypeError, IndexError):  # undefined, or refused by a step's definition
            return
        if exact.units.shape == got.shape:
            self.end_to_end = float(np.max(exact.distance(got), initial=0.0))
