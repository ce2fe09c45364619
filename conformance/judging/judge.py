"""An outcome held against the truth, and the verdict that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program
from conformance.ground.verdicts import Verdict
from conformance.judging.accuracy import Profile
from conformance.judging.answers import Answers
from conformance.judging.divergences import CONFORMS, Entry, contradiction
from conformance.judging.examination import Examination
from conformance.judging.findings import Finding, Measured
from conformance.judging.formulas import Written, as_one_step, loss


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
        profile: the errors by exponent, of a case whose accuracy is drawn.
        link: of the registered divergence that it is.
    """

    verdict: Verdict
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    measured: Measured | None = None
    end_to_end: float | None = None
    profile: Profile | None = None
    link: str = ""


class Judge:
    """Judges outcomes. Keeps the exact answers of the current case."""

    def __init__(self) -> None:
        self.answers = Answers()

    def judge(self, variant: Variant, program: Program, outcome: Outcome, entries: Sequence[Entry] = ()) -> Judgement:
        """The verdict on an outcome.

        Args:
            variant: what was run.
            program: its program.
            outcome: what came.
            entries: the registered divergence that was seen here, which has to show; or those that were seen elsewhere,
                of which one may be what came.
        """
        self.answers.of_case(variant.case.id)
        examination = self._examined(variant, program, outcome)
        if outcome.unsupported and not examination.findings:
            return Judgement("unsupported", outcome.unsupported)
        judgement = Judgement("passed", "", examination.findings, examination.measured)
        judgement.end_to_end, judgement.profile = examination.end_to_end, examination.profile
        return _decided(judgement, outcome, entries)

    def judge_formula(
        self, variant: Variant, program: Program, written: Written, outcome: Outcome, entries: Sequence[Entry] = ()
    ) -> Judgement:
        """The verdict on an outcome of a formula in place of the variant's operation.

        Where each step conforms, the result is what the formula says: where it is not what the operation must give,
        that is a divergence by arithmetic, which no entry has to explain. Where a step does not, that is judged.

        Args:
            variant: with the operation, whose result is due.
            program: its program.
            written: with the formula.
            outcome: of the formula's program.
            entries: as of `judge`, about the formula's steps.
        """
        self.answers.of_case(variant.case.id)
        if outcome.raised or outcome.unsupported:
            return self.judge(variant, program, outcome, entries)
        steps = self._examined(written.variant, written.program, outcome, of_formula=True)
        judgement = _decided(Judgement("passed", "", steps.findings, steps.measured), outcome, entries)
        if judgement.verdict != "passed" and not all(finding.tolerated for finding in steps.findings):
            return judgement
        whole = self._examined(variant, program, as_one_step(program, outcome))
        judgement.measured, judgement.findings = whole.measured, whole.findings
        judgement.verdict = "divergent" if whole.findings else "passed"
        judgement.reason = ""
        if whole.findings and all(finding.flushed for finding in (*steps.findings, *whole.findings)):
            judgement.reason = _FLUSHED
        elif whole.findings:
            judgement.reason = loss(written.program, outcome, variant.check)
        return judgement

    def _examined(self, variant: Variant, program: Program, outcome: Outcome, of_formula: bool = False) -> Examination:
        """An outcome, looked at; of one that could not be asked for, what was done beside."""
        examination = Examination(variant, program, outcome, self.answers, of_formula)
        if outcome.unsupported:
            examination.look_at_manners()
        else:
            examination.run()
        return examination


def _decided(judgement: Judgement, outcome: Outcome, entries: Sequence[Entry]) -> Judgement:
    """The judgement with the verdict that follows from its findings and the registered divergences."""
    findings = judgement.findings
    entry, came = _nearest(entries, outcome, findings, judgement.measured)
    fixed = "fixed, remove the entry" if came == CONFORMS else ""
    if entry is not None and not came:
        judgement.verdict, judgement.reason, judgement.link = "divergent", entry.because, entry.spec.link
    elif entry is not None and entry.demanded:
        judgement.verdict = "failed"
        judgement.reason = f"registered: {entry.summary}; got {came}{fixed and ': '}{fixed}"
    elif findings and all(finding.tolerated for finding in findings):
        judgement.verdict = "divergent"
        judgement.reason = _FLUSHED if any(finding.flushed for finding in findings) else _CANCELLED
    elif findings:
        judgement.verdict = "failed"
        judgement.reason = f"{findings[0].channel}: expected {findings[0].expected}, got {findings[0].got}"
    if entry is not None and judgement.verdict == "failed":
        findings.append(Finding("registry", f"as registered: {entry.summary}", came, fixed))
    return judgement


_FLUSHED = "subnormal results come as zero: flushed, as this backend does with this dtype"
_CANCELLED = "terms of the gradient's formula cancel: rounded as they may be, they leave less than half of the digits"


def _nearest(
    entries: Sequence[Entry], outcome: Outcome, findings: Sequence[Finding], measured: Measured | None
) -> tuple[Entry | None, str]:
    """The first entry that is exactly what came, or else the first one, and what came that it does not say."""
    held = [(entry, contradiction(entry, outcome, findings, measured)) for entry in entries]
    return next((one for one in held if not one[1]), held[0] if held else (None, ""))
