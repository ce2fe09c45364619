"""Registered deviations: which one applies to a variant, and whether what came is exactly what it says.

A registration is strict. If the outcome conforms after all, or deviates in another way, it does not hold; if it
matches no variant, or its framework's version lies outside its range, it is reported.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import UNSET
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance import dtypes
from conformance.casefile.errors import Mistake
from conformance.casefile.model import Divergence
from conformance.casefile.numbers import to_array
from conformance.casefile.variants import Variant
from conformance.execution import Outcome
from conformance.findings import Finding, Measured


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text))


def matches(pattern: str, variant_id: str) -> bool:
    """Whether a pattern of variant IDs matches: ``*`` stands for anything, ``?`` for one character."""
    return _pattern(pattern).fullmatch(variant_id) is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered divergence of one backend."""

    backend: str
    spec: Divergence

    @property
    def because(self) -> str:
        """The reason, in one sentence."""
        return self.spec.because

    @property
    def summary(self) -> str:
        """What comes instead, in words."""
        instead = self.spec.instead
        parts = []
        if instead.raises:
            parts.append(f"{instead.raises} is raised")
        if instead.returns:
            parts.append("a result, no error")
        if instead.dtype:
            parts.append(f"dtype {instead.dtype}")
        if instead.shape is not None:
            parts.append(f"shape {instead.shape}")
        if instead.values is not UNSET:
            parts.append(f"the values {instead.values}")
        if instead.ulp:
            parts.append(f"an error of {instead.ulp[0]:g} to {instead.ulp[1]:g} ULP")
        return ", ".join(parts)

    def applies(self, variant: Variant, mode: str) -> bool:
        """Whether the entry is about this variant in this mode on this machine, whatever the version."""
        return self.names(variant, mode) and (not self.spec.machines or platform.machine() in self.spec.machines)

    def names(self, variant: Variant, mode: str) -> bool:
        """Whether the entry is about this variant in this mode, whatever the version and the machine.

        An entry about a result is not about variants that expect an error.
        """
        spec = self.spec
        if variant.case.expect.raises and not (spec.instead.returns or spec.instead.raises):
            return False
        return (
            (not spec.modes or mode in spec.modes)
            and (not spec.dtypes or variant.dtype.name in spec.dtypes)
            and matches(spec.cases, variant.id)
        )

    def covers(self, version: str) -> bool:
        """Whether the framework's version lies in the entry's range. Versions that can't be read do."""
        try:
            return SpecifierSet(self.spec.versions).contains(Version(version), prereleases=True)
        except InvalidVersion:
            return True


class Registry:
    """The entries of one backend at one version of its framework."""

    def __init__(self, entries: Iterable[tuple[str, Divergence]], backend: str, version: str) -> None:
        self.entries = [Entry(name, spec) for name, spec in entries if name == backend]
        self._covering = [entry for entry in self.entries if entry.covers(version)]

    def find(self, variant: Variant, mode: str) -> Entry | None:
        """The first entry that applies here, or None."""
        for entry in self._covering:
            if entry.applies(variant, mode):
                return entry
        return None

    def recheck(self) -> list[Entry]:
        """Entries whose range the installed version has left: they decide nothing until somebody looks at them."""
        return [entry for entry in self.entries if entry not in self._covering]


def unmatched(
    entries: Iterable[tuple[str, Divergence]], variants: Sequence[Variant], modes: dict[str, Sequence[str]]
) -> list[Entry]:
    """Entries that are about no variant in any mode on any machine.

    `modes` are given by backend; the entries of backends that are not there are not judged.
    """
    found = []
    for backend, spec in entries:
        entry = Entry(backend, spec)
        if backend in modes and not any(entry.names(v, mode) for mode in modes[backend] for v in variants):
            found.append(entry)
    return found


_EXPLAINED = {
    "returns": {"status"},
    "dtype": {"dtype"},
    "shape": {"shape"},
    "values": {"value", "nan-inf", "signed-zero", "printed", "claim", "gradient"},
    "ulp": {"value", "printed", "claim", "gradient"},
}


def explain(entry: Entry, outcome: Outcome, findings: Sequence[Finding], measured: Measured | None) -> str:
    """Why what came is not what the entry says; empty where it is exactly that."""
    instead = entry.spec.instead
    if not findings:
        return f"registered as a divergence ({entry.summary}), but it conforms: fixed, remove the entry"
    if instead.raises is not None:
        came = outcome.raised.type if outcome.raised else "a result"
        return "" if came == instead.raises else f"registered: {instead.raises} is raised; but {came} came"
    if outcome.raised is not None:
        return f"registered: {entry.summary}; but {outcome.raised.type} was raised"
    for got in outcome.gradients.values() or outcome.received[-1:]:
        if instead.dtype is not None and got.dtype.name != instead.dtype:
            return f"registered: dtype {instead.dtype}; but {got.dtype.name} came"
        if instead.shape is not None and list(got.shape) != instead.shape:
            return f"registered: shape {instead.shape}; but {list(got.shape)} came"
        if instead.values is not UNSET and not _same_bits(got, instead.values):
            return "registered: other values than those that came"
    if instead.ulp is not None:
        error = measured.ulp if measured is not None else np.nan
        if not instead.ulp[0] <= error <= instead.ulp[1]:
            return f"registered: an error of {instead.ulp[0]:g} to {instead.ulp[1]:g} ULP; but {error:.4g} ULP came"
    explained = set().union(
        *(channels for name, channels in _EXPLAINED.items() if getattr(instead, name) not in (None, False, UNSET))
    )
    rest = [finding for finding in findings if finding.channel not in explained and not finding.flushed]
    if rest:
        return f"registered: {entry.summary}; but it also deviates in {', '.join(f.channel for f in rest)}"
    return ""


def _same_bits(a: np.ndarray, values: Any) -> bool:
    try:
        b = to_array(values, dtypes.of(a))
    except Mistake:  # a dtype that can't hold them
        return False
    if a.shape != b.shape:
        return False
    same = (a == b) & (np.signbit(a.astype(np.float64)) == np.signbit(b.astype(np.float64)))
    return bool((same | ((a != a) & (b != b))).all())
