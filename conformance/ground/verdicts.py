"""The verdicts there are."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["passed", "failed", "divergent", "unsupported", "crashed", "timed-out", "not-run"]
VERDICTS: tuple[Verdict, ...] = ("passed", "failed", "divergent", "unsupported", "crashed", "timed-out", "not-run")
FAILURES: tuple[Verdict, ...] = ("failed", "crashed", "timed-out")
"""Verdicts that nobody has registered or announced."""
