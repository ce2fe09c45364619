"""`badge.json`: a badge in the format of shields.io's endpoint. It counts; it does not rate."""

from __future__ import annotations

import json

from conformance.reports.machines.summary import Summary, judged


def badge(summary: Summary) -> dict[str, int | str]:
    """The badge of some runs.

    Green is only what came to its end on all cases with nothing failed and nothing unsupported. What could not be asked
    of a backend is in the message and makes the badge blue: it is no failure, and no success.
    """
    failed = summary.failures.total
    unsupported = summary.unsupported.records
    parts = [f"{judged(summary):,} judged", f"{failed:,} failed"]
    if divergent := summary.divergent.records:
        parts.append(f"{divergent:,} divergent")
    if unsupported:
        parts.append(f"{unsupported:,} unsupported")
    selected = any(run.selection for run in summary.runs)
    if selected:
        parts.append("part of the cases")
    if summary.status == "incomplete":
        parts.append("incomplete")
    return {
        "schemaVersion": 1,
        "label": "conformance",
        "message": " · ".join(parts),
        "color": _color(summary, partly=bool(unsupported) or selected),
    }


def text(summary: Summary) -> str:
    """The badge as JSON."""
    return json.dumps(badge(summary), ensure_ascii=False) + "\n"


def _color(summary: Summary, partly: bool) -> str:
    if summary.failures.total:
        return "red"
    if summary.status == "incomplete":
        return "lightgrey"
    if partly or not judged(summary):
        return "blue"
    return "brightgreen"
