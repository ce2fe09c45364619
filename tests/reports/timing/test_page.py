"""The page of timings: what it says, and that nothing from a file is more than text."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from conformance.reports import timing
from conformance.reports.shared.page import unpacked
from conformance.reports.timing import view, wording
from conformance.timing.model import FORMAT, Calls, Cell, Circumstances, Copy, Timing, TimingRun

HOSTILE = "<script>alert(1)</script>\"]]>' onclick='x {{ 7 * 7 }} </style>"
SHAPES = ((2, 20), (4, 1024), (1024, 1024))


def cell(operation: str = "exp", mode: str = "eager", shape: tuple[int, ...] = (2, 20), **more: Any) -> Cell:
    direction = more.pop("direction", "forward")
    size = 1
    for length in shape:
        size *= length
    facts: dict[str, Any] = {
        "id": f"{operation}[float32,shape={'x'.join(map(str, shape))},{direction}]",
        "dtype": "float32",
        "call": f"{operation}(x)",
        "bytes": 8 * size,
        "first_seconds": 0.001,
        "reference": (1e-5, 1e-5),
    }
    return Cell(operation=operation, mode=mode, shape=shape, direction=direction, **{**facts, **more})


def timed(seconds: float, **more: Any) -> Timing:
    return Timing(cell(**more), Calls(tuple(seconds * (1 + i / 1000) for i in range(7)), 10))


def run(*timings: Timing, backend: str = "numpy", **more: Any) -> TimingRun:
    about: dict[str, Any] = {
        "format": FORMAT,
        "suite": "0.1",
        "backend": backend,
        "device": "cpu",
        "versions": {backend: "2.0"},
        "environment": {"python": "3.11", "system": "Linux x86_64", "processor": "A Processor", "cores": "2"},
        "threads": 1,
        "copies": [Copy(256, [1e-7] * 7), Copy(2**23, [1e-3] * 7)],
        "started": "2026-01-02T03:04:05+00:00",
        "finished": "2026-01-02T03:05:05+00:00",
        "plain": "eager",
    }
    return TimingRun(Path(f"{backend}.json"), Circumstances(**{**about, **more}), {(t.mode, t.id): t for t in timings})


class Reader(HTMLParser):
    """The page as a browser would take it apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "wbr", "path", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def folds(text: str) -> list[str]:
    packed = re.search(r'id="folds">([^<]*)<', text)
    assert packed is not None
    found: list[str] = unpacked(packed[1])
    return found


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """The page of some runs, its folds unfolded."""

    def write(*runs: TimingRun) -> str:
        path = tmp_path / "some" / "folder" / "timing.html"
        timing.write(runs, path)
        text = path.read_text(encoding="utf-8")
        for part in (text, *folds(text)):
            reader = Reader()
            reader.feed(part)
            reader.close()
            assert reader.open == []
        return text + "".join(folds(text))

    return write


def plain(text: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


def test_a_cell_shows_its_time_its_interval_its_rate_and_what_share_of_a_copy_that_is(
    written: Callable[..., str],
) -> None:
    text = plain(written(run(timed(1e-3, shape=(1024, 1024)))))
    assert "1.00 ms 1.00 to 1.01 ms 100 % of a copy, 8.36 GB/s" in text
    assert "1 calls timed, in 1 columns" in text


def test_a_call_that_needs_to_move_nothing_is_not_held_against_a_copy(written: Callable[..., str]) -> None:
    text = plain(written(run(timed(1e-6, operation="reshape", bytes=0))))
    assert "nothing need be moved" in text and "of a copy, " not in text


def test_a_cell_without_times_shows_none_and_its_reason_stands_on_the_page(written: Callable[..., str]) -> None:
    wrong = Timing(cell(why_not="the first call's output does not conform: value: expected 1, got 2"))
    text = plain(written(run(wrong, timed(1e-6, operation="log"))))
    assert "does not conform" in text and "value: expected 1, got 2" in text
    assert "1 cells have none" in text


def test_every_chart_has_its_numbers_in_a_table_beside_it(written: Callable[..., str]) -> None:
    text = written(run(*(timed(1e-6 * (i + 1), shape=shape) for i, shape in enumerate(SHAPES))))
    assert text.count('aria-label="Chart: exp, float32, forward"') == 1
    assert text.count('aria-label="Table: exp, float32, forward"') == 1
    assert 'aria-label="Chart: Memory copies"' in text and 'aria-label="Table: memory copies"' in text


def test_the_environment_of_each_run_is_on_the_page(written: Callable[..., str]) -> None:
    text = plain(
        written(run(timed(1e-6)), run(timed(1e-6), backend="jax", threads=2, threads_note="it takes all cores"))
    )
    for told in (
        "numpy 2.0",
        "jax 2.0",
        "A Processor, Linux x86_64, Python 3.11",
        "cores: 2",
        "2026-01-02 03:04:05",
        "2 threads",
    ):
        assert told in text, told
    assert "different numbers of threads (1; 2)" in text and "it takes all cores" in text


def test_a_machine_whose_speed_varied_is_a_warning(written: Callable[..., str]) -> None:
    slow = timed(1e-6, operation="log", reference=(2e-5, 2e-5))
    assert "the machine's own speed varied by a factor of 2 during the run" in plain(written(run(timed(1e-6), slow)))
    assert "Read with care" not in plain(written(run(timed(1e-6))))


def test_runs_of_different_machines_are_not_to_be_compared(written: Callable[..., str]) -> None:
    other = run(timed(1e-6), backend="torch", environment={"processor": "Another", "system": "Linux"})
    assert "These runs are of different machines" in plain(written(run(timed(1e-6)), other))


def test_two_runs_of_one_backend_are_told_apart(written: Callable[..., str]) -> None:
    text = plain(written(run(timed(1e-6)), run(timed(1e-6), versions={"numpy": "2.1"})))
    assert "numpy 2.0 eager" in text and "numpy 2.1 eager" in text


def test_whatever_a_file_holds_stays_text(written: Callable[..., str]) -> None:
    bad = [
        timed(1e-6, operation=HOSTILE, mode=HOSTILE, shape=shape, call=HOSTILE, id=f"{HOSTILE}{shape}")
        for shape in SHAPES
    ]
    told = Timing(cell(operation=HOSTILE, mode=HOSTILE, id=HOSTILE, why_not=HOSTILE))
    text = written(
        run(
            *bad,
            told,
            backend=HOSTILE,
            plain=HOSTILE,
            device=HOSTILE,
            versions={HOSTILE: HOSTILE},
            environment={HOSTILE: HOSTILE},
            threads_note=HOSTILE,
            selection=HOSTILE,
            left_out=[HOSTILE],
            started=HOSTILE,
            suite=HOSTILE,
        )
    )
    assert "<script>alert" not in text and "' onclick" not in text and text.count("</style>") == 1
    reader = Reader()
    reader.feed(text[: text.index("</html>") + 7])
    assert [tag for tag, _ in reader.tags].count("script") == 2
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", text)[0]


def test_the_page_allows_its_own_style_and_script_only_and_asks_for_nothing(written: Callable[..., str]) -> None:
    text = written(run(timed(1e-6)))
    style, script = (
        re.search(r"<style>(.*?)</style>", text, re.DOTALL),
        re.search(r"<script>(.*)</script>", text, re.DOTALL),
    )
    assert style is not None and script is not None
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None and policy[1].startswith("default-src 'none'")
    for part in (style[1], script[1]):
        assert f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}" in policy[1]
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", text) and "http" not in text.replace(
        "http-equiv", ""
    ).replace("http://www.w3.org/2000/svg", "")


def test_tables_have_captions_and_scopes_and_regions_can_be_reached_by_keyboard(written: Callable[..., str]) -> None:
    text = written(run(*(timed(1e-6, shape=shape) for shape in SHAPES)))
    assert text.count("<table") == text.count("<caption>")
    assert re.findall(r"<th(?! scope)[ >]", text) == []
    assert text.count('class="scroll"') == text.count('class="scroll" tabindex="0" role="region" aria-label="')


def test_equal_runs_give_equal_pages(written: Callable[..., str]) -> None:
    assert written(run(timed(1e-6))) == written(run(timed(1e-6)))


def test_no_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="one timing file or more"):
        view.page([])


def test_a_run_without_any_cell_makes_a_page(written: Callable[..., str]) -> None:
    assert "Nothing was timed." in written(run(copies=[]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5.051e-6, "5.05 µs"),
        (9.9996e-4, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (123.4, "123 s"),
        (2.5e-7, "250 ns"),
        (1e-10, "0.10 ns"),
    ],
)
def test_times_have_three_digits_and_the_unit_that_fits(seconds: float, text: str) -> None:
    assert wording.seconds(seconds) == text


@pytest.mark.parametrize(("share", "text"), [(0.384, "38 %"), (1.04, "104 %"), (0.0031, "0.3 %")])
def test_shares_are_in_percent(share: float, text: str) -> None:
    assert wording.share(share) == text
