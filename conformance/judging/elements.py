"""The elements of a result, held against those of the exact answer one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program
from conformance.ground import dtypes
from conformance.judging.accuracy import Profile, profile
from conformance.judging.answers import Answer
from conformance.judging.findings import Channel, Measured
from conformance.truth.rounding import Rounded, from_array
from conformance.words.wording import count, first, format_number, place, ulps


class Elements:
    """The elements of an outcome's results; what is wrong with them is added to its findings.

    Args:
        variant: what was run.
        program: its steps.
        outcome: what came of it.
        add: takes what is wrong.
        of_formula: whether results are those of a formula's steps. Which zero one of them is shows in the formula's
            result, or nowhere.

    Attributes:
        measured: of the element that is nearest its budget, so far; None where nothing was measured.
        profile: the errors by exponent, of a case whose accuracy is drawn.
    """

    def __init__(
        self,
        variant: Variant,
        program: Program,
        outcome: Outcome,
        add: Callable[..., None],
        of_formula: bool = False,
    ) -> None:
        self._variant = variant
        self._program = program
        self._outcome = outcome
        self._add = add
        self._of_formula = of_formula
        self.measured: Measured | None = None
        self.profile: Profile | None = None

    def computed(self, number: int, due: Answer, got: np.ndarray, where: str) -> None:
        """Hold the result of a step against what arithmetic or a convention says, within its budget."""
        exact, budget = due.values, due.budget
        assert exact is not None  # every computed answer has both
        assert budget is not None
        error = exact.distance(got)
        if self._variant.case.case.draw == "accuracy":
            arguments = self._program.steps[number].bind(self._outcome.received)
            self.profile = profile(exact, budget, due.special, got, arguments)
        if due.special is not None:
            self._special(due.special, due.convention, exact.value, got, where)
            error = np.where(due.special, 0.0, error)
        within = error <= budget
        self.measure(error, budget, number, exact, due.special)
        self._zero_signs(due, got, where)
        if within.all():
            return
        wide = got.astype(np.float64)
        special = ~np.isfinite(wide) & ~within
        if special.any():
            at = first(special)
            detail = f"{count(special)} of {got.size} elements; {place(at, where)}"
            lost = int(special.sum())
            self._add("nan-inf", format_number(exact.value[at]), format_number(got[at]), detail, non_finite=lost)
        subnormal = exact.subnormal()
        flushed = ~within & (wide == 0) & subnormal
        if not self.flushed(flushed, got, subnormal):
            flushed = np.zeros_like(flushed)
        wrong = ~within & ~special & ~flushed
        if flushed.any():
            at = first(flushed)
            text = f"{int(flushed.sum())} subnormal values came as zero; {place(at, where)}"
            self._add("value", format_number(exact.value[at]), format_number(got[at]), text, flushed=True)
        if wrong.any():
            ratio = np.where(wrong, error / np.maximum(budget, 1e-300), -1.0)
            at = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
            detail = (
                f"{ulps(error[at])} away, {ulps(budget[at])} allowed; {count(wrong)} of {got.size} elements; "
                f"{place(at, where)}"
            )
            zeros, largest = int((wrong & (wide == 0) & (exact.units != 0)).sum()), float(error[wrong].max())
            text, came = format_number(exact.value[at]), format_number(got[at])
            self._add("value", text, came, detail, zeros=zeros, ulp=largest)

    def flushed(self, wrong: np.ndarray, got: np.ndarray, subnormal: np.ndarray) -> bool:
        """Whether a flush explains all elements that are wrong.

        It does where each of them came as zero, is subnormal in the dtype of the step that made it, and the backend
        flushes results of that dtype, as a product of two normal numbers shows; never where the case has subnormal
        numbers preserved.

        Args:
            wrong: which elements are.
            got: the result.
            subnormal: where a subnormal number is due.
        """
        explained = bool(wrong.any()) and bool((((got == 0) & subnormal) | ~wrong).all())
        kept = self._variant.case.case.subnormals == "preserve"
        return explained and not kept and self._outcome.flushes(dtypes.of(got).name)

    def _special(self, special: np.ndarray, convention: str, due: np.ndarray, got: np.ndarray, where: str) -> None:
        """Elements whose value an operation's convention says, since arithmetic does not: exactly these."""
        a, b = due.astype(np.float64), got.astype(np.float64)
        wrong = special & ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if wrong.any():
            at = first(wrong)
            detail = f"{count(wrong)} of {got.size} elements; {place(at, where)}; by convention: {convention}"
            self._add("nan-inf", format_number(due[at]), format_number(got[at]), detail, non_finite=int(wrong.sum()))

    def _zero_signs(self, due: Answer, got: np.ndarray, where: str) -> None:
        """A value that rounds to zero keeps its sign, and a true zero has that of IEEE 754 where this says one.

        Other true zeros of a definition, and those of a convention, have none.
        """
        exact, special = due.values, due.special
        assert exact is not None  # every computed answer has them
        if exact.units.all() or self._of_formula:
            return
        signed = exact.residual != 0
        if due.signed is not None:
            signed = signed | due.signed
        wrong = (got == 0) & (exact.units == 0) & signed & (np.signbit(got) != np.signbit(exact.value))
        if special is not None:
            wrong &= ~special
        if wrong.any():
            at = first(wrong)
            self._add("signed-zero", format_number(exact.value[at]), format_number(got[at]), place(at, where))

    def bits(self, due: np.ndarray, got: np.ndarray, where: str) -> None:
        """Hold a result against numbers that it must have exactly, signs of zeros included."""
        if due.dtype != got.dtype:  # the dtype channel has said so; what is left to compare are the numbers
            a, b = (array.astype(object if array.dtype.kind in "iubc" else np.float64) for array in (due, got))
            if (differ := np.asarray(a != b, dtype=bool)).any():
                at = first(differ)
                self._add("value", format_number(due[at]), format_number(got[at]), place(at, where))
            return
        if due.tobytes() == np.ascontiguousarray(got).tobytes():
            self.measure(np.zeros(got.shape), np.zeros(got.shape), 0)
            return
        error = np.zeros(got.shape)
        if dtypes.of(due).kind == "floating":
            known = dtypes.finite(due)
            error = np.where(known, from_array(np.where(known, due, due.dtype.type(0))).distance(got), np.nan)
            self.measure(error, np.zeros(got.shape), 0)
        both_nan = (due != due) & (got != got)
        nan = (due != got) & ~both_nan & ~(dtypes.finite(due) & dtypes.finite(got))
        value = (due != got) & ~both_nan & ~nan
        zero = (due == got) & (np.signbit(due.real.astype(np.float64)) != np.signbit(got.real.astype(np.float64)))
        channels: list[tuple[Channel, np.ndarray]] = [("nan-inf", nan), ("value", value), ("signed-zero", zero)]
        for channel, wrong in channels:
            if wrong.any():
                at = first(wrong)
                detail = f"{count(wrong)} of {got.size} elements; {place(at, where)}"
                more: dict[str, object] = {}
                if channel == "nan-inf":
                    more["non_finite"] = int(wrong.sum())
                elif channel == "value" and dtypes.of(due).kind == "floating":
                    tiny = np.abs(due.astype(np.float64)) < 2.0 ** dtypes.of(due).min_exponent
                    more["flushed"] = self.flushed(wrong, got, tiny)
                    more["zeros"] = int((wrong & (got == 0)).sum())
                    more["ulp"] = float(error[wrong].max())
                self._add(channel, format_number(due[at]), format_number(got[at]), detail, **more)

    def measure(
        self,
        error: np.ndarray,
        budget: np.ndarray,
        number: int,
        exact: Rounded | None = None,
        special: np.ndarray | None = None,
        wrt: str = "",
    ) -> None:
        """Keep the element that is nearest its budget, if it is nearer than any before it."""
        if not error.size:
            return
        ratio = error / np.maximum(budget, 0.5)
        index = int(ratio.argmax())
        if np.isnan(ratio.flat[index]) and not np.isnan(ratio).all():
            index = int(np.nanargmax(ratio))  # the largest error that is a number tells more than that there is a NaN
        if self.measured is None or not ratio.flat[index] <= self.measured.ratio:
            at = tuple(int(i) for i in np.unravel_index(index, ratio.shape))
            largest = float(error.flat[index])
            computed = exact is not None and (special is None or not special[at])
            due = None
            if exact is not None and computed:
                due = (exact.value[at], float(exact.residual[at]), int(exact.quantum[at]))
            self.measured = Measured(largest, float(budget.flat[index]), at, number, float(ratio.flat[index]), due, wrt)
