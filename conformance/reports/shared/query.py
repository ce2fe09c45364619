"""The query language of the list of variants, as far as a page's own links need it: terms, quoted where they must be.

The language itself lives in the page: `parity/query.js` reads it, and the page explains it.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[\w./+-]+")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})  # the box holds no line breaks


def term(field: str, value: str, relation: str = "=") -> str:
    """A term of a query: ``mode=jit``, ``why="no such dtype"``."""
    if _PLAIN.fullmatch(value):
        return f"{field}{relation}{value}"
    return f'{field}{relation}"{value.translate(_ESCAPES)}"'
