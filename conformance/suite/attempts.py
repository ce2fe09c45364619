"""What is tried, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.judging.judge import Judgement


@dataclass(frozen=True, slots=True)
class Attempt:
    """A variant in a mode, in a spelling: what one record is about."""

    variant: Variant
    mode: str
    idiom: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other: the variant's ID, the mode, the spelling."""
        return self.variant.id, self.mode, self.idiom


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a variant in a mode."""

    variant: Variant
    mode: str
    judgement: Judgement
    outcome: Outcome
    idiom: str = ""
