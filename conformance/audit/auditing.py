"""Defective backends run over the cases: which case catches which defect.

The cases are the outer loop and the defects the inner one, so that the exact answers of a case are worked out once
for all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from conformance import backends
from conformance.audit import (
    axes,
    compiled,
    conditions,
    gradients,
    losses,
    manners,
    noise,
    overlooked,
    precision,
    shapes,
    specials,
    values,
)
from conformance.audit.defect import Defect, Where
from conformance.backends.base import Backend
from conformance.backends.spelling import Function
from conformance.casefile.inputs import materialise
from conformance.casefile.patterns import matches
from conformance.casefile.variants import LoadedCase, Variant
from conformance.execution.executor import Executor
from conformance.execution.program import Program, compile_variant
from conformance.judging.divergences import Registry
from conformance.judging.judge import Judge, Judgement
from conformance.suite.selection import Selection

THEMES = (
    values,
    losses,
    shapes,
    axes,
    precision,
    specials,
    conditions,
    overlooked,
    manners,
    noise,
    gradients,
    compiled,
)

ENOUGH = 3
"""On frameworks where a call costs milliseconds, a defect is done with once so many cases have caught it."""

_EXHAUSTIVE = ("numpy",)


def all_defects() -> list[Defect]:
    """Every defect, a theme after the other."""
    return [defect for theme in THEMES for defect in theme.defects]


@dataclass(frozen=True, slots=True)
class Catch:
    """The first variant of a case that caught a defect, and the channels in which it did."""

    variant: str
    channels: tuple[str, ...]


@dataclass(slots=True)
class Trial:
    """A defect, wrapped around a backend, and what came of it.

    Attributes:
        variants: how many it was run on.
        caught: by case ID.
        elsewhere: case IDs that failed, but in none of the channels that the defect is meant for.
        done: whether enough cases have caught it.
    """

    defect: Defect
    backend: str
    mode: str
    variants: int = 0
    caught: dict[str, Catch] = field(default_factory=dict)
    elsewhere: dict[str, Catch] = field(default_factory=dict)
    done: bool = False

    @property
    def verdict(self) -> str:
        """``caught``, ``survived``, ``passed`` (harmless, as it must), ``blamed`` (harmless, but caught) or ``unseen``.

        A defect is unseen if no variant was run on it.
        """
        if self.defect.harmless:
            return "blamed" if self.caught else "passed" if self.variants else "unseen"
        return "caught" if self.caught else "survived" if self.variants else "unseen"

    @property
    def as_it_must(self) -> bool:
        """Whether a wrong backend was caught, or a harmless one was not."""
        return self.verdict in ("caught", "passed")

    @property
    def channels(self) -> list[str]:
        """All channels in which it was caught."""
        return sorted({channel for catch in self.caught.values() for channel in catch.channels})


@dataclass(slots=True)
class Audit:
    """What came of all trials.

    Attributes:
        trials: a defect on a backend each.
        unsound: what the backends fail as they are, by backend, mode and variant, with the reason: nothing is
            concluded from those variants.
        unavailable: backends that can't run here, with the reason.
    """

    trials: list[Trial] = field(default_factory=list)
    unsound: dict[tuple[str, str, str], str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every defect was caught, every harmless one was not, and the backends themselves fail nothing."""
        return not self.unsound and all(trial.as_it_must for trial in self.trials)


def choose(names: Sequence[str], pattern: str = "") -> list[tuple[str, Defect]]:
    """The defects of a name that are meant for backends, with these.

    Args:
        names: of backends.
        pattern: of defects' names, case apart; ``*`` stands for anything. Empty for all.
    """
    return [
        (name, defect)
        for name in names
        for defect in all_defects()
        if name in defect.backends and (not pattern or matches(pattern.lower(), defect.name.lower()))
    ]


def audit(selection: Selection, chosen: Sequence[tuple[str, Defect]]) -> Audit:
    """Run defects, each around its backend, over the cases."""
    result, judge = Audit(), Judge()
    grounds = []
    for name in dict.fromkeys(name for name, _ in chosen):
        defects = [defect for backend, defect in chosen if backend == name]
        for where in dict.fromkeys(defect.where for defect in defects):
            ground = _Ground(selection, name, where, judge)
            if ground.missing:
                result.unavailable[name] = ground.missing
                continue
            ground.add([defect for defect in defects if defect.where == where])
            grounds.append(ground)
            result.trials += [trial for trial, _ in ground.trials]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in a run: what a framework warns of is judged by its result
        for case in selection.cases:
            for ground in grounds:
                ground.run(case, result)
    return result


class _Compilations:
    """Compiled functions by program, one for all defects: they change what comes of compiling, and not the compiling.

    Attributes:
        program: key of the program that is about to be compiled.
    """

    def __init__(self) -> None:
        self.program = ""
        self._known: dict[str, Function] = {}

    def around(self, base: type[Backend], stands_in: bool) -> type[Backend]:
        """An adapter that compiles each program once; not at all where something stands in for its compiler."""

        def compile_(backend: Backend, function: Function, mode: str) -> Function:
            if self.program not in self._known:
                self._known[self.program] = function if stands_in else base.compile(backend, function, mode)
            return self._known[self.program]

        def flushes_subnormals(backend: Backend, mode: str, dtype: str = "float32") -> bool:
            # What it tries is another program than the one in hand.
            program, self.program = self.program, f"whether {dtype} is flushed"
            try:
                return base.flushes_subnormals(backend, mode, dtype)
            finally:
                self.program = program

        return type(base.__name__, (base,), {"compile": compile_, "flushes_subnormals": flushes_subnormals})


_STAND_INS = {("torch", "compile")}
"""Modes in which functions run as they are, because compiling costs seconds a graph."""


class _Ground:
    """One backend in one mode: as it is, and with each of the defects."""

    def __init__(self, selection: Selection, name: str, where: Where, judge: Judge) -> None:
        self._class = backends.load(name)
        modes = self._class.modes
        self.name = name
        self.mode = modes[0] if where == "plain" or len(modes) == 1 else modes[1]
        stands_in = (name, self.mode) in _STAND_INS
        self._compilations = _Compilations()
        if where == "compiled":
            self._class = self._compilations.around(self._class, stands_in)
        # What is registered is about what really runs.
        self._registered_mode = modes[0] if stands_in else self.mode
        self._share = selection.share(name, self.mode).variants
        self._registry = Registry(selection.corpus.divergences, name, self._class.versions())
        self._judge = judge
        self.trials: list[tuple[Trial, Executor]] = []
        self.missing = self._class.not_installed() or ""
        if not self.missing:
            backend = _started(self._class)
            self.missing = "" if stands_in else backend.missing_mode(self.mode)
            self._sound = Executor(backend)

    def add(self, defects: Sequence[Defect]) -> None:
        """Wrap defects around the backend."""
        for defect in defects:
            wrong = Executor(_started(defect.around(self._class, self._judge.answers)))
            self.trials.append((Trial(defect, self.name, self.mode), wrong))

    def run(self, case: LoadedCase, result: Audit) -> None:
        """Run a case on every defect that it concerns."""
        concerned = [(t, e) for t, e in self.trials if not t.done and t.defect.operation in ("", *case.operations)]
        if not concerned:
            return
        for variant in self._share.get(case.id, []):
            due = [(t, e) for t, e in concerned if case.id not in t.caught and t.defect.is_about(variant)]
            if not due:
                continue
            program, inputs = compile_variant(variant), list(materialise(variant).values())
            self._compilations.program = program.key
            sound = self._verdict(self._sound, variant, program, inputs)
            if sound.verdict == "failed":
                result.unsound[self.name, self.mode, variant.id] = sound.reason
            if sound.verdict in ("failed", "unsupported"):
                continue
            for trial, executor in due:
                if trial.defect.harmless and sound.verdict != "passed":  # a right result is no registered deviation
                    continue
                trial.variants += 1
                self._note(trial, variant, self._verdict(executor, variant, program, inputs))

    def _verdict(
        self, executor: Executor, variant: Variant, program: Program, inputs: Sequence[np.ndarray]
    ) -> Judgement:
        if variant.check == "gradient":
            outcome = executor.gradient(program, inputs, self.mode)
        else:
            aliasing = variant.case.expect.aliases is not None
            outcome = executor.run(program, inputs, self.mode, aliasing=aliasing)
        entries = self._registry.find(variant, self._registered_mode)
        return self._judge.judge(variant, program, outcome, entries)

    def _note(self, trial: Trial, variant: Variant, judgement: Judgement) -> None:
        if judgement.verdict != "failed":
            return
        case_id, meant = variant.case.id, trial.defect.channels
        found = tuple(dict.fromkeys(finding.channel for finding in judgement.findings))
        if not meant or set(found) & set(meant):
            trial.caught[case_id] = Catch(variant.id, found)
            trial.done = self.name not in _EXHAUSTIVE and len(trial.caught) >= ENOUGH
        else:
            trial.elsewhere.setdefault(case_id, Catch(variant.id, found))


def _started(kind: type[Backend]) -> Backend:
    backend = kind()
    backend.start()
    return backend


def by_verdict(trials: Sequence[Trial]) -> Iterator[tuple[str, int]]:
    """How many trials ended in which way."""
    for verdict in ("caught", "survived", "passed", "blamed", "unseen"):
        count = sum(trial.verdict == verdict for trial in trials)
        if count:
            yield verdict, count
