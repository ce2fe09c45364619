"""Entries of the registry for what fails in run files: all but the reason, which a person has to find."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from conformance.backends.base import IDIOMS
from conformance.ground.devices import kind_of
from conformance.ground.dtypes import DTYPES
from conformance.judging.divergences import NEVER_REGISTERED
from conformance.runfile import Header, Record, Run, Stored, VariantLine
from conformance.words.visible import on_one_line

_REGISTRY = "registry"
_MOST_VALUES = 24
_MARGIN = 1.5
_WIDEST = 64.0
_WIDEST_SPELLING = 1e4
"""Errors of one entry are no further apart than this: a wide range would let other wrong answers pass. Spellings beside
the primary one, of which most of those that deviate do so on many inputs, get more room."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failing record: what comes instead; the largest error in ULP and the numbers of lost elements apart."""

    variant: VariantLine
    mode: str
    idiom: str
    instead: dict[str, Any]
    ulp: float | None
    non_finite: int
    zeros: int = 0


def propose(run: Run) -> list[dict[str, Any]]:
    """Entries for the failing records of a run, in the words of `cases/divergences/*.yaml`, without reasons.

    Failures are put together where the same comes instead: those of the primary spellings by case, those of the others
    by spelling. An error in ULP becomes a range with a margin of one half to either side.
    """
    groups: dict[tuple[str, str, str, bool], list[_Failure]] = defaultdict(list)
    ran: dict[tuple[str, str], set[str]] = defaultdict(set)
    lines: dict[str, VariantLine] = {}
    for part in run.parts():
        lines |= part.variants
        for record in part.records:
            ran[record.variant, record.idiom].add(record.mode)
            channels = {finding.channel for finding in record.findings}
            if record.verdict != "failed" or channels & NEVER_REGISTERED or channels == {_REGISTRY}:
                continue
            failure = _failure(part.variants[record.variant], record)
            if not failure.instead and failure.ulp is None and not failure.non_finite:
                continue  # large, and nothing says what is due: no entry could say what comes instead
            case = "" if failure.idiom else failure.variant.case
            groups[case, failure.idiom, repr(failure.instead), failure.ulp is None].append(failure)
    entries = []
    for failures in groups.values():
        for near in _by_error(failures):
            entries += [_entry(run, lines, some, modes) for modes, some in _by_modes(near, ran)]
    return _merged(_merged(entries, "cases"), "idioms")


def contradicted(run: Run) -> list[str]:
    """What is registered otherwise than it came, or conforms now: a line for each variant and spelling, with its modes.

    An entry about it is there already, and stands in the way of a new one.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for part in run.parts():
        for record in part.records:
            if record.verdict == "failed" and any(finding.channel == _REGISTRY for finding in record.findings):
                found[record.variant, record.idiom].append(record.mode)
    return [f"  {variant}  {idiom or ', '.join(modes)}" for (variant, idiom), modes in found.items()]


def as_yaml(header: Header, entries: Sequence[dict[str, Any]], contradicted: Sequence[str] = ()) -> str:
    """A registry file of a run's entries, seen where it was run. It does not load until every one has its reason.

    Args:
        header: of the run.
        entries: what is proposed.
        contradicted: what older entries are about, and no longer say rightly; it becomes a comment.
    """
    machine = header.environment.get("system", "").rpartition(" ")[2]
    seen = {"machines": [machine] if machine else [], "devices": [kind_of(header.device)]}
    if header.kernels:
        seen["kernels"] = [header.kernels]
    file = {"backend": header.backend, "seen-on": seen, "divergences": list(entries)}
    text = yaml.dump(file, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    if contradicted:
        versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
        about = f"What is registered of these does not hold here ({versions}). Limit it by 'versions', or remove it:"
        text += "".join(f"# {on_one_line(line)}\n" for line in [about, *contradicted])
    return text


class _Indented(yaml.SafeDumper):
    """Entries stand as far in as those of the registry's files, so that they can be pasted there."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _by_error(failures: Sequence[_Failure]) -> Iterator[list[_Failure]]:
    """Failures in groups whose errors don't lie too far apart."""
    widest = _WIDEST_SPELLING if failures[0].idiom else _WIDEST
    part: list[_Failure] = []
    for failure in sorted(failures, key=lambda f: (f.ulp or 0.0)):
        if part and (failure.ulp or 0.0) > widest * max(part[0].ulp or 0.0, 0.5):
            yield part
            part = []
        part.append(failure)
    yield part


def _by_modes(
    failures: Sequence[_Failure], ran: Mapping[tuple[str, str], set[str]]
) -> Iterator[tuple[frozenset[str], list[_Failure]]]:
    """Failures apart by the modes that their variants fail in; none are named where that is all they were run in."""
    modes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for failure in failures:
        modes[failure.variant.id, failure.idiom].add(failure.mode)
    found: dict[frozenset[str], list[_Failure]] = defaultdict(list)
    for failure in failures:
        key = failure.variant.id, failure.idiom
        found[frozenset() if modes[key] == ran[key] - {IDIOMS} else frozenset(modes[key])].append(failure)
    yield from found.items()


def _entry(
    run: Run, lines: Mapping[str, VariantLine], failures: Sequence[_Failure], modes: frozenset[str]
) -> dict[str, Any]:
    first = failures[0]
    instead = dict(first.instead)
    errors = [failure.ulp for failure in failures if failure.ulp is not None]
    if errors:
        instead["ulp"] = [_rounded(min(errors) / _MARGIN, down=True), _rounded(max(errors) * _MARGIN)]
    for name in ("non_finite", "zeros"):
        counts = sorted({getattr(failure, name) for failure in failures})
        if counts[-1]:
            instead[name.replace("_", "-")] = counts[0] if len(counts) == 1 else [counts[0], counts[-1]]
    patterns = _patterns(lines, {failure.variant.id: failure.variant for failure in failures})
    entry: dict[str, Any] = {"cases": patterns if len(patterns) > 1 else patterns[0]}
    if first.idiom:
        entry["idioms"] = [first.idiom]
    elif modes:
        entry["modes"] = [mode.name for mode in run.header.modes if mode.name in modes]
    version = next(iter(run.header.versions.values()), "")
    return entry | {"instead": instead, "because": "", "first-seen": f"{run.header.backend} {version}".strip()}


def _patterns(lines: Mapping[str, VariantLine], variants: Mapping[str, VariantLine]) -> list[str]:
    """Patterns of just these variants: of whole cases, of a dtype of a case, and IDs."""
    found = []
    for case in dict.fromkeys(v.case for v in variants.values()):
        whole = [v for v in lines.values() if v.case == case]
        mine = [v for v in whole if v.id in variants]
        if len(mine) == len(whole):
            found.append(f"{case}[*")
            continue
        for dtype in dict.fromkeys(v.dtype for v in mine):
            ids = [v.id for v in mine if v.dtype == dtype]
            all_of_it = len(ids) > 1 and len(ids) == sum(v.dtype == dtype for v in whole)
            found += [f"{case}[{dtype}*"] if all_of_it else ids
    return found


def _merged(entries: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The entries, those that differ in nothing but a list (or one item of it) put together."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        same = found.setdefault(repr((key in entry, {k: v for k, v in entry.items() if k != key})), entry)
        if same is not entry and key in entry:
            items = list(dict.fromkeys([*_listed(same[key]), *_listed(entry[key])]))
            same[key] = items if len(items) > 1 else items[0]
    return list(found.values())


def _listed(items: Any) -> list[Any]:
    return list(items) if isinstance(items, list) else [items]


def _rounded(value: float, down: bool = False) -> float:
    """Two digits, away from the errors that were seen."""
    if not 1e-300 < value < math.inf:  # below, a step of two digits is no number any more
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{(math.floor if down else math.ceil)(value / step) * step:.2g}")


def _failure(variant: VariantLine, record: Record) -> _Failure:
    """What came, as far as it deviates, in the registry's words."""
    if record.raised:
        raised = {"raises": record.raised.partition(":")[0]}
        return _Failure(variant, record.mode, record.idiom, raised, None, 0)
    channels = {finding.channel for finding in record.findings} - {_REGISTRY}
    got = record.got[0 if variant.check == "gradient" else -1] if record.got else None
    instead: dict[str, Any] = {}
    if "status" in channels:
        instead["returns"] = True
    came = {finding.channel: finding.got for finding in record.findings}
    if "dtype" in channels:
        instead["dtype"] = came["dtype"]
    if "shape" in channels:
        instead["shape"] = json.loads(came["shape"])
    if "aliasing" in channels:
        instead["aliases"] = not any("a view" in f.expected for f in record.findings if f.channel == "aliasing")
    if "signed-zero" in channels:
        instead["zero-signs"] = True
    if channels == {"claim"}:
        instead["claim"] = False
        channels = set()
    numbers = {"value", "gradient", "printed", "claim"} & {f.channel for f in record.findings if not f.non_finite}
    ulp = None
    if channels & numbers:
        errors = [finding.ulp for finding in record.findings if finding.ulp is not None]
        if errors or record.ulp is not None:
            ulp = max(errors, default=record.ulp)
        elif got is not None and math.prod(got.shape) <= _MOST_VALUES:
            instead["values"] = _nested(got)
        elif variant.answer is not None:
            ulp = math.inf
    non_finite = 0 if "values" in instead else sum(finding.non_finite for finding in record.findings)
    zeros = 0 if ulp is None else sum(finding.zeros for finding in record.findings)
    return _Failure(variant, record.mode, record.idiom, instead, ulp, non_finite, zeros)


def _nested(stored: Stored) -> Any:
    """An array as a nested list that reads back bit for bit."""
    array = stored.array()
    if DTYPES[stored.dtype].kind != "floating":
        return array.tolist()

    def text(value: float) -> Any:
        short = not np.isfinite(value) or (value == int(value) and abs(value) < 2**53)
        return value if short else float(value).hex()

    def nest(part: Any) -> Any:
        return [nest(item) for item in part] if isinstance(part, list) else text(part)

    return nest(array.astype(np.float64).tolist())
