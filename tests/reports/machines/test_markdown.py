from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from conformance.reports.machines import markdown
from conformance.reports.machines.markdown import code, fenced, link
from conformance.reports.machines.summary import Summary
from conformance.runfile import FindingLine, Record, Run
from conformance.words.visible import clipped, on_one_line, visible

OURS = {"h2", "h3", "p", "strong", "code", "pre", "span", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "a"}


class Seen(HTMLParser):
    """What a browser makes of Markdown: the elements, the texts of cells, and the texts outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.cells: list[str] = []
        self.blocks: list[str] = []
        self.pieces: list[str] = []
        self._open: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._open.append(tag)
        if tag == "td":
            self.cells.append("")
        if tag == "pre":
            self.blocks.append("")
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        if "td" in self._open:
            self.cells[-1] += data
        if "pre" in self._open:
            self.blocks[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


@pytest.fixture
def seen(files: Callable[..., Path]) -> Callable[..., Seen]:
    def read(*runs: Run, **options: Any) -> Seen:
        return Seen((files(*runs, **options) / "summary.md").read_text(encoding="utf-8"))

    return read


def test_failures_come_first_each_with_the_command_that_repeats_it(
    files: Callable[..., Path], every_verdict: Run
) -> None:
    text = (files(every_verdict) / "summary.md").read_text(encoding="utf-8")
    assert re.findall("^#+ .*", text, re.MULTILINE) == [
        "## Conformance: 3 failed",
        "### Failures: 3",
        "### Verdicts",
        "### Divergences: 1",
        "### Unsupported: 1",
        "### Runs",
    ]
    assert (
        "FAILED  ops/softmax/failed[float32]   numpy eager   channel: value\n"
        "  call      sigmoid(x)\n  expected  0.5\n  got       0.75\n" in text
    )
    assert "  repeat    conformance run --variant 'ops/softmax/failed[float32]' --backend numpy --mode eager\n" in text


def test_the_verdicts_of_each_mode_stand_beside_its_manifest(seen: Callable[..., Seen], make_run: Any) -> None:
    records = [Record(f"ops/exp/a[float32,n={n}]", "eager", "passed") for n in range(1200)]
    records.append(Record("ops/exp/a[float32,n=0]", "idioms", "divergent", "known", idiom="np.exp"))
    cells = seen(make_run("numpy", records, lacking=1)).cells
    assert cells[:8] == ["numpy", "eager", "1,201", "1,200", "0", "0", "1", ""]
    assert cells[8:16] == ["numpy", "other spellings", "2", "0", "0", "1", "1", ""]


def test_incomplete_runs_are_said_at_the_top(seen: Callable[..., Seen], files: Any, make_run: Any) -> None:
    run = make_run("numpy", [Record("ops/exp/a[float32]", "eager", "passed")], finished=False)
    text = (files(run, problems=["numpy: the run is incomplete"]) / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("## Conformance: incomplete\n")
    assert "- <code>numpy: the run is incomplete</code>" in text.partition("###")[0]


def test_hostile_texts_stay_text(bad: str, seen: Callable[..., Seen], hostile_run: Callable[[str], Run]) -> None:
    page = seen(hostile_run(bad), problems=[bad])
    assert page.tags <= OURS
    assert page.links == []
    rows = [page.cells[i : i + 4] for i in range(0, len(page.cells), 4)]
    assert clipped(on_one_line(bad), 300) in {text for row in rows for text in row}
    assert visible(bad).replace("\r\n", "\n") in page.blocks[0]


@given(st.text(max_size=60))
def test_any_text_is_a_cell_of_its_own_and_reads_as_it_is(text: str) -> None:
    page = Seen(f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n")
    assert page.cells == [on_one_line(text), "end"]
    assert page.tags <= OURS


@given(st.lists(st.sampled_from(["`", "```", "~~~", "\n", "x", "  ", "</code>"]), max_size=20))
def test_no_text_ends_its_fence(parts: list[str]) -> None:
    text = "".join(parts)
    page = Seen(f"{fenced(text)}\nafter")
    assert page.blocks == [visible(text) + "\n"] or (not text and page.blocks == ["\n"])
    assert page.tags <= {"pre", "code", "p"}


@pytest.mark.parametrize(
    "text", ["@somebody", "mail a@example.org", "https://example.org", "www.example.org", "ftp://example.org"]
)
def test_what_would_become_a_link_or_a_mention_is_in_pieces(text: str) -> None:
    pieces = Seen(code(text)).pieces
    assert "".join(pieces).strip() == text
    assert not any(re.search(r"@\w|\w@|://\w|www\.\w", piece) for piece in pieces)


def test_a_safe_link_may_be_followed_and_no_other() -> None:
    good = "https://github.com/pytorch/pytorch/issues/1|2"
    assert Seen(f"| a |\n| --- |\n| {link(good)} |\n").links == [good]
    for bad in ("http://example.org", "javascript:alert(1)", "https://x'onclick", "https://x y", ""):
        assert Seen(link(bad)).links == []


def test_it_stays_below_the_limit_and_says_what_was_left_out(
    files: Callable[..., Path], make_run: Any, failing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "|<&" * 2_000
    found = [FindingLine("value", long, long, long)]
    records = [Record(f"ops/{long[:60]}{n}/a[float32]", "eager", "failed", long, found) for n in range(300)]
    records += [Record(f"ops/exp/a[float32,n={n}]", "eager", "divergent", f"{n} {long}") for n in range(200)]
    folder = files(make_run("numpy", records))
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert len(text.encode()) <= markdown.LIMIT < 2**20
    (failures, reasons) = re.findall(r"([\d,]+) (failures|reasons)", text.splitlines()[-1])
    assert failures == ("100", "failures")
    assert reasons == ("180", "reasons")
    told = msgspec.json.decode((folder / "summary.json").read_bytes(), type=Summary)
    for limit in (2_000, 10_000, 100_000):
        cut = markdown.text(told, limit)
        assert len(cut.encode()) <= limit
        assert cut.startswith("## Conformance: 300 failed\n")
        assert re.search(r"Not shown here: \d+ failures; ", cut)
