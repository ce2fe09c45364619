"""Timing files: pytest-benchmark's JSON is read strictly, and whatever is wrong with it is one clear error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.ground import limits
from conformance.timing import timingfile
from conformance.timing.model import FORMAT
from conformance.timing.timingfile import TimingFileError


def cell(name: str = "exp", mode: str = "eager", **more: Any) -> dict[str, Any]:
    return {
        "id": f"{name}[float32,shape=2x20,forward]",
        "operation": name,
        "mode": mode,
        "dtype": "float32",
        "shape": [2, 20],
        "direction": "forward",
        "call": f"{name}(x)",
        "bytes": 320,
        "first_seconds": 0.01,
        "reference": [1e-5, 2e-5],
        "judged": "all of it",
        **more,
    }


def benchmark(*seconds: float, iterations: int = 10, **more: Any) -> dict[str, Any]:
    stats = {"data": list(seconds), "iterations": iterations, "median": 1.0, "rounds": len(seconds)}
    return {"group": None, "name": "n", "fullname": "f", "extra_info": cell(**more), "stats": stats}


def content(*benchmarks: dict[str, Any], **more: Any) -> dict[str, Any]:
    about = {
        "format": FORMAT,
        "suite": "0",
        "backend": "numpy",
        "device": "cpu",
        "versions": {"numpy": "2"},
        "environment": {"python": "3"},
        "threads": 1,
        "copies": [{"bytes": 256, "seconds": [1e-7, 1e-7]}, {"bytes": 1024, "seconds": [1e-7]}],
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:00+00:00",
        **more,
    }
    return {"machine_info": {}, "commit_info": {}, "benchmarks": list(benchmarks), "datetime": "", "conformance": about}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    def write(what: Any) -> Path:
        path = tmp_path / "numpy-cpu.json"
        path.write_bytes(what if isinstance(what, bytes) else json.dumps(what).encode())
        return path

    return write


def test_a_cell_has_its_facts_its_times_and_what_follows_from_them(written: Callable[[Any], Path]) -> None:
    run = timingfile.read(written(content(benchmark(3e-6, 1e-6, 2e-6))))
    timing = run.timings["eager", "exp[float32,shape=2x20,forward]"]
    assert timing.cell.elements == 40 and timing.cell.first_seconds == 0.01
    assert timing.calls is not None
    assert (timing.calls.median, timing.calls.interval, timing.calls.n) == (2e-6, (1e-6, 3e-6), 3)
    assert timing.calls.noise == pytest.approx(0.5)
    assert run.drift == pytest.approx(2)


def test_the_rate_of_a_copy_lies_between_those_of_its_neighbours_and_never_beyond_the_last(
    written: Callable[[Any], Path],
) -> None:
    run = timingfile.read(written(content(benchmark(1e-6))))  # copies: 2.56 GB/s at 256 bytes, 10.24 GB/s at 1 KiB
    assert run.copy_rate(512) == pytest.approx(5.12e9)
    assert run.copy_rate(1) == pytest.approx(2.56e9) and run.copy_rate(2**30) == pytest.approx(10.24e9)
    assert run.copy_rate(0) is None


def test_a_call_is_compared_with_a_copy_that_moves_as_many_bytes(written: Callable[[Any], Path]) -> None:
    run = timingfile.read(written(content(benchmark(1e-6, bytes=256), benchmark(1e-6, name="log", bytes=0))))
    shares = [run.share_of_copy(timing) for timing in run.timings.values()]
    assert shares == [pytest.approx(0.1), None]


def test_a_cell_without_times_says_why(written: Callable[[Any], Path]) -> None:
    run = timingfile.read(written(content(withheld=[cell(why_not="its output is wrong")])))
    (timing,) = run.timings.values()
    assert timing.calls is None and timing.cell.why_not == "its output is wrong"
    assert run.share_of_copy(timing) is None


def test_modes_of_one_cell_stand_beside_each_other(written: Callable[[Any], Path]) -> None:
    run = timingfile.read(written(content(benchmark(1e-6), benchmark(1e-6, mode="jit"))))
    assert {mode for mode, _ in run.timings} == {"eager", "jit"}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (b"", "not a timing file: expected the JSON of pytest-benchmark"),
        (b"\xff\xfe", "not a timing file"),
        (b"[" * 100_000, "not a timing file"),
        (b'{"kind": "header"}', "not a timing file"),
        ({"benchmarks": []}, "lacks the key 'conformance'"),
        (content(format=FORMAT + 1), f"format {FORMAT + 1}; this version of the suite reads format {FORMAT}"),
        (content(threads="many"), "a damaged timing file: .*threads"),
        (content(surprise=1), "a damaged timing file: .*surprise"),
        (content(benchmark(1e-6, surprise=1)), "a damaged timing file: .*surprise"),
        (content(benchmark(1e-6, direction="sideways")), "a damaged timing file: .*direction"),
        (content(benchmark(1e-6), benchmark(2e-6)), "there twice"),
        (content(benchmark(1e-6), withheld=[cell(why_not="no")]), "there twice"),
        (content(withheld=[cell()]), "does not say why"),
        (content(benchmark(1e-6, why_not="no")), "has times, and a reason why it has none"),
        (content(benchmark()), "no times, or impossible ones"),
        (content(benchmark(-1.0)), "no times, or impossible ones"),
        (content(benchmark(1e300)), "no times, or impossible ones"),
        (content(benchmark(1e-6, iterations=0)), "no times, or impossible ones"),
        (content(benchmark(1e-6, first_seconds=-1.0)), "an impossible time"),
        (content(benchmark(1e-6, shape=[-2, 20])), "an impossible shape"),
        (content(benchmark(1e-6, shape=[2**50])), "an impossible shape"),
        (content(benchmark(1e-6, bytes=-1)), "an impossible shape or size"),
        (content(copies=[{"bytes": 0, "seconds": [1.0]}]), "an impossible memory copy"),
        (content(copies=[{"bytes": 8, "seconds": []}]), "an impossible memory copy"),
        (content(copies=[{"bytes": 8, "seconds": [1.0]}] * 2), "two memory copies of one size"),
        (json.dumps(content(benchmark(1.0))).replace("[1.0]", "[NaN]").encode(), "timing file"),
    ],
)
def test_what_is_no_timing_file_is_told_with_its_path_and_what_to_do(
    written: Callable[[Any], Path], what: Any, said: str
) -> None:
    path = written(what)
    with pytest.raises(TimingFileError, match=said) as caught:
        timingfile.read(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(TimingFileError, match=r"nowhere\.json: can't be read: No such file"):
        timingfile.read(tmp_path / "nowhere.json")


def test_what_is_no_file_or_too_large_is_refused_unread(
    tmp_path: Path, written: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TimingFileError, match="expected a file, found a folder"):
        timingfile.read(tmp_path)
    monkeypatch.setattr(limits, "TIMING_FILE_BYTES", 100)
    with pytest.raises(TimingFileError, match="it has more than 100 bytes"):
        timingfile.read(written(content(benchmark(1e-6))))


def test_what_a_message_quotes_can_not_act_on_a_terminal(written: Callable[[Any], Path]) -> None:
    path = written(content(withheld=[cell(id="\x1b[2J\u202e\n" + "x" * 5000)]))
    with pytest.raises(TimingFileError) as caught:
        timingfile.read(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 2000


def test_the_timing_files_of_a_folder_of_reports_are_those_under_timing(tmp_path: Path) -> None:
    (tmp_path / "timing").mkdir()
    (tmp_path / "timing" / "torch-cpu.json").touch()
    (tmp_path / "other.json").touch()
    assert [path.name for path in timingfile.paths_in(tmp_path)] == ["torch-cpu.json"]
