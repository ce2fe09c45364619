"""A run file is followed while it grows, is torn, replaced or joined; output is read without bound, and its end kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.runfile import FORMAT, CaseLine, Header, ModeSummary, Reader, Record, VariantLine, Writer
from conformance.running.following import Followed, Output
from conformance.suite.filing import part_of


def written(path: Path, *verdicts: str, total: int = 3, start: int = 0) -> Writer:
    modes = [ModeSummary("eager", total)]
    writer = Writer(path, Header(FORMAT, "0", "numpy", "cpu", {}, {}, "c", "m", modes, {}, [], "t"))
    for i, verdict in enumerate(verdicts, start):
        record(writer, i, verdict)
    return writer


def record(writer: Writer, i: int, verdict: str) -> None:
    writer.case(lambda: CaseLine("a/b", "exp", "a.yaml", "- name: b", "", "exp(x)", False), "a/b")
    writer.variant(lambda: VariantLine(f"a/b[{i}]", "a/b", "float32", {}), str(i))
    writer.record(Record(f"a/b[{i}]", "eager", verdict))


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "run.jsonl"


def state(followed: Followed) -> tuple[int | None, int, int]:
    followed.look()
    return followed.total, followed.done, followed.failed


def test_records_and_failures_are_counted_line_by_line_as_the_file_grows(path: Path, tmp_path: Path) -> None:
    followed = Followed(path)
    assert (state(followed), followed.there) == ((None, 0, 0), False)
    whole = tmp_path / "whole.jsonl"
    written(whole, "passed", "failed", "crashed").finish("t")
    seen, raw = [], whole.read_bytes()
    for length in [*range(0, len(raw), 7), len(raw)]:  # a line may be seen in parts
        path.write_bytes(raw[:length])
        seen.append(state(followed))
    assert list(dict.fromkeys(seen)) == [(None, 0, 0), (3, 0, 0), (3, 1, 0), (3, 2, 1), (3, 3, 2)]
    assert followed.there
    followed.close()


def test_a_torn_line_that_is_cut_off_and_written_anew_counts_once(path: Path) -> None:
    followed = Followed(path)
    writer = written(path, "passed")
    with path.open("ab") as file:
        file.write(b'{"kind":"record","variant":"torn')
    assert state(followed) == (3, 1, 0)
    writer.close()
    reader = Reader(path)
    reader.follow()
    again = Writer.go_on(reader)
    record(again, 1, "timed-out")
    again.close()
    assert state(followed) == (3, 2, 1)
    followed.close()


def test_an_older_runs_file_is_not_counted_until_it_is_replaced(path: Path) -> None:
    written(path, "failed", "failed").finish("t")
    followed = Followed(path)
    assert (state(followed), followed.there) == ((None, 0, 0), False)
    for _ in range(3):  # as often as it is replaced, by a joined file in the end
        written(path, "passed").finish("t")
        assert (state(followed), followed.there) == ((3, 1, 0), True)
    followed.close()


def test_a_file_that_is_gone_on_with_is_counted_from_its_beginning(path: Path) -> None:
    written(path, "failed").close()
    assert state(Followed(path, going_on=True)) == (3, 1, 1)


def test_the_parts_of_several_processes_are_counted_together_until_they_are_joined(path: Path) -> None:
    followed = Followed(path)
    written(path, "passed").close()
    part = part_of(path, "2")
    written(part, "failed", "passed", start=1).close()
    assert state(followed) == (3, 3, 1)
    part.unlink()
    written(path, "passed", "failed", "passed").close()
    assert state(followed) == (3, 3, 1)
    followed.close()


def test_a_fifo_in_a_run_files_place_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    followed = Followed(path)
    assert (state(followed), followed.there) == ((None, 0, 0), False)
    followed.close()


def test_much_output_is_read_and_its_end_kept() -> None:
    source, sink = os.pipe()
    said = Output(os.fdopen(source, "rb"))
    with os.fdopen(sink, "wb") as stream:
        for i in range(2000):
            stream.write(b"x" * 1000 + f" {i}\n".encode())
    said.close()
    assert said.text().endswith("x 1999\n")
    assert len(said.text()) <= 65536
