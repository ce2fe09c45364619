"""A comparison in lines, for the console: of each sort how many there are, and of each kind the gravest."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from conformance.diffing.comparison import Comparison, ModeCounts
from conformance.diffing.findings import Category, Change, Group
from conformance.diffing.pairing import Cause
from conformance.diffing.records import Told, short
from conformance.diffing.timings import TimingChange
from conformance.words.wording import ulps

CATEGORIES = {
    "worse": "verdicts that became worse",
    "drifted": "errors that grew under one verdict, by more than 1 ULP or half the budget",
    "better": "verdicts that became better",
    "settled": "errors that shrank likewise",
    "otherwise": "not passed as before, but in another way",
    "form": "results of another dtype or shape, errors of another type, under one verdict",
    "moved": "results more than one step from what they were, of which nothing else is said",
}
"""The categories of a `Comparison`, the gravest first, and what they hold."""

_COUNTS = {
    "worse": "worse",
    "better": "better",
    "drifted": "drifted",
    "settled": "settled",
    "otherwise": "otherwise",
    "form": "of another form",
    "bits": "not bit-identical",
    "budgets": "with another budget",
    "questions": "changed questions",
    "outside": "not in one side's subset",
    "not_asked": "not asked on one side",
    "missing": "not run on one side",
}

_VALUE = 60


def lines(comparison: Comparison, most: int) -> Iterator[str]:
    """The comparison in words.

    Args:
        comparison: what was found.
        most: how many kinds of changes of each sort are shown, one change of each; all are counted.
    """
    yield from _circumstances(comparison)
    for row in comparison.modes:
        yield f"{row.label}   {mode_words(row)}"
    if comparison.modes:
        yield ""
    for name, title in CATEGORIES.items():
        category: Category = getattr(comparison, name)
        if category.records:
            yield from _category(title, category, most)
    if comparison.changed_total:
        yield f"changed questions, which are not compared: {comparison.changed_total:,}"
        yield from (f"  {question.name}: {question.what}" for question in comparison.changed[:most])
        yield from _more(comparison.changed_total - most)
        yield ""
    yield from _timings(comparison, most)


def mode_words(row: ModeCounts) -> str:
    """What the variants of a pair of modes came to."""
    words = [f"{row.compared:,} compared"]
    words += [f"{getattr(row, name):,} {what}" for name, what in _COUNTS.items() if getattr(row, name)]
    for what, counter in (("new", row.new), ("gone", row.gone)):
        if counter:
            words.append(
                f"{counter.total():,} {what} ({', '.join(f'{n:,} {verdict}' for verdict, n in counter.items())})"
            )
    return "  ".join(words)


def closing_line(comparison: Comparison, fail_on: Collection[Cause]) -> str:
    """What became worse, and what of it fails."""
    found = comparison.regressions()
    names: dict[Cause, tuple[str, str]] = {
        "verdict": ("verdict", "worse"),
        "gone": ("result", "gone"),
        "drift": ("error", "grown"),
        "timing": ("call", "slower"),
    }
    parts = [
        f"{found[cause]:,} {what}{'' if found[cause] == 1 else 's'} {became}"
        for cause, (what, became) in names.items()
        if cause != "timing" or comparison.timings
    ]
    return f"{', '.join(parts)} (fails on: {', '.join(fail_on)})"


def _circumstances(comparison: Comparison) -> Iterator[str]:
    for versus in comparison.versus:
        yield f"{versus.title}   A: {short(versus.a)}   B: {short(versus.b)}"
        for one in versus.differences:
            yield f"  {short(one.what)}: {_value(one.a)} → {_value(one.b)}"
        if not versus.differences:
            yield "  nothing about the circumstances is different"
    yield from comparison.left_over
    yield ""


def _value(text: str) -> str:
    shown = short(text)
    return (shown if len(shown) <= _VALUE else shown[:_VALUE] + "…") or "(none)"


def _category(title: str, category: Category, most: int) -> Iterator[str]:
    yield f"{title}: {category.records:,}"
    shown = category.groups[:most]
    for group in shown:
        yield from _change(group, group.shown[0])
    yield from _more(category.records - sum(group.records for group in shown), " of other kinds")
    yield ""


def _more(left: int, of: str = "") -> Iterator[str]:
    if left > 0:
        yield f"  … and {left:,} more{of}; the page has them"


def _change(group: Group, change: Change) -> Iterator[str]:
    channel = f"   channel: {group.channel}" if group.channel else ""
    note = f"   {change.note}" if change.note else ""
    spelling = f" ({change.idiom})" if change.idiom else ""
    yield f"  {group.where}{spelling}   {group.what}{channel}{note}   ({group.records:,} of {group.operation})"
    yield f"    {change.variant}"
    yield f"    A         {side(change.a)}"
    yield f"    B         {side(change.b)}"
    yield f"    repeat    {change.repeat}"


def side(told: Told) -> str:
    """What came on one side: the verdict, the error beside its budget, and the result."""
    parts = [told.verdict]
    if told.ulp is not None and told.budget is not None:
        parts.append(f"{ulps(told.ulp)} of {told.budget:.3g}")
    came = f"expected {told.expected}, got {told.got}" if told.expected else told.got
    return "   ".join(part for part in (*parts, came, told.reason) if part)


def _timings(comparison: Comparison, most: int) -> Iterator[str]:
    timings = comparison.timings
    if timings is None:
        return
    yield from timings.machines
    yield f"{len(timings.changes):,} times compared"
    for title, found in (("slower", timings.slower), ("faster", timings.faster)):
        if found:
            yield f"{title} beyond the noise: {len(found):,}"
            yield from (f"  {timing_words(change)}" for change in found[:most])
            yield from _more(len(found) - most)
    if timings.untimed:
        yield f"timed on one side only: {len(timings.untimed):,}"
        yield from (f"  {one.where}   {one.id}   only in {one.side}: {one.why}" for one in timings.untimed[:most])
        yield from _more(len(timings.untimed) - most)
    yield ""


def timing_words(change: TimingChange) -> str:
    """A cell whose time changed."""
    low, high = change.interval
    return (
        f"{change.where}   {change.id}   {seconds(change.a.median)} → {seconds(change.b.median)}   "
        f"{change.ratio:.2f} times as long ({low:.2f} to {high:.2f}), noise {change.noise:.2f}"
    )


def seconds(number: float) -> str:
    """A duration in the unit that fits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number * 1e9:.3g} ns"
