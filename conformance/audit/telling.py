"""An audit in words: the table, the closing line, and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from conformance.audit.auditing import ENOUGH, Audit, Trial, by_verdict
from conformance.words.terminal import Terminal

_SHOWN = 2
_MOST_UNSOUND = 20
_WORDS = {
    "caught": "caught",
    "survived": "SURVIVED",
    "passed": "harmless passed",
    "blamed": "harmless FAILED",
    "unseen": "WITHOUT A CASE",
}


def print_audit(console: Console, audit: Audit) -> None:
    """A line a defect: its backend, what became of it, the cases that catch it, and in which channels."""
    table = Table(box=None, show_header=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for title in ("defect", "backend", "", "cases", "the first of them", "channels"):
        table.add_column(title, no_wrap=True, justify="right" if title == "cases" else "left")
    for trial in audit.trials:
        table.add_row(
            trial.defect.name,
            f"{trial.backend} {trial.mode}",
            _WORDS[trial.verdict],
            _count(trial),
            _first(trial),
            ", ".join(trial.channels),
        )
    width = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    Terminal(file=console.file, width=max(width, 1), soft_wrap=False).print(table)  # nothing is cut off


def closing_line(audit: Audit) -> str:
    """How many defects there were, and what became of them."""
    total = len(audit.trials)
    counts = ", ".join(f"{count} {_WORDS[verdict]}" for verdict, count in by_verdict(audit.trials))
    return f"{total} {'defect' if total == 1 else 'defects'}: {counts or 'none'}"


def problems(audit: Audit) -> Iterator[str]:
    """What is not as it must be, a line each."""
    for backend, reason in audit.unavailable.items():
        yield f"{backend} can't be audited: {reason}"
    for (backend, mode, variant), reason in list(audit.unsound.items())[:_MOST_UNSOUND]:
        yield f"{backend} {mode} fails {variant} without any defect: {reason}"
    if len(audit.unsound) > _MOST_UNSOUND:
        yield f"… and {len(audit.unsound) - _MOST_UNSOUND:,} more that fail without any defect"
    for trial in audit.trials:
        where = f"{trial.defect.name} ({trial.backend} {trial.mode})"
        if trial.verdict == "survived":
            other = "".join(
                f"; {catch.variant} fails, but in {', '.join(catch.channels)}"
                for catch in list(trial.elsewhere.values())[:1]
            )
            meant = ", ".join(trial.defect.channels)
            yield f"survived: {where}: none of {trial.variants:,} variants fails in {meant}{other}"
        if trial.verdict == "blamed":
            yield f"harmless, but caught: {where}: by {next(iter(trial.caught.values())).variant}"
        if trial.verdict == "unseen":
            yield f"no case: {where}: no variant calls it in a way that this backend can do"


def as_json(audit: Audit) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "passed": audit.passed,
        "counts": dict(by_verdict(audit.trials)),
        "unavailable": audit.unavailable,
        "unsound": [
            {"backend": backend, "mode": mode, "variant": variant, "reason": reason}
            for (backend, mode, variant), reason in audit.unsound.items()
        ],
        "defects": [
            {
                "name": trial.defect.name,
                "operation": trial.defect.operation,
                "backend": trial.backend,
                "mode": trial.mode,
                "harmless": trial.defect.harmless,
                "meant_for": list(trial.defect.channels),
                "verdict": trial.verdict,
                "variants": trial.variants,
                "stopped_early": trial.done,
                "channels": trial.channels,
                "caught_by": [
                    {"case": case, "variant": catch.variant, "channels": list(catch.channels)}
                    for case, catch in trial.caught.items()
                ],
            }
            for trial in audit.trials
        ],
    }


def _count(trial: Trial) -> str:
    """How many cases caught it; on slow frameworks no more than enough were tried."""
    return f"{ENOUGH}+" if trial.done else str(len(trial.caught))


def _first(trial: Trial) -> str:
    more = " …" if len(trial.caught) > _SHOWN else ""
    return ", ".join(list(trial.caught)[:_SHOWN]) + more
