"""What the decoder says, in words: no raw kind, pattern or enum reaches a reader."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from conformance.casefile.decoder_words import in_words, shown
from conformance.casefile.model import Case, CaseFile, Divergence, Given, Within


@pytest.mark.parametrize(
    ("message", "value", "words", "due"),
    [
        ("Expected `array`, got `null`", None, (), "expected a list, found nothing"),
        ("Expected `str`, got `int`", 5, (), "expected a text, found 5"),
        (
            "Expected `str`, got `bool`",
            True,
            (),
            "expected a text, found true; a text that reads like that has to stand in quotes",
        ),
        ("Expected `int | str`, got `float`", 1.5, (), "expected a whole number or a text, found 1.5"),
        ("Expected `int` >= 0", -3, (), "expected a whole number, at least 0, found -3"),
        ("Expected `float` > 0.0", 0, (), "expected a number, more than 0.0, found 0"),
        ("Expected `str` of length >= 10", "short", (), "expected at least 10 characters, found 5"),
        ("Expected `array` of length >= 1", [], (), "expected at least 1 entry, found 0"),
        ("Expected `object` of length <= 32", {"a": 1, "b": 2}, (), "expected at most 32 entries, found 2"),
        (
            "Expected `str` matching regex '^[0-9a-f]{64}$'",
            "x",
            (),
            "expected the 64 hexadecimal digits of a SHA-256, found 'x'",
        ),
        ("Expected `str` matching regex '^unheard-of$'", "x", (), "expected a text of another form, found 'x'"),
        ("Invalid enum value 'raise'", "raise", ("raises",), "expected raises, found 'raise'; did you mean 'raises'?"),
        ("Invalid enum value 'z'", "z", ("cpu", "gpu"), "expected one of cpu, gpu, found 'z'"),
        ("Something new", 1, (), "something new"),
    ],
)
def test_each_kind_of_message_says_what_was_expected_and_what_was_found(
    message: str, value: Any, words: tuple[str, ...], due: str
) -> None:
    assert in_words(message, value, words) == due


def test_what_is_long_is_cut_and_what_is_nested_is_named() -> None:
    assert shown("a" * 100) == f"'{'a' * 59}…"
    assert shown([1, 2]) == "a list"
    assert shown({"a": 1}) == "a mapping"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Case, {"name": "A", "call": "exp(x)"}),
        (Case, {"name": 5, "call": "exp(x)"}),
        (Case, {"name": "a", "check": ["valu"]}),
        (Case, {"name": "a", "given": 3}),
        (Case, {"name": "a", "draw": "line"}),
        (CaseFile, {"cases": None}),
        (Given, {"normal": {"shape": [2], "seed": -1}}),
        (Given, {"layout": 3}),
        (Within, {"because": "short"}),
        (Divergence, {"cases": 5}),
    ],
)
def test_of_what_does_not_fit_the_model_nothing_raw_is_left(kind: Any, data: Any) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(data, kind)
    said = in_words(str(error.value).partition(" - at `$")[0], data)
    assert "`" not in said
    assert "regex" not in said and "enum" not in said
