from __future__ import annotations

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pytest

from conformance.backends.base import IDIOMS
from conformance.ground.verdicts import VERDICTS
from conformance.reports import parity
from conformance.reports.shared import page
from conformance.runfile import CaseLine, FindingLine, IdiomSource, ModeSummary, Record, Run, Stored, VariantLine
from conformance.words.visible import visible

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '"]]>',
    "<!--",
    "' onclick='x",
    "{{ 7 * 7 }}",
    "\u2028</style>",
    "\u202egnp.exe\u202c\u2066x",
    "\x1b[31m\x01\x07\x9b\x7f",
    "\u200b\ufeff\u00ad",
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


def unpacked(text: str, name: str) -> Any:
    """Data of the page's script, as it unpacks them."""
    return page.unpacked(text.split(f'id="{name}">')[1].split("</script>")[0])


def unfolded(text: str) -> str:
    """The page with everything in it that is there only when a fold is opened."""
    folds = unpacked(text, "folds")
    whole = re.sub(
        r'(<div data-fold="(\d+)">)<noscript>.*?</noscript>(?=</div>)',
        lambda found: found[1] + folds[int(found[2])],
        text,
    )
    assert len(re.findall(r"data-fold=", whole)) == len(folds)
    return whole


@pytest.fixture
def size(tmp_path: Path) -> Any:
    """The bytes of the page of some runs."""

    def of(*runs: Run) -> int:
        parity.write(runs, tmp_path / "parity.html")
        return (tmp_path / "parity.html").stat().st_size

    return of


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Write the page of some runs; its text, and what a browser makes of it."""

    def write(*runs: Run) -> tuple[str, Reader]:
        path = tmp_path / "some" / "folder" / "parity.html"
        parity.write(runs, path)
        text = unfolded(path.read_text(encoding="utf-8"))
        reader = Reader()
        reader.feed(text)
        reader.close()
        return text, reader

    return write


def words(text: str) -> str:
    """The page's words outside scripts and styles, without tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.S)
    bare = re.sub(r'<span class="[kfsmc]">(.*?)</span>', r"\1", bare)  # syntax colours
    return " ".join(re.sub(r"<[^>]*>", " ", bare).split())


def every_verdict(make_run: Any, **changes: Any) -> Run:
    records = [
        Record(
            f"ops/softmax/{v}[float32]",
            "eager",
            v,
            "" if v == "passed" else f"why {v}",
            link="https://example.org/why" if v == "divergent" else "",
        )
        for v in VERDICTS[:-1]
    ]
    return make_run("numpy", records, **changes)  # type: ignore[no-any-return]


def test_the_page_names_every_verdict_and_is_one_well_formed_document(make_run: Any, written: Any) -> None:
    text, reader = written(every_verdict(make_run, lacking=1))
    assert text.startswith('<!doctype html>\n<html lang="en">')
    for verdict in VERDICTS:
        assert re.search(rf"<b>1</b> {verdict}", text)
    assert len(reader.ids) == len(set(reader.ids))
    for section in (
        "matrix",
        "counts",
        "variants",
        "divergences",
        "agreement",
        "porting",
        "budgets",
        "legend",
        "failures",
    ):
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


def structure(page: Reader) -> list[tuple[str, list[str]]]:
    """The page's elements with the names of their attributes, without what colours source and breaks long names."""
    return [(tag, sorted(a)) for tag, a in page.tags if tag != "wbr" and a.get("class") not in [*"kfsmc"]]


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
            for mode, verdict in (("eager", "divergent"), (bad, "failed"))
        ]
        records.append(Record(variant, "x", "unsupported", bad, link=bad))
        records += [
            Record(
                variant, IDIOMS, verdict, bad, found, [array], bad, link=bad, idiom=f"{bad}{verdict}", step=f"1, {bad}"
            )
            for verdict in ("divergent", "failed", "crashed", "timed-out")
        ]
        records.append(Record(v := variant + "2", "eager", "passed", ulp=1.0, budget=99.0, step=f"1, {bad}"))
        return make_run(  # type: ignore[no-any-return]
            bad + name,
            records,
            variants={variant: line, v: VariantLine(v, case.id, bad, {})},
            cases={case.id: case},
            versions={bad: bad},
            environment={"python": bad, "system": bad, "processor": bad, bad: bad},
            operations={bad: {"document": bad, "summary": bad, "budget": bad, "slack": bad}, bad + "3": {}},
            idioms=[
                IdiomSource(bad, bad),
                *(IdiomSource(bad, bad, f"{bad}{verdict}", bad) for verdict in ("divergent", "failed", "x")),
                IdiomSource(bad + "3", bad, bad),
            ],
            modes=[ModeSummary(m, n, 2, bad, bad) for m, n in (("eager", 2), (bad, 1), ("x", 1), (IDIOMS, 4))],
            selection=bad,
            started=bad,
            cases_digest=bad * 9,
            suite=bad,
        )

    hostile, hostile_page = written(run("1", bad), run("2", bad))
    _, harmless = written(run("1", "harmless"), run("2", "harmless"))
    assert structure(hostile_page) == structure(harmless)
    index = unpacked(hostile, "index")
    assert index["operations"][index["cases"][0][1]] == bad
    packet = unpacked(hostile, "packets")
    assert packet["cases"]["0"] == [bad, bad, bad]
    assert any(visible(bad) in cell for cell in hostile_page.texts["th"])
    # What is packed becomes visible when it is unpacked into text.
    assert [character for character in hostile if visible(character) != character] == []


def link(query: str) -> str:
    """The address that a link to a query has."""
    return f"#q={quote(query, safe='/')}"


def section(text: str, name: str) -> str:
    return text.partition(f'<section id="{name}"')[2].partition("</section>")[0]


def spelled_run(make_run: Any, verdict: str = "failed", **changes: Any) -> Run:
    records = [
        Record("ops/sigmoid/a[float32]", "eager", "passed", ulp=0.5, budget=4.0),
        Record("ops/sigmoid/a[float32]", IDIOMS, "passed", ulp=1.25, budget=4.0, idiom="Tensor.sigmoid"),
        Record(
            "ops/sigmoid/a[float32]",
            IDIOMS,
            verdict,
            "" if verdict == "passed" else "a reason",
            [] if verdict == "passed" else [FindingLine("nan-inf", "1.0", "nan", non_finite=3)],
            ulp=3.0 if verdict == "passed" else 7.0,
            budget=4.0,
            idiom="formula: <b>1</b>",
        ),
    ]
    idioms = [
        IdiomSource("sigmoid", "def sigmoid(x):\n    return torch.sigmoid(x)"),
        IdiomSource("sigmoid", "def method(x):\n    return x.sigmoid()", "Tensor.sigmoid"),
        IdiomSource("sigmoid", "def formula(x):\n    return x < 1 & x", "formula: <b>1</b>", "scipy 1.17.1"),
    ]
    return make_run("torch", records, **{"idioms": idioms} | changes)  # type: ignore[no-any-return]


def test_every_spelling_is_shown_with_its_source_its_verdict_and_its_largest_error(make_run: Any, written: Any) -> None:
    text, reader = written(spelled_run(make_run))
    found = html.unescape(words(section(text, "porting")))
    primary, method, formula = (
        found.index(part) for part in ("def sigmoid(x)", "def method(x)", "def formula(x): return x < 1 & x")
    )
    assert primary < method < formula
    assert "conforms 1 judged all passed 0.5 ULP of 4 a[float32]" in found[primary:method]
    assert "conforms 1 judged all passed 1.25 ULP of 4 a[float32]" in found[method:formula]
    assert "wrong on 1 of 1 what deviates NaN or infinity" in found[formula:]
    assert "3 elements in all" in found[formula:]
    assert "1 judged 1 failed 7 ULP of 4" in found[formula:]
    assert "needs scipy 1.17.1" in found
    assert "formula: <b>1</b>" in "".join(reader.texts["code"])
    assert {str(a["href"]) for a in reader.all("a")} >= {
        link("op=sigmoid backend=torch mode=eager"),
        link("op=sigmoid backend=torch spelling=Tensor.sigmoid"),
        link('op=sigmoid backend=torch spelling="formula: <b>1</b>"'),
    }
    assert "torch other spellings 1 1 0 0 0 0 0 2 = 2 , adds up" in words(section(text, "counts"))


def test_a_wrong_spelling_shows_as_wrong_and_a_right_one_does_not(make_run: Any, written: Any) -> None:
    wrong, right = (written(spelled_run(make_run, verdict))[0] for verdict in ("failed", "passed"))
    assert "wrong on 1 of 1" in words(section(wrong, "porting"))
    assert "wrong" not in words(section(right, "porting"))
    assert "formula: &lt;b&gt;1&lt;/b&gt;" in section(wrong, "failures")
    assert link("verdict=failed channel=nan-inf case=ops/sigmoid/a spelling:*") in section(wrong, "failures")
    assert 'id="failures"' not in right


def test_the_matrix_has_no_column_of_other_spellings(make_run: Any, written: Any) -> None:
    text, _ = written(spelled_run(make_run))
    assert re.findall(r'<th scope="col">(.*?)</th>', section(text, "matrix")) == ["eager"]


def test_runs_with_and_without_other_spellings_share_a_page(make_run: Any, written: Any) -> None:
    text, _ = written(every_verdict(make_run), spelled_run(make_run))
    assert "other spellings" in words(section(text, "counts"))
    alone, reader = written(every_verdict(make_run))
    assert "other spellings" not in words(alone).lower()
    assert not [a for a in reader.all("a") if "spelling" in str(a["href"])]


def test_a_run_of_other_spellings_alone_has_a_page(make_run: Any, written: Any) -> None:
    text, _ = written(make_run("a", [Record("ops/sigmoid/a[float32]", IDIOMS, "passed", idiom="x")]))
    assert "a other spellings 1" in words(section(text, "counts"))


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
    text, reader = written(every_verdict(make_run), spelled_run(make_run), *curve_runs)
    assert not [
        tag for tag, attributes in reader.tags if {"src", "srcset", "style", "action", "data"} & set(attributes)
    ]
    assert [link["href"] for link in reader.all("link")] == ["data:,"]
    assert set(re.findall(r"\w+://[^\s\"'<,]*", text)) == {
        "https://example.org/why",
        "https://",  # the script's own test
        "http://www.w3.org/2000/svg",  # a name, which nobody looks up
    }
    style = text.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|import\(|outerHTML|insertAdjacent|eval\(", text)
    assert text.count("innerHTML") == 1, "folded parts, escaped when they were made"


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


def test_one_column_alone_is_compared_with_nothing(make_run: Any, written: Any) -> None:
    alone, _ = written(make_run("numpy", [Record("ops/exp/one[float32]", "eager", "divergent", "a reason")]))
    assert "run in 1 column\n" in alone and "judged on" not in alone.partition('id="blame"')[2].partition("<table")[0]
    assert "numpy <small>judged alone" in alone
    agreement = alone.partition('id="agreement"')[2].partition("</section>")[0]
    assert "nothing to compare it with" in agreement and "<table" not in agreement
    record = Record("ops/exp/one[float32]", "eager", "passed", got=[Stored.of(np.zeros(1, np.float32))])
    several, _ = written(make_run("numpy", [record]), make_run("torch", [record]))
    assert "run in 2 columns\n" in several and "that two or more of them were judged on" in several
    assert "<table" in several.partition('id="agreement"')[2].partition("</section>")[0]


def test_the_first_screen_leads_to_what_a_reader_came_for(make_run: Any, written: Any) -> None:
    text, _ = written(make_run("numpy", [Record("ops/exp/one[float32]", "eager", "passed")]))
    head = text.partition("<header>")[2].partition("<nav")[0]
    for part in ("porting", "divergences", "legend"):
        assert f'href="#{part}"' in head and f'<section id="{part}"' in text


def test_without_a_curve_there_is_no_section_for_it(make_run: Any, written: Any) -> None:
    _, reader = written(every_verdict(make_run))
    assert "curve" not in reader.ids
    assert not reader.all("polyline")


def test_every_table_has_a_caption_and_every_head_cell_a_scope(
    make_run: Any, written: Any, curve_runs: list[Run]
) -> None:
    _, reader = written(every_verdict(make_run), spelled_run(make_run), *curve_runs)
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


def test_twenty_thousand_records_with_other_spellings_stay_small(make_run: Any, size: Any) -> None:
    rng = np.random.default_rng(0)
    ids = [f"ops/softmax/case-{i // 25}[float32,axis={i % 25}]" for i in range(2500)]
    arrays = {v: Stored.of(rng.normal(size=(2, 20)).astype(np.float32)) for v in ids}
    lines = {v: VariantLine(v, v.partition("[")[0], "float32", {"x": x}, x, [0.25] * 8) for v, x in arrays.items()}
    runs = []
    for backend in "abcd":
        records = []
        for v in ids:
            got = [[Stored.of(rng.normal(size=(2, 20)).astype(np.float32))], [arrays[v]]]
            records.append(Record(v, "eager", "passed", got=got[0], ulp=rng.uniform(), budget=7.5, at=[1, 2]))
            for idiom in ("as the primary one", "in other words", "more roughly")[: 1 + (len(records) // 2) % 2]:
                like = got[idiom != "as the primary one"]
                records.append(Record(v, IDIOMS, "passed", got=like, ulp=0.5, budget=7.5, at=[1, 2], idiom=idiom))
        runs.append(make_run(backend, records, variants=lines))
    assert sum(len(run.records) for run in runs) > 20_000
    assert size(*runs) < 1_500_000


def test_five_thousand_variants_in_ten_columns_stay_small(make_run: Any, size: Any) -> None:
    rng = np.random.default_rng(0)
    ids = [f"ops/softmax/case-{i // 50}[float32,axis={i % 50}]" for i in range(5000)]
    inputs = {v: Stored.of(rng.normal(size=(2, 20)).astype(np.float32)) for v in ids}
    lines = {
        v: VariantLine(v, v.partition("[")[0], "float32", {"x": x}, x, [0.268941] * 8, "", "a source " * 20)
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
    assert size(*runs) < 2_200_000
