"""The columns of a report: one a run and mode, labelled so that no two read the same; and the other spellings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from conformance.backends.base import IDIOMS
from conformance.reports.shared.query import term
from conformance.runfile import ModeSummary, Run

_NAMED = 4
"""Spellings of one backend that are named in a list of columns; of more, only their number."""


@dataclass(frozen=True, slots=True)
class Column:
    """A backend in a mode.

    Attributes:
        number: its place, from 0; those of other spellings come after all others.
        run: index of its run.
        backend: the run's label: the backend's name, with what tells runs apart where names alone would clash.
        name: the backend's name, as commands want it.
        device: where it ran.
        kernels: what the run was held to; empty where the framework had its own choice.
        mode: the mode's share of the manifest.
        missing: how many records the run lacks in this mode.
        first: whether it is its run's plain mode, by which the backend is compared with others.
        beside: whether it is no mode of execution, but holds the results of all other spellings.
    """

    number: int
    run: int
    backend: str
    name: str
    device: str
    kernels: str
    mode: ModeSummary
    missing: int
    first: bool
    beside: bool = False

    @property
    def label(self) -> str:
        """Backend and mode, in words."""
        return f"{self.backend} {'other spellings' if self.beside else self.mode.name}"

    @property
    def query(self) -> str:
        """What narrows the list of variants to it."""
        return f"{term('backend', self.backend)} {'spelling:*' if self.beside else term('mode', self.mode.name)}"


@dataclass(frozen=True, slots=True)
class Spelling:
    """Another way to write an operation in a backend.

    Attributes:
        number: its place among all of the report's, from 0.
        run: index of its run.
        backend: the run's label.
        operation: what it spells.
        name: what users call it.
    """

    number: int
    run: int
    backend: str
    operation: str
    name: str

    @property
    def label(self) -> str:
        """Backend and spelling, in words."""
        return f"{self.backend}: {self.name}"


class About(Protocol):
    """What tells runs apart: a run file's header, or what a timing file says of its run."""

    @property
    def backend(self) -> str:
        """Its name."""

    @property
    def device(self) -> str:
        """'cpu' or 'gpu'."""

    @property
    def held_to(self) -> str:
        """The kernels that the run was held to; empty where the framework had its own choice."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the backend's distributions, the framework's own first."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The machine among it: 'system' and 'processor'."""


def labels(runs: Sequence[Run]) -> list[str]:
    """A label for each run, no two alike."""
    return labels_of([run.header for run in runs])


def labels_of(runs: Sequence[About]) -> list[str]:
    """A label for each run, no two alike: the backend's name, with what tells runs apart where names alone would clash.

    That is, the first that is enough: the kernels that they were held to, the device, the version, the machine, the
    kernels that were chosen there, the processor, or the first three of them.
    """
    names = [run.backend for run in runs]
    tell: list[Callable[[About], str]] = [
        lambda run: run.held_to,
        lambda run: run.device,
        _version,
        lambda run: run.environment.get("system", "").rpartition(" ")[2],
        lambda run: run.environment.get("kernels", ""),
        lambda run: run.environment.get("processor", ""),
        lambda run: " ".join(filter(None, (_version(run), run.device, run.held_to))),
    ]
    ways = [names, *([f"{run.backend} {what(run)}".rstrip() for run in runs] for what in tell)]
    result = list(names)
    for name in set(names):
        members = [i for i, other in enumerate(names) if other == name]
        for way in ways:
            chosen = [way[i] for i in members]
            if len(set(chosen)) == len(chosen):
                break
        else:
            chosen = [f"{name} ({number})" for number in range(1, len(members) + 1)]
        for i, label in zip(members, chosen, strict=True):
            result[i] = label
    clashes = {label for label, count in Counter(result).items() if count > 1}
    return [f"{label} ({i + 1})" if label in clashes else label for i, label in enumerate(result)]


def _version(run: About) -> str:
    return next(iter(run.versions.values()), "")


def columns(runs: Sequence[Run]) -> list[Column]:
    """Every mode of every run, in order; what holds the other spellings comes last."""
    found = [(index, run, mode) for index, run in enumerate(runs) for mode in run.header.modes]
    found.sort(key=lambda item: item[2].name == IDIOMS)
    named, lacking = labels(runs), [run.missing() for run in runs]
    result: list[Column] = []
    for index, run, mode in found:
        header, beside = run.header, mode.name == IDIOMS
        first = not beside and all(column.run != index for column in result)
        missing = lacking[index].get(mode.name, 0)
        result.append(
            Column(
                len(result),
                index,
                named[index],
                header.backend,
                header.device,
                header.held_to,
                mode,
                missing,
                first,
                beside,
            )
        )
    return result


def spellings(runs: Sequence[Run]) -> list[Spelling]:
    """Every spelling beside the primary ones: as the headers name them, then any that only records name."""
    result: list[Spelling] = []
    for index, (run, label) in enumerate(zip(runs, labels(runs), strict=True)):
        told = [(idiom.operation, idiom.name) for idiom in run.header.idioms if idiom.name]
        recorded = [
            (part.case.operation, record.idiom)
            for part in (run.parts() if IDIOMS in run.recorded else ())
            for record in part.records
            if record.mode == IDIOMS
        ]
        for operation, name in dict.fromkeys(told + recorded):
            result.append(Spelling(len(result), index, label, operation, name))
    return result


def together(chosen: Iterable[Column | Spelling]) -> list[str]:
    """Columns in words, the modes of a backend together: ``["torch eager, compile", "jax jit"]``.

    Spellings come after them, by backend: ``["torch: Tensor.softmax; torch.softmax"]``.
    """
    modes: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for one in sorted(chosen, key=lambda c: c.number):
        if isinstance(one, Column):
            modes.setdefault(one.backend, []).append(one.mode.name)
        else:
            names.setdefault(one.backend, []).append(one.name)
    return [f"{backend} {', '.join(found)}" for backend, found in modes.items()] + [
        f"{backend}: {'; '.join(found) if len(found) <= _NAMED else f'{len(found)} spellings'}"
        for backend, found in names.items()
    ]
