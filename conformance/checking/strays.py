"""What of the registry is about nothing, or can decide nothing: found before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from conformance.backends.base import IDIOMS
from conformance.casefile.model import Divergence
from conformance.casefile.patterns import beginning, matches
from conformance.casefile.variants import Variant
from conformance.judging.divergences import Entry


class Asked:
    """All that backends are asked: each variant, in each mode, in each spelling.

    Args:
        variants: all there are.
        modes: by backend; the entries of backends that are not there are not judged.
        spellings: gives the names of a backend's spellings beside the primary ones.
    """

    def __init__(
        self,
        variants: Iterable[Variant],
        modes: Mapping[str, Sequence[str]],
        spellings: Callable[[str], Sequence[str]],
    ) -> None:
        self._modes = modes
        self._spellings = spellings
        self._cases: dict[str, list[Variant]] = {}
        for variant in variants:
            self._cases.setdefault(variant.case.id, []).append(variant)

    def entries(self, registered: Iterable[tuple[str, Divergence]]) -> Iterator[Entry]:
        """Those of backends that are there."""
        return (Entry(backend, spec) for backend, spec in registered if backend in self._modes)

    def spellings(self, entry: Entry) -> list[str]:
        """The names that an entry's patterns of spellings match; an empty one stands for the primary ones."""
        if not entry.spec.idioms:
            return [""]
        known = self._spellings(entry.backend)
        return [name for name in known if any(matches(pattern, name) for pattern in entry.spec.idioms)]

    def by(self, entry: Entry) -> Iterator[tuple[Variant, str, str]]:
        """Each variant, mode and spelling that an entry is about."""
        names = self.spellings(entry)
        run = [(mode, name) for mode in self._modes[entry.backend] for name in names if (mode == IDIOMS) == bool(name)]
        return (
            (variant, mode, name)
            for variant in self._matching(entry.patterns)
            for mode, name in run
            if entry.applies(variant, mode, name)
        )

    def _matching(self, patterns: Sequence[str]) -> list[Variant]:
        """The variants that one of the patterns matches. Most patterns name their case."""
        found: dict[str, Variant] = {}
        for pattern in patterns:
            plain, whole = beginning(pattern)
            near = [plain] if whole else [case for case in self._cases if case.startswith(plain)]
            found |= {v.id: v for case in near for v in self._cases.get(case, ()) if matches(pattern, v.id)}
        return list(found.values())


def unmatched(registered: Iterable[tuple[str, Divergence]], asked: Asked) -> list[tuple[Entry, str]]:
    """Entries with a pattern that is about no variant in any mode, or matches no spelling, and that pattern.

    Args:
        registered: the entries with their backends.
        asked: of the backends.
    """
    found = []
    for entry in asked.entries(registered):
        for pattern in entry.patterns:
            part = Entry(entry.backend, msgspec.structs.replace(entry.spec, cases=pattern))
            if not any(asked.by(part)):
                found.append((entry, pattern))
        names = asked.spellings(entry)
        found += [(entry, idiom) for idiom in entry.spec.idioms if not any(matches(idiom, name) for name in names)]
    return found


def shadowed(registered: Iterable[tuple[str, Divergence]], asked: Asked) -> list[tuple[Entry, Entry]]:
    """Entries that can decide nothing, and the first one that decides in their place.

    That is one before, about the same, at every version, and wherever the other was seen.

    Args:
        registered: the entries with their backends, in order.
        asked: of the backends.
    """
    found = []
    deciding: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in asked.entries(registered):
        about = [(entry.backend, variant.id, mode, name) for variant, mode, name in asked.by(entry)]
        before = [[one for one in deciding.get(key, []) if _stands_for(one, entry)] for key in about]
        if before and all(before):
            found.append((entry, before[0][0]))
        elif not entry.spec.versions:
            for key in about:
                deciding.setdefault(key, []).append(entry)
    return found


def _stands_for(one: Entry, other: Entry) -> bool:
    """Whether an entry decides wherever another one was seen. What is about certain kernels is looked at first."""
    if one.spec.seen_on == other.spec.seen_on:
        return True
    return one.spec.seen_on is None and not (other.spec.seen_on and other.spec.seen_on.kernels)
