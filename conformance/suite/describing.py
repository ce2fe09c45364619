"""What a run file's header says: the manifest, mode by mode, and what it is run on."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata

import conformance
from conformance import backends
from conformance.backends.base import IDIOMS, Backend
from conformance.backends.scripts import ModeScript
from conformance.backends.state import Change
from conformance.ops import OPERATIONS, Operation
from conformance.runfile import FORMAT, Header, Held, IdiomSource, ModeSummary, Shard, now
from conformance.runfile.manifest import digest
from conformance.suite.formula_code import code_of, offered
from conformance.suite.recording import commit, environment
from conformance.suite.selection import Selection, Share, manifest_digest

Item = tuple[str, str]
"""A case in a mode: the mode, and the case's ID."""


@dataclass(frozen=True, slots=True)
class WholeOfShard:
    """What a shard is a share of.

    Attributes:
        number: which shard it is, from 1.
        of: how many there are.
        items: those of all shards together.
    """

    number: int
    of: int
    items: Sequence[Item]


def held_to(kind: type[Backend], kernels: str) -> Held:
    """The kernels that this process holds a backend to.

    Raises:
        UnknownBackendError: the backend has no such kernels, or nothing holds this process to them.
    """
    choices = kind.kernel_choices()
    if kernels not in choices:
        raise backends.UnknownBackendError(
            f"backend '{kind.name}' can't be held to kernels '{kernels}' here; {_listed(choices)}"
        )
    variables = dict(choices[kernels].variables)
    if any(os.environ.get(name) != value for name, value in variables.items()):
        needed = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        raise backends.UnknownBackendError(
            f"kernels '{kernels}' are chosen when {kind.package} is loaded: 'conformance run --kernels {kernels}' sees "
            f"to that; elsewhere start the process with {needed}"
        )
    return Held(kernels, variables)


def _listed(choices: Collection[str]) -> str:
    return f"there are {', '.join(choices)}" if choices else "it has one code for all that is here"


@dataclass(frozen=True, slots=True)
class Describing:
    """A backend in the modes it is run in, for the header of its run file.

    Attributes:
        name: of the backend.
        kind: its adapter.
        backend: the adapter at work; None where it was not started, or can't be.
        missing: why nothing can run in a mode, or an empty string.
        selection: what is run.
        device: where.
        modes: in which.
        changed: what its start changed in the process, for all that comes after.
        order: in which order, where that is not that of the files.
        held: the kernels that its process is held to, if it is.
    """

    name: str
    kind: type[Backend]
    backend: Backend | None
    missing: Callable[[str], str]
    selection: Selection
    device: str
    modes: Sequence[str]
    changed: Sequence[Change] = ()
    order: str = ""
    held: Held | None = None

    def header(
        self, shares: dict[str, Share], selected: str, shard: WholeOfShard | None, whole: dict[str, Share]
    ) -> Header:
        """The header of a run.

        Args:
            shares: what each mode runs.
            selected: what was asked for.
            shard: where that is one shard of several.
            whole: what each mode runs in all shards together; the same as `shares` where there are none.
        """
        operations = {case.id: case.operations for case in self.selection.cases}
        names = sorted({name for share in shares.values() for c in share.variants for name in operations[c]})
        flushes = {mode: self._flushes_subnormals(mode) for mode in shares}
        ids = {v.id for share in whole.values() for vs in share.variants.values() for v in vs}
        return Header(
            FORMAT,
            conformance.__version__,
            self.name,
            self.device,
            self.kind.versions(),
            environment(self.backend, self.changed),
            self.selection.corpus.digest,
            manifest_digest(sorted(ids)),
            self._summaries(shares, flushes),
            {name: _about(OPERATIONS[name]) for name in names},
            self._spellings(names),
            now(),
            selected,
            self.order,
            commit(self.selection.corpus.root),
            self._scripts(),
            None if shard is None else Shard(shard.number, shard.of, self._summaries(whole, flushes)),
            held=self.held,
        )

    def _scripts(self) -> dict[str, ModeScript]:
        """The backend's share of scripts that repeat its results, by mode."""
        executed = {mode: self.kind.modes[0] if mode == IDIOMS else mode for mode in self.modes}
        found = {mode: self.kind.script(plain, self.device) for mode, plain in executed.items()}
        return {mode: script for mode, script in found.items() if script is not None}

    def _summaries(self, shares: dict[str, Share], flushes: dict[str, bool | None]) -> list[ModeSummary]:
        return [
            ModeSummary(
                mode,
                share.count,
                share.left_out,
                share.because,
                self.missing(mode),
                flushes[mode],
                tuple(share.subset),
                digest((v.id, idiom) for vs in share.variants.values() for v in vs for idiom in share.spellings(v)),
            )
            for mode, share in shares.items()
        ]

    def _flushes_subnormals(self, mode: str) -> bool | None:
        if self.backend is None or self.missing(mode) or mode in ("compile", IDIOMS):
            return None  # a compile of its own costs seconds
        with suppress(Exception):  # a broken adapter shows in its variants, not here
            return self.backend.flushes_subnormals(mode)
        return None

    def _spellings(self, names: Sequence[str]) -> list[IdiomSource]:
        """How the backend spells operations: the primary spelling of each, and those beside it."""
        found = []
        for name in names:
            if name in self.kind.idioms:
                found.append(IdiomSource(name, self.kind.idioms.source(name)))
                others = self.kind.idioms.others(name).values() if IDIOMS in self.modes else ()
                found += [IdiomSource(name, s.source, s.name, _versioned(s.needs), s.needs, s.setting) for s in others]
                formulas = offered(self.kind.idioms, name) if IDIOMS in self.modes else ()
                found += [IdiomSource(name, code_of(f, self.kind.idioms), f.name) for f in formulas]
        return found


def _about(operation: Operation) -> dict[str, str]:
    """An operation, for a run file's readers."""
    return {
        "family": operation.family,
        "document": operation.document,
        "summary": operation.summary,
        "budget": operation.budget_source,
        "slack": operation.slack,
    }


def _versioned(module: str) -> str:
    """A module's distribution, with its version where it is installed; nothing for no module."""
    if not module:
        return ""
    root = module.partition(".")[0]
    with suppress(metadata.PackageNotFoundError):
        return f"{root} {metadata.version(root)}"
    return root
