"""Any text is a printed array or a mistake at a place in it; what is one has as many numbers as its shape says."""

from __future__ import annotations

import math

import atheris
from driving import CASES, drive, words

with atheris.instrument_imports(include=["conformance.casefile"]):
    from conformance.casefile.errors import Mistake
    from conformance.casefile.loader import load
    from conformance.casefile.model import Given
    from conformance.casefile.printed import parse


def one_input(data: bytes) -> None:
    """Parse a text."""
    text = words(data)
    try:
        found = parse.__wrapped__(text)  # without its cache
    except Mistake as mistake:
        assert 0 <= mistake.offset <= len(text)
        return
    assert len(found.texts) == len(found.midpoints) == math.prod(found.shape)
    low, high = found.bounds()
    assert low.shape == high.shape == found.shape


if __name__ == "__main__":
    prints = []
    for case in load(CASES).cases:
        given = [value for value in case.case.given.values() if isinstance(value, Given)]
        prints += [case.expect.prints, *(value.sources.get("printed") for value in given)]
    drive(one_input, [text.encode() for text in dict.fromkeys(prints) if text])
