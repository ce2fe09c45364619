"""What of the registry is about nothing, or can decide nothing: found before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from conformance.backends.base import IDIOMS
from conformance.casefile.model import Divergence
from conformance.casefile.patterns import beginning, matches
from conformance.casefile.variants import Variant
from conformance.judging.divergences import Entry


def unmatched(
    entries: Iterable[tuple[str, Divergence]],
    variants: Sequence[Variant],
    modes: Mapping[str, Sequence[str]],
    spellings: Callable[[str], Sequence[str]],
) -> list[tuple[Entry, str]]:
    """Entries with a pattern that is about no variant in any mode, and that pattern.

    Args:
        entries: with their backends.
        variants: all there are.
        modes: by backend; the entries of backends that are not there are not judged.
        spellings: gives the names of a backend's spellings beside the primary ones.
    """
    found = []
    cases = _by_case(variants)
    for backend, spec in entries:
        if backend not in modes:
            continue
        whole = Entry(backend, spec)
        names = spellings(backend) if spec.idioms else [""]
        for pattern in whole.patterns:
            entry = Entry(backend, msgspec.structs.replace(spec, cases=pattern))
            candidates = _matching([pattern], cases)
            run = [(mode, name) for mode in modes[backend] for name in names if (mode == IDIOMS) == bool(name)]
            if not any(entry.applies(variant, mode, name) for variant in candidates for mode, name in run):
                found.append((whole, pattern))
        for idiom in spec.idioms:
            if not any(matches(idiom, name) for name in names):
                found.append((whole, idiom))
    return found


def shadowed(
    entries: Iterable[tuple[str, Divergence]],
    variants: Sequence[Variant],
    modes: Mapping[str, Sequence[str]],
    spellings: Callable[[str], Sequence[str]],
) -> list[tuple[Entry, Entry]]:
    """Entries that can decide nothing, and the first one that decides in their place.

    That is one before, about the same, at every version, and wherever the other was seen.

    Args:
        entries: with their backends, in order.
        variants: all there are.
        modes: by backend; the entries of backends that are not there are not judged.
        spellings: gives the names of a backend's spellings beside the primary ones.
    """
    found = []
    cases = _by_case(variants)
    deciding: dict[tuple[str, str, str, str], list[Entry]] = {}
    for backend, spec in entries:
        if backend not in modes:
            continue
        entry = Entry(backend, spec)
        names = [name for name in spellings(backend) if any(matches(p, name) for p in spec.idioms)]
        run = [(IDIOMS, name) for name in names] or [(mode, "") for mode in modes[backend] if mode != IDIOMS]
        about = _matching(entry.patterns, cases)
        asked = [(backend, v.id, mode, name) for v in about for mode, name in run if entry.applies(v, mode, name)]
        before = [[e for e in deciding.get(one, []) if e.spec.seen_on in (None, spec.seen_on)] for one in asked]
        if before and all(before):
            found.append((entry, before[0][0]))
        elif not spec.versions:
            for one in asked:
                deciding.setdefault(one, []).append(entry)
    return found


def _by_case(variants: Iterable[Variant]) -> dict[str, list[Variant]]:
    found: dict[str, list[Variant]] = {}
    for variant in variants:
        found.setdefault(variant.case.id, []).append(variant)
    return found


def _matching(patterns: Sequence[str], cases: Mapping[str, Sequence[Variant]]) -> list[Variant]:
    """The variants that one of the patterns matches. Most patterns name their case."""
    found: dict[str, Variant] = {}
    for pattern in patterns:
        plain, whole = beginning(pattern)
        near = [plain] if whole else [case for case in cases if case.startswith(plain)]
        found |= {v.id: v for case in near for v in cases.get(case, ()) if matches(pattern, v.id)}
    return list(found.values())
