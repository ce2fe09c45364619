"""The query language of the list of variants, as far as a page's own links need it: terms, quoted where they must be.

The language itself lives in the page: `templates/query.js` reads it, and the page explains it.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[\w./+-]+")


def term(field: str, value: str, relation: str = "=") -> str:
    """A term of a query: ``mode=jit``, ``why="no such dtype"``."""
    if _PLAIN.fullmatch(value):
        return f"{field}{relation}{value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field}{relation}"{escaped}"'
