"""YAML by the rules of version 1.2, with places, and without what case files have no use for."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.casefile.yaml_reader import Place, YamlError, locate, read
from conformance.ground import limits


def value(text: str) -> Any:
    return read(f"x: {text}\n")[0]["x"]


def refused(text: str) -> YamlError:
    with pytest.raises(YamlError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        ("+1.5", 1.5),
        ("-.5", -0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.e3", 1000.0),
        ("6.02e+23", 6.02e23),
        ("0.1", 0.1),
        ("-0.0", -0.0),
        ("1e308", 1e308),
        ("1e-400", 0.0),
        ("12", 12),
        ("012", 12),
        ("-012", -12),
        ("+7", 7),
        ("0o14", 12),
        ("0xFF", 255),
        ("0", 0),
        ("-0", 0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        (".Inf", math.inf),
        (".INF", math.inf),
        ("+.inf", math.inf),
        ("-.inf", -math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_plain_scalars_are_what_yaml_1_2_says(text: str, expected: Any) -> None:
    got = value(text)
    assert got == expected
    assert type(got) is type(expected)
    if isinstance(expected, float):
        assert math.copysign(1, got) == math.copysign(1, expected)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan_has_three_spellings(text: str) -> None:
    assert math.isnan(value(text))


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "No",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "tRue",
        "nUll",
        ".iNf",
        "+.nan",
        "-.nan",
        "0b11",
        "1_000",
        "0o9",
        "-0x1F",
        "+0o7",
        "1:30",
        "12e",
        "e5",
        "1e",
        "1.5.2",
        "0x",
        "--1",
        "+",
        ".",
        "1 000",
        "inf",
        "nan",
        "2001-01-01",
        "1e5x",
        "=",
        "<<",
    ],
)
def test_what_only_yaml_1_1_or_python_takes_for_more_stays_a_string(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'"])
@pytest.mark.parametrize("text", ["1", "1e-5", "true", "null", "~", ".inf", ""])
def test_what_is_quoted_is_a_string(quoted: str, text: str) -> None:
    assert value(quoted.format(text)) == text
    assert read(f"x: |\n  {text or 'a'}\n")[0]["x"] == (text or "a") + "\n"


@settings(deadline=None, max_examples=150)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_every_number_python_prints_is_read_back_as_it_was(number: float) -> None:
    got = value(repr(number))
    assert got == number
    assert type(got) is type(number)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(json_values)
def test_every_json_document_is_read_as_json_reads_it(data: Any) -> None:
    if isinstance(data, dict):
        assert read(json.dumps(data))[0] == data
    else:
        assert value(json.dumps(data)) == data


def test_an_empty_file_holds_nothing() -> None:
    assert read("")[0] is None
    assert read("# only a comment\n")[0] is None
    assert locate("").start == (1, 1)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), "the key 'a' a second time"),
        ("x: {a: 1, b: {c: 1, c: 2}}\n", (1, 21), "the key 'c' a second time"),
        ("'1': 1\n\"1\": 2\n", (2, 1), "the key '1' a second time"),
        ("x: &here [1]\n", (1, 4), "an anchor"),
        ("x: [1]\ny: *here\n", (2, 4), "an alias"),
        ("x: !!str 1\n", (1, 4), "the tag 'tag:yaml.org,2002:str'"),
        ("x: !python/object/apply:os.system ['true']\n", (1, 4), "the tag"),
        ("x: ! 1\n", (1, 4), "the tag"),
        ("!!map {x: 1}\n", (1, 1), "the tag"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document"),
        ("a: 1\n1: 2\n", (2, 1), "the key 1; keys are strings"),
        ("true: 2\n", (1, 1), "the key True; keys are strings"),
        ("? [a, b]\n: 1\n", (1, 3), "keys are strings"),
        ("? {a: b}\n: 1\n", (1, 3), "keys are strings"),
        ("~: 1\n", (1, 1), "the key None; keys are strings"),
        ("<<: *base\n", (1, 5), "an alias"),
        ("x: 1e400\n", (1, 4), "past the largest float64; for infinity write .inf"),
        ("x: [0, -1e309]\n", (1, 8), "past the largest float64"),
    ],
)
def test_what_case_files_have_no_use_for_is_refused_where_it_stands(
    text: str, place: tuple[int, int], message: str
) -> None:
    error = refused(text)
    assert message in error.message
    assert (error.line, error.column) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x: [1, 2\ny: 3\n", (2, 2)),
        ("x: 'open\n", (2, 1)),
        ("a: b: c\n", (1, 5)),
        ("x: 1\n\ty: 2\n", (2, 1)),
        ("@x\n", (1, 1)),
    ],
)
def test_what_is_no_yaml_is_said_to_be_none_and_where(text: str, place: tuple[int, int]) -> None:
    error = refused(text)
    assert error.message.startswith("not YAML: ")
    assert (error.line, error.column) == place


def test_characters_that_yaml_forbids_are_an_error_of_the_file_and_not_of_the_program() -> None:
    for character in ("\x00", "\x07", "\x7f"):
        assert "not YAML" in refused(f"x: a{character}b\n").message


def test_nesting_is_limited() -> None:
    fine = "[" * (limits.YAML_DEPTH - 1) + "]" * (limits.YAML_DEPTH - 1)
    assert value(fine) is not None
    error = refused(f"x: [{fine}]\n")
    assert f"nesting deeper than {limits.YAML_DEPTH}" in error.message
    assert error.column == 4 + limits.YAML_DEPTH - 1


def bomb() -> str:
    """Nine levels of nine aliases: a billion values, were they built."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for i in range(1, 10):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        bomb(),
        "x: " + "[" * 200_000,
        "x: " + "{a: " * 100_000,
        "- " * 100_000 + "1\n",
        "x: " + "9" * 1_000_000 + "\n",
        "x: 0x" + "f" * 1_000_000 + "\n",
        "x: 1." + "9" * 1_000_000 + "\n",
        "x" * (limits.CASE_FILE_BYTES + 1),
    ],
    ids=["aliases", "brackets", "braces", "dashes", "digits", "hexadecimal digits", "decimals", "size"],
)
@pytest.mark.timeout(60)  # what it guards against takes hours
def test_texts_made_to_exhaust_a_reader_are_refused_at_once(text: str) -> None:
    refused(text)


def test_a_number_may_have_many_digits_but_not_without_end() -> None:
    assert value("1" * 1000) == int("1" * 1000)
    assert "more than 1000 characters" in refused("x: " + "1" * 1001 + "\n").message
    assert value("'" + "1" * 5000 + "'") == "1" * 5000


TEXT = """\
about: 'it''s'
cases:
  - name: first
    given:
      x: [1, 2,
          3]
      y: {array: [5], dtype: int8}
    # a comment
    call: softmax(x)

  - {name: second, call: "exp(x)"}
  -
    name: third
  - - nested
  - 5
"""


def test_every_value_and_every_key_has_its_line_and_column() -> None:
    place = locate(TEXT)
    for keys, mark in [
        ((), (1, 1)),
        (("about",), (1, 8)),
        (("cases",), (3, 3)),
        (("cases", 0), (3, 5)),
        (("cases", 0, "name"), (3, 11)),
        (("cases", 0, "given", "x"), (5, 10)),
        (("cases", 0, "given", "x", 0), (5, 11)),
        (("cases", 0, "given", "x", 2), (6, 11)),
        (("cases", 0, "given", "y", "array", 0), (7, 19)),
        (("cases", 0, "call"), (9, 11)),
        (("cases", 1), (11, 5)),
        (("cases", 1, "call"), (11, 26)),
        (("cases", 2), (13, 5)),
    ]:
        assert place.find(keys) == mark, keys
    for keys, mark in [
        (("about",), (1, 1)),
        (("cases", 0, "given"), (4, 5)),
        (("cases", 0, "given", "y", "dtype"), (7, 23)),
        (("cases", 1, "call"), (11, 20)),
    ]:
        assert place.find(keys, at_key=True) == mark, keys


def test_what_is_not_there_is_placed_at_the_nearest_thing_around_it() -> None:
    place = locate(TEXT)
    assert place.find(("cases", 0, "given", "z", 3)) == place.find(("cases", 0, "given")) == (5, 7)
    assert place.find(("cases", 9)) == (3, 3)
    assert place.find(("cases", 0, "nothing"), at_key=True) == (3, 5)


def test_an_offset_counts_from_the_first_character_of_a_scalar_on_one_line() -> None:
    place = locate("plain: exp(x)\nquoted: 'exp(x)'\nblock: |\n  exp(x)\nfolded: exp(\n  x)\n")
    assert place.find(("plain",), 4) == (1, 12)
    assert place.find(("quoted",), 4) == (2, 14)
    assert place.find(("quoted",)) == (2, 9)
    assert place.find(("block",), 4) == (3, 8)  # no column inside: the text begins on another line
    assert place.find(("folded",), 4) == (5, 9)


def test_columns_count_characters_and_not_bytes() -> None:
    assert locate("{é: 1, 好: [0, 8]}\n").find(("好", 1)) == (1, 16 - 1)


def test_the_lines_on_which_entries_begin_are_known_of_entries_of_any_kind() -> None:
    assert read(TEXT)[1] == [3, 11, 13, 14, 15]
    assert read("cases: [{a: 1}, {a: 2},\n  {a: 3}]\n")[1] == [1, 1, 2]
    assert read("document: {lines: {deep: 1}}\ncases:\n  - a: 1\n")[1] == [3]


def test_reading_with_and_without_places_gives_the_same_data() -> None:
    assert isinstance(locate(TEXT), Place)
    reference = yaml.safe_load(TEXT)  # no value in it differs between YAML 1.1 and 1.2
    assert read(TEXT)[0] == reference


PIECES = [
    "a", "b: ", "- ", "? ", ": ", "\n", "  ", "[", "]", "{", "}", ",", "'", '"', "|", ">", "#", "&a ", "*a", "!!int ", "!x ", "%YAML",
    "---", "...", "~", "1", "-0.0", ".nan", "1e5", "0x1F", "0o7", "9" * 1001, "\\u202e", "\\", "\t", "\r", "\0", "\x85", "\u2028",
    "\ufeff", "\ud800", "é", "<<: ", "@", "`",
]  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=80))
def test_any_text_is_data_or_an_error_at_a_place_in_it(text: str) -> None:
    try:
        data, entries = read(text)
    except YamlError as error:
        lines = f"{text}.".splitlines()
        assert error.message
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        return
    place = locate(text)
    lines = len(f"{text}.".splitlines())
    assert all(1 <= line <= lines for line in entries)
    assert 1 <= place.start[0] <= lines + 1  # of nothing, the place is the end
    json.dumps(data)  # plain data, in nothing a cycle
