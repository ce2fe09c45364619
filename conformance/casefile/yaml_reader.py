"""YAML text to plain data, by the rules of YAML 1.2's core schema, from libyaml's events.

What the case language has no use for is refused here: tags, anchors and aliases, several documents in a file,
duplicate keys, keys that are no strings, nesting past a limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from conformance.casefile.errors import place_in
from conformance.ground import limits

_LIST_DEPTH = 2  # a list in the file's own mapping
_TOO_DEEP = f"nesting deeper than {limits.YAML_DEPTH} levels"

_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIALS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_STARTS_LIKE_A_NUMBER = frozenset("0123456789+-.")
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)  # YAML 1.2, c-printable, and byte order marks anywhere but at the beginning

Mark = tuple[int, int]


class YamlError(ValueError):
    """The text is not YAML, or uses a part of YAML that case files don't have."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(slots=True)
class Place:
    """Where a value stands in the text, and its parts in turn. Lines and columns count from 1.

    `inset` is the distance from a scalar's start to its first character; None where it takes several lines.
    """

    start: Mark
    inset: int | None = None
    keys: dict[str, Mark] = field(default_factory=dict)
    parts: dict[str | int, Place] = field(default_factory=dict)

    def find(self, keys: tuple[str | int, ...], offset: int = 0, *, at_key: bool = False) -> Mark:
        """The place of the value that `keys` lead to, or of the nearest thing around it that is there.

        Args:
            keys: from the outermost to the innermost.
            offset: counts characters into a scalar.
            at_key: the place of the last key is wanted, not that of its value.
        """
        place = self
        for i, key in enumerate(keys):
            if key not in place.parts:
                return place.start
            if at_key and i == len(keys) - 1 and isinstance(key, str):
                return place.keys[key]
            place = place.parts[key]
        line, column = place.start
        return line, column + (place.inset + offset if offset and place.inset is not None else 0)


def read(text: str) -> tuple[Any, list[int]]:
    """The data in `text`, and the lines on which the entries of the lists at its top level begin.

    Raises:
        YamlError: at the first thing that is not allowed.
    """
    builder = _Builder(text, with_places=False)
    data, _ = builder.build()
    return data, builder.entries


def locate(text: str) -> Place:
    """The places of everything in `text`, which `read` accepted. Slower than `read`: for error messages."""
    place = _Builder(text, with_places=True).build()[1]
    return place or Place((1, 1))


class _Builder:
    def __init__(self, text: str, with_places: bool) -> None:
        self._text = text
        self._with_places = with_places
        self._depth = 0
        self.entries: list[int] = []

    def build(self) -> tuple[Any, Place | None]:
        if len(self._text) > limits.CASE_FILE_BYTES:
            raise YamlError(f"the file has more than {limits.CASE_FILE_BYTES:,} characters; split it", 1, 1)
        if forbidden := _FORBIDDEN.search(self._text, 1 if self._text.startswith("\ufeff") else 0):
            line, column = place_in(self._text, forbidden.start())
            raise YamlError(f"not YAML: the character U+{ord(forbidden[0]):04X}, which it does not allow", line, column)
        try:
            parser = _Parser(self._text)
            self._next = parser.get_event
            self._next()  # stream start
            event = self._next()
            if isinstance(event, yaml.StreamEndEvent):
                return None, None
            value, place = self._value(self._next())
            self._next()  # document end
            event = self._next()
            if not isinstance(event, yaml.StreamEndEvent):
                raise _refuse("a second document; a case file holds one", event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            line, column = min((line, column), place_in(self._text, len(self._text)))  # the end may count as a new line
            problem = f"not YAML: {error.problem or error.context}"
            if "nesting depth" in problem:  # the parser reads ahead, and some versions have a limit of their own
                problem = f"not allowed here: {_TOO_DEEP}"
            raise YamlError(problem, line, column) from None
        except yaml.YAMLError as error:
            raise YamlError(f"not YAML: {error}".replace("\n", " "), 1, 1) from None
        return value, place

    def _value(self, event: Any) -> tuple[Any, Place | None]:
        kind = type(event)
        if kind is yaml.AliasEvent:
            raise _refuse("an alias; case files have none: write the value out, or use a grid ('for')", event)
        if event.anchor is not None:
            raise _refuse("an anchor; case files have none: write the value out, or use a grid ('for')", event)
        if event.tag is not None:
            raise _refuse(f"the tag '{event.tag}'; case files have no tags", event)
        if kind is yaml.ScalarEvent:
            place = self._place(event)
            if place is not None and event.start_mark.line == event.end_mark.line:
                place.inset = 0 if event.implicit[0] else 1  # plain, or after a quotation mark
            return self._scalar(event), place
        self._depth += 1
        if self._depth > limits.YAML_DEPTH:
            raise _refuse(_TOO_DEEP, event)
        result = self._mapping(event) if kind is yaml.MappingStartEvent else self._sequence(event)
        self._depth -= 1
        return result

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0]:  # quoted or block: a string, whatever it looks like
            return text
        if text and text[0] not in _STARTS_LIKE_A_NUMBER:
            if text in _BOOLS:
                return _BOOLS[text]
            return None if text in _NULLS else text
        if text in _NULLS:
            return None
        if len(text) > limits.NUMBER_CHARACTERS and (_INTEGER.fullmatch(text) or _FLOAT.fullmatch(text)):
            raise _refuse(f"a number of more than {limits.NUMBER_CHARACTERS} characters", event)
        if _INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number - number != 0:
                raise _refuse(f"the number {text}, past the largest float64; for infinity write .inf", event)
            return number
        return float(text.replace(".", "", 1)) if _SPECIALS.fullmatch(text) else text

    def _sequence(self, start: Any) -> tuple[list[Any], Place | None]:
        result: list[Any] = []
        place = self._place(start)
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            value, part = self._value(event)
            if place is not None and part is not None:
                place.parts[len(result)] = part
            if self._depth == _LIST_DEPTH:
                self.entries.append(event.start_mark.line + 1)
            result.append(value)
        return result, place

    def _mapping(self, start: Any) -> tuple[dict[str, Any], Place | None]:
        result: dict[str, Any] = {}
        place = self._place(start)
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key, _ = self._value(event)
            if not isinstance(key, str):
                raise _refuse(f"the key {key!r}; keys are strings", event)
            if "\n" in key:  # which the end of a regular expression, `$`, would let pass
                raise _refuse("a key of more than one line", event)
            if key in result:
                raise _refuse(f"the key '{key}' a second time in one mapping", event)
            result[key], part = self._value(self._next())
            if place is not None and part is not None:
                place.keys[key] = (event.start_mark.line + 1, event.start_mark.column + 1)
                place.parts[key] = part
        return result, place

    def _place(self, event: Any) -> Place | None:
        return Place((event.start_mark.line + 1, event.start_mark.column + 1)) if self._with_places else None


def _refuse(what: str, event: Any) -> YamlError:
    return YamlError(f"not allowed here: {what}", event.start_mark.line + 1, event.start_mark.column + 1)
