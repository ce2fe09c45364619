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
        + "ab" * 32
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
    assert first.text.splitlines()[0] == "  - name: first   # with a comment"
    assert first.text.endswith("shape: [1, 2]")
    assert refused.text.endswith("expect: raises")
    assert refused.expect == Expect(raises=True)
    assert first.expect.shape == [1, 2]
    assert first.operations == {"softmax"}
    assert dict(first.grid) == {"axis": [0, 1]}
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


def test_the_folder_of_a_family_sorts_files_and_is_no_part_of_ids(load_text: Load) -> None:
    corpus = load_text(
        **{
            "ops/losses/hinge.yaml": "cases:\n" + FINE.format("a"),
            "ops/arithmetic.yaml": "cases:\n" + FINE.format("a"),
            "ops/mine/hinge.yaml": "cases:\n" + FINE.format("a"),  # no family of operations
            "losses/hinge.yaml": "cases:\n" + FINE.format("a"),  # not under ops
            "ops/activations/losses/gelu.yaml": "cases:\n" + FINE.format("a"),
        }
    )
    ids = ["losses/hinge/a", "ops/arithmetic/a", "ops/hinge/a", "ops/losses/gelu/a", "ops/mine/hinge/a"]
    assert [case.id for case in corpus.cases] == ids


def test_two_families_with_a_case_of_one_id_are_told(tmp_path: Path) -> None:
    for name in ("ops/losses/hinge.yaml", "ops/hinge.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("cases:\n" + FINE.format("a"))
    with pytest.raises(CaseFileError, match=r"hinge\.yaml:2:1: the case 'ops/hinge/a' a second time"):
        load(tmp_path)


def test_the_digest_depends_on_every_byte_and_every_path(tmp_path: Path) -> None:
    digests = []
    for name, text in [("a.yaml", FINE), ("a.yaml", FINE + "# more\n"), ("b.yaml", FINE), ("a.yaml", FINE)]:
        for old in tmp_path.glob("*.yaml"):
            old.unlink()
        (tmp_path / name).write_text("cases:\n" + text.format("n"))
        digests.append(load(tmp_path).digest)
    assert digests[0] == digests[3]
    assert len(set(digests)) == 3


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
        "6:5: unknown key 'cal'; did you mean 'call'?",
        "7:11: expected a name of lower-case words and numbers joined by hyphens, such as sums-to-one, found 'Second'",
        "12:11: unknown operation 'sofmax' in call; did you mean 'softmax'?",
        "16:5: 'name' is missing",
        "19:38: unknown key 'sead'; did you mean 'seed'?",
        "21:21: expected a list or nothing, found 'two'",
        "22:13: expected one of value, gradient, found 'values'; did you mean 'value'?",
        "25:28: unknown dtype 'flot64'; did you mean 'float64'?",
        "27:5: expected a mapping, found 5",
        "29:33: expected a printed array, found 'x]'",
        "30:18: too many arguments: exp(x)",
        "31:26: expected a printed array, found the end",
    ]


def test_mistakes_of_all_files_are_told_in_one_go_each_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("cases:\n" + FINE.format("a").replace("exp", "ex"))
    (tmp_path / "b.yaml").write_text("cases: [\n")
    (tmp_path / "c.yaml").write_bytes(b"cases: \xff\n")
    (tmp_path / "d.yaml").write_text("cases:\n" + FINE.format("d"))
    with pytest.raises(CaseFileError) as caught:
        load(tmp_path)
    assert [(Path(p.path).name, p.line, p.column) for p in caught.value.problems] == [
        ("a.yaml", 4, 11),
        ("b.yaml", 2, 1),
        ("c.yaml", 1, 8),
    ]
    assert caught.value.problems[2].message == "not UTF-8: byte 7 can't be read"


def test_a_folder_without_case_files_and_a_path_that_is_not_there_are_no_empty_corpus(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="no case files"):
        load(tmp_path)
    with pytest.raises(CaseFileError, match="can't be read: No such file or directory"):
        load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: expected a mapping, found nothing"),
        ("- 1\n", "1:1: expected a mapping, found a list"),
        ("about: nothing\n", "1:1: 'cases' is missing"),
        ("cases: []\n", "1:8: expected at least 1 entry, found 0"),
        ("cases:\n", "1:7: expected a list, found nothing"),
        ("cases: {a: 1}\n", "1:8: expected a list, found a mapping"),
        ("cases:\n  - [1]\n", "2:5: expected a mapping, found a list"),
    ],
)
def test_a_file_that_holds_no_cases_is_refused(problems: Problems, text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_the_second_case_of_a_name_is_pointed_at(problems: Problems) -> None:
    assert problems("cases:\n" + FINE.format("a") + FINE.format("b") + FINE.format("a")) == [
        "8:1: the case 'cases/a' a second time"
    ]


def case(**parts: str) -> str:
    """A case of a line each: name, given and call unless other parts take their place."""
    parts = {"name": "a", "given": "{x: [1.0]}", "call": "exp(x)", **parts}
    lines = [f"{key.rstrip('_')}: {value}" for key, value in parts.items() if value]
    return "cases:\n  - " + "\n    ".join(lines) + "\n"


GRADIENT, VALUE = "[gradient]", "[value]"
CLAIM = {"call": "", "claim": "exp(x) == exp(x)"}


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"call": ""}, "2:5: expected one of 'call' and 'claim'"),
        ({"call": '""'}, "4:11: not an expression: invalid syntax"),
        ({"claim": "exp(x) == 1"}, "2:5: expected one of 'call' and 'claim'"),
        ({"given": "{x: [1.0], y: [2.0]}"}, "4:11: 'y' is given but not used"),
        ({"for_": "{axis: [0]}"}, "4:11: 'axis' is given but not used"),
        (
            {"given": "{X: [1.0]}", "call": "exp(X)"},
            "3:13: expected a name of lower-case letters, digits and underscores, with a letter first",
        ),
        (
            {"given": "{x: [[1.0]]}", "call": "sum(x, axis=[0, -2])"},
            "4:23: 0 and -2 are one axis at rank 2: correct it",
        ),
        ({"given": "{x: [[1.0]]}", "call": "mean(x, axis=[1, 1])"}, "4:24: axis 1 is given twice"),
        (
            {"given": "{x: [[1.0]]}", "for_": "{axis: [[0, 1], null, [], 2]}", "call": "sum(x, axis=axis)"},
            "4:23: axis 2 is out of range at rank 2, its axes go from -2 to 1: correct it, or state 'expect: raises'",
        ),
        (
            {"given": "{x: [[1.0]]}", "call": "sum(x, axis=[0, 0.5])"},
            "4:23: 'axis' of 'sum' must be an axis (an integer), a list of axes, or null, found [0, 0.5]",
        ),
        (
            {"call": "", "claim": "sum(x, axis=[0, 1]) == 1"},
            "axis 1 is out of range at rank 1, its one axis is 0 or -1",
        ),
        ({"given": "{x: null}"}, "found nothing; a text that reads like that has to stand in quotes"),
        ({"given": "{x: [1.0, [2]]}"}, "3:22: a ragged array: this item has shape [1], the first of its list []"),
        ({"given": "{x: [1.0, null]}"}, "3:22: expected a number, found nothing"),
        ({"given": "{x: one}"}, "3:16: expected a number, a hexadecimal float or a named value, found 'one'"),
        ({"given": "{x: [1.0, 70000]}", "for_": "{dtype: [float32, float16]}"}, "3:22: 70000 does not fit float16"),
        (
            {"given": "{x: [1.5]}", "for_": "{dtype: int32}"},
            "3:17: 1.5 is no integer: impossible in an array of dtype int32",
        ),
        (
            {"given": "{x: [1, 300]}", "for_": "{dtype: [int32, int8]}"},
            "3:20: 300 does not fit int8, which holds -128 to 127",
        ),
        ({"given": "{x: {array: [1, 300], dtype: int8}}"}, "3:28: 300 does not fit int8"),
        ({"given": "{x: {array: [.inf], dtype: int8}}"}, "3:25: inf is no integer"),
        ({"given": "{x: {array: [1], dtype: int}}"}, "3:36: unknown dtype 'int'; did you mean 'int8'?"),
        ({"given": "{x: {}}"}, "3:16: expected one of array, printed"),
        ({"given": "{x: {dtype: int8}}"}, "found none"),
        ({"given": "{x: {array: [1], full: {shape: [1], value: 2}}}"}, "found array and full"),
        ({"given": "{x: {arary: [1]}}"}, "3:17: unknown key 'arary'; did you mean 'array'?"),
        ({"given": "{x: {normal: {shape: [2]}}}"}, "missing required field `seed`"),
        ({"given": "{x: {normal: {shape: [2], seed: -1}}}"}, "3:44: expected a whole number, at least 0, found -1"),
        ({"given": "{x: {normal: {shape: [2], seed: 1}, dtype: int8}}"}, "'normal' makes real numbers"),
        (
            {"given": "{x: {normal: {shape: s, seed: 1}}}"},
            "3:33: expected a shape (a list of up to 8 lengths) or the name of one",
        ),
        ({"given": "{x: {normal: {shape: s, seed: 1}}}", "for_": "{s: [[2], [2, x]]}"}, "expected a shape"),
        (
            {"given": "{x: {normal: {shape: [1, 2, 3, 4, 5, 6, 7, 8, 9], seed: 1}}}"},
            "3:33: expected at most 8 entries, found 9",
        ),
        ({"given": "{x: {normal: {shape: [1048576, 2], seed: 1}}}"}, "a shape of 2,097,152 elements"),
        (
            {"given": "{x: {normal: {shape: [2], seed: 1, scale: 20000}, dtype: float16}}"},
            "120000.0 does not fit float16",
        ),
        ({"given": "{x: {normal: {shape: [2], seed: 1, scale: .inf}}}"}, "3:54: expected a finite number"),
        ({"given": "{x: {uniform: {shape: [2], seed: 1, high: 1e39}}}"}, "3:54: 1e+39 does not fit float32"),
        ({"given": "{x: {linspace: {start: 0, stop: .nan, count: 3}}}"}, "3:44: expected a finite number"),
        ({"given": "{x: {integers: {shape: [2], seed: 1, low: 5, high: 4}}}"}, "low 5 is above high 4"),
        (
            {"given": "{x: {integers: {shape: [2], seed: 1, low: 0, high: 300}, dtype: int8}}"},
            "3:63: 300 does not fit int8",
        ),
        (
            {"given": "{x: {integers: {shape: [2], seed: 1, low: 0, high: 1000000000000000000000}}}"},
            "does not fit int64",
        ),
        (
            {"given": "{x: {bernoulli: {shape: [2], seed: 1, probability: 1.5}}}"},
            "3:63: expected a probability, from 0 to 1",
        ),
        ({"given": "{x: {full: {shape: [2], value: 1.5}, dtype: int8}}"}, "3:43: 1.5 is no integer"),
        ({"given": "{x: {linspace: {start: 0, stop: 1, count: 1}}}"}, "expected a whole number, at least 2, found 1"),
        (
            {"given": "{x: {uniform: {shape: [2], seed: 1, low: lo}}}"},
            "3:53: expected a number, or the name of one under 'for', found 'lo'",
        ),
        (
            {"given": "{x: {uniform: {shape: [2], seed: 1, low: a}}}", "for_": "{a: [0.5, x]}"},
            "3:53: expected a number",
        ),
        ({"given": "{x: {uniform: {shape: [2], seed: 1, low: a}}}", "for_": "{a: [true]}"}, "3:53: expected a number"),
        ({"given": "{x: {uniform: {shape: [2], seed: 1, low: a}}}", "for_": "{a: [[1]]}"}, "3:53: expected a number"),
        ({"given": "{x: {uniform: {shape: [2], seed: 1, low: max}}}"}, "3:53: expected a number"),
        ({"given": "{x: {uniform: {shape: [2], seed: 1, high: a}}}", "for_": "{a: [1.0e+39]}"}, "3:54: 1e+39 does not"),
        ({"given": "{x: {normal: {shape: [2], seed: k}}}"}, "3:44: expected a number, or the name of one"),
        ({"given": "{x: {normal: {shape: [2], seed: k}}}", "for_": "{k: [1, -1]}"}, "3:44: expected a seed from 0"),
        (
            {"given": "{x: {normal: {shape: [2], seed: k}}}", "for_": "{k: [4294967296]}"},
            "3:44: expected a seed from 0",
        ),
        (
            {"given": "{x: {normal: {shape: [2], seed: k}}}", "for_": "{k: [1.5]}"},
            "3:44: expected an integer, found 1.5",
        ),
        (
            {"given": "{x: {normal: {shape: [2], seed: 1, scale: a}}}", "for_": "{a: [1, .inf]}"},
            "3:54: expected a finite",
        ),
        (
            {"given": "{x: {integers: {shape: [2], seed: 1, low: 0, high: b}}}", "for_": "{b: [1.5]}"},
            "3:63: expected an integer, found 1.5",
        ),
        (
            {"given": "{x: {integers: {shape: [2], seed: 1, low: a, high: b}}}", "for_": "{a: [0, 3], b: [2, 4]}"},
            "3:27: low 3 is above high 2",
        ),
        (
            {"given": "{x: {bernoulli: {shape: [2], seed: 1, probability: a}}}", "for_": "{a: [0.5, 1.5]}"},
            "3:63: expected a probability, from 0 to 1",
        ),
        ({"given": "{x: {linspace: {start: a, stop: 1, count: 2}}}"}, "3:35: expected a number, or the name of one"),
        ({"given": "{x: {full: {shape: [2], value: a}}}"}, "3:43: expected a number, a hexadecimal float or a named"),
        (
            {"given": "{x: {full: {shape: [2], value: a}}}", "for_": "{dtype: [float32, float16], a: [1, 70000]}"},
            "3:43: 70000 does not fit float16",
        ),
        ({"given": "{x: {binades: {shape: [2], seed: 1, low: 2, high: 1}}}"}, "3:26: low 2 is above high 1"),
        (
            {"given": "{x: {binades: {shape: [2], seed: 1, high: 16}}}", "for_": "{dtype: [float32, float16]}"},
            "the exponents of float16 go from -24 to 15, not -24 to 16",
        ),
        (
            {"given": "{x: {binades: {shape: [2], seed: 1, low: n}}}", "for_": "{n: [-149, -150]}"},
            "the exponents of float32 go from -149 to 127, not -150 to 127",
        ),
        ({"given": "{x: {binades: {shape: [2], seed: 1, low: n}}}", "for_": "{n: [0.5]}"}, "3:53: expected an integer"),
        ({"given": "{x: {binades: {shape: [2], seed: 1}, dtype: int8}}"}, "3:26: 'binades' makes real numbers"),
        (
            {"given": "{x: {binades: {shape: [2], seed: 1, sign: any}}}"},
            "3:54: expected one of both, positive, negative, found 'any'",
        ),
        ({"given": "{x: {binades: {shape: [2], sead: 1}}}"}, "3:39: unknown key 'sead'; did you mean 'seed'?"),
        (
            {"given": "{x: {array: [1, 2], put: {at: [2], value: 0}}}"},
            "3:42: expected an index into an array of shape [2]",
        ),
        (
            {"given": "{x: {array: [1, 2], put: {at: [-3], value: 0}}}"},
            "3:42: expected an index into an array of shape",
        ),
        ({"given": "{x: {array: [1, 2], put: {at: [0, 0], value: 0}}}"}, "3:42: expected an index into an array of"),
        (
            {"given": "{x: {array: [1, 2], put: {at: i, value: 0}}}"},
            "3:42: expected an index into an array of shape [2], found 'i'",
        ),
        (
            {"given": "{x: {array: [1, 2], put: {at: i, value: 0}}}", "for_": "{i: [[1], [2]]}"},
            "3:42: expected an index into an array of shape [2], found [2]",
        ),
        (
            {"given": "{x: {full: {shape: s, value: 1}, put: {at: [2], value: 0}}}", "for_": "{s: [[3], [2]]}"},
            "3:55: expected an index into an array of shape [2], found [2]",
        ),
        (
            {"given": "{x: {printed: '[1.0]', put: {at: [1], value: 0}}}"},
            "3:45: expected an index into an array of shape [1]",
        ),
        (
            {"given": "{x: {linspace: {start: 0, stop: 1, count: 3}, put: {at: [3], value: 0}}}"},
            "3:68: expected an index into an array of shape [3]",
        ),
        (
            {"given": "{x: {array: [1, 2], put: {at: [0], value: 70000}, dtype: float16}}"},
            "3:54: 70000 does not fit float16",
        ),
        ({"given": "{x: {array: [1, 2], put: {at: [0], value: v}}}"}, "3:54: expected a number, a hexadecimal float"),
        ({"given": "{x: {array: [1, 2], put: {at: [0], value: v}}}", "for_": "{v: [1, x]}"}, "3:54: expected a number"),
        ({"given": "{x: {array: [1, 2], put: {at: [0]}}}"}, "missing required field `value`"),
        ({"given": "{x: {array: [1, 2], put: {att: [0], value: 1}}}"}, "3:38: unknown key 'att'; did you mean 'at'?"),
        (
            {"given": "{x: {array: [[1]], layout: transpose}}"},
            "3:39: unknown layout 'transpose'; did you mean 'transposed'?",
        ),
        (
            {"given": "{x: {array: [[1]], layout: l}}", "for_": "{l: [stepped, steped]}"},
            "3:39: unknown layout 'steped'",
        ),
        ({"given": "{x: {array: [[1]], layout: l}}", "for_": "{l: [[1]]}"}, "3:39: unknown layout '[1]'"),
        ({"given": "{x: {array: [1], layout: transposed}}"}, "3:37: an array of rank 1 can't be laid out 'transposed'"),
        (
            {
                "given": "{x: {full: {shape: s, value: 1}, layout: l}}",
                "for_": "{s: [[2], []], l: [contiguous, stepped]}",
            },
            "3:53: an array of rank 0 can't be laid out 'stepped'",
        ),
        (
            {"given": "{x: {printed: '[1.5]', dtype: int8}}"},
            "3:26: printed with decimals: impossible in an array of dtype int8",
        ),
        ({"given": "{x: {printed: '[300]', dtype: int8}}"}, "3:26: 300 does not fit int8"),
        ({"given": "{x: {printed: '[7e4]', dtype: float16}}"}, "3:26: a printed number does not fit float16"),
        ({"expect": "raise"}, "5:13: expected raises, found 'raise'; did you mean 'raises'?"),
        ({"expect": "{raises: true, shape: [1]}"}, "5:13: a call that is refused has no other outcome"),
        ({"expect": "{raises: true, prints: '1.0'}"}, "5:13: a call that is refused has no other outcome"),
        ({"expect": "{raises: true, dtype: int8}"}, "5:13: a call that is refused has no other outcome"),
        ({"expect": "{raises: true, values: [1]}"}, "5:13: a call that is refused has no other outcome"),
        ({"expect": "{raises: true, aliases: false}"}, "5:13: a call that is refused has no other outcome"),
        ({"expect": "{aliases: view}"}, "5:23: expected true or false or nothing, found 'view'"),
        ({"expect": "{aliases: true}", "check": "[value, gradient]"}, "5:13: 'aliases' is about the value of a call"),
        (
            {"given": "{}", "call": "asarray([1, 2])", "expect": "{aliases: false}"},
            "5:13: 'aliases' is about the value of a call and its first input",
        ),
        ({**CLAIM, "expect": "{aliases: true}"}, "5:13: a claim says itself what is expected"),
        ({"expect": "raises", "check": GRADIENT}, "6:12: a call that is refused has no gradient"),
        ({"expect": "{values: [1.0]}"}, "5:13: stated values need a 'because'"),
        ({"expect": "{values: [1.5], dtype: int64, because: none is}"}, "5:23: 1.5 is no integer"),
        ({"expect": "{values: [1.0, [2]], because: it is so}"}, "5:28: a ragged array"),
        ({"expect": "{dtype: half}"}, "5:21: unknown dtype 'half'"),
        ({"expect": "{prints: 'tensor([1.0, 2'}"}, "expected a printed array, found the end"),
        ({"expect": "{shape: [-1]}"}, "5:22: expected a whole number, at least 0, found -1"),
        ({"expect": "{vlaues: [1.0]}"}, "5:14: unknown key 'vlaues'; did you mean 'values'?"),
        ({"check": "[]"}, "5:12: expected at least 1 entry, found 0"),
        (
            {"call": "binary_cross_entropy(asarray([0.5]), x)", "check": GRADIENT},
            "5:12: the call takes no input that a gradient can be taken by",
        ),
        (
            {"subnormals": "flush"},
            "5:17: expected one of flushable, preserve, found 'flush'; did you mean 'flushable'?",
        ),
        ({"within": "{ulp: 1, because: it is so I say}"}, "5:13: 'within' belongs to a claim with =="),
        ({**CLAIM, "within": "{because: it is so I say}"}, "5:13: expected one of 'ulp' and 'absolute'"),
        ({**CLAIM, "within": "{ulp: 1, absolute: 1, because: it is so I say}"}, "expected one of 'ulp' and 'absolute'"),
        ({**CLAIM, "within": "{ulp: 1}"}, "missing required field `because`"),
        (
            {**CLAIM, "within": "{ulp: 1, because: short}"},
            "'because' says why, in a sentence: expected at least 10 characters, found 5",
        ),
        ({**CLAIM, "within": "{ulp: 0, because: it is so I say}"}, "expected a number, more than 0.0, found 0"),
        (
            {"call": "", "claim": "exp(x) <= 1", "within": "{ulp: 1, because: it is so I say}"},
            "'within' belongs to a claim with ==",
        ),
        ({**CLAIM, "expect": "{shape: [1]}"}, "5:13: a claim says itself what is expected"),
        ({**CLAIM, "expect": "raises"}, "5:13: a claim says itself what is expected"),
        ({**CLAIM, "check": GRADIENT}, "5:12: a claim has no gradient"),
        (
            {"given": "{x: [1.0], y: [1.0]}", "call": "add(x, y)", "draw": "curve"},
            "5:11: a curve is drawn over exactly one input",
        ),
        ({"draw": "line"}, "5:11: expected one of curve, accuracy, found 'line'"),
        ({**CLAIM, "draw": "accuracy"}, "5:11: the accuracy of one operation is drawn: expected a call of just one"),
        ({"call": "exp(log(x))", "draw": "accuracy"}, "5:11: the accuracy of one operation is drawn"),
        ({"call": "stack([x])", "draw": "accuracy"}, "5:11: 'stack' only moves elements: there is no error to draw"),
        ({"check": GRADIENT, "draw": "accuracy"}, "6:11: the accuracy of values is drawn, not of gradients"),
        ({"expect": "raises", "draw": "accuracy"}, "6:11: errors are drawn against exact values"),
        (
            {"expect": "{values: [1.0], because: it is so}", "draw": "accuracy"},
            "6:11: errors are drawn against exact values",
        ),
        (
            {"for_": "{dtype: [float32, int8]}", "given": "{x: [1]}", "call": "sum(x)", "draw": "accuracy"},
            "6:11: errors in ULP need floating inputs, found int8",
        ),
        ({"given": "5"}, "3:12: expected a mapping, found 5"),
        (
            {"name": "A b"},
            "2:11: expected a name of lower-case words and numbers joined by hyphens, such as sums-to-one, found 'A b'",
        ),
        ({"call": "'[exp(x)]'"}, "4:11: expected the call of an operation"),
        ({"call": "5"}, "4:11: expected a text or nothing, found 5"),
    ],
)
def test_each_mistake_is_named_and_placed(problems: Problems, parts: dict[str, str], problem: str) -> None:
    (found,) = problems(case(**parts))
    assert found.startswith(problem) if problem[0].isdigit() and ":" in problem[:4] else problem in found, found


@pytest.mark.parametrize(
    "parts",
    [
        {"expect": "raises"},
        {"expect": "{raises: true}"},
        {"expect": "{prints: 'tensor([2.7183])', shape: [1], dtype: float32}"},
        {"expect": "{values: [.nan], because: not a number stays not a number}"},
        {"check": "[value, gradient]"},
        {"for_": "{dtype: floating}"},
        {**CLAIM, "within": "{ulp: 3, because: two roundings and one}"},
        {"draw": "curve"},
        {"draw": "accuracy"},
        {"given": "{x: [1.0], y: [1.0]}", "call": "add(x, y)", "for_": "{dtype: floating}", "draw": "accuracy"},
        {"subnormals": "preserve"},
        {"given": "{x: [1, 127]}", "for_": "{dtype: [int8, float16]}", "call": "sum(x)"},
        {"given": "{}", "call": "asarray([1, 2])"},
        {"given": "{x: {normal: {shape: s, seed: 1}}}", "for_": "{s: [[2], []]}"},
        {"given": "{x: {normal: {shape: [2], seed: 1, scale: 10000}, dtype: float16}}"},
        {"given": "{x: [max, -tiny, 0x1p-3, .inf]}"},
        {"given": '{x: [max, -tiny, "0x1p-3", .inf]}'},
        {"given": "{x: {array: [1.0], layout: stepped}}", "expect": "{aliases: false}"},
        {"given": "{x: {full: {shape: s, value: 1}, layout: l}}", "for_": "{s: [[2, 1]], l: [transposed, broadcast]}"},
        {
            "given": "{x: {array: [1.0, 2], put: {at: i, value: v}}}",
            "for_": "{i: [[0], [-2]], v: [.nan, max, '0x1p-3']}",
        },
        {"given": "{x: {binades: {shape: [2], seed: k, low: n, high: n}}}", "for_": "{k: [1, 2], n: [-149, 0, 127]}"},
        {"given": "{x: {binades: {shape: [2], seed: 1}}}", "for_": "{dtype: floating}"},
        {"given": "{x: {uniform: {shape: [2], seed: 1, low: a, high: b}}}", "for_": "{a: [-1, 0.5], b: [2]}"},
    ],
)
def test_what_is_right_is_accepted(problems: Problems, parts: dict[str, str]) -> None:
    assert problems(case(**parts)) == []


def test_an_offset_inside_a_block_of_text_points_at_the_block(problems: Problems) -> None:
    assert problems(case(call="|\n      exp(\n      sofmax(x))")) == [
        "4:11: unknown operation 'sofmax' in call; did you mean 'softmax'?"
    ]
    assert problems(case(call="'exp(sofmax(x))'")) == [
        "4:16: unknown operation 'sofmax' in call; did you mean 'softmax'?"
    ]


REGISTRY = """\
backend: torch
divergences:
  - cases: "a*"
    instead: {}
    because: It is simply so in there.
    first-seen: torch 2.13.0
"""


@pytest.mark.parametrize(
    ("instead", "more", "problem"),
    [
        ("{ulp: [1, 2]}", "", None),
        (
            "{raises: ValueError}",
            "    versions: '>=2.0,<3'\n    link: https://example.org/1\n    dtypes: [float16]\n",
            None,
        ),
        ("{non-finite: 3}", "    idioms: ['jax.*']\n", None),
        ("{zero-signs: true}", "", None),
        ("{aliases: false}", "", None),
        ("{}", "", "4:14: expected what comes instead: one of raises, returns, dtype, shape, values, non-finite"),
        ("{zero-signs: false, non-finite: 0}", "", "4:14: expected what comes instead"),
        ("{non-finite: -1}", "", "4:27: expected a number of elements, or the least and the most, such as [1, 4]"),
        ("{non-finite: [4, 1]}", "", "4:27: expected a number of elements, or the least and the most, such as [1, 4]"),
        ("{non-finite: [1]}", "", "4:27: expected a number of elements, or the least and the most, such as [1, 4]"),
        ("{non_finite: 1}", "", "4:15: unknown key 'non_finite'; did you mean 'non-finite'?"),
        ("{aliases: copy}", "", "4:24: expected true or false or nothing, found 'copy'"),
        ("{dtype: half}", "", "4:22: unknown dtype 'half'"),
        ("{values: [1, [2]]}", "", "4:27: a ragged array"),
        ("{ulp: [1]}", "", "4:20: expected at least 2 entries, found 1"),
        ("{rises: true}", "", "4:15: unknown key 'rises'; did you mean 'raises'?"),
        ("{ulp: [1, 2]}", "    link: http://example.org\n", "7:11: expected a link that begins with https://"),
        ("{ulp: [1, 2]}", "    dtypes: [float16, half]\n", "7:23: unknown dtype 'half'"),
        (
            "{ulp: [1, 2]}",
            "    versions: newer than 2\n",
            "7:15: expected versions such as >=2.0,<3, found 'newer than 2'",
        ),
    ],
)
def test_registered_divergences_are_checked_like_cases(
    problems: Problems, load_text: Load, instead: str, more: str, problem: str | None
) -> None:
    text = REGISTRY.replace("{}", instead) + more
    found = problems("cases:\n" + FINE.format("a"), **{"divergences/torch.yaml": text})
    if problem is None:
        assert found == []
        ((backend, entry),) = load_text().divergences
        assert backend == "torch"
        assert entry.cases == "a*"
    else:
        assert len(found) == 1
        assert found[0].startswith(problem)


def test_a_divergence_may_be_about_a_list_of_patterns_but_not_about_none(problems: Problems, load_text: Load) -> None:
    def registry(cases: str) -> dict[str, str]:
        return {"divergences/torch.yaml": REGISTRY.replace('"a*"', cases).replace("{}", "{ulp: [1, 2]}")}

    assert problems("cases:\n" + FINE.format("a"), **registry("['a*', 'b*']")) == []
    ((_, entry),) = load_text().divergences
    assert entry.cases == ["a*", "b*"]
    for nothing in ("[]", "''"):
        (found,) = problems("cases:\n" + FINE.format("a"), **registry(nothing))
        assert found == "3:12: expected a pattern of variant IDs, or a list of them"
    (found,) = problems("cases:\n" + FINE.format("a"), **registry("[1]"))
    assert found.startswith("3:13: expected a text, found 1")


def test_the_subsets_of_slow_modes_are_read_beside_the_cases(problems: Problems, load_text: Load) -> None:
    text = "subsets:\n  - {backend: torch, mode: compile, because: compiling is slow, variants: ['a*']}\n"
    assert problems("cases:\n" + FINE.format("a"), **{"subsets.yaml": text}) == []
    assert load_text().subsets[0].variants == ["a*"]
    (found,) = problems(**{"subsets.yaml": text.replace("variants: ['a*']", "variants: []")})
    assert "expected at least 1 entry, found 0" in found


def test_keys_far_from_every_known_one_are_answered_with_the_known_ones(problems: Problems) -> None:
    (found,) = problems(case(zzzz="1"))
    assert found.startswith("5:5: unknown key 'zzzz'; known are name, given, for, call, claim, expect")


def test_a_huge_unknown_word_is_answered_at_once(problems: Problems) -> None:
    (found,) = problems(case(**{"x" * 1000: "1"}))
    assert found.startswith("5:5: unknown key 'xxx")


def test_a_file_that_would_not_be_read_for_its_suffix_is_named(tmp_path: Path) -> None:
    one = "cases:\n  - {name: one, given: {x: [1.0]}, call: exp(x)}\n"
    (tmp_path / "read.yaml").write_text(one)
    assert len(load(tmp_path).cases) == 1
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "forgotten.yml").write_text(one)
    with pytest.raises(
        CaseFileError, match=r"more/forgotten\.yml:1:1: a name that ends with \.yml: case files end with"
    ):
        load(tmp_path)


@pytest.mark.parametrize("relation", ["<", "<=", ">", ">="])
def test_complex_numbers_have_no_order(relation: str, problems: Callable[..., list[str]]) -> None:
    one = f"name: one, given: {{x: [1.0, 2.0]}}, for: {{dtype: [float32, complex64]}}, claim: 'reshape(x, [2]) {relation} 3'"
    (found,) = problems(f"cases:\n  - {{{one}}}")
    assert "complex numbers have no order; expected '==' or '!=' between them" in found
    assert problems(f"cases:\n  - {{{one.replace(', complex64', '')}}}") == []
    assert problems(f"cases:\n  - {{{one.replace(relation + ' 3', '!= 3')}}}") == []
