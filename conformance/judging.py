"""An outcome held against the truth, channel by channel, and the verdict that follows."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from msgspec import UNSET

from conformance import dtypes
from conformance.answers import Answer, Answers, chain, end_to_end, gradients
from conformance.casefile import printed as printing
from conformance.casefile.inputs import printed_inputs
from conformance.casefile.numbers import to_array
from conformance.casefile.variants import Variant
from conformance.divergences import Entry, explain
from conformance.dtypes import DType
from conformance.execution import Outcome
from conformance.program import Program, Ref, ShapeRef
from conformance.truth import balls
from conformance.truth.balls import Balls, UndecidedError, UndefinedError
from conformance.truth.rounding import Rounded
from conformance.truth.settling import midpoints_and_radii

Channel = Literal[
    "status", "dtype", "shape", "nan-inf", "value", "signed-zero", "gradient", "printed", "claim", "registry"
]
Verdict = Literal["passed", "failed", "divergent", "unsupported", "crashed", "timed-out", "not-run"]
VERDICTS: tuple[Verdict, ...] = ("passed", "failed", "divergent", "unsupported", "crashed", "timed-out", "not-run")

_CLAIM_PRECISION = 160
_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One channel in which an outcome is not what it must be.

    Attributes:
        channel: which.
        expected, got: in words and numbers.
        detail: what helps to understand it: the exact value, the interval, where it was.
        flushed: the only difference is that subnormal results came as zero.
    """

    channel: Channel
    expected: str
    got: str
    detail: str = ""
    flushed: bool = False


@dataclass(slots=True)
class Measured:
    """The largest error seen, in ULP, and where.

    `ratio` is the error divided by the budget there: the measured element is the one nearest its budget.
    """

    ulp: float = 0.0
    budget: float = 0.0
    index: tuple[int, ...] = ()
    step: int = 0
    ratio: float = -1.0


@dataclass(slots=True)
class Judgement:
    """A verdict with its reasons.

    Attributes:
        verdict: see `VERDICTS`.
        reason: one line; empty for what passed.
        findings: every channel that differs; of a divergence too.
        measured: of the step that came nearest its budget; None where nothing was measured.
        end_to_end: largest error of the result against the whole composition in exact arithmetic, in ULP (for calls
            of more than one step; it shows what rounding between the steps costs, and decides nothing).
        answer: of the last step, or None.
    """

    verdict: Verdict
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    measured: Measured | None = None
    end_to_end: float | None = None
    answer: Answer | None = None


class Judge:
    """Judges outcomes. Keeps the exact answers of the current case."""

    def __init__(self) -> None:
        self._answers = Answers()

    def judge(self, variant: Variant, program: Program, outcome: Outcome, entry: Entry | None = None) -> Judgement:
        """The verdict on an outcome.

        Args:
            variant: what was run.
            program: its program.
            outcome: what came.
            entry: the registered divergence that applies here, if one does.
        """
        self._answers.of_case(variant.case.id)
        if outcome.unsupported:
            return Judgement("unsupported", outcome.unsupported)
        examination = _Examination(variant, program, outcome, self._answers)
        examination.run()
        judgement = Judgement("passed", "", examination.findings, examination.measured)
        judgement.answer = examination.answer
        judgement.end_to_end = examination.end_to_end
        if entry is not None:
            problem = explain(entry, outcome, program, examination.findings, examination.measured)
            judgement.verdict, judgement.reason = ("failed", problem) if problem else ("divergent", entry.because)
            if problem:
                judgement.findings.append(Finding("registry", entry.summary, "something else", problem))
        elif examination.findings:
            first = examination.findings[0]
            if all(finding.flushed for finding in examination.findings):
                judgement.verdict, judgement.reason = "divergent", "subnormal results come as zero: flushed, or lost on the way"
            else:
                judgement.verdict = "failed"
                judgement.reason = f"{first.channel}: expected {first.expected}, got {first.got}"
        return judgement


class _Examination:
    """One outcome, looked at in every channel."""

    def __init__(self, variant: Variant, program: Program, outcome: Outcome, answers: Answers) -> None:
        self._variant = variant
        self._program = program
        self._outcome = outcome
        self._answers = answers
        self._expect = variant.case.expect
        self.findings: list[Finding] = []
        self.measured: Measured | None = None
        self.answer: Answer | None = None
        self.end_to_end: float | None = None

    def run(self) -> None:
        outcome = self._outcome
        if outcome.raised is not None:
            if not self._expect.raises:
                self._add("status", "a result", f"{outcome.raised.type}: {outcome.raised.message}")
            return
        if self._expect.raises:
            result = outcome.received[-1]
            self._add("status", "an error", f"a result: {describe(result)}")
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
            _Claim(self._variant, self._program, outcome, budgets, self._add).check()
        elif self._variant.check == "gradient":
            self._gradients()
        else:
            self._printed(outcome.received[-1])
            if len(self._program.steps) > 1:
                self._measure_end_to_end(outcome.received[-1])

    def _add(self, channel: Channel, expected: str, got: str, detail: str = "", flushed: bool = False) -> None:
        self.findings.append(Finding(channel, expected, got, detail, flushed))

    def _step(self, number: int, due: Answer, got: np.ndarray, last: bool) -> np.ndarray | None:
        """Judge the result of one step; returns the absolute error it was allowed, by element."""
        expect = self._expect
        found = dtypes.of(got)
        stated = last and expect.values is not UNSET
        expected_dtype = expect.dtype if last and expect.dtype else (due.dtype.name if due.dtype else None)
        where = f"step {number + 1}, {self._program.steps[number].operation}" if len(self._program.steps) > 1 else ""
        if expected_dtype is None:
            self._add("dtype", "a dtype stated by the case (expect.dtype): these inputs leave it open", found.name, where)
        elif found.name != expected_dtype:
            self._add("dtype", expected_dtype, found.name, where)
        expected_shape = tuple(expect.shape) if last and expect.shape is not None else due.shape
        if expected_shape is None and not stated:
            self._add("shape", "an error or a stated result", str(list(got.shape)), due.why_not)
            return None
        if expected_shape is not None and got.shape != expected_shape:
            self._add("shape", str(list(expected_shape)), str(list(got.shape)), where)
            return None
        if stated:
            self._stated(got, found)
            return None
        if found != due.dtype and found.kind == "floating":
            due = self._answers.of_step(self._program.steps[number], self._outcome.received, found)
        if last:
            self.answer = due
        if due.values is not None:
            self._computed(number, due.values, due.budget, got, where)
            return None if due.budget is None else due.budget * due.values.ulp()
        if due.bits is not None:
            self._bits(due.bits, got, where)
            return np.zeros(got.shape)
        self._add("value", "values stated by the case (expect.values)", describe(got), due.why_not)
        return None

    def _computed(self, number: int, exact: Rounded, budget: np.ndarray | None, got: np.ndarray, where: str) -> None:
        assert budget is not None  # every computed answer has one
        error = exact.distance(got)
        within = error <= budget
        self._measure(error, budget, number)
        if within.all():
            self._zero_signs(exact, got, where)
            return
        wide = got.astype(np.float64)
        special = ~np.isfinite(wide) & ~within
        if special.any():
            at = _first(special)
            self._add("nan-inf", format_number(exact.value[at]), format_number(got[at]), _place(at, got, where))
        flushed = ~within & (wide == 0) & _subnormal(exact)
        wrong = ~within & ~special & ~flushed
        if flushed.any():
            at = _first(flushed)
            text = f"{int(flushed.sum())} subnormal values came as zero; {_place(at, got, where)}"
            tolerated = self._variant.case.case.subnormals != "preserve"
            self._add("value", format_number(exact.value[at]), format_number(got[at]), text, tolerated)
        if wrong.any():
            ratio = np.where(wrong, error / np.maximum(budget, 1e-300), -1.0)
            at = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
            detail = (
                f"{_ulps(error[at])} away, {_ulps(budget[at])} allowed; {_count(wrong)} of {got.size} elements; "
                f"{_place(at, got, where)}"
            )
            self._add("value", format_number(exact.value[at]), format_number(got[at]), detail)

    def _zero_signs(self, exact: Rounded, got: np.ndarray, where: str) -> None:
        """A value that rounds to zero keeps its sign; a true zero of the definition has none."""
        wrong = (got == 0) & (exact.units == 0) & (exact.residual != 0) & (np.signbit(got) != (exact.residual < 0))
        if wrong.any():
            at = _first(wrong)
            self._add("signed-zero", format_number(exact.value[at]), format_number(got[at]), _place(at, got, where))

    def _bits(self, due: np.ndarray, got: np.ndarray, where: str) -> None:
        if due.dtype != got.dtype:
            return  # the dtype channel has said so; its values have no bits to compare
        if due.tobytes() == np.ascontiguousarray(got).tobytes():
            self._measure(np.zeros(got.shape), np.zeros(got.shape), 0)
            return
        both_nan = (due != due) & (got != got)
        nan = ((due != due) | (got != got)) & ~both_nan
        value = (due != got) & ~both_nan & ~nan
        zero = (due == got) & (np.signbit(due.astype(np.float64)) != np.signbit(got.astype(np.float64)))
        channels: list[tuple[Channel, np.ndarray]] = [("nan-inf", nan), ("value", value), ("signed-zero", zero)]
        for channel, wrong in channels:
            if wrong.any():
                at = _first(wrong)
                detail = f"{_count(wrong)} of {got.size} elements; {_place(at, got, where)}"
                flushed = bool(
                    channel == "value"
                    and self._variant.case.case.subnormals != "preserve"
                    and ((got == 0) | ~wrong).all()
                    and dtypes.of(due).kind == "floating"
                    and (np.abs(due[wrong].astype(np.float64)) < 2.0 ** dtypes.of(due).min_exponent).all()
                )
                self._add(channel, format_number(due[at]), format_number(got[at]), detail, flushed)

    def _stated(self, got: np.ndarray, found: DType) -> None:
        """The result against values that the case states, signs of zeros included."""
        due = to_array(self._expect.values, found)
        if due.shape != got.shape:
            self._add("shape", str(list(due.shape)), str(list(got.shape)))
            return
        self.answer = Answer(due.shape, found, bits=due)
        self._bits(due, got, f"stated by the case: {self._expect.because}")

    def _measure(self, error: np.ndarray, budget: np.ndarray, number: int) -> None:
        if not error.size:
            return
        ratio = np.where(np.isnan(error), np.inf, error / np.maximum(budget, 0.5))
        index = int(np.argmax(ratio))
        if self.measured is None or ratio.flat[index] > self.measured.ratio:
            at = tuple(int(i) for i in np.unravel_index(index, ratio.shape))
            largest = float(error.flat[index])
            self.measured = Measured(largest, float(budget.flat[index]), at, number, float(ratio.flat[index]))

    def _measure_end_to_end(self, got: np.ndarray) -> None:
        found = dtypes.of(got)
        inputs = self._outcome.received[: len(self._program.inputs)]
        if found.kind != "floating" or not all(np.isfinite(a.astype(np.float64)).all() for a in inputs):
            return
        try:
            exact = end_to_end(self._program, inputs, found)
        except (UndecidedError, UndefinedError):
            return
        if exact.units.shape == got.shape:
            self.end_to_end = float(np.max(exact.distance(got), initial=0.0))

    def _printed(self, got: np.ndarray) -> None:
        """The result against what the document printed."""
        if self._expect.prints is None:
            return
        shown = printing.parse(self._expect.prints)
        found = dtypes.of(got)
        if shown.shape != got.shape:
            self._add("shape", f"{list(shown.shape)}, as printed", str(list(got.shape)))
            return
        if shown.whole and found.kind == "floating":
            self._add("printed", "integers, as printed", found.name)
        if shown.dtype is not None and shown.dtype != found.name:
            self._add("dtype", f"{shown.dtype}, as printed", found.name)
        low, high = shown.bounds()
        spread = self._spread_of_printed_inputs(got.shape)
        answer = self.answer
        allowed = answer.budget * answer.values.ulp() if answer and answer.values and answer.budget is not None else 0.0
        wide = got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            holds = (wide >= low - spread - allowed) & (wide <= high + spread + allowed)
        holds |= np.isnan(low) & np.isnan(wide)
        if holds.all():
            return
        at = _first(~holds)
        text = shown.texts[int(np.ravel_multi_index(at, got.shape)) if at else 0]
        parts = [f"printed {text}, that is {_short(low[at])} to {_short(high[at])}"]
        if spread.any():
            parts.append(f"rounding of the printed inputs ± {spread[at]:.1e}")
        if answer and answer.values:
            error = float(answer.values.distance(got)[at])
            parts.append(f"exact {_exact_text(answer.values, at)} ({_ulps(error)} away)")
            if not self.findings:
                parts.append("the backend is right, the expectation is not")
        if at:
            parts.append(_place(at, got, ""))
        self._add("printed", f"{_short(low[at])} to {_short(high[at])}", format_number(got[at]), "; ".join(parts))

    def _spread_of_printed_inputs(self, shape: tuple[int, ...]) -> np.ndarray:
        """How far the rounding of printed inputs reaches, by element of the result: the exact definition on balls."""
        sources = printed_inputs(self._variant)
        if not sources:
            return np.zeros(shape)
        balls.working_precision(_CLAIM_PRECISION)
        inputs: list[Balls] = []
        for name, array in zip(self._program.inputs, self._outcome.received, strict=False):
            source = sources.get(name)
            inputs.append(
                balls.intervals(list(source.midpoints), list(source.radii), source.shape)
                if source is not None
                else balls.exact(array)
            )
        last: Ref = self._program.results[0]
        return np.nan_to_num(midpoints_and_radii(chain(self._program, inputs)[last.index])[1], nan=np.inf)

    def _gradients(self) -> None:
        outcome = self._outcome
        step = self._program.steps[-1]
        assert outcome.cotangent is not None
        try:
            due = gradients(step, outcome.received, list(outcome.gradients), outcome.cotangent)
        except (UndecidedError, UndefinedError) as error:
            self._add("gradient", "a stated result", "something the definition does not say", str(error))
            return
        for (name, got), answer in zip(outcome.gradients.items(), due, strict=True):
            if got.dtype != answer.values.value.dtype or got.shape != answer.values.value.shape:
                self._add("gradient", describe(answer.values.value), describe(got), f"with respect to {name}")
                continue
            error = answer.values.distance(got)
            self._measure(error, answer.budget, 0)
            wrong = ~(error <= answer.budget)
            if wrong.any():
                at = _first(wrong)
                flushed = bool(((got == 0) & _subnormal(answer.values) | ~wrong).all())
                detail = (
                    f"with respect to {name}; {_ulps(error[at])} away, {_ulps(answer.budget[at])} allowed; "
                    f"{_count(wrong)} of {got.size} elements; {_place(at, got, '')}"
                )
                tolerated = flushed and self._variant.case.case.subnormals != "preserve"
                self._add("gradient", format_number(answer.values.value[at]), format_number(got[at]), detail, tolerated)


class _Claim:
    """A comparison between computed values."""

    def __init__(
        self,
        variant: Variant,
        program: Program,
        outcome: Outcome,
        budgets: Sequence[np.ndarray | None],
        add: Callable[..., None],
    ) -> None:
        self._variant = variant
        self._program = program
        self._values = outcome.received
        self._budgets = budgets
        self._add = add
        self._reaches: list[np.ndarray] | None = None

    def check(self) -> None:
        sides = self._program.results
        for left, relation, right in zip(sides, self._program.relations, sides[1:], strict=False):
            self._relation(left, relation, right)

    def _relation(self, left: Any, relation: str, right: Any) -> None:
        if isinstance(left, ShapeRef) or isinstance(right, ShapeRef):
            self._shapes(left, relation, right)
            return
        a, b = (np.asarray(self._value(side), dtype=np.float64) for side in (left, right))
        if relation in ("==", "!="):
            self._equality(left, right, a, b, relation)
            return
        holds = np.asarray(_RELATIONS[relation](a, b))
        if not holds.all():
            self._report(holds, a, b, relation, "")

    def _value(self, side: Any) -> Any:
        return self._values[side.index] if isinstance(side, Ref) else side

    def _shapes(self, left: Any, relation: str, right: Any) -> None:
        a, b = (
            list(self._values[side.index].shape) if isinstance(side, ShapeRef) else self._value(side)
            for side in (left, right)
        )
        if (a == b) != (relation == "=="):
            self._add("claim", f"shapes {relation}", f"{a} and {b}")

    def _equality(self, left: Any, right: Any, a: np.ndarray, b: np.ndarray, relation: str) -> None:
        if a.shape != b.shape and a.shape and b.shape:
            self._add("claim", "sides of one shape", f"{list(a.shape)} and {list(b.shape)}")
            return
        a, b = np.broadcast_arrays(a, b)
        dtype = self._dtype(left, right)
        size = np.maximum(np.abs(a), np.abs(b))
        tolerance, reason = self._tolerance(left, right, size, dtype)
        with np.errstate(invalid="ignore"):
            equal = (np.abs(a - b) <= tolerance) | (a == b)
        if relation == "!=":
            if equal.any():
                self._report(~equal, a, b, relation, reason)
            return
        most = size * 2.0 ** (-dtype.precision / 2) if dtype.precision else np.zeros_like(size)
        hopeless = ~(tolerance <= most) & (a != b)
        if hopeless.any():
            at = _first(hopeless)
            self._add(
                "claim", "sides that can be told apart", f"{_short(a[at])} and {_short(b[at])}",
                f"results within their budgets may differ by {tolerance[at]:.2g} here, so this claim can't fail; "
                "narrow its domain or state 'within'",
            )  # fmt: skip
        elif not equal.all():
            self._report(equal, a, b, relation, reason)

    def _dtype(self, *sides: Any) -> DType:
        found = [dtypes.of(self._values[s.index]) for s in sides if isinstance(s, Ref)]
        return min(found, key=lambda d: d.precision or math.inf) if found else dtypes.DTYPES["float64"]

    def _tolerance(self, left: Any, right: Any, size: np.ndarray, dtype: DType) -> tuple[np.ndarray, str]:
        within = self._variant.case.case.within
        if within is not None and within.absolute is not None:
            return np.full_like(size, within.absolute), f"within {within.absolute:g}: {within.because}"
        if within is not None and within.ulp is not None:
            _, exponent = np.frexp(size)
            quantum = np.maximum(exponent - 1, dtype.min_exponent) - dtype.precision + 1
            return np.ldexp(within.ulp, quantum), f"within {within.ulp:g} ULP: {within.because}"
        total = self._reach(left) + self._reach(right)
        return np.broadcast_to(total, size.shape), "the steps' budgets, carried through the exact definitions"

    def _reach(self, side: Any) -> np.ndarray:
        """How far a value may lie from the exact one when every step before it kept within its own budget."""
        if not isinstance(side, Ref):
            return np.zeros(())
        if self._reaches is None:
            self._reaches = self._propagate()
        return self._reaches[side.index]

    def _propagate(self) -> list[np.ndarray]:
        balls.working_precision(_CLAIM_PRECISION)
        inputs = len(self._program.inputs)
        values: list[Any] = [balls.exact(a) if _finite(a) else None for a in self._values[:inputs]]
        reaches = [np.zeros(a.shape) for a in self._values[:inputs]]
        for number, step in enumerate(self._program.steps):
            one = Program((), (step,), (), ())
            allowed = self._budgets[number]
            try:
                result = chain(one, values)[-1] if allowed is not None else None
            except (TypeError, ValueError, AttributeError):  # an input or an earlier step has no exact value
                result = None
            got = self._values[inputs + number]
            if result is None or allowed is None:
                values.append(None)
                reaches.append(np.full(got.shape, np.inf))
                continue
            widened = balls.widened(result, np.broadcast_to(allowed, result.shape))
            values.append(widened)
            reaches.append(midpoints_and_radii(widened)[1])
        return reaches

    def _report(self, holds: np.ndarray, a: np.ndarray, b: np.ndarray, relation: str, reason: str) -> None:
        a, b, holds = np.broadcast_arrays(a, b, holds)
        at = _first(~holds)
        detail = f"{_count(~holds)} of {holds.size} elements; {_place(at, a, '')}"
        self._add("claim", f"left {relation} right", f"{_short(a[at])} and {_short(b[at])}", f"{detail}; {reason}".rstrip("; "))


def _finite(array: np.ndarray) -> bool:
    return bool(np.isfinite(array.astype(np.float64)).all())


def _subnormal(exact: Rounded) -> np.ndarray:
    dtype = dtypes.of(exact.value)
    return (exact.units != 0) & (np.abs(exact.units) < 2.0 ** (dtype.precision - 1))


def _first(flags: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(flags)), flags.shape))


def _count(flags: np.ndarray) -> int:
    return int(np.count_nonzero(flags))


def _place(at: tuple[int, ...], array: np.ndarray, where: str) -> str:
    parts = [where] if where else []
    if at:
        parts.append(f"at [{', '.join(map(str, at))}]")
    return ", ".join(parts)


def _ulps(error: float) -> str:
    return f"{error:.3g} ULP" if error < 1e6 else f"{error:.1e} ULP"


def _short(value: Any) -> str:
    return repr(float(value)) if abs(value) < 1e-4 or abs(value) >= 1e6 else f"{float(value):.10g}"


def _exact_text(exact: Rounded, at: tuple[int, ...]) -> str:
    value = (float(exact.units[at]) + float(exact.residual[at])) * 2.0 ** float(exact.quantum[at])
    return f"{value:.10g}…"


def format_number(value: Any) -> str:
    """One element as the shortest text that reads back as the same value of its dtype."""
    array = np.asarray(value)
    if array.dtype.kind in "iub":
        return str(array[()])
    if array.dtype == np.float64:
        return repr(float(array))
    if array.dtype in (np.dtype(np.float32), np.dtype(np.float16)):
        return str(array[()])
    return f"{float(array):.4g}"  # bfloat16: no value needs more digits to be told from its neighbours


def describe(array: np.ndarray) -> str:
    """A short description of an array: its values where they are few, else dtype and shape."""
    if array.size == 1:
        return f"{format_number(array.ravel()[0])} ({array.dtype.name}, shape {list(array.shape)})"
    if array.size <= 8:
        return f"[{', '.join(map(format_number, array.ravel()))}] ({array.dtype.name}, shape {list(array.shape)})"
    return f"{array.dtype.name} of shape {list(array.shape)}"
