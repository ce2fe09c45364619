"""Schemas are the same from every version of Python."""

from __future__ import annotations

import json

import msgspec

from conformance.ground.schemas import schema_text


class Inner(msgspec.Struct):
    """A part of it."""

    description: str = ""


class Outer(msgspec.Struct):
    __doc__ = "A summary.\n\n    Indented, as the parser of Python 3.11 leaves it.\n    "

    parts: list[Inner] = []


def test_descriptions_are_without_the_indentation_of_docstrings() -> None:
    schema = json.loads(schema_text(Outer, "A title"))
    assert schema["title"] == "A title"
    found = schema["$defs"]
    assert found["Outer"]["description"] == "A summary.\n\nIndented, as the parser of Python 3.11 leaves it."
    assert found["Inner"]["description"] == "A part of it."
    assert found["Inner"]["properties"] == {"description": {"type": "string", "default": ""}}  # a field of that name
