from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from conformance.judging import VERDICTS
from conformance.reports import parity
from conformance.runfile import CaseLine, FindingLine, IdiomSource, ModeSummary, Record, Run, Stored, VariantLine

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '"]]>',
    "<!--",
    "' onclick='x",
    "{{ 7 * 7 }}",
    "\u2028</style>",
)


class Reader(HTMLParser):
    """The page as a browser would take it apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br", "wbr"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)

    def close(self) -> None:
        super().close()
        assert self._open == []

    @property
    def ids(self) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get("id"))]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Write the page of some runs; its text, and what a browser makes of it."""

    def write(*runs: Run) -> tuple[str, Reader]:
        path = tmp_path / "some" / "folder" / "parity.html"
        parity.write(runs, path)
        text = path.read_text(encoding="utf-8")
        reader = Reader()
        reader.feed(text)
        reader.close()
        return text, reader

    return write


def words(text: str) -> str:
    """The page's words outside scripts and styles, without tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", bare).split())


def every_verdict(make_run: Any, **changes: Any) -> Run:
    records = [
        Record(
            f"ops/softmax/{v}[float32]",
            "eager",
            v,
            f"why {v}",
            link="https://example.org/why" if v == "divergent" else "",
        )
        for v in VERDICTS
    ]
    return make_run("numpy", records, **changes)  # type: ignore[no-any-return]


def test_the_page_names_every_verdict_and_is_one_well_formed_document(make_run: Any, written: Any) -> None:
    text, reader = written(every_verdict(make_run))
    assert text.startswith('<!doctype html>\n<html lang="en">')
    for verdict in VERDICTS:
        assert re.search(rf"<b>1</b> {verdict}", text)
    assert len(reader.ids) == len(set(reader.ids))
    for section in ("matrix", "counts", "variants", "divergences", "agreement", "translation", "legend", "failures"):
        assert section in reader.ids


def test_links_within_the_page_lead_somewhere(make_run: Any, written: Any, curve_runs: list[Run]) -> None:
    _, reader = written(every_verdict(make_run), *curve_runs)
    variants = {f"ops/softmax/{v}[float32]" for v in VERDICTS} | {"document/sigmoid/curve[float32]"}
    for link in reader.all("a"):
        target = str(link["href"])
        if target.startswith("#v="):
            assert unquote(target[3:]) in variants
        elif target.startswith("#") and "=" not in target:
            assert target[1:] in reader.ids


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_strings_stay_text_wherever_they_come_from(bad: str, make_run: Any, written: Any) -> None:
    def run(name: str, bad: str) -> Run:
        variant = f"ops/{bad}/{bad}[{bad}]"
        case = CaseLine(f"ops/{bad}/{bad}", bad, bad, bad, bad, bad, False)
        array = Stored.of(np.ones(2, np.float32))
        line = VariantLine(variant, case.id, "float32", {bad: array}, array, [0.0], bad, bad)
        found = [FindingLine(bad, bad, bad, bad)]
        records = [
            Record(variant, mode, verdict, bad, found, [array], bad, link=bad)
            for mode, verdict in (("eager", "divergent"), (bad, "failed"), ("x", "unsupported"))
        ]
        return make_run(  # type: ignore[no-any-return]
            bad + name,
            records,
            variants={variant: line},
            cases={case.id: case},
            versions={bad: bad},
            environment={"python": bad, "system": bad, "processor": bad, bad: bad},
            operations={bad: {"document": bad, "summary": bad}},
            idioms=[IdiomSource(bad, bad)],
            modes=[ModeSummary(m, 1, 2, bad, bad) for m in ("eager", bad, "x")],
            selection=bad,
            started=bad,
            cases_digest=bad * 9,
            suite=bad,
        )

    hostile, reader = written(run("1", bad), run("2", bad))
    _, harmless = written(run("1", "harmless"), run("2", "harmless"))
    assert [tag for tag, _ in reader.tags if tag != "wbr"] == [tag for tag, _ in harmless.tags if tag != "wbr"]
    assert [sorted(a) for _, a in reader.tags if _ != "wbr"] == [sorted(a) for _, a in harmless.tags if _ != "wbr"]
    data = json.loads(hostile.split('id="data">')[1].split("</script>")[0])
    assert data["cases"][0][1] == bad
    assert any(bad in cell for cell in reader.texts["th"])


def test_only_https_links_of_divergences_become_anchors(make_run: Any, written: Any) -> None:
    links = [
        "https://example.org/why",
        "javascript:alert(1)",
        "http://example.org/",
        "https://",
        "https://a b",
        "data:x",
    ]
    records = [
        Record(f"ops/softmax/{i}[f]", "eager", "divergent", f"reason {i}", link=link) for i, link in enumerate(links)
    ]
    text, reader = written(make_run("a", records))
    leading_out = {str(a["href"]) for a in reader.all("a") if not str(a["href"]).startswith("#")}
    assert leading_out == {"https://example.org/why"}
    assert "See javascript:alert(1)" in words(text)


def test_the_page_asks_nobody_for_anything(make_run: Any, written: Any, curve_runs: list[Run]) -> None:
    text, reader = written(every_verdict(make_run), *curve_runs)
    assert not [
        tag for tag, attributes in reader.tags if {"src", "srcset", "style", "action", "data"} & set(attributes)
    ]
    assert [link["href"] for link in reader.all("link")] == ["data:,"]
    assert set(re.findall(r"\w+://[^\s\"'<,]*", text)) == {
        "https://example.org/why",
        "https://",
    }  # the script's own test
    style = text.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|import\(|innerHTML|eval\(", text)


def test_the_policy_allows_the_page_s_own_script_and_style_only(make_run: Any, written: Any) -> None:
    text, reader = written(every_verdict(make_run))
    policy = next(str(m["content"]) for m in reader.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for kind, pattern in (("style", r"<style>(.*?)</style>"), ("script", r"<script>(.*?)</script>")):
        (content,) = re.findall(pattern, text, flags=re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_an_incomplete_run_has_a_banner(make_run: Any, written: Any) -> None:
    assert "Read with care" not in words(written(every_verdict(make_run))[0])
    text = words(written(every_verdict(make_run, lacking=3, finished=False))[0])
    assert "Read with care" in text
    assert "The run of numpy is incomplete" in text
    assert "missing: 3 in mode eager" in text


def test_runs_of_different_cases_have_a_banner(make_run: Any, written: Any) -> None:
    text, _ = written(every_verdict(make_run), every_verdict(make_run, cases_digest="ef" * 32))
    assert "different case files" in words(text)


def test_the_curve_is_drawn_with_a_strip_for_each_distinct_result(written: Any, curve_runs: list[Run]) -> None:
    text, reader = written(*curve_runs)
    (line,) = reader.all("polyline")
    assert len(str(line["points"]).split()) == 161
    captions = re.findall(r'<text class="caption"[^>]*>([^<]*)<', text)
    assert captions == ["right eager, compile", "errs eager"]
    assert "Not drawn: wide eager: its result is float64[161]" in words(text)


def test_without_a_curve_there_is_no_section_for_it(make_run: Any, written: Any) -> None:
    _, reader = written(every_verdict(make_run))
    assert "curve" not in reader.ids
    assert not reader.all("polyline")


def test_every_table_has_a_caption_and_every_head_cell_a_scope(
    make_run: Any, written: Any, curve_runs: list[Run]
) -> None:
    _, reader = written(every_verdict(make_run), *curve_runs)
    assert len(reader.all("caption")) == len(reader.all("table")) > 5
    assert all(cell.get("scope") for cell in reader.all("th"))


def test_equal_runs_give_equal_pages(make_run: Any, written: Any, curve_runs: list[Run]) -> None:
    assert written(every_verdict(make_run), *curve_runs)[0] == written(every_verdict(make_run), *curve_runs)[0]


def test_nearly_all_is_not_shown_as_all(make_run: Any, written: Any) -> None:
    def run(name: str, odd: float) -> Run:
        values = [1.0] * 1999 + [odd]
        records = [
            Record(f"ops/softmax/a[{i}]", "eager", "passed", got=[Stored.of(np.array([v], np.float32))])
            for i, v in enumerate(values)
        ]
        return make_run(name, records)  # type: ignore[no-any-return]

    text = words(written(run("a", 1.0), run("b", 2.0))[0])
    assert "99.9%" in text
    assert "100%" not in text


def test_five_thousand_variants_in_ten_columns_stay_small(make_run: Any, written: Any) -> None:
    rng = np.random.default_rng(0)
    ids = [f"ops/softmax/case-{i // 50}[float32,axis={i % 50}]" for i in range(5000)]
    inputs = {v: Stored.of(rng.normal(size=(2, 20)).astype(np.float32)) for v in ids}
    lines = {
        v: VariantLine(
            v, v.partition("[")[0], "float32", {"x": x}, x, ["0.26894142136999512075"] * 8, "", "a source " * 20
        )
        for v, x in inputs.items()
    }
    runs = []
    for number in range(4):
        errors = {v: (rng.uniform(), rng.uniform(1, 20)) for v in ids}
        got = {v: Stored.of(rng.normal(size=(2, 20)).astype(np.float32)) for v in ids}
        records = [
            Record(v, mode, "passed", got=[got[v]], ulp=errors[v][0], budget=errors[v][1], at=[1, 2])
            for v in ids
            for mode in ("eager", "jit", "xla")[: 2 + number % 2]
        ]
        runs.append(make_run(f"backend{number}", records, variants=lines))
    text, _ = written(*runs)
    assert len(text.encode()) < 2_200_000
