"""A failing variant in words, the same under pytest and under `conformance run`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class FindingLike(Protocol):
    """A `conformance.judging.Finding`, or a run file's line of one."""

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


def repeat_command(variant: str, backend: str, mode: str, device: str = "cpu") -> str:
    """The command that repeats one variant in one mode."""
    command = f"conformance run --variant '{variant}' --backend {backend} --mode {mode}"
    return command if device == "cpu" else f"{command} --device {device}"


def failure_text(
    variant: str, backend: str, mode: str, device: str, call: str, claim: bool, findings: Sequence[FindingLike]
) -> str:
    """What was expected, what came, what explains it, and the command that repeats just that variant."""
    channels = ", ".join(dict.fromkeys(f.channel for f in findings))
    lines = [f"FAILED  {variant}   {backend} {mode}   channel: {channels}"]
    lines.append(f"  {'claim' if claim else 'call':<9} {call}")
    for finding in findings:
        lines += [f"  expected  {finding.expected}", f"  got       {finding.got}"]
        lines += [f"            {part}" for part in finding.detail.split("; ") if part]
    return "\n".join([*lines, f"  repeat    {repeat_command(variant, backend, mode, device)}"])
