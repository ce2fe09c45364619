"""Registered deviations: which one applies to a variant, and whether what came is exactly what it says.

A registration is strict where the deviation was seen. If the outcome conforms after all, or deviates in another way, it
does not hold; if it matches no variant, that is an error. At versions outside its ranges it decides nothing. On other
machines and devices it explains what is exactly it, and demands nothing: other processors round other operations.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import UNSET
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.casefile.errors import Mistake
from conformance.casefile.model import Divergence, Instead, SeenOn
from conformance.casefile.numbers import to_array
from conformance.casefile.patterns import beginning, matches
from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.ground import dtypes
from conformance.ground.devices import kind_of
from conformance.judging.findings import Finding, Measured


def _may_match(pattern: str, case_id: str) -> bool:
    """Whether a pattern might match a variant of the case, judged by what stands before its first wildcard."""
    plain, whole = beginning(pattern)
    return plain == case_id if whole else case_id.startswith(plain)


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered divergence of one backend.

    Attributes:
        backend: its name.
        spec: what is registered.
        demanded: whether this is where it was seen, so that it has to show.
    """

    backend: str
    spec: Divergence
    demanded: bool = True

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
        if instead.zeros:
            parts.append(f"0 in {_range(instead.zeros)} elements that must not be")
        if instead.non_finite:
            number = _range(instead.non_finite)
            parts.append(f"NaN or infinity in {number} elements that must not be so, or the other way")
        if instead.zero_signs:
            parts.append("zeros of another sign")
        if instead.claim is not None:
            parts.append("a claim that does not hold")
        if instead.aliases is not None:
            parts.append("a view" if instead.aliases else "a copy")
        return ", ".join(parts)

    @property
    def patterns(self) -> list[str]:
        """The patterns of variant IDs."""
        return [self.spec.cases] if isinstance(self.spec.cases, str) else self.spec.cases

    def matches(self, variant_id: str) -> bool:
        """Whether one of its patterns matches."""
        return any(matches(pattern, variant_id) for pattern in self.patterns)

    def applies(self, variant: Variant, mode: str, idiom: str = "") -> bool:
        """Whether the entry is about this variant in this mode and spelling, whatever the version.

        An entry about a result is not about variants that expect an error.
        """
        spec = self.spec
        if variant.case.expect.raises and not (spec.instead.returns or spec.instead.raises):
            return False
        return (
            (not spec.modes or mode in spec.modes)
            and (not spec.dtypes or variant.dtype.name in spec.dtypes)
            and (any(matches(pattern, idiom) for pattern in spec.idioms) if idiom else not spec.idioms)
            and self.matches(variant.id)
        )

    def covers(self, versions: Mapping[str, str]) -> bool:
        """Whether the versions of its framework, and of the packages it names, lie in the entry's ranges.

        Versions that can't be read do, and so do those of packages that are not there.

        Args:
            versions: of the backend's packages, the framework's own first.
        """
        return all(_within(range_, versions.get(package, "")) for package, range_ in self.ranges(versions).items())

    def ranges(self, versions: Mapping[str, str]) -> dict[str, str]:
        """The entry's ranges by package; `versions` are those of the backend's, the framework's own first."""
        framework = next(iter(versions), "")
        return {package or framework: range_ for package, range_ in self.spec.ranges.items()}


class Registry:
    """The entries of one backend at some versions of its framework and of what stands beside it.

    Args:
        entries: of all backends, with their names.
        backend: its name.
        versions: of its packages, the framework's own first.
        device: where it runs, as `conformance.ground.devices` names it; on this machine.
        kernels: what its framework computes with (`Backend.kernels`), once it has started. Where that is not known,
            entries about certain kernels were seen elsewhere.
    """

    def __init__(
        self,
        entries: Iterable[tuple[str, Divergence]],
        backend: str,
        versions: Mapping[str, str],
        device: str = "cpu",
        kernels: str = "",
    ) -> None:
        here = platform.machine(), kind_of(device), kernels
        self.entries = [Entry(name, spec, _seen(spec, *here)) for name, spec in entries if name == backend]
        covering = [entry for entry in self.entries if entry.covers(versions)]
        self._covering = sorted(covering, key=_nearest)
        self._of_case: dict[str, list[Entry]] = {}
        self._of_variant: tuple[str, list[Entry]] = ("", [])

    def find(self, variant: Variant, mode: str, idiom: str = "") -> list[Entry]:
        """The first entry that applies and was seen here, alone; or all that apply and were seen elsewhere only."""
        if self._of_variant[0] != variant.id:  # its modes and spellings follow each other
            about = self._about(variant.case.id)
            self._of_variant = (variant.id, [e for e in about if e.matches(variant.id)])
        found = [entry for entry in self._of_variant[1] if entry.applies(variant, mode, idiom)]
        return found[:1] if found and found[0].demanded else found

    def _about(self, case_id: str) -> list[Entry]:
        """The entries with a pattern that may match a variant of the case."""
        if case_id not in self._of_case:
            self._of_case[case_id] = [
                entry for entry in self._covering if any(_may_match(p, case_id) for p in entry.patterns)
            ]
        return self._of_case[case_id]

    def of_other_versions(self) -> list[Entry]:
        """Entries whose ranges the installed versions lie outside of: they decide nothing."""
        return [entry for entry in self.entries if entry not in self._covering]

    def elsewhere(self) -> list[Entry]:
        """Entries that were seen on other machines or devices only."""
        return [entry for entry in self.entries if not entry.demanded]


def _within(range_: str, version: str) -> bool:
    """Whether a version lies in a range; one that can't be read does."""
    try:
        return SpecifierSet(range_).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _nearest(entry: Entry) -> tuple[bool, bool]:
    """What was seen here comes first; of that, what is about these kernels only."""
    return not entry.demanded, not (entry.spec.seen_on or SeenOn()).kernels


def _seen(spec: Divergence, machine: str, device: str, kernels: str) -> bool:
    """Whether it was seen on such a machine, kind of device, and kernels."""
    place = spec.seen_on or SeenOn()
    return (
        (not place.machines or machine in place.machines)
        and (not place.devices or device in place.devices)
        and (not place.kernels or any(matches(pattern, kernels) for pattern in place.kernels))
    )


NEVER_REGISTERED = frozenset({"state", "device"})
"""Channels in which no deviation can be registered: what else a call did, and where, is no result to live with."""

CONFORMS = "what conforms"

_EXPLAINED = {
    "returns": {"status"},
    "dtype": {"dtype"},
    "shape": {"shape"},
    "values": {"value", "nan-inf", "signed-zero", "printed", "claim", "gradient"},
    "ulp": {"value", "printed", "claim", "gradient"},
    "zeros": set(),
    "non_finite": {"nan-inf", "gradient", "printed", "claim"},
    "zero_signs": {"signed-zero"},
    "aliases": {"aliasing"},
    "claim": {"claim"},
}


def contradiction(entry: Entry, outcome: Outcome, findings: Sequence[Finding], measured: Measured | None) -> str:
    """What came that is not what the entry says; empty where it is exactly that.

    Args:
        entry: the registered divergence that applies.
        outcome: what came.
        findings: the channels that differ.
        measured: the error of the element nearest its budget.
    """
    if not findings:
        return CONFORMS
    instead = entry.spec.instead
    manners = [finding.channel for finding in findings if finding.channel in NEVER_REGISTERED]
    if manners:
        return _besides(manners)
    error = outcome.raised.type if outcome.raised else ""
    if instead.raises is not None or error:
        return "" if error == instead.raises else error or "a result"
    results = [*outcome.received[-1:], *outcome.gradients.values()]
    dtypes_found = _found(findings, "dtype") or [got.dtype.name for got in results]
    if instead.dtype is not None and instead.dtype not in dtypes_found:
        return f"dtype {', '.join(dict.fromkeys(dtypes_found))}"
    shapes = _found(findings, "shape") or [str(list(got.shape)) for got in results]
    if instead.shape is not None and str(instead.shape) not in shapes:
        return f"shape {', '.join(dict.fromkeys(shapes))}"
    if instead.values is not UNSET:
        came = list(outcome.gradients.values())[:1] or outcome.received[-1:]
        if not came or not _same_bits(came[0], instead.values):
            return "other values"
    if instead.ulp is not None:
        # Of every element that is wrong, and not only of the one that is furthest from its budget.
        errors = [f.ulp for f in findings if f.ulp is not None and not f.flushed]
        lost = bool(instead.non_finite) and any(f.non_finite for f in findings)
        ulp = max(errors) if errors else measured.ulp if measured is not None else np.nan
        if (errors or not lost) and not instead.ulp[0] <= ulp <= instead.ulp[1]:
            return f"an error of {ulp:.4g} ULP"
        # A zero in place of a number is as far off as the number is large: no distance tells it from a rounding error.
        low, high = _ends(instead.zeros)
        if not low <= (number := sum(f.zeros for f in findings if not f.flushed)) <= high:
            return f"{number:,} zero{'' if number == 1 else 's'} that must not be"
    if instead.non_finite:
        low, high = _ends(instead.non_finite)
        if not low <= (number := sum(f.non_finite for f in findings)) <= high:
            return f"{number:,} such element{'' if number == 1 else 's'}"
    if instead.aliases is not None and instead.aliases != outcome.aliases:
        return "a view" if outcome.aliases else "a copy"
    if outcome.overwritten or outcome.reused:
        return "a call that wrote to what was not its own"
    unsaid = Instead()  # a false `aliases` says something
    explained = set().union(
        *(channels for name, channels in _EXPLAINED.items() if getattr(instead, name) != getattr(unsaid, name))
    )
    rest = [f.channel for f in findings if not f.tolerated and not (f.channel in explained and _excuses(instead, f))]
    return _besides(rest) if rest else ""


def _besides(channels: Sequence[str]) -> str:
    return f"also a deviation in {', '.join(channels)}"


def _found(findings: Sequence[Finding], channel: str) -> list[str]:
    """What came in a channel that differs, of any step."""
    return [finding.got for finding in findings if finding.channel == channel]


def _ends(count: int | list[int]) -> tuple[int, int]:
    """The least and the most that a number, or a range of two, allows."""
    return (count, count) if isinstance(count, int) else (count[0], count[-1])


def _range(count: int | list[int]) -> str:
    low, high = _ends(count)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _excuses(instead: Instead, finding: Finding) -> bool:
    """Whether an entry about this channel is about this finding: of a gradient, numbers and NaN are told apart."""
    if finding.channel != "gradient" or instead.values is not UNSET:
        return True
    return bool(instead.non_finite) if finding.non_finite else instead.ulp is not None


def _same_bits(a: np.ndarray, values: Any) -> bool:
    try:
        b = to_array(values, dtypes.of(a))
    except Mistake:  # a dtype that can't hold them
        return False
    if a.shape != b.shape:
        return False
    same = (a == b) & (np.signbit(a.astype(np.float64)) == np.signbit(b.astype(np.float64)))
    return bool((same | ((a != a) & (b != b))).all())
