"""The lines of a run file about a variant and about a result, from what is prepared, judged and exact."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from msgspec import UNSET

from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import names_in
from conformance.casefile.numbers import to_array
from conformance.casefile.variants import Variant
from conformance.execution.executor import differentiated
from conformance.execution.program import Program
from conformance.ground.dtypes import DTYPES
from conformance.judging.accuracy import curve
from conformance.judging.answers import Answers
from conformance.judging.findings import Finding, Measured
from conformance.ops import OPERATIONS
from conformance.runfile import LARGEST_STORED, FindingLine, Record, Stored, VariantLine, encoded
from conformance.runfile.picture import picture
from conformance.suite.attempts import Result
from conformance.suite.preparing import Prepared, Preparing
from conformance.suite.recording import expectation, made
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.truth.rounding import Rounded
from conformance.words.wording import exact_digits

_RESIDUALS_STORED = 8
_GRADIENT_BUDGET = "a running error bound over the paths from an input to the result, in the exact definition"


class Lines:
    """Says what a run file holds.

    Args:
        preparing: of the variants that it is about.
        answers: their exact answers.
    """

    def __init__(self, preparing: Preparing, answers: Answers) -> None:
        self._preparing = preparing
        self._answers = answers

    def record(self, result: Result) -> Record:
        """What a run file says of a result."""
        variant, judgement, outcome = result.variant, result.judgement, result.outcome
        measured = judgement.measured
        got = list(outcome.gradients.values()) if variant.check == "gradient" else outcome.received[-1:]
        steps = self._preparing.prepared(variant).program.steps
        return Record(
            variant.id,
            result.mode,
            judgement.verdict,
            judgement.reason,
            [_finding(finding) for finding in judgement.findings],
            [Stored.of(array) for array in got] if not (outcome.raised or outcome.unsupported) else [],
            f"{outcome.raised.type}: {outcome.raised.message}" if outcome.raised else "",
            _finite(measured.ulp) if measured else None,
            _finite(measured.budget) if measured else None,
            list(measured.index) if measured else [],
            f"{measured.step + 1}, {steps[measured.step].operation}" if measured and len(steps) > 1 else "",
            _finite(judgement.end_to_end),
            judgement.link,
            result.idiom,
            self._picture(variant, got) if variant.check == "value" else "",
            judgement.profile,
            _exact_text(measured),
            measured.exact[2] if measured and measured.exact else None,
            measured.wrt if measured else "",
        )

    def _picture(self, variant: Variant, got: list[np.ndarray]) -> str:
        """Where a result is off that is too large to be stored; reports draw the others by themselves."""
        if not got or got[0].size <= LARGEST_STORED:
            return ""
        exact, _ = self._exact(self._preparing.prepared(variant))
        return "" if exact is None else picture(exact, got[0])

    def variant(self, variant: Variant) -> VariantLine:
        """What a run file says of a variant."""
        prepared = self._preparing.prepared(variant)
        array, values = self._exact(prepared)
        return VariantLine(
            variant.id,
            variant.case.id,
            variant.dtype.name,
            {name: Stored.of(value) for name, value in prepared.inputs.items()},
            Stored.of(array) if array is not None else None,
            _finite_only(values.residual.ravel()[:_RESIDUALS_STORED].tolist()) if values is not None else [],
            expectation(variant),
            _budget_source(variant, prepared.program),
            variant.check,
            {n: encoded(v) for n, v in variant.bindings.items() if n in names_in(variant.case.expression)},
            self._truth(prepared),
            _curve(prepared, array),
            made(variant, prepared.inputs),
            variant.case.expect.aliases,
        )

    def _exact(self, prepared: Prepared) -> tuple[np.ndarray | None, Rounded | None]:
        """The answer that does not depend on what any backend received, and its residuals where it has them."""
        variant, program, inputs = prepared.variant, prepared.program, list(prepared.inputs.values())
        stated = variant.case.expect.values
        if stated is not UNSET:
            with suppress(Mistake):  # values that the dtype can't hold; the examination says so
                return to_array(stated, DTYPES[variant.case.expect.dtype or variant.dtype.name]), None
            return None, None
        answers = self._answers.of_program(program, inputs) if program.steps else []
        if len(answers) < len(program.steps) or not answers:
            return None, None
        if variant.check != "gradient" or answers[-1].array is None:
            return answers[-1].array, answers[-1].values
        wrt = [index for _, index in differentiated(program, inputs)][:1]
        with suppress(UndefinedError, UndecidedError):
            for exact in self._answers.of_gradients(program, inputs, wrt):
                return exact.values.value, exact.values
        return None, None

    def _truth(self, prepared: Prepared) -> str:
        """What a variant's answer rests on, in the words of `VariantLine`."""
        expect = prepared.variant.case.expect
        if expect.raises:
            return "refusal"
        if prepared.program.relations:
            return "claim"
        if expect.values is not UNSET:
            return "stated"
        if expect.prints is not None:
            return "document"
        answers = self._answers.of_program(prepared.program, list(prepared.inputs.values()))
        return "convention" if any(a.special is not None and a.special.any() for a in answers) else "arithmetic"


def _curve(prepared: Prepared, exact: np.ndarray | None) -> list[tuple[float, float]]:
    """Points of the exact curve, where the accuracy of an elementwise operation is drawn."""
    if prepared.variant.case.case.draw != "accuracy" or exact is None:
        return []
    (step,) = prepared.program.steps
    return curve(step.bind(list(prepared.inputs.values())), exact) if OPERATIONS[step.operation].elementwise else []


def _budget_source(variant: Variant, program: Program) -> str:
    """Where the budget comes from: of the gradient, or of the last step."""
    if variant.check == "gradient":
        return _GRADIENT_BUDGET
    return OPERATIONS[program.steps[-1].operation].budget_source if program.steps else ""


def _finite_only(residuals: list[float]) -> list[float]:
    """Residuals as JSON has them: that of an overflow may be infinite, and stands for nothing more."""
    return [residual if residual - residual == 0 else 0.0 for residual in residuals]


def _exact_text(measured: Measured | None) -> str:
    """The exact value of the measured element, where arithmetic defines one and it does not overflow."""
    if measured is None or measured.exact is None:
        return ""
    value, residual, _ = measured.exact
    (text,) = exact_digits(np.asarray(value), np.array(residual))
    return "" if text == "overflow" else text


def _finding(found: Finding) -> FindingLine:
    ulp = None if found.flushed else _finite(found.ulp)
    zeros = 0 if found.flushed else found.zeros
    return FindingLine(found.channel, found.expected, found.got, found.detail, found.non_finite, zeros, ulp)


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
