"""`summary.md`: what came of the runs, for the summary of a CI job, a comment, or a person.

GitHub takes up to 1 MiB a step, and drops the whole of a longer one. What does not fit is left out and counted.
Everything that comes from run files is shown as code and can't become markup, a link, or a mention of somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from conformance.ground.verdicts import FAILURES, VERDICTS
from conformance.reports.machines.summary import Reasons, Summary, is_beside, judged
from conformance.reports.shared.issues import safe_link
from conformance.words.visible import clipped, on_one_line, visible

LIMIT = 1_000_000
"""Bytes of the whole text. GitHub's limit is 2**20; what is left is for what else the step has to say."""

FAILURES_SHOWN = 30
"""In full, with the command that repeats each; as many more as fit have a row in a table."""

REASONS_SHOWN = 20
LONGEST_CELL = 300

_CLOSING_ROOM = 1_000
_MARKUP = re.compile(r"""[&<>"|`*_~\\\[\]#$]""")
_LINKING = re.compile(r"@|://|www\.", re.IGNORECASE)

_HEADLINES = {"no-failures": "no failures", "failures": "{:,} failed", "incomplete": "incomplete"}


class _Document:
    """Text that stays below a limit, piece by piece."""

    def __init__(self, limit: int) -> None:
        self._room = limit - _CLOSING_ROOM
        self._parts: list[str] = []
        self._cut: list[str] = []

    def add(self, text: str) -> bool:
        """Add a piece if it fits."""
        size = len(text.encode())
        if size > self._room:
            return False
        self._room -= size
        self._parts.append(text)
        return True

    def each(self, pieces: Iterable[str], what: str, unlisted: int = 0) -> None:
        """Add pieces while they fit; the others are counted, as are `unlisted` ones that were never offered."""
        left = unlisted
        fits = True
        for piece in pieces:
            fits = fits and self.add(piece)
            left += not fits
        if left:
            self._cut.append(f"{left:,} {what}")

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], what: str, unlisted: int = 0) -> None:
        """Add a table; cells are Markdown already."""
        opening = f"| {' | '.join(header)} |\n|{'|'.join(' --- ' for _ in header)}|\n"
        lines = [f"| {' | '.join(row)} |\n" for row in rows]
        if self.add(opening):
            self.each(lines, what, unlisted)
            self.add("\n")
        else:
            self.each((), what, unlisted + len(lines))

    def text(self) -> str:
        """The whole, and what was left out."""
        if not self._cut:
            return "".join(self._parts)
        return "".join(self._parts) + f"Not shown here: {'; '.join(self._cut)}. The other reports have them.\n"


def text(summary: Summary, limit: int = LIMIT) -> str:
    """The summary as Markdown, of at most `limit` bytes."""
    document = _Document(limit)
    headline = _HEADLINES[summary.status].format(summary.failures.total)
    document.add(f"## Conformance: {headline}\n\n")
    document.add(f"{_in_short(summary)}\n\n")
    if summary.problems:
        document.add("**Incomplete.** These runs can't be taken for whole ones:\n\n")
        document.each((f"- {code(problem)}\n" for problem in summary.problems), "problems")
        document.add("\n")
    _failures(document, summary)
    _verdicts(document, summary)
    _reasons(document, "Divergences", "Deviations that are registered, each with its reason.", summary.divergent)
    _reasons(document, "Unsupported", "Neither passed nor failed: it could not be asked.", summary.unsupported)
    _runs(document, summary)
    return document.text()


def _in_short(summary: Summary) -> str:
    digests = ", ".join(code(digest) for digest in dict.fromkeys(run.cases_digest[:8] for run in summary.runs))
    parts = [
        f"**{judged(summary):,}** judged",
        f"**{summary.failures.total:,}** failed",
        f"{summary.divergent.records:,} divergent",
        f"{summary.unsupported.records:,} unsupported",
    ]
    different = "" if digests.count("<code>") == 1 else " (these runs are of different case files)"
    selected = [run for run in summary.runs if run.selection]
    part = f" · only a part of the cases was asked for: {code(selected[0].selection)}" if selected else ""
    return f"{' · '.join(parts)} · cases {digests}{different}{part}"


def _failures(document: _Document, summary: Summary) -> None:
    failures = summary.failures
    if not failures.total:
        return
    document.add(f"### Failures: {failures.total:,}\n\n")
    shown, others = failures.listed[:FAILURES_SHOWN], failures.listed[FAILURES_SHOWN:]
    unlisted = failures.total - len(failures.listed)
    document.each((fenced(failure.text) + "\n" for failure in shown), "failures", 0 if others else unlisted)
    if others:
        rows = [
            [
                code(f"{failure.run} {failure.mode}"),
                code(failure.variant),
                code(", ".join(finding.channel for finding in failure.findings) or failure.verdict),
                code(failure.repeat),
            ]
            for failure in others
        ]
        document.table(["where", "variant", "channel", "repeat"], rows, "failures", unlisted)


def _verdicts(document: _Document, summary: Summary) -> None:
    document.add("### Verdicts\n\n")
    used = [v for v in VERDICTS if v in ("passed", "failed", "divergent") or _sum(summary, v)]
    document.table(
        ["backend", "mode", "manifest", *used, "not in subset"],
        (list(row) for row in _verdict_rows(summary, used)),
        "modes",
    )


def _verdict_rows(summary: Summary, used: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for run in summary.runs:
        for mode in run.modes:
            numbers = [
                f"**{mode.verdicts[v]:,}**" if v in FAILURES and mode.verdicts[v] else f"{mode.verdicts[v]:,}"
                for v in used
            ]
            total = sum(mode.verdicts.values())
            manifest = f"{mode.manifest:,}" if total == mode.manifest else f"{mode.manifest:,} ≠ {total:,}"
            name = "other spellings" if is_beside(mode) else code(mode.mode)
            yield code(run.label), name, manifest, *numbers, f"{mode.left_out:,}" if mode.left_out else ""


def _sum(summary: Summary, verdict: str) -> int:
    return summary.verdicts[verdict] + summary.other_spellings[verdict]


def _reasons(document: _Document, title: str, about: str, reasons: Reasons) -> None:
    if not reasons.records:
        return
    document.add(f"### {title}: {reasons.records:,}\n\n{about}\n\n")
    shown = reasons.listed[:REASONS_SHOWN]
    rows = [
        [f"{reason.records:,}", code(reason.reason or "no reason recorded"), _places(reason.where), link(reason.link)]
        for reason in shown
    ]
    document.table(["records", "reason", "where", "link"], rows, "reasons", reasons.reasons - len(shown))


def _places(where: Sequence[str]) -> str:
    return ", ".join(map(code, where[:4])) + (f" and {len(where) - 4} more" if len(where) > 4 else "")


def _runs(document: _Document, summary: Summary) -> None:
    document.add("### Runs\n\n")
    rows = [
        [
            code(run.label),
            code(f"{run.device} {run.held_to}".strip()),
            code(", ".join(f"{name} {version}" for name, version in run.versions.items())),
            code(", ".join(run.environment.get(key, "") for key in ("python", "system", "processor"))),
            code(run.started),
            "yes" if run.complete else "**no**",
        ]
        for run in summary.runs
    ]
    document.table(["backend", "device", "versions", "Python, system, processor", "started", "complete"], rows, "runs")


def code(foreign: str) -> str:
    """A text from elsewhere within a line or a table's cell, where it can be nothing but text.

    It stands in a ``<code>`` element, where GitHub looks for no mentions, emoji or references. Characters that Markdown
    takes for markup are character references, and where links would be made without being asked for (``@``, ``://``,
    ``www.``) an element of their own parts them from their neighbours.
    """
    text = clipped(on_one_line(foreign), LONGEST_CELL)
    parts, end = [], 0
    for match in _LINKING.finditer(text):
        parts += [_escaped(text[end : match.start()]), f"<span>{_escaped(match[0], every=True)}</span>"]
        end = match.end()
    parts.append(_escaped(text[end:]))
    return f"<code>{''.join(parts)}</code>" if text else ""


def link(foreign: str) -> str:
    """A link from elsewhere: one that may be followed, or its text."""
    if not safe_link(foreign):
        return code(foreign)
    return f'<a href="{_escaped(foreign)}">{code(foreign.removeprefix("https://"))}</a>'


def _escaped(text: str, every: bool = False) -> str:
    if every:
        return "".join(f"&#{ord(character)};" for character in text)
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def fenced(foreign: str) -> str:
    """Lines from elsewhere as a block of code, whose fence is longer than any row of backticks in it."""
    text = visible(foreign)
    fence = "`" * (1 + max([2, *map(len, re.findall("`+", text))]))
    return f"{fence}text\n{text}\n{fence}\n"
