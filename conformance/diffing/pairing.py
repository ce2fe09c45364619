"""Which run is compared with which: by name and device, or as it was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from conformance.backends.base import IDIOMS
from conformance.diffing.sides import Side
from conformance.runfile import Run
from conformance.timing.model import TimingRun

T = TypeVar("T")

Cause = Literal["verdict", "gone", "drift", "timing"]
CAUSES: tuple[Cause, ...] = ("verdict", "gone", "drift", "timing")
"""What a comparison may fail on."""

DEFAULT_CAUSES: tuple[Cause, ...] = ("verdict", "gone")
"""What it fails on unless told otherwise: whoever asks whether an upgrade is safe must not lose a question unseen."""

_SPEC = re.compile(r"(?P<backend>[^/:=]+)(?:/(?P<device>[^/:=]+))?(?::(?P<mode>[^/:=]+))?")


class PairingError(ValueError):
    """Nothing can be compared, or it is not clear what with what."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One half of ``--pair``: ``torch``, ``torch/gpu``, ``torch:compile`` or ``torch/gpu:compile``."""

    backend: str
    device: str
    mode: str

    def matches(self, backend: str, device: str) -> bool:
        """Whether a run of that backend on that device is meant."""
        return self.backend == backend and self.device in ("", device)


@dataclass(frozen=True, slots=True)
class RunPair:
    """Two runs, and the modes of them that are compared.

    Attributes:
        a, b: the runs.
        modes: of A and of B, together.
        alone: modes that only one of them has, in words.
        gone: modes that only A has, of one backend.
    """

    a: Run
    b: Run
    modes: list[tuple[str, str]]
    alone: list[str]
    gone: list[str] = field(default_factory=list)

    def label(self, modes: tuple[str, str]) -> str:
        """Backend and mode, and of both sides where they differ."""
        a, b = f"{_named(self.a, self.b)} {modes[0]}", f"{_named(self.b, self.a)} {modes[1]}"
        return a if a == b else f"{a} → {b}"


@dataclass(frozen=True, slots=True)
class TimingPair:
    """Two timing files, and the modes of them that are compared; all that both have where `modes` is None."""

    a: TimingRun
    b: TimingRun
    modes: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """What is compared, and what is left over.

    Attributes:
        runs, timings: what is compared.
        left_over: files with no counterpart, in words; none where pairs were asked for.
        gone: runs that only A has, likewise.
    """

    runs: list[RunPair]
    timings: list[TimingPair]
    left_over: list[str]
    gone: list[Run] = field(default_factory=list)


def _named(run: Run, other: Run) -> str:
    header = run.header
    same = header.place == other.header.place
    return header.backend if same else f"{header.backend} {header.place}"


def pair(a: Side, b: Side, wanted: Sequence[str] = ()) -> Pairing:
    """Pair the files of two sides.

    Args:
        a: the one side.
        b: the other.
        wanted: pairs as asked for, ``torch=jax`` or ``torch:eager=torch:compile``; empty for the same backend on the
            same device.

    Raises:
        PairingError: nothing can be compared, or it is not clear what with what.
    """
    asked = [_specs(text) for text in wanted]
    runs = [
        _run_pair(left, right, specs)
        for left, right, specs in _pairs(a, b, a.runs, b.runs, _of_run, asked, required=True)
    ]
    timings = [
        TimingPair(left, right, None if specs is None or not specs[0].mode else (specs[0].mode, specs[1].mode))
        for left, right, specs in _pairs(a, b, a.timings, b.timings, _of_timing, asked, required=False)
    ]
    if not runs and not timings:
        raise PairingError(
            f"nothing to compare: A has {_listed(a)}; B has {_listed(b)}. --pair compares different ones: "
            f"--pair {_example(a)}={_example(b)}"
        )
    used = {id(one) for two in runs for one in (two.a, two.b)} | {id(one) for two in timings for one in (two.a, two.b)}
    if wanted:
        return Pairing(runs, timings, [])
    gone = [run for run in a.runs if id(run) not in used]
    return Pairing(runs, timings, _left_over(a, used) + _left_over(b, used), gone)


def causes(asked: Sequence[str]) -> list[Cause]:
    """What a comparison is to fail on, each once.

    Raises:
        PairingError: there is no such thing to fail on.
    """
    unknown = [one for one in asked if one not in CAUSES]
    if unknown:
        raise PairingError(f"--fail-on '{unknown[0]}': there are {', '.join(CAUSES)}")
    return [cause for cause in CAUSES if cause in asked]


def refuse_idle(pairing: Pairing, chosen: Collection[Cause]) -> None:
    """Refuse to look for what nothing was compared for: a check that can't fail would pass.

    Raises:
        PairingError: there are no two timing files, or no two run files, to fail on.
    """
    if "timing" in chosen and not pairing.timings:
        raise PairingError(
            "--fail-on timing: no timing files were paired; 'conformance bench' writes them into the folder 'timing' "
            "of the reports"
        )
    if not pairing.runs and {"verdict", "gone", "drift"} & set(chosen):
        raise PairingError("A and B have timing files only: --fail-on timing")


def _specs(text: str) -> tuple[Spec, Spec]:
    halves = text.split("=")
    found = [_SPEC.fullmatch(half) for half in halves]
    if len(found) != 2 or found[0] is None or found[1] is None:
        raise PairingError(
            f"--pair '{text}': expected A=B with BACKEND, BACKEND/DEVICE, BACKEND:MODE or BACKEND/DEVICE:MODE on each "
            f"side, such as torch:eager=torch:compile"
        )
    left, right = (Spec(m["backend"], m["device"] or "", m["mode"] or "") for m in found if m is not None)
    if bool(left.mode) != bool(right.mode):
        raise PairingError(f"--pair '{text}': a mode on one side only; give one on both, or on neither")
    if left.mode != right.mode and IDIOMS in (left.mode, right.mode):
        raise PairingError(f"--pair '{text}': '{IDIOMS}' holds other spellings, it can only be compared with itself")
    return left, right


def _of_run(run: Run) -> tuple[str, str]:
    return run.header.backend, run.header.place


def _of_timing(run: TimingRun) -> tuple[str, str]:
    return run.about.backend, run.about.device


def _pairs(
    a: Side,
    b: Side,
    left: Sequence[T],
    right: Sequence[T],
    name: Callable[[T], tuple[str, str]],
    asked: Sequence[tuple[Spec, Spec]],
    required: bool,
) -> Iterable[tuple[T, T, tuple[Spec, Spec] | None]]:
    if asked:
        for specs in asked:
            one, other = _one(a, left, name, specs[0], required), _one(b, right, name, specs[1], required)
            if one is not None and other is not None:
                yield one, other, specs
        return
    here, there = _by_name(a, left, name), _by_name(b, right, name)
    for key in here:
        if key in there:
            yield here[key], there[key], None


def _one(side: Side, found: Sequence[T], name: Callable[[T], tuple[str, str]], spec: Spec, required: bool) -> T | None:
    """The one file that is meant."""
    matching = [one for one in found if spec.matches(*name(one))]
    if len(matching) > 1:
        raise PairingError(
            f"{side.name} ({side.path}) has {len(matching)} files of {spec.backend}: name the device, or give the file"
        )
    if not matching and (required and found):
        raise PairingError(f"{side.name} ({side.path}) has no run of {spec.backend}; it has {_listed(side)}")
    return matching[0] if matching else None


def _by_name(side: Side, found: Sequence[T], name: Callable[[T], tuple[str, str]]) -> dict[tuple[str, str], T]:
    result: dict[tuple[str, str], T] = {}
    for one in found:
        backend, device = key = name(one)
        if key in result:
            raise PairingError(
                f"{side.name} ({side.path}) has two files of {backend} on {device}; give the file that is meant"
            )
        result[key] = one
    return result


def _run_pair(a: Run, b: Run, specs: tuple[Spec, Spec] | None) -> RunPair:
    have_a, have_b = ([mode.name for mode in run.header.modes] for run in (a, b))
    if specs is not None and specs[0].mode:
        for run, modes, spec in ((a, have_a, specs[0]), (b, have_b, specs[1])):
            if spec.mode not in modes:
                raise PairingError(f"{run.path}: no mode '{spec.mode}'; there are {', '.join(modes)}")
        return RunPair(a, b, [(specs[0].mode, specs[1].mode)], [])
    different = a.header.backend != b.header.backend
    shared = [mode for mode in have_a if mode in have_b and not (different and mode == IDIOMS)]
    if not shared:
        raise PairingError(
            f"{a.header.backend} and {b.header.backend} have no mode in common: name them, such as --pair "
            f"{a.header.backend}:{have_a[0] if have_a else 'MODE'}={b.header.backend}:{have_b[0] if have_b else 'MODE'}"
        )
    alone = [
        f"{run.header.backend} {mode} is only in {name}"
        for name, run, modes in (("A", a, have_a), ("B", b, have_b))
        for mode in modes
        if mode not in shared
    ]
    gone = [] if different else [mode for mode in have_a if mode not in shared]
    return RunPair(a, b, [(mode, mode) for mode in shared], alone, gone)


def _names(side: Side) -> list[str]:
    runs = [f"{run.header.backend}/{run.header.place}" for run in side.runs]
    return runs + [f"times of {run.about.backend}/{run.about.device}" for run in side.timings]


def _listed(side: Side) -> str:
    return ", ".join(_names(side)) or "nothing"


def _example(side: Side) -> str:
    found = [_of_run(run) for run in side.runs] + [_of_timing(run) for run in side.timings]
    return found[0][0] if found else "BACKEND"


def _left_over(side: Side, used: set[int]) -> list[str]:
    lines = [f"{run.header.backend} on {run.header.place}" for run in side.runs if id(run) not in used]
    lines += [f"times of {run.about.backend} on {run.about.device}" for run in side.timings if id(run) not in used]
    return [f"{line} is only in {side.name}" for line in lines]
