"""`summary.json`: what came of the runs, as typed data. Its JSON Schema is generated from here.

Field names in the file have hyphens where these have underscores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from conformance import __version__
from conformance.backends.base import IDIOMS
from conformance.ground import schemas
from conformance.ground.verdicts import VERDICTS
from conformance.reports.machines.tally import Failure, Reason, Tally, Worst, WorstKey
from conformance.reports.shared.columns import Column
from conformance.reports.shared.tally import place
from conformance.runfile import Run
from conformance.runfile.failure import record_text, repeat_command
from conformance.words.visible import clipped, visible

FORMAT = 1
SCHEMA = "summary.schema.json"

FAILURES_LISTED = 200
REASONS_LISTED = 100
LONGEST_TEXT = 4_000
"""Characters of a text from a run file; longer ones are cut in their middle."""

Status = Literal["no-failures", "failures", "incomplete"]
Count = Annotated[int, Meta(ge=0)]
Counts = Annotated[dict[str, Count], Meta(description="records by verdict, zeros included")]
Ulp = Annotated[float, Meta(ge=0, description="in units in the last place")]


class _Part(Struct, forbid_unknown_fields=True, rename="kebab", frozen=True):
    pass


class ModePart(_Part, frozen=True, kw_only=True):
    """A mode of a backend. In mode 'idioms' stand the other spellings of the operations, each once a variant."""

    mode: str
    manifest: Annotated[Count, Meta(description="variants that apply; the verdicts add up to it")]
    verdicts: Counts
    missing: Annotated[int, Meta(description="variants of the manifest without a record; they count as not-run")]
    left_out: Annotated[Count, Meta(description="variants that are not in the mode's declared subset")]
    because: Annotated[str, Meta(description="why the mode runs a subset; empty where it does not")]
    unsupported: Annotated[str, Meta(description="why the mode can't run at all; empty where it can")]
    flushes_subnormals: Annotated[bool | None, Meta(description="null where that could not be tried")]


class RunPart(_Part, frozen=True, kw_only=True):
    """One backend's run on one device, with its own kernels or held to others."""

    label: Annotated[str, Meta(description="the backend, with what tells runs apart where names alone would clash")]
    backend: str
    device: str
    held_to: Annotated[str, Meta(description="kernels that it was held to; empty where the framework had its choice")]
    versions: Annotated[dict[str, str], Meta(description="of the distributions, the framework's own first")]
    environment: dict[str, str]
    suite: Annotated[str, Meta(description="version of the suite that ran it")]
    cases_digest: Annotated[str, Meta(description="SHA-256 over all case files")]
    manifest_digest: Annotated[str, Meta(description="SHA-256 over the IDs of the manifest's variants")]
    selection: Annotated[str, Meta(description="what part of the cases was asked for; empty for all")]
    started: Annotated[str, Meta(description="UTC, ISO 8601")]
    finished: Annotated[str, Meta(description="empty for a run without a footer: it did not come to its end")]
    complete: Annotated[bool, Meta(description="whether every variant of the manifest has a record")]
    modes: list[ModePart]


class CountPart(_Part, frozen=True, kw_only=True):
    """Records of one operation in one dtype, in one mode of a run."""

    run: Annotated[str, Meta(description="label of the run")]
    mode: str
    operation: str
    dtype: Annotated[str, Meta(description="of the variant")]
    verdicts: Annotated[dict[str, Count], Meta(description="records by verdict; no zeros")]


class FindingPart(_Part, frozen=True, kw_only=True):
    """A channel that differs."""

    channel: str
    expected: str
    got: str
    detail: str


class FailurePart(_Part, frozen=True, kw_only=True):
    """A record that failed, crashed or timed out."""

    run: Annotated[str, Meta(description="label of the run")]
    mode: str
    idiom: Annotated[str, Meta(description="in mode 'idioms', the spelling")]
    operation: str
    variant: str
    call: str
    verdict: str
    reason: str
    findings: list[FindingPart]
    repeat: Annotated[str, Meta(description="the command that repeats just this")]
    text: Annotated[str, Meta(description="all of it as the console shows it")]


class Failures(_Part, frozen=True, kw_only=True):
    """All failures are counted; listed are the first of each mode, operation and channel, then the second of each."""

    total: Count
    listed: list[FailurePart]


class ReasonPart(_Part, frozen=True, kw_only=True):
    """Records with one reason. What is divergent has it from the registry."""

    reason: str
    link: str
    records: Count
    where: Annotated[list[str], Meta(description="runs and modes")]
    example: Annotated[str, Meta(description="a variant")]


class Reasons(_Part, frozen=True, kw_only=True):
    """All records of a verdict are counted; listed are the reasons with most records."""

    records: Count
    reasons: Annotated[int, Meta(description="different ones; of more than 1,000 only the first are told apart")]
    listed: list[ReasonPart]


class WorstPart(_Part, frozen=True, kw_only=True):
    """Of what passed, the error that is the largest part of its budget, for an operation's values or gradients."""

    run: Annotated[str, Meta(description="label of the run")]
    mode: str
    operation: str
    check: Literal["value", "gradient"]
    dtype: Annotated[str, Meta(description="of the result")]
    records: Annotated[Count, Meta(description="how many were measured")]
    ulp: Ulp
    budget: Ulp
    variant: str
    at: Annotated[str, Meta(description="the element's index, and the step where there are several")]


class Summary(_Part, frozen=True, kw_only=True):
    """What came of some runs of the conformance suite."""

    schema: str = msgspec.field(name="$schema", default=SCHEMA)
    format: Annotated[int, Meta(description="version of this format")] = FORMAT
    suite: Annotated[str, Meta(description="version of the suite that wrote this")]
    status: Annotated[
        Status,
        Meta(description="'incomplete' where a run lacks records or nothing of it could run, whatever else came of it"),
    ]
    problems: Annotated[list[str], Meta(description="why these runs can't be taken for whole ones")]
    verdicts: Counts
    other_spellings: Counts
    runs: list[RunPart]
    counts: list[CountPart]
    failures: Failures
    divergent: Reasons
    unsupported: Reasons
    worst: list[WorstPart]


def of(tally: Tally, problems: Sequence[str] = ()) -> Summary:
    """The summary of what was counted.

    Args:
        tally: of all records.
        problems: why the runs can't be taken for whole ones, a line each.
    """
    counts = [run.counts() for run in tally.runs]
    whole = not problems and all(run.complete for run in tally.runs)
    primary = [counts[c.run][c.mode.name] for c in tally.columns if not c.beside]
    beside = [counts[c.run][c.mode.name] for c in tally.columns if c.beside]
    return Summary(
        suite=__version__,
        status="incomplete" if not whole else "failures" if tally.failed else "no-failures",
        problems=[told(problem) for problem in problems],
        verdicts={verdict: sum(of_mode[verdict] for of_mode in primary) for verdict in VERDICTS},
        other_spellings={verdict: sum(of_mode[verdict] for of_mode in beside) for verdict in VERDICTS},
        runs=[_run(index, run, tally.columns) for index, run in enumerate(tally.runs)],
        counts=_counts(tally),
        failures=Failures(total=tally.failed, listed=[_failure(tally, f) for f in _listed(tally)]),
        divergent=_reasons(tally, "divergent"),
        unsupported=_reasons(tally, "unsupported"),
        worst=[_worst(tally, key, worst) for key, worst in sorted(tally.worst.items())],
    )


def text(summary: Summary) -> str:
    """The summary as JSON, indented. Equal summaries give equal text."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=1).decode() + "\n"


def schema_text() -> str:
    """The JSON Schema of the summary."""
    return schemas.schema_text(Summary, "Conformance summary")


def told(foreign: str) -> str:
    """A text from a run file: without characters that act on a terminal, and cut where it is long."""
    return clipped(visible(foreign), LONGEST_TEXT)


def _run(index: int, run: Run, columns: Sequence[Column]) -> RunPart:
    header, counts, missing = run.header, run.counts(), run.missing()
    mine = [column for column in columns if column.run == index]
    modes = [
        ModePart(
            mode=mode.name,
            manifest=mode.variants,
            verdicts=counts[mode.name],
            missing=missing.get(mode.name, 0),
            left_out=mode.left_out,
            because=mode.because,
            unsupported=mode.unsupported,
            flushes_subnormals=mode.flushes_subnormals,
        )
        for mode in header.modes
    ]
    return RunPart(
        label=mine[0].backend if mine else header.backend,
        backend=header.backend,
        device=header.device,
        held_to=header.held_to,
        versions=header.versions,
        environment=header.environment,
        suite=header.suite,
        cases_digest=header.cases_digest,
        manifest_digest=header.manifest_digest,
        selection=header.part_of_cases,
        started=header.started,
        finished=run.footer.finished if run.footer else "",
        complete=run.complete,
        modes=modes,
    )


def _counts(tally: Tally) -> list[CountPart]:
    return [
        CountPart(
            run=tally.columns[number].backend,
            mode=tally.columns[number].mode.name,
            operation=operation,
            dtype=dtype,
            verdicts={verdict: counter[verdict] for verdict in VERDICTS if counter[verdict]},
        )
        for (number, operation, dtype), counter in sorted(tally.counts.items())
    ]


def _listed(tally: Tally) -> list[Failure]:
    return [failure for _, failure in zip(range(FAILURES_LISTED), tally.failures, strict=False)]


def _failure(tally: Tally, failure: Failure) -> FailurePart:
    column, record = failure.column, failure.record
    findings = [
        FindingPart(channel=told(f.channel), expected=told(f.expected), got=told(f.got), detail=told(f.detail))
        for f in record.findings
    ]
    text = record_text(tally.runs[column.run].header, failure.case, record, tally.cases)
    repeat = repeat_command(record.variant, column.name, column.mode.name, column.device, column.kernels, tally.cases)
    return FailurePart(
        run=column.backend,
        mode=column.mode.name,
        idiom=record.idiom,
        operation=failure.case.operation,
        variant=record.variant,
        call=told(failure.case.call),
        verdict=record.verdict,
        reason=told(record.reason),
        findings=findings,
        repeat=visible(repeat),
        text=clipped(visible(text), LONGEST_TEXT),
    )


def _reasons(tally: Tally, verdict: str) -> Reasons:
    reasons = tally.reasons[verdict]
    most = sorted(reasons.values(), key=lambda reason: -reason.records)[:REASONS_LISTED]
    records = sum(reason.records for reason in reasons.values()) + tally.beyond[verdict]
    return Reasons(records=records, reasons=len(reasons), listed=[_reason(reason) for reason in most])


def _reason(reason: Reason) -> ReasonPart:
    return ReasonPart(
        reason=told(reason.text),
        link=told(reason.link),
        records=reason.records,
        where=[column.label for _, column in sorted(reason.columns.items())],
        example=told(reason.example),
    )


def _worst(tally: Tally, key: WorstKey, worst: Worst) -> WorstPart:
    column, record = tally.columns[key[0]], worst.record
    return WorstPart(
        run=column.backend,
        mode=column.mode.name,
        operation=key[1],
        check="gradient" if key[2] == "gradient" else "value",
        dtype=key[3],
        records=worst.records,
        ulp=record.ulp or 0.0,
        budget=record.budget or 0.0,
        variant=record.variant,
        at=place(record),
    )


def judged(summary: Summary) -> int:
    """How many records say something about a backend: all but what is unsupported or was not run."""
    every = (summary.verdicts, summary.other_spellings)
    return sum(n for counts in every for verdict, n in counts.items() if verdict not in ("unsupported", "not-run"))


def is_beside(mode: ModePart) -> bool:
    """Whether a mode stands for the other spellings."""
    return mode.mode == IDIOMS
