"""Run files: what is written is read again, and what is broken is told from what is whole."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance import runfile
from conformance.ground import limits
from conformance.judging.accuracy import Bin, Profile
from conformance.runfile import (
    CaseLine,
    FindingLine,
    Header,
    IdiomSource,
    ModeSummary,
    Reader,
    Record,
    RunFileError,
    Stored,
    VariantLine,
    Writer,
)
from conformance.runfile.sealing import seal

X = Stored.of(np.array([1.0], dtype=np.float32))


def header(eager: int = 2, jit: int = 0) -> Header:
    modes = [ModeSummary("eager", eager), *([ModeSummary("jit", jit, 1, "slow")] if jit else [])]
    idioms = [IdiomSource("exp", "def exp(x):\n    return np.exp(x)")]
    operations = {"exp": {"document": "torch.exp(x)", "summary": "e to the power x."}}
    return Header(
        runfile.FORMAT, "0", "numpy", "cpu", {"numpy": "2"}, {"python": "3"}, "c", "m", modes, operations, idioms, "t"
    )


CASE = CaseLine("a/b", "exp", "a.yaml", "- name: b", "", "exp(x)", False)


def variant(name: str) -> VariantLine:
    return VariantLine(f"a/b[{name}]", "a/b", "float32", {"x": X}, X, [0.0])


def record(name: str, verdict: str = "passed", mode: str = "eager", idiom: str = "") -> Record:
    reason = "" if verdict == "passed" else f"why {verdict}"
    return Record(f"a/b[{name}]", mode, verdict, reason, got=[X], ulp=0.25, budget=4.0, at=[0], idiom=idiom)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """A run file with the given records, finished or not."""

    def make(*records: Record, head: Header | None = None, finished: bool = True) -> Path:
        writer = Writer(tmp_path / "deep" / "numpy.jsonl", head or header(len(records)))
        for one in records:
            writer.case(lambda: CASE, "a/b")
            writer.variant(lambda one=one: variant(one.variant[4:-1]), one.variant)
            writer.record(one)
        if finished:
            writer.finish("later")
        else:
            writer.close()
        return writer.path

    return make


def test_a_run_comes_back_as_it_was_written(written: Callable[..., Path]) -> None:
    finding = FindingLine("value", "1", "2", "here")
    failed = Record("a/b[y]", "eager", "failed", "value: …", [finding], [X], "", 9.0, 4.0, [0], end_to_end=1.5)
    path = written(record("x"), failed, record("x", mode="jit"), head=header(2, 1))
    run = runfile.read(path)
    assert run.complete and run.missing() == {}
    assert run.header == header(2, 1)
    assert run.cases == {"a/b": CASE}
    assert list(run.variants) == ["a/b[x]", "a/b[y]"]
    assert run.variants["a/b[y]"] == variant("y")
    assert run.records == [record("x"), failed, record("x", mode="jit")]
    assert run.footer.counts == {"eager": {"passed": 1, "failed": 1}, "jit": {"passed": 1}}


def test_a_case_and_a_variant_are_written_once_before_their_first_record(written: Callable[..., Path]) -> None:
    path = written(record("x"), record("x", mode="jit"), record("y"), head=header(2, 1))
    kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
    assert kinds == ["header", "case", "variant", "record", "record", "variant", "record", "footer"]


def test_the_counts_add_up_to_the_manifest_with_what_is_missing_as_not_run(written: Callable[..., Path]) -> None:
    run = runfile.read(written(record("x"), record("y", "divergent"), head=header(5, 3), finished=False))
    counts = run.counts()
    assert {v: n for v, n in counts["eager"].items() if n} == {"passed": 1, "divergent": 1, "not-run": 3}
    assert {v: n for v, n in counts["jit"].items() if n} == {"not-run": 3}
    assert run.missing() == {"eager": 3, "jit": 3}


def test_without_a_footer_a_run_is_incomplete_though_no_record_is_missing(written: Callable[..., Path]) -> None:
    run = runfile.read(written(record("x"), finished=False))
    assert (run.complete, run.footer, run.missing()) == (False, None, {})


def test_with_a_footer_a_run_that_lacks_records_is_incomplete(written: Callable[..., Path]) -> None:
    run = runfile.read(written(record("x"), head=header(2)))
    assert run.footer is not None
    assert (run.complete, run.missing()) == (False, {"eager": 1})


def test_what_was_written_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run.jsonl", header())
    assert runfile.read(writer.path).records == []
    writer.case(lambda: CASE, "a/b")
    writer.variant(lambda: variant("x"), "a/b[x]")
    writer.record(record("x"))
    writer.flush()
    assert runfile.read(writer.path).records == [record("x")]
    writer.close()


def test_a_new_run_takes_the_place_of_an_old_file(written: Callable[..., Path]) -> None:
    written(record("x"), record("y"))
    assert len(runfile.read(written(record("z"))).records) == 1


def test_a_file_cut_at_any_byte_is_incomplete_or_refused(written: Callable[..., Path], tmp_path: Path) -> None:
    path = written(record("x"), record("y", "failed"))
    raw, whole = path.read_bytes(), runfile.read(path)
    cut = tmp_path / "cut.jsonl"
    for length in range(len(raw)):
        cut.write_bytes(raw[:length])
        if length < raw.index(b"\n") + 1:
            with pytest.raises(RunFileError, match="empty: not even a header"):
                runfile.read(cut)
        else:
            run = runfile.read(cut)
            assert not run.complete
            assert run.records == whole.records[: len(run.records)]


def test_a_file_with_any_byte_changed_is_refused_with_the_line_of_it(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    raw = written(record("x"), record("y", "failed")).read_bytes()
    changed = tmp_path / "changed.jsonl"
    for place, byte in enumerate(raw[:-1]):
        line = raw[:place].count(b"\n") + 1
        for other in {byte ^ 0x01, byte ^ 0x20, byte ^ 0xFF, ord("\n")} - {byte}:
            changed.write_bytes(raw[:place] + bytes([other]) + raw[place + 1 :])
            with pytest.raises(RunFileError) as caught:
                runfile.read(changed)
            assert str(caught.value).startswith(f"{changed}:{line}: ")
            assert str(caught.value).isprintable()


def test_a_file_whose_last_byte_was_changed_was_cut(written: Callable[..., Path]) -> None:
    path = written(record("x"), record("y", "failed"))
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    run = runfile.read(path)
    assert (run.complete, run.footer, run.size) == (False, None, 2)


def test_lines_that_are_gone_doubled_or_moved_never_make_a_complete_run(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    """Each line is as it was written; that something is missing shows in those that remain."""
    whole = written(record("x"), record("y", "failed")).read_bytes().splitlines(keepends=True)
    other = tmp_path / "other.jsonl"
    for i, line in enumerate(whole):
        for lines in [whole[:i] + whole[i + 1 :], whole[:i] + [line] + whole[i:]]:
            other.write_bytes(b"".join(lines))
            try:
                assert not runfile.read(other).complete
            except RunFileError as error:
                assert str(error).startswith(f"{other}:")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=300))
def test_garbage_is_refused(garbage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "garbage.jsonl"
    path.write_bytes(garbage)
    with pytest.raises(RunFileError):
        runfile.read(path)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def rewritten(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> Path:
    lines = lines_of(path)
    change(lines)
    path.write_bytes(b"".join(resealed(line) for line in lines))
    return path


def resealed(line: dict[str, Any]) -> bytes:
    """A line as a later version, or somebody who means harm, might have written it."""
    return seal(json.dumps({key: value for key, value in line.items() if key != "crc32"}).encode())


CONTRADICTIONS: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], str]] = {
    "a newer format": (lambda lines: lines[0].update(format=99), ":1: format 99; this version of the suite reads"),
    "no header": (lambda lines: lines.pop(0), ":1: not a run file: expected its header"),
    "another kind of file": (lambda lines: lines.__setitem__(0, {"a": 1}), ":1: not a run file: expected its header"),
    "a second header": (lambda lines: lines.insert(2, lines[0]), ":3: a second header"),
    "a duplicate record": (lambda lines: lines.insert(4, lines[3]), ":5: a second record of 'a/b[x]' in mode eager"),
    "a duplicate case": (lambda lines: lines.insert(2, lines[1]), ":3: a second time the case 'a/b'"),
    "a duplicate variant": (lambda lines: lines.insert(3, lines[2]), ":4: a second time the variant 'a/b[x]'"),
    "a line after the footer": (lambda lines: lines.append(lines[3]), ":8: a line after the footer"),
    "a second footer": (lambda lines: lines.append(lines[-1]), ":8: a line after the footer"),
    "an older format": (lambda lines: lines[0].update(format=1), ":1: format 1; this version of the suite reads"),
    "a format past every number": (lambda lines: lines[0].update(format=10**400), ":1: not a run file: expected its"),
    "a number of records past every number": (
        lambda lines: lines[0]["modes"][0].update(variants=10**400), ":1: not a line of a run file: ",
    ),
    "a negative number of variants": (
        lambda lines: lines[0]["modes"][0].update(variants=-1), ":1: not a line of a run file: Expected `int` >= 0",
    ),
    "two modes of a name": (
        lambda lines: lines[0]["modes"].append(lines[0]["modes"][0]), ":1: the mode 'eager' a second time",
    ),
    "NaN": (lambda lines: lines[3].update(ulp=float("nan")), ":4: not a line of a run file: JSON is malformed"),
    "infinity": (lambda lines: lines[3].update(ulp=float("inf")), ":4: not a line of a run file: JSON is malformed"),
    "a number past float64": (lambda lines: lines[3].update(ulp=10**400), ":4: not a line of a run file: "),
    "an array of no dtype": (
        lambda lines: lines[3]["got"][0].update(dtype="float8"), ":4: the result 1: unknown dtype 'float8'",
    ),
    "a shape that does not fit": (
        lambda lines: lines[2]["inputs"]["x"].update(shape=[2]), ":3: the input 'x': 4 bytes are not 2 elements of float32",
    ),
    "a negative length": (
        lambda lines: lines[2]["answer"].update(shape=[-1]), ":3: the answer: expected a shape of up to 32 lengths",
    ),
    "a gigantic shape": (
        lambda lines: lines[2]["answer"].update(shape=[2**62, 2**62, 2**62], sha256="0" * 64), ":3: the answer: the shape",
    ),
    "a shape past every number": (lambda lines: lines[2]["answer"].update(shape=[10**400]), ":3: not a line of a run"),
    "a shape of many axes": (
        lambda lines: lines[2]["answer"].update(shape=[1] * 33), ":3: the answer: expected a shape of up to 32 lengths",
    ),
    "base64 of the wrong length": (
        lambda lines: lines[2]["answer"].update(data="AACAPwAA"), ":3: the answer: 6 bytes are not 1 elements of float32",
    ),
    "base64 that is cut": (lambda lines: lines[2]["answer"].update(data="AACAP"), ":3: the answer: its data is no base64"),
    "what is no base64": (lambda lines: lines[2]["answer"].update(data="AACA\u202e=="), ":3: the answer: its data is no"),
    "a digest of a small array": (
        lambda lines: lines[2]["answer"].update(sha256="0" * 64), ":3: the answer: expected a SHA-256 digest of more",
    ),
    "a bool that is none": (
        lambda lines: lines[2]["answer"].update(dtype="bool", data="Ag=="), ":3: the answer: a bool that is neither",
    ),
    "a footer that counts more": (lambda lines: lines[-1].update(records=3), ":7: the footer counts 3 records"),
    "a footer that counts others": (
        lambda lines: lines[-1].update(counts={"eager": {"passed": 2}}), ":7: the footer counts {'eager'",
    ),
    "a record that is gone": (lambda lines: lines.pop(3), ":6: the footer counts 2 records, the file holds 1"),
    "a record of an unknown variant": (lambda lines: lines[3].update(variant="z"), ":4: a record of an unknown variant"),
    "a record of an unknown mode": (lambda lines: lines[3].update(mode="z"), ":4: a record of an unknown"),
    "a record of an unknown verdict": (
        lambda lines: lines[3].update(verdict="ok"), ":4: the record of 'a/b[x]' contradicts itself: an unknown verdict",
    ),
    "a variant of an unknown case": (lambda lines: lines[2].update(case="z"), ":3: a variant of the unknown case 'z'"),
    "a missing field": (lambda lines: lines[3].pop("verdict"), ":4: not a line of a run file: Object missing"),
    "a field of another type": (lambda lines: lines[3].update(ulp="much"), ":4: not a line of a run file: Expected"),
    "an unknown kind": (lambda lines: lines[3].update(kind="note"), ":4: not a line of a run file: Invalid value 'note'"),
}  # fmt: skip


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_file_that_contradicts_itself_is_refused_with_its_place(what: str, written: Callable[..., Path]) -> None:
    change, message = CONTRADICTIONS[what]
    path = rewritten(written(record("x"), record("y", "failed")), change)
    with pytest.raises(RunFileError) as caught:
        runfile.read(path)
    assert str(caught.value).startswith(f"{path}{message}")


PROFILE = Profile("x", [Bin(-1, None, 0, lost=1), Bin(1, 3, 3, 0.5, 0.25, -0.125, 4.0, 1, 0, 2)], 2)
"""Of a result that is over its budget in one element, and NaN in another."""
LARGE = Stored.of(np.zeros((2, 4), dtype=np.float32))


def profiled(**changes: Any) -> Record:
    return msgspec.structs.replace(
        record("x", "failed"), got=[LARGE], profile=msgspec.structs.replace(PROFILE, **changes)
    )


def test_errors_by_exponent_come_back_as_they_were_written(written: Callable[..., Path]) -> None:
    assert runfile.read(written(profiled())).records == [profiled()]
    bins = lines_of(written(profiled()))[3]["profile"]["bins"]
    assert bins[0][:7] == [-1, None, 0, None, None, None, None]  # no names in each of a great many bins
    assert runfile.read(written(record("x"))).records[0].profile is None


def test_errors_by_exponent_may_lack_what_a_later_version_counts(written: Callable[..., Path]) -> None:
    path = rewritten(written(profiled(special=7, bins=[])), lambda lines: lines[3]["profile"].update(
        bins=[[1, 3, 1, 0.5, 0.25, -0.125, 4.0]]))  # fmt: skip
    (only,) = runfile.read(path).records[0].profile.bins
    assert (only.over, only.lost, only.overflowed, only.flushed) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"special": 3}, "it has errors by exponent of 9 elements, the results have [8]"),
        ({"bins": PROFILE.bins[::-1]}, "of its errors by exponent: its bins don't ascend"),
        ({"bins": [Bin(1, 3, 6, 0.5, 0.75, 0.0, 4.0)]}, "of its errors by exponent: a largest error of 0.5"),
    ],
)
def test_errors_by_exponent_that_contradict_themselves_are_refused(
    changes: dict[str, Any], message: str, written: Callable[..., Path]
) -> None:
    with pytest.raises(RunFileError) as caught:
        runfile.read(written(profiled(**changes)))
    assert f":4: the record of 'a/b[x]' contradicts itself: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b'"verdict":"failed"', b'"verdict":"passed","verdict":"failed"'), "the key 'verdict' comes twice"),
        ((b'"dtype":"float32"', b'"dtype":"bool","dtype":"float32"'), "the key 'dtype' comes twice"),
        ((b'"budget":4.0', b'"budget":4.0,"mood":{"a":1,"a":1}'), "the key 'a' comes twice"),
        ((b'"budget":4.0', b'"budget":4.0,"mood":' + b"[" * 100_000 + b"]" * 100_000), "it is nested too deeply"),
        ((b'"budget":4.0', b'"budget":4.0,"mood":"\xff"'), "can't decode byte 0xff"),
        ((b'"budget":4.0', b'"budget":4.0,"mood":"\x1b[31m"'), "JSON is malformed"),
        ((b'"budget":4.0', b'"budget":NaN'), "JSON is malformed"),
        ((b'"verdict":"failed"', b'"verdict":"failed","reason":"\\ud800"'), ""),
    ],
)
def test_a_line_that_readers_could_read_differently_is_refused_though_its_checksum_is_right(
    change: tuple[bytes, bytes], message: str, written: Callable[..., Path]
) -> None:
    path = written(record("x"), record("y", "failed"))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[5] = seal(re.sub(rb',"crc32.*\n', b"}", lines[5]).replace(*change))
    path.write_bytes(b"".join(lines))
    with pytest.raises(RunFileError, match=f"^{path}:6: not a line of a run file: .*{message}") as caught:
        runfile.read(path)
    assert str(caught.value).isprintable()


def test_a_line_without_end_is_refused_before_it_fills_memory(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(record("x"), finished=False)
    monkeypatch.setattr(limits, "RUN_LINE_BYTES", 5000)
    with path.open("ab") as file:
        file.write(b"x" * 5000)
    assert runfile.read(path).size == 1  # it may have been cut
    with path.open("ab") as file:
        file.truncate(2**30)
    with pytest.raises(RunFileError, match=":5: a line of more than 5,000 bytes"):
        runfile.read(path)


def test_a_reader_that_comes_back_reads_on_where_it_stood(written: Callable[..., Path], tmp_path: Path) -> None:
    raw = written(record("x"), record("y", "failed")).read_bytes()
    path = tmp_path / "growing.jsonl"
    path.touch()
    reader = Reader(path)
    sizes = []
    for length in [*range(0, len(raw), 37), len(raw)]:
        path.write_bytes(raw[:length])
        reader.follow()
        sizes.append(reader.run.size if reader.run else None)
    assert list(dict.fromkeys(sizes)) == [None, 0, 1, 2]
    assert reader.run is not None and reader.run.complete
    assert reader.run.records == runfile.read(path).records
    whole = raw.splitlines(keepends=True)
    assert reader.without_footer() == len(raw) - len(whole[-1])
    path.write_bytes(b"".join(whole[:-1]) + whole[3])
    with pytest.raises(RunFileError, match=r":7: a second record of 'a/b\[x\]'"):
        reader.follow()


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (b"x" * 5001, ":6: a line of more than 5,000 bytes"),
        (b'{"kind":"record"}\n', ":6: a line without its checksum"),
        (b'{"kind":"record"', ":6: something after the footer"),
    ],
)
def test_what_was_added_since_a_reader_was_there_is_refused_with_its_place(
    added: bytes, told: str, written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(record("x"))
    reader = Reader(path)
    reader.follow()
    monkeypatch.setattr(limits, "RUN_LINE_BYTES", 5000)
    with path.open("ab") as file:
        file.write(added)
    with pytest.raises(RunFileError) as caught:
        reader.follow()
    assert str(caught.value).startswith(f"{path}{told}")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RunFileError, match="can't be read: expected a file, found a FIFO"):
        reader.follow()


def test_a_file_of_more_variants_than_fit_memory_is_given_up(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(record("x"), record("y"))
    monkeypatch.setattr(limits, "RUN_FILE_VARIANTS", 2)
    with pytest.raises(RunFileError, match=":6: more than 2 cases and variants"):
        runfile.read(path)


def test_something_after_the_footer_is_no_line_that_was_cut(written: Callable[..., Path]) -> None:
    path = written(record("x"))
    with path.open("ab") as file:
        file.write(b"{")
    with pytest.raises(RunFileError, match=":6: something after the footer"):
        runfile.read(path)


def test_what_is_no_file_is_no_run_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, kind in [(tmp_path / "fifo", "FIFO"), (Path("/dev/zero"), "device")]:
        with pytest.raises(RunFileError, match=f"{path}: can't be read: expected a file, found a {kind}"):
            runfile.read(path)


def test_a_message_shows_what_a_terminal_would_obey_and_is_short(written: Callable[..., Path]) -> None:
    path = rewritten(written(record("x")), lambda lines: lines[3].update(variant="\x1b[2J\u202e" + "z" * 5000))
    with pytest.raises(RunFileError) as caught:
        runfile.read(path)
    assert "\\x1b[2J\\u202ezzz" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1100


def test_a_file_that_is_empty_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    for path, message in [
        (empty, "empty: not even a header was written"),
        (tmp_path / "none.jsonl", "can't be read: No such file or directory"),
        (tmp_path, "can't be read: expected a file, found a folder"),
    ]:
        with pytest.raises(RunFileError) as caught:
            runfile.read(path)
        assert str(caught.value) == f"{path}: {message}"


def test_a_field_that_a_later_version_adds_does_not_hinder(written: Callable[..., Path]) -> None:
    path = rewritten(written(record("x")), lambda lines: lines[3].update(mood="fine"))
    assert runfile.read(path).complete


def with_idioms(idioms: int) -> Header:
    sources = [
        IdiomSource("exp", "def exp(x):\n    return np.exp(x)"),
        IdiomSource("exp", "def other(x): ...", "scipy.special.exp2", "scipy 1.17"),
    ]
    modes = [ModeSummary("eager", 1), ModeSummary("idioms", idioms)]
    return msgspec.structs.replace(header(), modes=modes, idioms=sources)


def test_records_of_other_spellings_come_back_with_their_names_and_sources(written: Callable[..., Path]) -> None:
    records = [record("x"), *(record("x", mode="idioms", idiom=name) for name in ("one", "another: f(x)"))]
    finding = FindingLine("nan-inf", "1", "nan", "here", 3)
    records.append(Record("a/b[x]", "idioms", "failed", "nan-inf: …", [finding], [X], idiom="third"))
    run = runfile.read(written(*records, head=with_idioms(3)))
    assert run.complete and run.records == records
    assert [r.idiom for r in run.records] == ["", "one", "another: f(x)", "third"]
    assert run.records[-1].findings[0].non_finite == 3
    assert [(i.name, i.needs) for i in run.header.idioms] == [("", ""), ("scipy.special.exp2", "scipy 1.17")]
    assert run.counts()["idioms"]["passed"] == 2
    assert len(run.variants) == 1


def test_what_has_no_other_spelling_is_written_without_the_words_for_it(written: Callable[..., Path]) -> None:
    lines = lines_of(written(record("x")))
    assert "idiom" not in lines[3]
    assert set(lines[0]["idioms"][0]) == {"operation", "source"}


def test_a_second_record_of_a_spelling_is_refused_and_one_of_another_is_not(written: Callable[..., Path]) -> None:
    one, another = (record("x", mode="idioms", idiom=name) for name in ("one", "another"))
    assert runfile.read(written(one, another, head=with_idioms(2))).records == [one, another]
    with pytest.raises(RunFileError, match=r":5: a second record of 'a/b\[x\]' in mode idioms"):
        runfile.read(written(one, one, head=with_idioms(2)))


def test_a_run_that_lacks_a_spelling_is_incomplete(written: Callable[..., Path]) -> None:
    run = runfile.read(written(record("x"), record("x", mode="idioms", idiom="one"), head=with_idioms(2)))
    assert (run.complete, run.missing()) == (False, {"idioms": 1})


def test_a_file_that_is_written_anew_while_it_is_read_is_told(written: Callable[..., Path]) -> None:
    path = written(record("x"), record("y"))
    run = runfile.read(path)
    path.write_bytes(path.read_bytes().replace(b"a/b[x]", b'"'))
    with pytest.raises(RunFileError, match="was changed while it was being read"):
        list(run.parts())


def test_the_lines_of_a_case_are_read_together_wherever_they_stand(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run.jsonl", header(4))
    for name, case in [("x", "a/b"), ("y", "a/c"), ("z", "a/b"), ("w", "a/c")]:
        writer.case(lambda case=case: msgspec.structs.replace(CASE, id=case), case)
        line = msgspec.structs.replace(variant(name), id=f"{case}[{name}]", case=case)
        writer.variant(lambda line=line: line, line.id)
        writer.record(msgspec.structs.replace(record(name), variant=line.id))
    writer.finish("later")
    run = runfile.read(writer.path)
    found = [(part.case.id, list(part.variants), [r.variant for r in part.records]) for part in run.parts()]
    assert found == [
        ("a/b", ["a/b[x]", "a/b[z]"], ["a/b[x]", "a/b[z]"]),
        ("a/c", ["a/c[y]", "a/c[w]"], ["a/c[y]", "a/c[w]"]),
    ]
    assert list(run.part("a/c").variants) == ["a/c[y]", "a/c[w]"]
    with pytest.raises(KeyError):
        run.part("a/d")
