"""What a terminal or a page would act on is shown as its escape, and everything else as it is."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.words.visible import clipped, on_one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("softmax(x, axis=0)", "softmax(x, axis=0)"),
        ("two\n\tlines", "two\n\tlines"),
        ("Größe × π — 数", "Größe × π — 数"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("a\rb\x00\x7f\x9b", r"a\rb\x00\x7f\x9b".replace(r"\r", r"\x0d")),
        ("\u202etxt.exe\u202c", r"\u202etxt.exe\u202c"),
        ("\u2066x\u2069\u200f\u061c", r"\u2066x\u2069\u200f\u061c"),
        ("in\u200bvisible\ufeff", r"in\u200bvisible\ufeff"),
        ("a\u2028b", r"a\u2028b"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_acting_characters_are_escapes_and_all_others_stay(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_no_control_format_or_surrogate_character_of_unicode_is_left_that_moves_text() -> None:
    moving = {"BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character in "\t\n":
            continue
        if unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in moving - {"BN"}:
            assert visible(character) != character, hex(code)


@settings(deadline=None)
@given(st.text())
def test_what_is_visible_can_always_be_encoded_and_is_so_twice(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown
    assert "\n" not in on_one_line(text)


def test_a_long_text_is_cut_in_its_middle() -> None:
    assert clipped("short", 10) == "short"
    cut = clipped("a" * 500 + "b" * 500, 90)
    assert cut == "a" * 60 + " … " + "b" * 22
