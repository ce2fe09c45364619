"""What the decoder says of data that does not fit the model, in words: what was expected, and what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from conformance.casefile.errors import did_you_mean

_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "a mapping",
}
_UNITS = {"str": ("character", "characters")}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_SHAPES = {
    "^[a-z0-9]+(-[a-z0-9]+)*$": "a name of lower-case words and numbers joined by hyphens, such as sums-to-one",
    "^[a-z][a-z0-9_]*$": "a name of lower-case letters, digits and underscores, with a letter first, such as x_1",
    "^[1-9][0-9]{0,8}-[1-9][0-9]{0,8}$": "the first and the last line, such as 2-13",
    "^[0-9a-f]{64}$": "the 64 hexadecimal digits of a SHA-256",
}
"""What the model's patterns of texts stand for."""

_SAID = re.compile(
    r"Expected `([^`]+)`(?:, got `([^`]+)`| (of length )?([<>]=?) (\S+)| matching regex '(.*)')?", re.DOTALL
)
_LONGEST = 60


def in_words(message: str, value: Any, words: Sequence[str] = ()) -> str:
    """A message of the decoder's in words.

    Args:
        message: without the path at its end.
        value: that it is about.
        words: the texts that are allowed in its place, where there are just some.
    """
    if message.startswith("Invalid enum value"):
        one_of = "one of " if len(words) > 1 else ""
        allowed = f"expected {one_of}{', '.join(words)}, " if words else ""
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        return f"{allowed}found {shown(value)}{hint if 'did you mean' in hint else ''}"
    said = _SAID.fullmatch(message)
    if said is None:
        return message[0].lower() + message[1:]
    kind, got, of_length, relation, bound, pattern = said.groups()
    if pattern is not None:
        return f"expected {_SHAPES.get(pattern, 'a text of another form')}, found {shown(value)}"
    if of_length:
        one, many = _UNITS.get(kind, ("entry", "entries"))
        size = f", found {len(value):,}" if isinstance(value, (str, list, dict)) else ""
        return f"expected {_BOUNDS[relation]} {bound} {one if bound == '1' else many}{size}"
    if relation:
        return f"expected {_KINDS.get(kind, kind)}, {_BOUNDS[relation]} {bound}, found {shown(value)}"
    *others, last = (_KINDS.get(one, one) for one in kind.split(" | "))
    expected = f"{', '.join(others)} or {last}" if others else last
    hint = "; a text that reads like that has to stand in quotes" if "str" in kind and got in ("null", "bool") else ""
    return f"expected {expected}, found {shown(value) if got else _KINDS.get(kind, kind)}{hint}"


def shown(value: Any) -> str:
    """A value as a case file has it; of lists and mappings only that they are."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
