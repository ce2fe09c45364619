"""How an input was made, and the plain values of a case, its arguments among them, as JSON can hold them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Made(Struct, frozen=True, omit_defaults=True):
    """How an input was made, where that says more than its elements.

    Attributes:
        source: the generator of its numbers (`conformance.casefile.generators.MAKERS`); empty for one that the case
            writes out.
        arguments: what the generator took, by name (see `encoded`).
        put: of an element that was replaced, its place in row-major order, and by what (see `encoded`).
        layout: how it lies in memory, if not contiguously.
    """

    source: str = ""
    arguments: dict[str, Any] = {}
    put: list[Any] = []
    layout: str = ""


def encoded(value: Any) -> Any:
    """A plain value of a case as JSON can hold it: an infinity or a NaN, which it lacks, as a mapping of its name."""
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return {"float": str(value)} if isinstance(value, float) and value - value != 0 else value


def plain(value: Any) -> Any:
    """What `encoded` was given; cases have no mappings as values, so nothing else can look like that."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict) and value.get("float") in ("nan", "inf", "-inf"):
        return float(value["float"])
    return value
