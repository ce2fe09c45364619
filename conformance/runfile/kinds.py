"""Failures of one kind: an upgrade breaks one thing, and hundreds of variants show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.runfile import CaseLine, Record, Run


@dataclass(slots=True)
class Kind:
    """Failures of one operation in the same channels, in one mode (and spelling) of a run.

    Attributes:
        run, case, record: the first of them.
        variants: how many there are.
    """

    run: Run
    case: CaseLine
    record: Record
    variants: int = 1

    @property
    def likewise(self) -> str:
        """How many others there are, in words; empty where there is none."""
        others = self.variants - 1
        return f"{others:,} more {'variant' if others == 1 else 'variants'} of {self.case.operation}" if others else ""


def kinds(failures: Iterable[tuple[Run, CaseLine, Record]]) -> list[Kind]:
    """The failures by kind, each kind where its first one stood."""
    found: dict[tuple[object, ...], Kind] = {}
    for run, case, record in failures:
        channels = tuple(dict.fromkeys(finding.channel for finding in record.findings))
        key = (run.path, record.mode, record.idiom, case.operation, record.verdict, channels)
        if key in found:
            found[key].variants += 1
        else:
            found[key] = Kind(run, case, record)
    return list(found.values())
