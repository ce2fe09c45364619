"""The columns of a report: one a run and mode, labelled so that no two read the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.runfile import ModeSummary, Run


@dataclass(frozen=True, slots=True)
class Column:
    """A backend in a mode.

    Attributes:
        number: its place, from 0.
        run: index of its run.
        backend: the run's label: the backend's name, with device or version where names alone would clash.
        name: the backend's name, as commands want it.
        device: where it ran.
        mode: the mode's share of the manifest.
        missing: how many records the run lacks in this mode.
        first: whether it is its run's first mode, by which the backend is compared with others.
    """

    number: int
    run: int
    backend: str
    name: str
    device: str
    mode: ModeSummary
    missing: int
    first: bool

    @property
    def label(self) -> str:
        """Backend and mode, in words."""
        return f"{self.backend} {self.mode.name}"


def labels(runs: Sequence[Run]) -> list[str]:
    """A label for each run, no two alike."""
    names = [run.header.backend for run in runs]
    ways = (
        names,
        [f"{run.header.backend} {run.header.device}" for run in runs],
        [f"{run.header.backend} {_version(run)}" for run in runs],
        [f"{run.header.backend} {_version(run)} {run.header.device}" for run in runs],
    )
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


def _version(run: Run) -> str:
    return next(iter(run.header.versions.values()), "")


def columns(runs: Sequence[Run]) -> list[Column]:
    """Every mode of every run, in order."""
    result: list[Column] = []
    for index, (run, label) in enumerate(zip(runs, labels(runs), strict=True)):
        missing = run.missing()
        for place, mode in enumerate(run.header.modes):
            header = run.header
            lacking = max(missing.get(mode.name, 0), 0)
            result.append(Column(len(result), index, label, header.backend, header.device, mode, lacking, place == 0))
    return result


def together(chosen: Iterable[Column]) -> list[str]:
    """Columns in words, the modes of a backend together: ``["torch eager, compile", "jax jit"]``."""
    modes: dict[str, list[str]] = {}
    for column in sorted(chosen, key=lambda c: c.number):
        modes.setdefault(column.backend, []).append(column.mode.name)
    return [f"{backend} {', '.join(names)}" for backend, names in modes.items()]
