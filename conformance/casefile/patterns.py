"""Patterns of variant IDs: ``*`` stands for anything, ``?`` for one character."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """The regular expression of a pattern.

    Between two stars, the first place where the text fits is as good as any other. Groups that are never gone back into
    say so: without them, the time would grow as the length to the power of the number of stars.
    """
    first, *others = ("".join("." if c == "?" else re.escape(c) for c in part) for part in re.split(r"\*+", text))
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(first + middle + (f".*{others[-1]}" if others else ""), re.DOTALL)


def matches(pattern: str, variant_id: str) -> bool:
    """Whether a pattern of variant IDs matches: ``*`` stands for anything, ``?`` for one character."""
    return pattern == variant_id or _pattern(pattern).fullmatch(variant_id) is not None


@lru_cache(maxsize=16384)
def beginning(pattern: str) -> tuple[str, bool]:
    """What stands before a pattern's first wildcard, and whether that is the whole of a case's ID."""
    plain = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return plain, pattern[len(plain) : len(plain) + 1] == "["
