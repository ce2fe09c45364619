"""Case files to checked cases: every mistake of every file in one go, each with its line and column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.casefile.errors import CaseFileError
from conformance.casefile.loader import Corpus, load
from conformance.casefile.model import Expect

Load = Callable[..., Corpus]
Problems = Callable[..., list[str]]

FINE = "  - name: {}\n    given: {{x: [1.0]}}\n    call: exp(x)\n"


def test_a_file_becomes_cases_with_all_that_was_said(load_text: Load) -> None:
    corpus = load_text(
        """\
document: {title: T, section: S, lines: 2-13, sha256: """
        + "0" * 64
        + """}
about: What the file is about.
cases:
  - name: first   # with a comment
    about: What it shows.
    given:
      x: [[1.0, 2.0]]
    for: {axis: [0, 1]}
    call: softmax(x, axis=axis)
    expect:
      shape: [1, 2]

  - name: refused
    given: {x: [1.0]}
    call: softmax(x, axis=5)
    expect: raises
"""
    )
    first, refused = corpus.cases
    assert (first.id, first.line, refused.id, refused.line) == ("cases/first", 4, "cases/refused", 13)
    assert first.text.splitlines()[0] == "  - name: first   # with a comment" and first.text.endswith("shape: [1, 2]")
    assert refused.text.endswith("expect: raises")
    assert refused.expect == Expect(raises=True) and first.expect.shape == [1, 2]
    assert first.operations == {"softmax"} and dict(first.grid) == {"axis": [0, 1]}
    (document,) = corpus.documents.values()
    assert (document.section, document.lines) == ("S", "2-13")
    assert len(list(corpus.variants())) == 3


def test_cases_come_in_the_order_of_paths_and_then_of_the_text(load_text: Load) -> None:
    corpus = load_text(
        **{
            "b.yaml": "cases:\n" + FINE.format("z") + FINE.format("a"),
            "a/c.yaml": "cases:\n" + FINE.format("m"),
            "a.txt": "no cases",
        }
    )
    assert [case.id for case in corpus.cases] == ["a/c/m", "b/z", "b/a"]


def test_the_digest_depends_on_every_byte_and_every_path(tmp_path: Path) -> None:
    digests = []
    for name, text in [("a.yaml", FINE), ("a.yaml", FINE + "# more\n"), ("b.yaml", FINE), ("a.yaml", FINE)]:
        for old in tmp_path.glob("*.yaml"):
            old.unlink()
        (tmp_path / name).write_text("cases:\n" + text.format("n"))
        digests.append(load(tmp_path).digest)
    assert digests[0] == digests[3] and len(set(digests)) == 3


def test_a_case_in_flow_style_has_its_line_as_text(load_text: Load) -> None:
    corpus = load_text("cases: [{name: a, given: {x: 1.0}, call: exp(x)}, {name: b, given: {x: 1.0}, call: exp(x)}]\n")
    assert [case.line for case in corpus.cases] == [1, 1]
    assert all("name: a" in case.text for case in corpus.cases)


ALL_AT_ONCE = """\
about: Every case but one has its own mistakes.
abuot: twice
cases:
  - name: first
    given: {x: [[1.0], [1, 2]], y: [1.5]}
    cal: exp(x)
  - name: Second
    given: {x: [1.0]}
    call: exp(x)
  - name: third
    given: {x: [1.0], unused: [2.0]}
    call: sofmax(x)
  - name: fine
    given: {x: [1.0]}
    call: exp(x)
  - given: {x: [1.0]}
    call: exp(x)
  - name: sixth
    given: {x: {normal: {shape: [2], sead: 1}}}
    call: exp(x)
    expect: {shape: two}
    check: [values]
  - name: seventh
    given: {x: [1.0]}
    for: {dtype: [float32, flot64]}
    call: exp(x)
  - 5
  - name: ninth
    given: {x: {printed: '[1.0, x]'}}
    call: exp(x, y)
    expect: {prints: '[1,'}
"""


def test_all_mistakes_of_a_file_are_told_at_once_with_exact_places(problems: Problems) -> None:
    assert problems(ALL_AT_ONCE) == [
        "2:1: unknown key 'abuot'; did you mean 'about'?",
        "4:5: expected one of 'call' and 'claim'" if False else "6:5: unknown key 'cal'; did you mean 'call'?",
        "7:11: expected `str` matching regex '^[a-z0-9]+(-[a-z0-9]+)*$'",
        "12:11: unknown operation 'sofmax' in call; did you mean 'softmax'?",
        "16:5: 'name' is missing",
        "20:21: expected `array | null`, got `str`",
        "21:13: invalid enum value 'values'",
        "24:28: unknown dtype 'flot64'; did you mean 'float64'?",
        "26:5: expected a mapping, found int",
        "28:32: expected a printed array, found 'x]'",
        "29:18: too many arguments: exp(x)",
        "30:26: expected a printed array, found the end",
    ]
