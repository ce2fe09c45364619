"""Which run is compared with which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance import diffing
from conformance.diffing import Pairing, PairingError, Side
from conformance.runfile import ModeSummary, Record, Shard


@pytest.fixture
def side(write: Callable[..., Path]) -> Iterator[Callable[..., Side]]:
    """A side with a run of each backend: ``torch``, ``torch/gpu``, ``torch:compile``."""

    def make(name: str, *backends: str) -> Side:
        path = Path()
        for one in backends:
            backend, _, mode = one.partition(":")
            backend, _, device = backend.partition("/")
            records = [Record("ops/exp/one[n=1]", mode or "eager", "passed")]
            path = write(name, records, backend, device=device or "cpu")
        return files.enter_context(diffing.load(name.upper(), path.parent))

    with ExitStack() as files:
        yield make


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
    with diffing.load("A", folder) as side:
        with pytest.raises(PairingError, match="two files of torch on cpu"):
            diffing.pair(side, side)
        with pytest.raises(PairingError, match="2 files of torch"):
            diffing.pair(side, side, ["torch=torch"])


def test_modes_of_no_common_name_have_to_be_named(side: Callable[..., Side]) -> None:
    with pytest.raises(PairingError, match="--pair torch:eager=torch:compile"):
        diffing.pair(side("a", "torch"), side("b", "torch:compile"))


def test_a_mode_that_only_one_side_has_is_told(write: Callable[..., Path]) -> None:
    records = [Record("ops/exp/one[n=1]", mode, "passed") for mode in ("eager", "compile")]
    paths = write("A", records), write("B", records[:1])
    with diffing.load("A", paths[0]) as a, diffing.load("B", paths[1]) as b:
        (pair,) = diffing.pair(a, b).runs
        assert (pair.modes, pair.alone) == ([("eager", "eager")], ["torch compile is only in A"])
        assert (pair.gone, diffing.pair(b, a).runs[0].gone) == (["compile"], [])


def test_a_check_that_could_not_fail_is_refused(side: Callable[..., Side]) -> None:
    pairing = diffing.pair(side("a", "torch"), side("b", "torch"))
    diffing.refuse_idle(pairing, ["verdict", "drift"])
    with pytest.raises(PairingError, match="no timing files"):
        diffing.refuse_idle(pairing, ["verdict", "timing"])
    timings: Any = [object()]
    with pytest.raises(PairingError, match="timing files only"):
        diffing.refuse_idle(Pairing([], timings, []), ["verdict"])


def test_what_to_fail_on_is_one_of_four() -> None:
    assert diffing.causes(["timing", "verdict", "timing"]) == ["verdict", "timing"]
    with pytest.raises(PairingError, match="'ulp': there are verdict, gone, drift, timing"):
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
    with pytest.raises(diffing.SideError, match=message), diffing.load("A", tmp_path / name):
        pass


def shards(write: Callable[..., Path], side: str, *numbers: int, of: int = 2) -> Path:
    """A folder with shards, each of one variant, that of its number."""
    path = Path()
    for n in numbers:
        record = Record(f"ops/exp/one[n={n}]", "eager", "passed")
        shard = Shard(n, of, [ModeSummary("eager", of)])
        path = write(side, [record], name=f"torch-cpu-{n}of{of}.jsonl", shard=shard)
    return path.parent


def test_shards_in_a_folder_are_compared_as_the_run_that_they_are(write: Callable[..., Path]) -> None:
    whole = write("whole", [Record(f"ops/exp/one[n={n}]", "eager", "passed") for n in (1, 2)])
    with diffing.load("A", shards(write, "a", 2, 1)) as a, diffing.load("B", whole) as b:
        comparison = diffing.compare(diffing.pair(a, b))
    assert [row.compared for row in comparison.modes] == [2]
    assert comparison.exit_status(["verdict", "gone"]) == 0
    assert "part of the cases" not in [one.what for one in comparison.versus[0].differences]


def test_shards_that_lack_one_are_incomplete_and_it_is_named(write: Callable[..., Path]) -> None:
    with diffing.load("A", shards(write, "a", 1, 3, of=3)) as a, diffing.load("B", shards(write, "b", 1, of=3)) as b:
        comparison = diffing.compare(diffing.pair(a, b))
    assert comparison.incomplete == [
        "A: the run of torch is incomplete (missing of 3 shards: 2); missing: 1 of eager",
        "B: the run of torch is incomplete (missing of 3 shards: 2, 3); missing: 2 of eager",
    ]
    assert comparison.exit_status(["verdict"]) == 3


def test_shards_of_different_runs_are_refused(write: Callable[..., Path]) -> None:
    folder = shards(write, "a", 1)
    shard = Shard(2, 2, [ModeSummary("eager", 2)])
    write("a", [Record("ops/exp/one[n=2]", "eager", "passed")], name="2.jsonl", shard=shard, versions={"torch": "9"})
    with pytest.raises(diffing.SideError, match="other versions: torch"), diffing.load("A", folder):
        pass


def test_a_shard_by_itself_is_compared_with_the_same_one(write: Callable[..., Path]) -> None:
    one, same, other = (
        shards(write, side, n) / f"torch-cpu-{n}of2.jsonl" for side, n in (("a", 1), ("b", 1), ("c", 2))
    )
    with diffing.load("A", one) as a, diffing.load("B", same) as b, diffing.load("B", other) as c:
        assert diffing.compare(diffing.pair(a, b)).exit_status(["verdict", "gone"]) == 0
        apart = diffing.compare(diffing.pair(a, c))
    (row,) = apart.modes
    assert (row.compared, row.not_asked, row.gone, row.new) == (0, 2, {}, {})
    assert [(d.what, d.a, d.b) for d in apart.versus[0].differences] == [
        ("part of the cases", "shard 1 of 2", "shard 2 of 2")
    ]
    assert apart.incomplete == ["torch: nothing could be compared: no variant is the same question in both"]
    assert apart.exit_status(["verdict"]) == 3
