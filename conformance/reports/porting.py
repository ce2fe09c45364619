"""What to write in each framework for the document's functions, and how far each way of writing it conforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from conformance.judging import FAILURES, VERDICTS
from conformance.reports.columns import Column
from conformance.reports.issues import safe_link
from conformance.reports.material import Material
from conformance.runfile import IdiomSource, Record

OPERATORS = frozenset(("add", "subtract", "multiply", "divide", "negative"))
"""Written with the same sign everywhere, and left out."""

FLUSHED = "subnormal results come as zero"
"""How the reason of a divergence begins that no one has registered: cases accept it, and `judging` says so."""

_PAIRS_NAMED = 3
_LONGEST_TOLD = 40


@dataclass(frozen=True, slots=True)
class Glance:
    """A spelling in a word.

    Attributes:
        verdict: the one that gives it its glyph; 'none' for no record at all.
        words: what to know at once.
        reason: that in which it deviates, or why it wasn't tried, where there is one only.
    """

    verdict: str
    words: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest recorded error, in ULP, the budget there, the variant it was on, and whether that is a gradient."""

    ulp: float
    budget: float | None
    variant: str
    gradient: bool


@dataclass(frozen=True, slots=True)
class Deviation:
    """What is not as it must be in one channel, in words; on how many variants, and one of them."""

    channel: str
    words: str
    variants: int
    example: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why variants diverge or could not be tried.

    Attributes:
        verdict: 'divergent' or 'unsupported'.
        text: the reason.
        link: of it, where it is one that may be followed; `link_text` as registered otherwise.
        records: how many records have it.
    """

    verdict: str
    text: str
    link: str
    link_text: str
    records: int


@dataclass(slots=True)
class Written:
    """A way to write an operation in a framework, with what was measured.

    Attributes:
        name: of the spelling; empty for the primary one.
        source: its source; None where no run file has it.
        needs: the distribution it uses beyond the framework.
        where: what narrows the list of variants to it: ``col=0`` or ``by=7``.
        counts: its records of each verdict, zeros left out.
        judged: how many variants it was judged on.
        glance: all of it in a word.
        largest: the largest recorded error of a value, and of a gradient; those there are.
        deviations: by channel.
        reasons: each once.
        modes: the other modes of the framework, in a word each; of primary spellings only.
    """

    name: str
    source: str | None
    needs: str
    where: str
    counts: dict[str, int]
    judged: int
    glance: Glance
    largest: list[Largest]
    deviations: list[Deviation]
    reasons: list[Reason]
    modes: list[tuple[Column, Glance]] = field(default_factory=list)


@dataclass(slots=True)
class Framework:
    """A run's ways to write an operation, the primary one first; none where it has no idiom."""

    label: str
    mode: str
    spellings: list[Written]

    @property
    def primary(self) -> Written | None:
        """The primary spelling, where there is one."""
        return next((written for written in self.spellings if not written.name), None)

    @property
    def others(self) -> Counter[str]:
        """How many of the other spellings have which face."""
        return Counter(written.glance.verdict for written in self.spellings if written.name)


@dataclass(slots=True)
class Function:
    """An operation with its ways to be written.

    Attributes:
        operation, summary: of it.
        document: the document's call.
        frameworks: one a run.
        judged: whether any record is about it; others are only used in calls of other operations.
    """

    operation: str
    summary: str
    document: str
    frameworks: list[Framework]
    judged: bool


def functions(material: Material, told: Mapping[str, Mapping[str, str]]) -> list[Function]:
    """Every operation but the arithmetic operators: the document's, the other cases', and what is only used.

    Args:
        material: the runs.
        told: what the headers say of operations.
    """
    records = _by_operation(material)
    return [_function(material, operation, told.get(operation, {}), records) for operation in _order(material, told)]


def _order(material: Material, told: Mapping[str, Mapping[str, str]]) -> list[str]:
    document = [case.operation for case in material.cases.values() if case.id.startswith("document/")]
    spelled = {idiom.operation for run in material.runs for idiom in run.header.idioms}
    every = dict.fromkeys(chain(document, material.operations, sorted({*told, *spelled})))
    return [operation for operation in every if operation not in OPERATORS]


@dataclass(slots=True)
class _Records:
    """The records about each operation: by column, and by spelling."""

    primary: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    others: dict[int, list[Record]] = field(default_factory=dict)


def _by_operation(material: Material) -> _Records:
    found = _Records()
    for variant, records in material.records.items():
        operation = material.operation_of(variant)
        for column, record in records.items():
            found.primary.setdefault((operation, column), []).append(record)
        for spelling, record in material.others[variant].items():
            found.others.setdefault(spelling, []).append(record)
    return found


def _function(material: Material, operation: str, told: Mapping[str, str], records: _Records) -> Function:
    frameworks = []
    for index, label in enumerate(material.labels):
        sources = {i.name: i for i in material.runs[index].header.idioms if i.operation == operation}
        modes = [column for column in material.columns if column.run == index]
        spellings: list[Written] = []
        if "" in sources or any((operation, column.number) in records.primary for column in modes):
            spellings.append(_primary(material, operation, sources.get(""), modes, records))
        for spelling in material.spellings:
            if (spelling.run, spelling.operation) == (index, operation):
                source, found = sources.get(spelling.name), records.others.get(spelling.number, [])
                spellings.append(_written(material, spelling.name, source, f"by={spelling.number}", operation, found))
        frameworks.append(Framework(label, modes[0].mode.name if modes else "", spellings))
    judged = any(written.counts for framework in frameworks for written in framework.spellings)
    return Function(operation, told.get("summary", ""), told.get("document", ""), frameworks, judged)


def _primary(
    material: Material, operation: str, source: IdiomSource | None, modes: Sequence[Column], records: _Records
) -> Written:
    found = [records.primary.get((operation, column.number), []) for column in modes]
    where = f"col={modes[0].number}" if modes else ""
    written = _written(material, "", source, where, operation, found[0] if found else [])
    written.modes = [
        (column, glance(_counts(its), _reasons(its))) for column, its in zip(modes[1:], found[1:], strict=True) if its
    ]
    return written


def _written(
    material: Material, name: str, source: IdiomSource | None, where: str, operation: str, records: Sequence[Record]
) -> Written:
    counts, reasons = _counts(records), _reasons(records)
    return Written(
        name,
        source.source if source else None,
        source.needs if source else "",
        where,
        counts,
        judged(counts),
        glance(counts, reasons),
        _largest(material, records, operation),
        deviations(records),
        reasons,
    )


def _counts(records: Iterable[Record]) -> dict[str, int]:
    counter = Counter(record.verdict for record in records)
    return {verdict: counter[verdict] for verdict in VERDICTS if counter[verdict]}


def judged(counts: Mapping[str, int]) -> int:
    """How many results there were to judge: neither unsupported nor not run."""
    return sum(n for verdict, n in counts.items() if verdict not in ("unsupported", "not-run"))


def glance(counts: Mapping[str, int], reasons: Sequence[Reason]) -> Glance:
    """Counts of verdicts in a word; the gravest there is says it."""
    wrong, of = sum(counts.get(verdict, 0) for verdict in FAILURES), judged(counts)
    if wrong:
        verdict = next(verdict for verdict in FAILURES if counts.get(verdict))
        return Glance(verdict, f"wrong on {wrong:,} of {of:,}")
    if lacking := counts.get("not-run"):
        return Glance("not-run", f"not run on {lacking:,}")
    of_verdict = {v: [r for r in reasons if r.verdict == v] for v in ("divergent", "unsupported")}
    if divergent := counts.get("divergent"):
        found = of_verdict["divergent"]
        registered = any(not reason.text.startswith(FLUSHED) for reason in found)
        words = f"deviates{' as registered' if registered else ''} on {divergent:,} of {of:,}"
        if len(found) == 1:
            return Glance("divergent", words, found[0].text)
        return Glance("divergent", f"{words}, for {len(found)} reasons")
    if counts.get("passed"):
        return Glance("passed", "conforms")
    if counts.get("unsupported"):
        found = of_verdict["unsupported"]
        return Glance("unsupported", "not tried", found[0].text if len(found) == 1 else f"{len(found)} reasons")
    return Glance("none", "no record")


def _reasons(records: Iterable[Record]) -> list[Reason]:
    """Every reason once, the one with most records first; of equally many, in order."""
    found = Counter((r.verdict, r.reason, r.link) for r in records if r.verdict in ("divergent", "unsupported"))
    return [
        Reason(verdict, text or "no reason recorded", safe_link(link), link, number)
        for (verdict, text, link), number in found.most_common()
    ]


def _largest(material: Material, records: Iterable[Record], operation: str) -> list[Largest]:
    """The largest errors that were recorded of results of the operation itself: of values, and of gradients."""
    worst: dict[bool, Record] = {}
    for record in records:
        if record.ulp is not None and measured_of(record, operation) == operation:
            gradient = material.line(record.variant).check == "gradient"
            if gradient not in worst or record.ulp > (worst[gradient].ulp or 0.0):
                worst[gradient] = record
    return [Largest(r.ulp or 0.0, r.budget, r.variant, gradient) for gradient, r in sorted(worst.items())]


def measured_of(record: Record, operation: str) -> str:
    """The operation whose result a record's measured element belongs to, in a case that is about `operation`."""
    return record.step.partition(", ")[2] or operation


_WORDS = {
    "value": "a value is further off than its budget",
    "gradient": "a gradient is further off than its budget",
    "signed-zero": "a zero has the other sign",
    "aliasing": "a view came for a copy, a copy for a view, or an input was overwritten",
    "printed": "it is not what the document prints",
    "claim": "the claim does not hold",
    "registry": "it is not the deviation that is registered",
}


def deviations(records: Iterable[Record]) -> list[Deviation]:
    """What the findings of some records come to, channel by channel."""
    found: dict[str, dict[str, Record]] = {}
    for record in records:
        for finding in record.findings:
            found.setdefault(finding.channel, {}).setdefault(record.variant, record)
    return [
        Deviation(channel, _in_words(channel, list(of_channel.values())), len(of_channel), next(iter(of_channel)))
        for channel, of_channel in found.items()
    ]


def _in_words(channel: str, records: Sequence[Record]) -> str:
    findings = [finding for record in records for finding in record.findings if finding.channel == channel]
    if channel == "nan-inf":
        number = sum(finding.non_finite for finding in findings)
        many = f", {number:,} {'element' if number == 1 else 'elements'} in all" if number else ""
        return f"NaN or infinity where there must be a number, or the other way round{many}"
    if channel == "status":
        raised = sum(bool(record.raised) for record in records)
        parts = (
            [f"an error instead of a result ({_cut(next(r.raised for r in records if r.raised))})"] if raised else []
        )
        parts += ["a result where the call must be refused"] if raised < len(records) else []
        return "; ".join(parts)
    if channel in ("dtype", "shape"):
        pairs = Counter((finding.expected, finding.got) for finding in findings).most_common()
        named = [f"{_cut(got)} instead of {_cut(expected)}" for (expected, got), _ in pairs[:_PAIRS_NAMED]]
        more = [f"{len(pairs) - _PAIRS_NAMED} others"] if len(pairs) > _PAIRS_NAMED else []
        return f"another {channel}: {', '.join(named + more)}"
    return _WORDS.get(channel, f"{channel} is not as expected")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"
