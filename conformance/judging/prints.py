"""A print: what a document shows of a result, and how far the rounding of what it shows of the inputs reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from conformance.casefile import printed
from conformance.casefile.inputs import printed_inputs
from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program
from conformance.ground import dtypes
from conformance.judging.answers import Answer, chain
from conformance.judging.findings import Finding
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.settling import midpoints_and_radii
from conformance.words.wording import exact_text, first, format_number, place, short, ulps


class Print:
    """What a document printed of a result: intervals, half a unit of the last digit to either side.

    Args:
        variant: whose result was printed.
        program: its program.
        outcome: what came.
        text: the print.
        answer: the exact answer of the last step; None where there is none.
        findings: those so far. Where nothing else is wrong, it is the print.
        add: notes another.
    """

    def __init__(
        self,
        variant: Variant,
        program: Program,
        outcome: Outcome,
        text: str,
        answer: Answer | None,
        findings: Sequence[Finding],
        add: Callable[..., None],
    ) -> None:
        self._variant = variant
        self._program = program
        self._received = outcome.received
        self._shown = printed.parse(text)
        self._answer = answer
        self._findings = findings
        self._add = add

    def check(self) -> None:
        """Note what is otherwise than printed: shape, kind of numbers, dtype, values."""
        shown, answer, got = self._shown, self._answer, self._received[-1]
        found = dtypes.of(got)
        if shown.shape != got.shape:
            self._add("shape", f"{list(shown.shape)}, as printed", str(list(got.shape)))
            return
        if shown.whole and found.kind == "floating":
            self._add("printed", "integers, as printed", found.name)
        if not shown.whole and shown.texts and found.kind != "floating":
            self._add("printed", "floats, as printed", found.name)
        if shown.dtype is not None and shown.dtype != found.name:
            self._add("dtype", f"{shown.dtype}, as printed", found.name)
        low, high = shown.bounds()
        spread = self._spread_of_inputs(got.shape)
        if np.isinf(spread).any():
            at = first(np.isinf(spread))
            detail = f"the rounding of the printed inputs reaches every value, so this print can't fail; {place(at)}"
            self._add("printed", "a print that can be told apart", format_number(got[at]), detail)
            return
        allowed = answer.budget * answer.values.ulp() if answer and answer.values and answer.budget is not None else 0.0
        wide = got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            holds = (wide >= low - spread - allowed) & (wide <= high + spread + allowed)
        holds |= np.isnan(low) & np.isnan(wide)
        if holds.all():
            return
        at = first(~holds)
        text = shown.texts[int(np.ravel_multi_index(at, got.shape)) if at else 0]
        parts = [f"printed {text}, that is {short(low[at])} to {short(high[at])}"]
        if spread.any():
            parts.append(f"rounding of the printed inputs ± {spread[at]:.1e}")
        if answer and answer.values:
            error = float(answer.values.distance(got)[at])
            parts.append(f"exact {exact_text(answer.values, at)} ({ulps(error)} away)")
            if not self._findings:
                parts.append("the backend is right, the expectation is not")
        if at:
            parts.append(place(at))
        self._add("printed", f"{short(low[at])} to {short(high[at])}", format_number(got[at]), "; ".join(parts))

    def _spread_of_inputs(self, shape: tuple[int, ...]) -> np.ndarray:
        """How far the rounding of printed inputs reaches, by element of the result: the exact definition on balls."""
        sources = printed_inputs(self._variant)
        if not sources:
            return np.zeros(shape)
        balls.working_precision(balls.AMPLE_PRECISION)
        inputs: list[Balls] = []
        for name, array in zip(self._program.inputs, self._received, strict=False):
            source = sources.get(name)
            inputs.append(
                balls.intervals(list(source.midpoints), list(source.radii), source.shape)
                if source is not None
                else balls.exact(array)
            )
        return midpoints_and_radii(chain(self._program, inputs)[self._program.results[0].index])[1]
