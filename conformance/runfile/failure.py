"""A failing variant in words, the same under pytest and under `conformance run`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from conformance.runfile import CaseLine, FindingLine, Header, Record


class FindingLike(Protocol):
    """A `conformance.judging.judge.Finding`, or a run file's line of one."""

    @property
    def channel(self) -> str:
        """Which channel differs."""

    @property
    def expected(self) -> str:
        """What was due."""

    @property
    def got(self) -> str:
        """What came."""

    @property
    def detail(self) -> str:
        """What helps to understand it."""


def repeat_command(
    variant: str, backend: str, mode: str, device: str = "cpu", kernels: str = "", cases: Path | None = None
) -> str:
    """The command that repeats one variant in one mode.

    Args:
        variant: its ID, or a pattern.
        backend: its name.
        mode: of it.
        device: where.
        kernels: what the run was held to; empty where the framework had its own choice.
        cases: the case files, where they are not those of the suite.
    """
    command = (
        f"conformance run --variant {_quoted(variant)} --backend {shlex.quote(backend)} --mode {shlex.quote(mode)}"
    )
    if device != "cpu":
        command += f" --device {shlex.quote(device)}"
    if kernels:
        command += f" --kernels {shlex.quote(kernels)}"
    return command if cases is None else f"{command} --cases {shlex.quote(str(cases))}"


def _quoted(variant: str) -> str:
    """An ID for a shell, always in quotes, so that all of them look the same. Run files are anybody's."""
    return shlex.quote(variant) if "'" in variant else f"'{variant}'"


def failure_text(
    variant: str,
    backend: str,
    mode: str,
    idiom: str,
    device: str,
    kernels: str,
    call: str,
    claim: bool,
    findings: Sequence[FindingLike],
    cases: Path | None = None,
    verdict: str = "failed",
    likewise: str = "",
) -> str:
    """What was expected, what came, what explains it, and the command that repeats just that variant.

    `likewise` says how many others fail so.
    """
    channels = ", ".join(dict.fromkeys(f.channel for f in findings))
    spelling = f" ({idiom})" if idiom else ""
    lines = [f"{verdict.upper()}  {variant}   {backend} {mode}{spelling}   channel: {channels}"]
    lines.append(f"  {'claim' if claim else 'call':<9} {call}")
    for finding in findings:
        lines += [f"  expected  {finding.expected}", f"  got       {finding.got}"]
        lines += [f"            {part}" for part in finding.detail.split("; ") if part]
    lines += [f"  likewise  {likewise}"] if likewise else []
    return "\n".join([*lines, f"  repeat    {repeat_command(variant, backend, mode, device, kernels, cases)}"])


def record_text(header: Header, case: CaseLine, record: Record, cases: Path | None = None, likewise: str = "") -> str:
    """A failing record of a run file in words (`cases` where they are not those of the suite)."""
    return failure_text(
        record.variant,
        header.backend,
        record.mode,
        record.idiom,
        header.device,
        header.held_to,
        case.call,
        case.claim,
        record.findings or [FindingLine("status", "a result", record.reason)],
        cases,
        record.verdict,
        likewise,
    )
