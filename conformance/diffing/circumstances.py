"""What else is different between two runs, and so may be why: versions, machine, settings, suite, spellings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.runfile import Header, ModeSummary
from conformance.timing.model import Circumstances


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same; empty on a side that lacks it."""

    what: str
    a: str
    b: str


def of_runs(a: Header, b: Header, modes: Sequence[tuple[str, str]]) -> list[Difference]:
    """What is different between two runs, the framework's version first.

    Args:
        a: the one run's header.
        b: the other's.
        modes: of A and B, those that are compared with each other.
    """
    found = [
        Difference("backend", a.backend, b.backend),
        *_versions(a.versions, b.versions),
        Difference("device", a.device, b.device),
        Difference("held to kernels", a.held_to, b.held_to),
        *_environments(a, b),
        Difference("suite", a.suite, b.suite),
        Difference("cases", a.cases_digest[:12], b.cases_digest[:12]),
        Difference("variants of the manifest", a.manifest_digest[:12], b.manifest_digest[:12]),
        Difference("part of the cases", a.part_of_cases, b.part_of_cases),
        *(difference for pair in modes for difference in _modes(_mode(a, pair[0]), _mode(b, pair[1]))),
        *_spellings(a, b),
    ]
    return [one for one in found if one.a != one.b]


def of_timings(a: Circumstances, b: Circumstances) -> list[Difference]:
    """What is different between two timing files."""
    found = [
        Difference("backend", a.backend, b.backend),
        *_versions(a.versions, b.versions),
        Difference("device", a.device, b.device),
        Difference("threads", str(a.threads), str(b.threads)),
        Difference("threads, in fact", a.threads_note, b.threads_note),
        *_environments(a, b),
        Difference("suite", a.suite, b.suite),
        Difference("what was timed", a.selection, b.selection),
    ]
    return [one for one in found if one.a != one.b]


def _versions(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Difference]:
    yield from _each("version of ", a, b)


def _each(prefix: str, a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys((*a, *b)):
        yield Difference(prefix + name, a.get(name, ""), b.get(name, ""))


def _environments(a: Header | Circumstances, b: Header | Circumstances) -> Iterator[Difference]:
    """The libraries one by one, except those whose versions are told as the framework's."""
    named = {*a.versions, *b.versions}
    for difference in _each("", a.environment, b.environment):
        if difference.what == "libraries":
            yield from _each("version of ", *(_libraries(text, named) for text in (difference.a, difference.b)))
        else:
            yield difference


def _libraries(text: str, besides: Collection[str]) -> dict[str, str]:
    versions = dict(part.partition(" ")[::2] for part in text.split(", ") if part)
    return {name: version for name, version in versions.items() if name not in besides}


def _mode(header: Header, name: str) -> ModeSummary:
    return next(mode for mode in header.modes if mode.name == name)


def _modes(a: ModeSummary, b: ModeSummary) -> Iterator[Difference]:
    """Of subsets, only what the other side's lacks is told."""
    name = a.name if a.name == b.name else f"{a.name} → {b.name}"
    policy = {None: "not tried", True: "flushed to zero", False: "preserved"}
    yield Difference(f"subnormals in mode {name}", policy[a.flushes_subnormals], policy[b.flushes_subnormals])
    yield Difference(f"mode {name} can't run", a.unsupported, b.unsupported)
    if a.subset and b.subset:
        lost, won = ([p for p in one.subset if p not in other.subset] for one, other in ((a, b), (b, a)))
        yield Difference(f"subset of mode {name}, beyond the other", ", ".join(lost), ", ".join(won))
    else:
        words = [f"{len(one.subset):,} patterns" if one.subset else "all variants" for one in (a, b)]
        yield Difference(f"subset of mode {name}", *words)


def _spellings(a: Header, b: Header) -> Iterator[Difference]:
    """Spellings whose source is another one: the suite asks otherwise. Of different backends all of them are."""
    if a.backend != b.backend:
        return
    left = {(idiom.operation, idiom.name): idiom for idiom in a.idioms}
    right = {(idiom.operation, idiom.name): idiom for idiom in b.idioms}
    for key in dict.fromkeys((*left, *right)):
        one, other = left.get(key), right.get(key)
        name = f"spelling of {key[0]}{f' as {key[1]}' if key[1] else ''}"
        if one is None or other is None:
            yield Difference(name, "there" if one else "", "there" if other else "")
        elif one.source != other.source:
            yield Difference(name, one.source, other.source)
        elif (" " in one.needs) != (" " in other.needs):  # it has a version where it is installed
            yield Difference(name, f"needs {one.needs}", f"needs {other.needs}")
