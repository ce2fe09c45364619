"""Parts of one run, however it was split, join to what the one run recorded; what is no part of it is refused."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import runfile
from conformance.runfile import (
    FORMAT,
    CaseLine,
    Header,
    IdiomSource,
    JoinError,
    ModeSummary,
    Reader,
    Record,
    Run,
    RunFileError,
    Shard,
    UnwritableError,
    VariantLine,
    Writer,
    join,
)
from conformance.runfile.manifest import digest
from conformance.runfile.sealing import seal
from conformance.suite import sharding
from conformance.suite.describing import WholeOfShard
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

TEXT = """
  - {name: sigmoids, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x), check: [value, gradient]}
  - {name: softmaxes, given: {x: [[0.0, 1.0]]}, for: {axis: [0, 1, -1]}, call: 'softmax(x, axis=axis)'}
  - {name: exps, given: {x: [0.0]}, call: exp(x)}
  - {name: sums, given: {x: [1, 2]}, call: sum(x)}
  - {name: wrong, given: {x: [0.0]}, call: exp(x), expect: {values: [2.0], because: of a mistake}}
"""


class Numpy:
    """Runs of numpy over the cases above."""

    def __init__(self, cases: Path, folder: Path) -> None:
        self._selection = select(cases)
        self._folder = folder
        made = BackendSession("numpy", self._selection)
        shares = {mode: made.selection.share(made.name, mode) for mode in made.modes}
        self.items = [
            (m, case.id) for case in made.selection.cases for m in made.modes if case.id in shares[m].variants
        ]

    def run(self, name: str, items: Sequence[tuple[str, str]], shard: tuple[int, int] | None = None) -> Path:
        """A run file of some items; of the whole, or of a shard."""
        made = BackendSession("numpy", self._selection)
        path = self._folder / f"{name}.jsonl"
        if shard is None:
            made.record_to(path, self.items)
        else:
            made.record_to(path, items, "", WholeOfShard(*shard, self.items))
        cases = {case.id: case for case in made.selection.cases}
        for mode, case in items:
            made.run_case(cases[case], mode)
        made.finish(complete=shard is not None or list(items) == self.items)
        return path

    def shards(self, of: int) -> list[Path]:
        """The run files of all shards."""
        hands = sharding.deal({case: 1 for _, case in self.items}, of)
        return [
            self.run(f"{n}of{of}", [item for item in self.items if item[1] in hand], (n, of))
            for n, hand in enumerate(hands, 1)
        ]


@pytest.fixture
def numpy(folder: Callable[..., Path], tmp_path: Path) -> Numpy:
    return Numpy(folder(TEXT), tmp_path)


def told(run: Run) -> dict[str, Any]:
    """All that a report may say of a run, but for the time."""
    header = msgspec.structs.replace(run.header, started="", parts=[])
    return {
        "header": header,
        "cases": list(run.cases.values()),
        "variants": list(run.variants.items()),
        "records": run.records,
        "counts": run.footer and run.footer.counts,
    }


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shards_join_to_the_one_run_in_any_order(of: int, numpy: Numpy, tmp_path: Path) -> None:
    whole = runfile.read(numpy.run("whole", numpy.items))
    shards = numpy.shards(of)
    assert all(runfile.read(path).complete for path in shards)
    random.Random(of).shuffle(shards)
    join(shards, tmp_path / "joined.jsonl")
    joined = runfile.read(tmp_path / "joined.jsonl")
    assert joined.complete and told(joined) == told(whole)
    assert sorted(part.shard for part in joined.header.parts) == [f"{n}/{of}" for n in range(1, of + 1)]
    assert sum(part.records for part in joined.header.parts) == whole.size
    assert all(part.environment == whole.header.environment for part in joined.header.parts)


@pytest.mark.parametrize("seed", range(5))
def test_a_run_split_between_any_items_joins_to_the_one_run(seed: int, numpy: Numpy, tmp_path: Path) -> None:
    """As on several machines, or in pytest-xdist's processes, where even the modes of a case part."""
    whole = runfile.read(numpy.run("whole", numpy.items))
    chance = random.Random(seed)
    where = [chance.randrange(3) for _ in numpy.items]
    parts = [numpy.run(f"part{n}", [i for i, w in zip(numpy.items, where, strict=True) if w == n]) for n in range(3)]
    assert not any(runfile.read(path).complete for path in parts)
    join(parts, tmp_path / "joined.jsonl")
    joined = runfile.read(tmp_path / "joined.jsonl")
    assert joined.complete
    key = lambda r: (r.variant, r.mode, r.idiom)  # noqa: E731
    assert sorted(joined.records, key=key) == sorted(whole.records, key=key)
    assert joined.variants == whole.variants and list(joined.cases) == list(whole.cases)
    assert joined.header.modes == whole.header.modes


def without(path: Path, case: str) -> None:
    """Take a case out of a run file with all that is about it, and put every count and checksum right."""
    lines = [json.loads(raw) for raw in path.read_bytes().splitlines()]
    kept = [line for line in lines if not str(line.get("variant", line.get("id"))).startswith(case)]
    counts: dict[str, Counter[str]] = {mode["name"]: Counter() for mode in kept[0]["modes"]}
    for line in kept:
        if line["kind"] == "record":
            counts[line["mode"]][line["verdict"]] += 1
    for mode in kept[0]["modes"]:
        mode["variants"] = counts[mode["name"]].total()
    kept[-1] |= {"counts": counts, "records": sum(c.total() for c in counts.values())}
    assert len(kept) < len(lines)
    for line in kept:
        del line["crc32"]
    path.write_bytes(b"".join(seal(msgspec.json.encode(line)) for line in kept))


def test_a_file_that_adds_up_without_one_of_its_cases_is_refused(numpy: Numpy) -> None:
    path = numpy.run("whole", numpy.items)
    end = len(path.read_bytes().splitlines())
    without(path, "things/wrong")
    assert not runfile.read(numpy.run("part", numpy.items[:-1])).complete  # what honestly lacks it says so
    with pytest.raises(RunFileError, match=r"whole.jsonl:\d+: the records in mode eager are as many as") as caught:
        runfile.read(path)
    assert int(str(caught.value).partition("jsonl:")[2].partition(":")[0]) < end


def test_a_shard_is_refused_likewise_and_what_is_joined_is_held_against_the_whole(numpy: Numpy, tmp_path: Path) -> None:
    first, second = numpy.shards(2)
    case = next(iter(runfile.read(second).cases))
    without(second, case)
    with pytest.raises(RunFileError, match=r"2of2\.jsonl:.* the records in mode eager are as many as"):
        join([first, second], tmp_path / "joined.jsonl")
    lines = [json.loads(raw) for raw in second.read_bytes().splitlines()]
    for mode in lines[0]["modes"]:  # somebody who knows how works that out, too; not the whole, which others have
        mode["digest"] = digest((r["variant"], r.get("idiom", "")) for r in lines if r.get("mode") == mode["name"])
    for line in lines:
        del line["crc32"]
    second.write_bytes(b"".join(seal(msgspec.json.encode(line)) for line in lines))
    assert runfile.read(second).complete
    join([first, second], tmp_path / "joined.jsonl")
    joined = runfile.read(tmp_path / "joined.jsonl")
    assert not joined.complete and "eager" in joined.missing()


def test_a_joined_file_may_take_the_place_of_one_of_its_parts(numpy: Numpy) -> None:
    first, second = numpy.shards(2)
    before = runfile.read(first).size + runfile.read(second).size
    join([first, second], first)
    assert runfile.read(first).complete and runfile.read(first).size == before
    assert sorted(path.name for path in first.parent.glob("*.jsonl*")) == ["1of2.jsonl", "2of2.jsonl"]


def test_a_shard_that_is_missing_or_incomplete_leaves_the_joined_run_incomplete_and_is_named(
    numpy: Numpy, tmp_path: Path
) -> None:
    shards = numpy.shards(3)
    join(shards[::2], tmp_path / "joined.jsonl")
    run = runfile.read(tmp_path / "joined.jsonl")
    assert not run.complete and run.footer is not None
    assert run.footer.stopped == "missing of 3 shards: 2"
    assert sum(run.missing().values()) == runfile.read(shards[1]).size
    raw = shards[1].read_bytes().splitlines(keepends=True)
    shards[1].write_bytes(b"".join(raw[:-2]) + raw[-2][:9])  # killed while it wrote its last record
    join(shards, tmp_path / "joined.jsonl")
    run = runfile.read(tmp_path / "joined.jsonl")
    assert run.footer is not None and run.footer.stopped == "shard 2 of 3 is incomplete"
    assert sum(run.missing().values()) == 1


def test_why_a_part_was_stopped_is_kept(numpy: Numpy, tmp_path: Path) -> None:
    shards = numpy.shards(2)
    raw = shards[0].read_bytes().splitlines(keepends=True)
    shards[0].write_bytes(b"".join(raw[:-2]))
    reader = Reader(shards[0])
    reader.follow()
    Writer.go_on(reader).finish("t", "3 in a row crashed: exit status 3")
    join(shards, tmp_path / "joined.jsonl")
    footer = runfile.read(tmp_path / "joined.jsonl").footer
    assert footer is not None and footer.stopped == "shard 1 of 2: 3 in a row crashed: exit status 3"


def test_what_is_in_two_parts_is_refused_with_both_files_or_left_out_within_one_run(
    numpy: Numpy, tmp_path: Path
) -> None:
    first = numpy.run("first", numpy.items[:2])
    second = numpy.run("second", numpy.items[1:])
    with pytest.raises(JoinError) as caught:
        join([first, second], tmp_path / "joined.jsonl")
    assert str(caught.value).startswith(f"{second}: 'things/sigmoids[")
    assert str(caught.value).endswith(f") is in {first} too")
    assert not (tmp_path / "joined.jsonl").exists()
    join([first, second], tmp_path / "joined.jsonl", of_one_run=True)
    run = runfile.read(tmp_path / "joined.jsonl")
    assert run.complete and run.header.parts == []


def test_what_the_processes_of_one_shard_wrote_is_that_shard(numpy: Numpy, tmp_path: Path) -> None:
    (whole, _) = numpy.shards(2)
    lines = whole.read_bytes().splitlines(keepends=True)
    at = [i for i, line in enumerate(lines) if line.startswith(b'{"kind":"case"')][1]
    halves = [lines[:at], [lines[0], *lines[at:-1]]]
    paths = [tmp_path / f"half{i}.jsonl" for i in range(2)]
    for path, half in zip(paths, halves, strict=True):
        path.write_bytes(b"".join(half))
    join(paths, tmp_path / "joined.jsonl", of_one_run=True)
    joined, run = runfile.read(tmp_path / "joined.jsonl"), runfile.read(whole)
    assert joined.complete and told(joined) == told(run)
    join(paths[:1], tmp_path / "joined.jsonl", of_one_run=True)
    joined = runfile.read(tmp_path / "joined.jsonl")
    assert joined.footer is None and joined.header == run.header


HEADER = Header(
    FORMAT, "1", "numpy", "cpu", {"numpy": "2"}, {"python": "3.11", "cores": "2"}, "c", "m",
    [ModeSummary("eager", 2, flushes_subnormals=False)], {"exp": {}}, [IdiomSource("exp", "def exp(x): ...")], "t1",
)  # fmt: skip


def part(path: Path, names: str, inputs: str = "", **changes: Any) -> Path:
    """A run file with a record for each letter."""
    writer = Writer(path, msgspec.structs.replace(HEADER, **changes))
    for name in names:
        writer.case(lambda: CaseLine("a/b", "exp", "a.yaml", "", "", "exp(x)", False), "a/b")
        stored = runfile.Stored("float32", [1], inputs)
        line = VariantLine(f"a/b[{name}]", "a/b", "float32", {"x": stored} if inputs else {})
        writer.variant(lambda line=line: line, name)  # type: ignore[misc]
        writer.record(Record(f"a/b[{name}]", "eager", "passed"))
    writer.close()
    return path


DIFFERENT: dict[str, tuple[dict[str, Any], str]] = {
    "backend": ({"backend": "torch"}, "another backend: torch; {first} has numpy"),
    "device": ({"device": "gpu"}, "another device: gpu; {first} has cpu"),
    "case files": ({"cases_digest": "d"}, "other case files: d; {first} has c"),
    "manifest": ({"manifest_digest": "n"}, "another manifest: n; {first} has m"),
    "selection": ({"selection": "-k x"}, "another selection: -k x; {first} has none"),
    "order": ({"order": "random, seed 1"}, "another order: random, seed 1; {first} has none"),
    "modes": ({"modes": [ModeSummary("eager", 3)]}, "other modes: eager (3); {first} has eager (2)"),
    "versions": ({"versions": {"numpy": "3"}}, "other versions: numpy 3; {first} has numpy 2"),
    "suite": ({"suite": "2"}, "another version of the suite: 2; {first} has 1"),
    "shards": (
        {"shard": Shard(1, 2, [ModeSummary("eager", 2)])}, "another number of shards: of 2; {first} has none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_is_no_part_of_the_same_run_is_refused_with_both_files(what: str, tmp_path: Path) -> None:
    changes, message = DIFFERENT[what]
    first, second = part(tmp_path / "first.jsonl", "x"), part(tmp_path / "second.jsonl", "y", **changes)
    with pytest.raises(JoinError) as caught:
        join([first, second], tmp_path / "joined.jsonl")
    assert str(caught.value) == f"{second}: {message.format(first=first)}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.jsonl", "second.jsonl"]


def test_another_spelling_under_the_same_name_is_refused(tmp_path: Path) -> None:
    first = part(tmp_path / "first.jsonl", "x")
    second = part(tmp_path / "second.jsonl", "y", idioms=[IdiomSource("exp", "def exp(x): return x")])
    with pytest.raises(JoinError, match="another adapter: the spelling 'exp' is not the same in all"):
        join([first, second], tmp_path / "joined.jsonl")


def test_other_inputs_of_the_same_variant_are_refused_but_not_that_they_are_missing(tmp_path: Path) -> None:
    def joined(first: str, second: str) -> Run:
        paths = [part(tmp_path / "1.jsonl", "x", first), part(tmp_path / "2.jsonl", "x", second)]
        join(paths, tmp_path / "joined.jsonl", of_one_run=True)
        return runfile.read(tmp_path / "joined.jsonl")

    assert joined("AAAAAA==", "AAAAAA==").size == 1
    assert joined("", "AAAAAA==").size == joined("AAAAAA==", "").size == 1
    with pytest.raises(JoinError, match=r"'a/b\[x\]' has other inputs, or another exact answer, than in a file before"):
        joined("AAAAAA==", "AACAPw==")


def test_each_parts_environment_is_kept_and_all_of_it_said_where_they_differ(tmp_path: Path) -> None:
    other = {"python": "3.11", "cores": "8"}
    flushing = [ModeSummary("eager", 2, flushes_subnormals=True)]
    paths = [part(tmp_path / "1.jsonl", "x", started="t2", commit="5eed", order="random, seed 1")]
    paths.append(part(tmp_path / "2.jsonl", "y", environment=other, modes=flushing, order="random, seed 1"))
    join(paths, tmp_path / "joined.jsonl")
    header = runfile.read(tmp_path / "joined.jsonl").header
    assert header.environment == {"python": "3.11", "cores": "2 | 8"}
    assert [p.environment["cores"] for p in header.parts] == ["2", "8"]
    assert (header.started, header.commit, header.order) == ("t1", "5eed | unknown", "random, seed 1")
    assert header.modes[0].flushes_subnormals is None


def test_a_file_of_a_newer_format_or_a_broken_one_is_refused_with_its_place(tmp_path: Path) -> None:
    first, second = part(tmp_path / "1.jsonl", "x"), part(tmp_path / "2.jsonl", "y", format=99)
    with pytest.raises(RunFileError, match=r"2\.jsonl:1: format 99"):
        join([first, second], tmp_path / "joined.jsonl")
    second.write_text(first.read_text() + "nonsense\n")
    with pytest.raises(RunFileError, match=r"2\.jsonl:5: a line without its checksum"):
        join([first, second], tmp_path / "joined.jsonl")


def test_a_file_that_is_changed_while_it_is_joined_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the reading that checks it and the copying of its lines."""
    first, second = part(tmp_path / "1.jsonl", "x"), part(tmp_path / "2.jsonl", "y")

    def changed(path: Path) -> Run:
        run = runfile.read(path)
        path.write_text(path.read_text().replace('"verdict":"passed"', '"verdict":"failed"'))
        return run

    monkeypatch.setattr("conformance.runfile.joining.read", changed)
    with pytest.raises(JoinError, match=r"1\.jsonl: was changed while it was being read; read it again"):
        join([first, second], tmp_path / "joined.jsonl")
    assert not (tmp_path / "joined.jsonl").exists()


def test_a_joined_file_that_can_not_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    first, second = part(tmp_path / "1.jsonl", "x"), part(tmp_path / "2.jsonl", "y")
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableError, match=r"joined\.jsonl: can't be written to: File exists"):
        join([first, second], tmp_path / "file" / "joined.jsonl")
