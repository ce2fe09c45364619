"""Shards and parts from many machines become one run file a backend and device, and what does not fit is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import runfile
from conformance.runfile import (
    FORMAT,
    CaseLine,
    Header,
    JoinError,
    ModeSummary,
    Record,
    Shard,
    VariantLine,
    Writer,
    merging,
)

HEADER = Header(FORMAT, "1", "numpy", "cpu", {}, {}, "c", "m", [ModeSummary("eager", 2)], {}, [], "t")


def shard(path: Path, number: int, of: int = 2, **changes: Any) -> Path:
    """The run file of a shard with one record."""
    whole = Shard(number, of, [ModeSummary("eager", of)])
    header = msgspec.structs.replace(HEADER, modes=[ModeSummary("eager", 1)], shard=whole, **changes)
    return recorded(path, header, str(number))


def recorded(path: Path, header: Header, *names: str) -> Path:
    writer = Writer(path, header)
    for name in names:
        writer.case(lambda: CaseLine("a/b", "exp", "a.yaml", "", "", "exp(x)", False), "a/b")
        writer.variant(lambda name=name: VariantLine(f"a/b[{name}]", "a/b", "float32", {}), name)  # type: ignore[misc]
        writer.record(Record(f"a/b[{name}]", "eager", "passed"))
    writer.finish("t")
    return path


def test_each_backend_and_device_becomes_one_file(tmp_path: Path) -> None:
    paths = [
        shard(tmp_path / f"{backend}-{device}-{n}.jsonl", n, backend=backend, device=device)
        for n in (2, 1)
        for backend, device in (("numpy", "cpu"), ("torch", "cpu"), ("torch", "gpu"))
    ]
    merged = merging.merge(paths, tmp_path / "out")
    assert [path.name for path in merged] == ["numpy-cpu.jsonl", "torch-cpu.jsonl", "torch-gpu.jsonl"]
    for path in merged:
        run = runfile.read(path)
        assert run.complete and run.size == 2 and run.header.shard is None
        assert f"{run.header.backend}-{run.header.device}" == path.stem
        assert [part.shard for part in run.header.parts] == ["2/2", "1/2"]


def test_a_whole_run_may_be_among_them_and_a_merged_one_merges_again(tmp_path: Path) -> None:
    whole = recorded(tmp_path / "torch.jsonl", msgspec.structs.replace(HEADER, backend="torch"), "x", "y")
    first = merging.merge([whole, shard(tmp_path / "1", 1), shard(tmp_path / "2", 2)], tmp_path / "out")
    again = merging.merge(first, tmp_path / "out")
    assert sorted(again) == sorted(first)
    assert [len(runfile.read(path).header.parts) for path in again] == [1, 2]


def test_different_case_files_are_refused_across_backends_too(tmp_path: Path) -> None:
    one = shard(tmp_path / "1", 1)
    other = shard(tmp_path / "2", 2, backend="torch", cases_digest="other")
    with pytest.raises(JoinError) as caught:
        merging.merge([one, other], tmp_path / "out")
    assert str(caught.value) == f"{other}: other case files (other) than {one} (c)"
    assert not (tmp_path / "out").exists()


def test_a_report_gets_shards_joined_and_everything_else_as_it_is(tmp_path: Path) -> None:
    paths = [shard(tmp_path / str(n), n) for n in (1, 2)]
    paths += [recorded(tmp_path / version, msgspec.structs.replace(HEADER, suite=version), "x") for version in "34"]
    with merging.gathered(paths) as runs:
        assert [(run.header.suite, run.size, run.header.shard) for run in runs] == [
            ("1", 2, None), ("3", 1, None), ("4", 1, None),
        ]  # fmt: skip
        assert runs[0].complete and len(runs[0].records) == 2
        joined = runs[0].path
    assert not joined.exists()


def test_a_shard_alone_lacks_the_others(tmp_path: Path) -> None:
    with merging.gathered([shard(tmp_path / "1", 1, 3)]) as (run,):
        assert not run.complete and run.missing() == {"eager": 2}
        assert run.footer is not None and run.footer.stopped == "missing of 3 shards: 2, 3"


def test_a_run_file_that_is_called_as_shards_would_be_is_not_taken_for_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = recorded(Path("numpy-cpu.jsonl"), HEADER, "x", "y")
    with merging.gathered([whole, shard(Path("1"), 1), shard(Path("2"), 2)]) as runs:
        assert [run.complete for run in runs] == [True, True]


def test_a_run_file_that_is_named_twice_is_read_twice_and_left_as_it_is(tmp_path: Path) -> None:
    path = recorded(tmp_path / "empty.jsonl", msgspec.structs.replace(HEADER, modes=[]))
    before = path.read_bytes()
    with merging.gathered([path, path]) as runs:
        assert len(runs) == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["../numpy", "/etc/numpy", "a/b", "", ".hidden", "x" * 300, "a\0b", "a\nb"])
def test_a_backend_whose_name_is_no_file_name_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = shard(tmp_path / "in" / "1", 1, backend=name)
    with pytest.raises(JoinError, match="a file can't be named after its backend"):
        merging.merge([path], tmp_path / "out")
    with pytest.raises(JoinError, match="a file can't be named after its backend"), merging.gathered([path]):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    path = shard(tmp_path / "1", 1)
    shutil.copy(path, tmp_path / "copy")
    with pytest.raises(JoinError, match=r"'a/b\[1\]' in mode eager is in "):
        merging.merge([path, tmp_path / "copy"], tmp_path / "out")
