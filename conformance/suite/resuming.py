"""Going on with a run that was cut off: only on what it began with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conformance.runfile import Header, Reader

_DIGEST, _DIGITS_SHOWN = 64, 8


class ResumeError(ValueError):
    """A run can't be gone on with: what it began with is no more."""


def recorded(path: Path, header: Header) -> Reader | None:
    """A run file as far as it goes, for a run with that header to go on with; None where nothing was recorded yet.

    Raises:
        ResumeError: it was written by a run of something else; it says of what.
        RunFileError: it can't be read.
    """
    if not path.exists():
        return None
    reader = Reader(path)
    reader.follow()
    if reader.run is None:
        return None
    if reader.run.header.parts:
        raise ResumeError(f"{path}: was merged from several runs; resume the one that is incomplete, and merge again")
    found = differences(reader.run.header, header)
    if found:
        raise ResumeError(f"{path}: can't be resumed, for it was begun with other\n  " + "\n  ".join(found))
    return reader


def differences(old: Header, new: Header) -> list[str]:
    """What a result depends on and is not the same in both, a line each."""
    facts = [_facts(old), _facts(new)]
    names = dict.fromkeys([*facts[0], *facts[1]])
    return [
        f"{name}: {_shown(facts[0].get(name))}, now {_shown(facts[1].get(name))}"
        for name in names
        if facts[0].get(name) != facts[1].get(name)
    ]


def _shown(fact: str | None) -> str:
    return (fact[:_DIGITS_SHOWN] if len(fact) == _DIGEST else fact) if fact else "none"


def _facts(header: Header) -> Mapping[str, str]:
    # Settings of the framework itself are left out: before it was started nothing is known of them.
    machine = {name: header.environment.get(name, "") for name in ("python", "system", "processor", "cores")}
    return {
        "cases": header.cases_digest,
        "manifest": header.manifest_digest,
        "selection": header.selection,
        "order": header.order,
        "shard": str(header.shard or ""),
        "modes": ", ".join(f"{mode.name} ({mode.variants:,})" for mode in header.modes),
        "device": header.device,
        "kernels": header.held_to,
        "versions": ", ".join(f"{name} {version}" for name, version in header.versions.items()),
        "suite": header.suite,
        "libraries": header.environment.get("libraries", ""),
        "spellings with": ", ".join(sorted({idiom.needs for idiom in header.idioms if idiom.needs})),
        **machine,
    }
