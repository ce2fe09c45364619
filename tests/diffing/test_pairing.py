"""Which run is compared with which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance import diffing
from conformance.diffing import Pairing, PairingError, Side
from conformance.runfile import Record


@pytest.fixture
def side(write: Callable[..., Path]) -> Callable[..., Side]:
    """A side with a run of each backend: ``torch``, ``torch/gpu``, ``torch:compile``."""

    def make(name: str, *backends: str) -> Side:
        path = Path()
        for one in backends:
            backend, _, mode = one.partition(":")
            backend, _, device = backend.partition("/")
            records = [Record("ops/exp/one[n=1]", mode or "eager", "passed")]
            path = write(name, records, backend, device=device or "cpu")
        return diffing.load(name.upper(), path.parent)

    return make


def pairs(pairing: Pairing) -> set[tuple[str, str, str, str]]:
    return {
        (pair.a.header.backend, pair.a.header.device, pair.b.header.backend, pair.b.header.device)
        for pair in pairing.runs
    }


def test_the_same_backend_on_the_same_device_is_paired_and_the_rest_is_told(side: Callable[..., Side]) -> None:
    pairing = diffing.pair(side("a", "torch", "jax", "torch/gpu"), side("b", "numpy", "torch", "torch/gpu"))
    assert pairs(pairing) == {("torch", "gpu", "torch", "gpu"), ("torch", "cpu", "torch", "cpu")}
    assert pairing.left_over == ["jax on cpu is only in A", "numpy on cpu is only in B"]


def test_different_backends_devices_and_modes_are_paired_where_that_is_asked_for(side: Callable[..., Side]) -> None:
    a, b = side("a", "torch", "torch/gpu"), side("b", "jax", "torch/gpu:compile")
    asked = diffing.pair(a, b, ["torch/cpu=jax"])
    assert (pairs(asked), asked.left_over) == ({("torch", "cpu", "jax", "cpu")}, [])
    (pair,) = diffing.pair(a, b, ["torch/gpu:eager=torch:compile"]).runs
    assert pair.modes == [("eager", "compile")]
    assert pair.label(pair.modes[0]) == "torch eager → torch compile"
    (pair,) = diffing.pair(a, b, ["torch/cpu:eager=torch/gpu:compile"]).runs
    assert pair.label(pair.modes[0]) == "torch cpu eager → torch gpu compile"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["torch"], "expected A=B"),
        (["torch=jax=numpy"], "expected A=B"),
        (["=jax"], "expected A=B"),
        (["torch:eager=jax"], "a mode on one side only"),
        (["torch:eager=jax:idioms"], "can only be compared with itself"),
        (["tensorflow=jax"], "A .* has no run of tensorflow; it has torch/cpu"),
        (["torch=numpy"], "B .* has no run of numpy; it has jax/cpu"),
        (["torch:graph=jax:eager"], "no mode 'graph'; there are eager"),
        ([], "nothing to compare: A has torch/cpu; B has jax/cpu. --pair compares different ones: --pair torch=jax"),
    ],
)
def test_what_can_not_be_paired_is_refused(wanted: list[str], message: str, side: Callable[..., Side]) -> None:
    with pytest.raises(PairingError, match=message):
        diffing.pair(side("a", "torch"), side("b", "jax"), wanted)


def test_two_runs_of_one_backend_on_one_side_are_refused(write: Callable[..., Path]) -> None:
    record = Record("ops/exp/one[n=1]", "eager", "passed")
    folder = write("a", [record], name="one.jsonl").parent
    write("a", [record], name="two.jsonl")
    side = diffing.load("A", folder)
    with pytest.raises(PairingError, match="two files of torch on cpu"):
        diffing.pair(side, side)
    with pytest.raises(PairingError, match="2 files of torch"):
        diffing.pair(side, side, ["torch=torch"])


def test_modes_of_no_common_name_have_to_be_named(side: Callable[..., Side]) -> None:
    with pytest.raises(PairingError, match="--pair torch:eager=torch:compile"):
        diffing.pair(side("a", "torch"), side("b", "torch:compile"))


def test_a_mode_that_only_one_side_has_is_told(write: Callable[..., Path]) -> None:
    records = [Record("ops/exp/one[n=1]", mode, "passed") for mode in ("eager", "compile")]
    a, b = (diffing.load(name, write(name, some)) for name, some in (("A", records), ("B", records[:1])))
    (pair,) = diffing.pair(a, b).runs
    assert (pair.modes, pair.alone) == ([("eager", "eager")], ["torch compile is only in A"])


def test_a_check_that_could_not_fail_is_refused(side: Callable[..., Side]) -> None:
    pairing = diffing.pair(side("a", "torch"), side("b", "torch"))
    diffing.refuse_idle(pairing, ["verdict", "drift"])
    with pytest.raises(PairingError, match="no timing files"):
        diffing.refuse_idle(pairing, ["verdict", "timing"])
    timings: Any = [object()]
    with pytest.raises(PairingError, match="timing files only"):
        diffing.refuse_idle(Pairing([], timings, []), ["verdict"])


def test_what_to_fail_on_is_one_of_three() -> None:
    assert diffing.causes(["timing", "verdict", "timing"]) == ["verdict", "timing"]
    with pytest.raises(PairingError, match="'ulp': there are verdict, drift, timing"):
        diffing.causes(["ulp"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no run files"),
        ("missing.jsonl", "no such file"),
        ("bad.txt", "not a run file"),
        ("bad.json", "not a timing file"),
    ],
)
def test_sides_that_hold_nothing_or_something_else_are_refused(name: str, message: str, tmp_path: Path) -> None:
    for bad in ("bad.txt", "bad.json"):
        (tmp_path / bad).write_text("hello\n")
    with pytest.raises(diffing.SideError, match=message):
        diffing.load("A", tmp_path / name)
