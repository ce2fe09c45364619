"""Joining the run files of one run: shards, the parts of several processes, what was run on several machines.

Nothing is kept of one file longer than it takes to read it through, beside what tells its records from another's.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from conformance.ground.files import open_file
from conformance.runfile.lines import Header, IdiomSource, ModeSummary, Part
from conformance.runfile.reading import lines_of, read
from conformance.runfile.run import RunFileError
from conformance.runfile.sealing import LineError, check_seal
from conformance.runfile.writing import UnwritableError, Writer, now


class JoinError(RunFileError):
    """Run files are not parts of one run: which, and why."""


class _Case(Struct, frozen=True, tag="case", tag_field="kind"):
    id: str


class _Variant(Struct, frozen=True, tag="variant", tag_field="kind"):
    id: str
    case: str
    inputs: Raw
    answer: Raw = Raw()


class _Record(Struct, frozen=True, tag="record", tag_field="kind"):
    variant: str
    mode: str
    verdict: str
    idiom: str = ""


class _Footer(Struct, frozen=True, tag="footer", tag_field="kind"):
    pass


class _Header(Struct, frozen=True, tag="header", tag_field="kind"):
    pass


_DECODER = msgspec.json.Decoder(_Case | _Variant | _Record | _Footer | _Header)
_NAMED = 20
_NO_INPUTS = b"{}"  # of a variant that was lost before they were worked out


def join(paths: Sequence[Path], path: Path, *, of_one_run: bool = False) -> Header:
    """Join run files into one. It takes the place of a file at `path` in one go, which may be one of them.

    Args:
        paths: of the run files.
        path: of the joined one.
        of_one_run: they are what the processes of a single run, which may be a shard, wrote: what is in one of them
            already is left out, and the joined file's header is theirs.

    Returns:
        The joined file's header.

    Raises:
        JoinError: they are not parts of one run, or hold the same twice.
        RunFileError: one of them can't be read.
        UnwritableError: the joined file can't be written.
    """
    runs = [_Part.of(one) for one in paths]
    _check_same_run(runs)
    if of_one_run:
        header = replace(runs[0].header, started=min(run.header.started for run in runs))
    else:
        header = replace(_joined([run.header for run in runs]), parts=[part for run in runs for part in run.parts()])
    beside = path.with_name(path.name + ".joined")
    try:
        _write(runs, beside, header, of_one_run)
        os.replace(beside, path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):
            raise UnwritableError(path, error) from None
        raise
    return header


@dataclass(slots=True)
class _Part:
    """A run file, read through and found right, and of what is in it the little that joining needs."""

    path: Path
    header: Header
    cases: list[str]
    complete: bool
    finished: str
    stopped: str
    size: int

    @classmethod
    def of(cls, path: Path) -> _Part:
        run = read(path)
        finished, stopped = (run.footer.finished, run.footer.stopped) if run.footer else ("", "")
        return cls(path, run.header, list(run.cases), run.complete, finished, stopped, run.size)

    def parts(self) -> list[Part]:
        if self.header.parts:  # it was joined itself
            return self.header.parts
        shard = self.header.shard
        return [
            Part(
                self.header.environment,
                self.header.started,
                self.finished,
                self.size,
                f"{shard.number}/{shard.of}" if shard else "",
            )
        ]


def _check_same_run(runs: Sequence[_Part]) -> None:
    first = runs[0]
    for run in runs[1:]:
        for what, facts in _FACTS.items():
            mine, others = facts(first.header), facts(run.header)
            if mine != others:
                raise JoinError(f"{run.path}: {what}: {others or 'none'}; {first.path} has {mine or 'none'}")


def _shards(header: Header) -> str:
    return f"of {header.shard.of}" if header.shard else ""


def _modes(header: Header) -> str:
    whole = header.shard.whole if header.shard else header.modes
    return ", ".join(f"{mode.name} ({mode.variants:,})" for mode in whole)


_FACTS: dict[str, Callable[[Header], str]] = {
    "another backend": lambda header: header.backend,
    "another device": lambda header: header.device,
    "other kernels": lambda header: header.held_to,
    "other case files": lambda header: header.cases_digest,
    "another selection": lambda header: header.selection,
    "another order": lambda header: header.order,
    "another manifest": lambda header: header.manifest_digest,
    "other modes": _modes,
    "another number of shards": _shards,
    "other versions": lambda header: ", ".join(f"{k} {v}" for k, v in header.versions.items()),
    "another version of the suite": lambda header: header.suite,
}


def _joined(headers: Sequence[Header]) -> Header:
    first = headers[0]
    environment: dict[str, str] = {}
    for name in dict.fromkeys(name for header in headers for name in header.environment):
        environment[name] = _said(header.environment.get(name, "") for header in headers)
    summaries = [header.shard.whole if header.shard else header.modes for header in headers]
    return replace(
        first,
        environment=environment,
        modes=[_mode(same) for same in zip(*summaries, strict=True)],
        operations=dict(sorted({k: v for header in headers for k, v in header.operations.items()}.items())),
        idioms=_idioms(headers),
        started=min(header.started for header in headers),
        commit=_said(header.commit for header in headers),
        shard=None,
    )


def _said(texts: Iterable[str]) -> str:
    """What all parts say, or each of them where they differ."""
    first, *others = dict.fromkeys(texts)
    return " | ".join(text or "unknown" for text in (first, *others)) if others else first


def _mode(same: Sequence[ModeSummary]) -> ModeSummary:
    """A mode as all parts have it; what they differ in is left to their records."""
    unsupported = {mode.unsupported for mode in same}
    flushes = {mode.flushes_subnormals for mode in same}
    return replace(
        same[0],
        unsupported=unsupported.pop() if len(unsupported) == 1 else "",
        flushes_subnormals=flushes.pop() if len(flushes) == 1 else None,
    )


def _idioms(headers: Sequence[Header]) -> list[IdiomSource]:
    found: dict[tuple[str, str], IdiomSource] = {}
    for header in headers:
        for idiom in header.idioms:
            known = found.setdefault((idiom.operation, idiom.name), idiom)
            if known.source != idiom.source:
                raise JoinError(
                    f"another adapter: the spelling '{idiom.name or idiom.operation}' is not the same in all"
                )
            if known.needs != idiom.needs:
                found[idiom.operation, idiom.name] = replace(known, needs=f"{known.needs} | {idiom.needs}")
    return sorted(found.values(), key=lambda idiom: idiom.operation)


@dataclass(slots=True)
class _Common:
    """What several of the files hold some of: only there can be anything twice."""

    cases: set[str]
    inputs: dict[str, int] = field(default_factory=dict)
    records: dict[tuple[str, str, str], int] = field(default_factory=dict)


def _write(runs: Sequence[_Part], path: Path, header: Header, of_one_run: bool) -> None:
    in_files = Counter(case for run in runs for case in run.cases)
    common = _Common({case for case, files in in_files.items() if files > 1})
    written: set[str] = set()
    writer = Writer(path, header)
    try:
        for number, run in enumerate(runs):
            for raw, line in _lines(run.path):
                if isinstance(line, _Case):
                    if line.id not in written:
                        writer.copy(raw)
                    written.add(line.id)
                elif isinstance(line, _Variant):
                    if _is_new(common, line, run.path):
                        writer.copy(raw)
                elif isinstance(line, _Record):
                    key = (line.variant, line.mode, line.idiom)
                    earlier = common.records.setdefault(key, number) if line.variant in common.inputs else number
                    if earlier == number:
                        writer.copy(raw, line.mode, line.verdict)
                    elif not of_one_run:
                        raise JoinError(
                            f"{run.path}: '{line.variant}' in mode {line.mode}"
                            f"{f' ({line.idiom})' if line.idiom else ''} is in {runs[earlier].path} too"
                        )
        _end(writer, runs, header)
    finally:
        writer.close()


def _is_new(common: _Common, line: _Variant, path: Path) -> bool:
    """Whether a variant is to be written; of two that are not the same neither is."""
    if line.case not in common.cases:
        return True
    inputs = hash((bytes(line.inputs), bytes(line.answer))) if bytes(line.inputs) != _NO_INPUTS else 0
    known = common.inputs.get(line.id)
    common.inputs[line.id] = known or inputs
    if known and inputs and known != inputs:
        raise JoinError(f"{path}: '{line.id}' has other inputs, or another exact answer, than in a file before it")
    return known is None


def _end(writer: Writer, runs: Sequence[_Part], header: Header) -> None:
    missing = sum(mode.variants for mode in header.modes) - writer.size
    reasons = [f"{run.header.shard or run.path.name}: {run.stopped}" for run in runs if run.stopped]
    if (shard := runs[0].header.shard) and header.shard is None:
        there = {run.header.shard.number for run in runs if run.header.shard}
        absent = [str(n) for n in islice((n for n in range(1, shard.of + 1) if n not in there), _NAMED + 1)]
        named = ", ".join([*absent[:_NAMED], *(["…"] if absent[_NAMED:] else [])])
        reasons += [f"missing of {shard.of} shards: {named}"] if absent else []
        reasons += [f"{run.header.shard} is incomplete" for run in runs if not run.complete and not run.stopped]
    if not missing or reasons:
        finished = max((run.finished for run in runs if run.finished), default=now())
        writer.finish(finished, "; ".join(reasons) if missing else "")


def _lines(path: Path) -> Iterator[tuple[bytes, _Case | _Variant | _Record]]:
    """The whole lines of a file that was found right, without its header and footer."""
    with open_file(path) as file:
        for raw in lines_of(file):
            if raw.endswith(b"\n"):
                try:
                    check_seal(raw)
                    line = _DECODER.decode(raw)
                except (LineError, msgspec.DecodeError, UnicodeDecodeError):
                    raise JoinError(f"{path}: was changed while it was being read; read it again") from None
                if not isinstance(line, _Header | _Footer):
                    yield raw, line
