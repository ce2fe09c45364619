"""What was measured of one way to write an operation: verdicts, reasons, deviations, and the largest errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance.ground.verdicts import FAILURES, VERDICTS
from conformance.reports.shared.issues import safe_link
from conformance.runfile import FindingLine, Record, VariantLine

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
class _Channel:
    """The findings in one channel: on how many variants, the first of them, and what they come to."""

    example: str
    variants: int = 0
    last: str = ""
    non_finite: int = 0
    raised: int = 0
    first_raised: str = ""
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, record: Record, finding: FindingLine) -> None:
        """Add a finding of a record; the records of a variant follow each other."""
        if record.variant != self.last:
            self.last = record.variant
            self.variants += 1
            self.raised += bool(record.raised)
            self.first_raised = self.first_raised or record.raised
        self.non_finite += finding.non_finite
        self.pairs[finding.expected, finding.got] += 1


class Tally:
    """Adds up the records of one way to write an operation.

    Args:
        operation: which.

    Attributes:
        counts: its records of each verdict, zeros left out.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._verdicts: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str, str]] = Counter()
        self._largest: dict[bool, Largest] = {}
        self._channels: dict[str, _Channel] = {}

    def add(self, line: VariantLine, record: Record) -> None:
        """Add a record of a variant."""
        self._verdicts[record.verdict] += 1
        if record.verdict in ("divergent", "unsupported"):
            self._reasons[record.verdict, record.reason, record.link] += 1
        if record.ulp is not None and measured_of(record, self._operation) == self._operation:
            gradient = line.check == "gradient"
            if gradient not in self._largest or record.ulp > self._largest[gradient].ulp:
                self._largest[gradient] = Largest(record.ulp, record.budget, record.variant, gradient)
        for finding in record.findings:
            if finding.channel not in self._channels:
                self._channels[finding.channel] = _Channel(record.variant)
            self._channels[finding.channel].add(record, finding)

    @property
    def counts(self) -> dict[str, int]:
        """How many records there are of each verdict that occurs."""
        return {verdict: self._verdicts[verdict] for verdict in VERDICTS if self._verdicts[verdict]}

    @property
    def reasons(self) -> list[Reason]:
        """Every reason once, the one with most records first; of equally many, in order."""
        return [
            Reason(verdict, text or "no reason recorded", safe_link(link), link, number)
            for (verdict, text, link), number in self._reasons.most_common()
        ]

    @property
    def largest(self) -> list[Largest]:
        """The largest errors that were recorded of results of the operation itself: of values, and of gradients."""
        return [largest for _, largest in sorted(self._largest.items())]

    @property
    def deviations(self) -> list[Deviation]:
        """What the findings come to, channel by channel."""
        return [
            Deviation(name, _in_words(name, channel), channel.variants, channel.example)
            for name, channel in self._channels.items()
        ]

    @property
    def glance(self) -> Glance:
        """All of it in a word."""
        return glance(self.counts, self.reasons)


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


def measured_of(record: Record, operation: str) -> str:
    """The operation whose result a record's measured element belongs to, in a case that is about `operation`."""
    return record.step.partition(", ")[2] or operation


_WORDS = {
    "value": "a value is further off than its budget",
    "gradient": "a gradient is further off than its budget",
    "signed-zero": "a zero has the other sign",
    "aliasing": "a view came for a copy, a copy for a view, or an input was overwritten",
    "state": "the call left something changed beyond its result",
    "device": "it was computed on another device",
    "printed": "it is not what the document prints",
    "claim": "the claim does not hold",
    "registry": "it is not the deviation that is registered",
}


def _in_words(name: str, channel: _Channel) -> str:
    if name == "nan-inf":
        number = channel.non_finite
        many = f", {number:,} {'element' if number == 1 else 'elements'} in all" if number else ""
        return f"NaN or infinity where there must be a number, or the other way round{many}"
    if name == "status":
        parts = [f"an error instead of a result ({_cut(channel.first_raised)})"] if channel.raised else []
        parts += ["a result where the call must be refused"] if channel.raised < channel.variants else []
        return "; ".join(parts)
    if name in ("dtype", "shape"):
        pairs = channel.pairs.most_common()
        named = [f"{_cut(got)} instead of {_cut(expected)}" for (expected, got), _ in pairs[:_PAIRS_NAMED]]
        more = [f"{len(pairs) - _PAIRS_NAMED} others"] if len(pairs) > _PAIRS_NAMED else []
        return f"another {name}: {', '.join(named + more)}"
    return _WORDS.get(name, f"{name} is not as expected")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


def place(record: Record) -> str:
    """The measured element's index (none of a scalar), and of several steps its own: ``[0, 3] of step 2, sum``."""
    index = f"[{', '.join(map(str, record.at))}]" if record.at else ""
    return " of ".join(part for part in (index, record.step and f"step {record.step}") if part)
