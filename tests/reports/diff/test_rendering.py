"""The page of a comparison: well-formed, complete, and made of text only."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from conformance import diffing
from conformance.diffing import Side
from conformance.reports import diff
from conformance.reports.shared.page import unpacked
from conformance.runfile import CaseLine, FindingLine, Record, Run, VariantLine

HOSTILE = (
    "<script>alert(1)</script>",
    '"]]>',
    "</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "\x1b[31m\u202e",
)


class Reader(HTMLParser):
    """The page as a browser would take it apart."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "wbr"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., str]:
    """The page of a comparison of two runs."""

    def make(a: Run, b: Run, pair: Sequence[str] = (), names: tuple[str, str] = ("before", "after")) -> str:
        sides = Side("A", a.path, [a], []), Side("B", b.path, [b], [])
        comparison = diffing.compare(diffing.pair(*sides, pair))
        path = tmp_path / "some" / "diff.html"
        diff.write(comparison, *names, ["verdict"], path)
        return path.read_text(encoding="utf-8")

    return make


def folds(text: str) -> list[str]:
    """The folded parts of a page."""
    (packed,) = re.findall(r'<script type="text/plain" id="folds">(.*?)</script>', text, re.DOTALL)
    return unpacked(packed)  # type: ignore[no-any-return]


def failing(name: str) -> Record:
    return Record(name, "eager", "failed", "", [FindingLine("value", "0.5", "0.75")], ulp=9.0, budget=2.0)


def test_a_changed_verdict_stands_on_the_page_with_both_sides(make_run: Any, page: Callable[..., str]) -> None:
    name = "ops/exp/one[float32]"
    before = Record(name, "eager", "passed", ulp=0.5, budget=2.0)
    text = page(make_run("numpy", [before]), make_run("numpy", [failing(name)], versions={"numpy": "9.9"}))
    words = " ".join(" ".join(Reader(text).words).split())
    assert "1 verdicts that became worse" in words
    assert "Regressed: 1 verdict worse, 0 results gone, 0 errors grown (fails on: verdict)." in words
    assert "exp: passed → failed, channel value" in words
    assert "version of numpy 1.2.3 9.9" in words
    assert "0.5 ULP of 2" in words and "9 ULP of 2" in words
    assert "conformance run --variant 'ops/exp/one[float32]' --backend numpy --mode eager" in words


@pytest.mark.parametrize(("verdict", "lost"), [("passed", True), ("unsupported", False)])
def test_what_is_gone_stands_on_the_page_as_what_it_is(
    verdict: str, lost: bool, make_run: Any, page: Callable[..., str]
) -> None:
    records = [Record("ops/exp/one[float32]", "eager", "passed"), Record("ops/exp/two[float32]", "eager", verdict)]
    text = page(make_run("numpy", records), make_run("numpy", records[:1]))
    assert ("<b>1</b> result gone" in text) is lost
    assert f'<td class="{"failed" if lost else ""}">1<br><small>1 {verdict}</small></td>' in text


def test_the_page_is_one_document_that_may_load_nothing(make_run: Any, page: Callable[..., str]) -> None:
    run = make_run("numpy", [Record("ops/exp/one[float32]", "eager", "passed")])
    text = page(run, run)
    reader = Reader(text)
    policy = next(m["content"] or "" for m in reader.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    (style,), (script,) = (
        re.findall(r"<style>(.*?)</style>", text, re.S),
        re.findall(r"<script>(.*?)</script>", text, re.S),
    )
    for content in (style, script):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?://", text.replace(script, ""))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in reader.all("a"):
        assert (link["href"] or "").removeprefix("#") in ids


def test_tables_have_captions_and_heads_with_scopes(make_run: Any, page: Callable[..., str]) -> None:
    names = [f"ops/op{n}/one[float32]" for n in range(5)]
    text = page(
        make_run("numpy", [Record(n, "eager", "passed") for n in names]), make_run("numpy", list(map(failing, names)))
    )
    for part in (text, *folds(text)):
        assert part.count("<table") == part.count("<caption")
        assert not re.search(r"<th(?![^>]*scope=)(?!ead)", part)
    assert len(folds(text)) == 3  # two of five groups are open


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_texts_stay_text_wherever_they_come_from(bad: str, make_run: Any, page: Callable[..., str]) -> None:
    def run(verdict: str, text: str) -> Run:
        case = CaseLine(f"ops/{bad}/{bad}", bad, bad, text, bad, bad, False)
        other = CaseLine(f"ops/{bad}/same", bad, bad, bad, bad, bad, False)
        names = {f"{case.id}[{bad}]": case, **{f"{other.id}[{bad}{n}]": other for n in range(4)}}
        lines = {name: VariantLine(name, of.id, bad, {}, None, [], bad, bad) for name, of in names.items()}
        found = [FindingLine(bad, bad, bad, bad)] if verdict == "failed" else []
        why = bad if verdict == "failed" else ""
        records = [Record(name, "idioms", verdict, why, found, raised=bad, step=bad, idiom=bad) for name in names]
        changes = {"versions": {bad: text}, "environment": {bad: text}, "selection": text}
        return make_run("numpy", records, variants=lines, cases={case.id: case, other.id: other}, **changes)  # type: ignore[no-any-return]

    text = page(run("passed", bad), run("failed", bad + " "), names=(bad, bad))
    for part in (text, *folds(text)):
        reader = Reader(part)
        assert not any(character in "".join(reader.words) for character in "\x1b\u202e")
        assert reader.all("img") == []
        assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert len(Reader(text).all("script")) == 2
    assert "7 * 7" in text or "7 * 7" not in bad


def test_an_incomplete_run_and_what_was_not_compared_are_said_at_the_top(
    make_run: Any, page: Callable[..., str]
) -> None:
    passed = Record("ops/exp/one[float32]", "eager", "passed")
    other = Record("ops/exp/one[float32]", "jit", "passed")
    text = page(make_run("numpy", [passed, other]), make_run("numpy", [passed], lacking=2))
    words = " ".join(" ".join(Reader(text).words).split())
    assert "Incomplete: what is missing could be anything." in words
    assert "B: the run of numpy is incomplete; missing: 2 of eager" in words
    assert "Not compared: numpy jit is only in A" in words


def test_equal_comparisons_give_equal_pages(make_run: Any, page: Callable[..., str]) -> None:
    a, b = (
        make_run("numpy", [Record("ops/exp/one[float32]", "eager", "passed")]),
        make_run("numpy", [failing("ops/exp/one[float32]")]),
    )
    assert page(a, b) == page(a, b)
