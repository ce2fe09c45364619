"""JSON Schemas of what the suite reads and writes, generated from the models."""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec


def schema_text(model: type[msgspec.Struct], title: str) -> str:
    """The JSON Schema of a model, indented; the same from every version of Python."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**head, **_undented(msgspec.json.schema(model))}, indent=2, ensure_ascii=False) + "\n"


def _undented(part: Any) -> Any:
    """Without the indentation of docstrings in descriptions, which Python takes away by itself from 3.13 on."""
    if isinstance(part, dict):
        return {
            key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _undented(value)
            for key, value in part.items()
        }
    return [_undented(item) for item in part] if isinstance(part, list) else part
