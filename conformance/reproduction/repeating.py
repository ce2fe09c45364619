"""`conformance repro`: the script of one result, made from the cases or from a run file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from conformance import backends, runfile
from conformance.backends.base import IDIOMS
from conformance.casefile.inputs import materialise
from conformance.casefile.patterns import matches
from conformance.casefile.variants import Variant
from conformance.reproduction.composing import Composer, NoScriptError, Script
from conformance.runfile import CaseLines, Stored, VariantLine
from conformance.suite.selection import Selection
from conformance.suite.session import BackendSession

WRITTEN = 128
"""Elements of an input that are written out; more are generated in the script, or stand as their bytes."""

_MOST_NAMED = 3
_T = TypeVar("_T")


def from_cases(selection: Selection, backend: str, mode: str = "", idiom: str = "", device: str = "cpu") -> Script:
    """The script of the only variant of a selection. The variant is run, so that its error can be told.

    Args:
        selection: one that holds more than the subsets of slow modes.
        backend: its name.
        mode: its mode; empty for the plain one, or, with an `idiom`, for that of other spellings.
        idiom: another spelling than the primary one.
        device: where to run.

    Raises:
        NoScriptError: there is none: why, and what to do.
    """
    variant = _only([v.id for v in selection.variants], selection.variants)
    mode = _mode(backend, mode, idiom)
    share = selection.share(backend, mode, [variant.case.id])
    if mode == IDIOMS and idiom not in share.idioms.get(variant.id, []):
        raise NoScriptError(_other_spellings(idiom, share.idioms.get(variant.id, [])))
    session = BackendSession(backend, selection, device, [mode])
    session.subject.start()
    if missing := session.subject.missing(mode):
        raise NoScriptError(f"{backend} can't run here: {missing}")
    result = session.run_variant(variant, mode, idiom)
    composer = Composer(session.header({mode: share}, variant.id), from_file=False, written=WRITTEN)
    line = _with_all_elements(session.variant_line(variant), variant)
    return composer.compose(session.case_line(variant), line, mode, idiom, session.record_line(result))


def from_run(path: Path, pattern: str, backend: str = "", mode: str = "", idiom: str = "") -> Script:
    """The script of a result in a run file. Neither the cases nor a framework is needed.

    Args:
        path: of the run file.
        pattern: the variant's ID, or a pattern that matches one.
        backend: whose run it must be; empty for any.
        mode: as in `from_cases`.
        idiom: likewise.

    Raises:
        RunFileError: the file can't be read.
        NoScriptError: there is none: why, and what to do.
    """
    run = runfile.read(path)
    header = run.header
    if backend and backend != header.backend:
        raise NoScriptError(f"{path} is a run of '{header.backend}', not of '{backend}'")
    modes = [summary.name for summary in header.modes]
    mode = mode or (IDIOMS if idiom else modes[0])
    if mode not in modes:
        raise NoScriptError(f"{path} holds no mode '{mode}'; it holds {', '.join(modes)}")
    found = [(part, name) for part in run.parts() for name in part.variants if matches(pattern, name)]
    part, name = _only([name for _, name in found], found, f"{path} holds no variant '{pattern}'")
    return _of_part(Composer(header, written=WRITTEN), part, name, mode, idiom)


def _of_part(composer: Composer, part: CaseLines, name: str, mode: str, idiom: str) -> Script:
    records = {record.idiom: record for record in part.records if (record.variant, record.mode) == (name, mode)}
    if idiom not in records:
        if mode == IDIOMS:
            raise NoScriptError(_other_spellings(idiom, list(records)))
        raise NoScriptError(f"the run holds no result of '{name}' in mode '{mode}'")
    return composer.compose(part.case, part.variants[name], mode, idiom, records[idiom])


def _only(names: Sequence[str], found: Sequence[_T], none: str = "no variant") -> _T:
    if not found:
        raise NoScriptError(none)
    if len(found) > 1:
        more = ", …" if len(names) > _MOST_NAMED else ""
        raise NoScriptError(f"{len(names)} variants match, one is needed: {', '.join(names[:_MOST_NAMED])}{more}")
    return found[0]


def _mode(backend: str, mode: str, idiom: str) -> str:
    kind = backends.load(backend)
    known = kind.run_modes()
    if mode and mode not in known:
        raise NoScriptError(f"backend '{backend}' has no mode '{mode}'; it has {', '.join(known)}")
    if idiom and mode not in ("", IDIOMS, kind.modes[0]):
        raise NoScriptError(f"other spellings are run in the plain mode, {kind.modes[0]}, and not in '{mode}'")
    return IDIOMS if idiom else mode or kind.modes[0]


def _other_spellings(idiom: str, there: Sequence[str]) -> str:
    wanted = f"no spelling '{idiom}' that it is run in" if idiom else "which spelling? Name it with --idiom"
    return f"{wanted}; there are {', '.join(map(repr, there)) or 'none beside the primary one'}"


def _with_all_elements(line: VariantLine, variant: Variant) -> VariantLine:
    """The line with the elements even of large inputs, where a script can't make them again."""
    whole = {
        name: Stored.of(array, whole=True)
        for name, array in materialise(variant).items()
        if not (name in line.made and line.made[name].source)
    }
    return msgspec.structs.replace(line, inputs=line.inputs | whole)
