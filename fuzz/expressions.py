"""Any text is an expression or a mistake at a place in it; what is an expression can be checked."""

from __future__ import annotations

import atheris
from driving import CASES, drive, words

with atheris.instrument_imports(include=["conformance.casefile"]):
    from conformance.casefile import expressions
    from conformance.casefile.errors import Mistake
    from conformance.casefile.extents import check_extents
    from conformance.casefile.loader import load


def one_input(data: bytes) -> None:
    """Parse a text both ways, and check it as a case's."""
    text = words(data)
    for parse in (expressions.parse_call.__wrapped__, expressions.parse_claim.__wrapped__):  # without their caches
        try:
            parsed = parse(text)
            expressions.check(parsed, {"x", "y"}, {"axis": [0, None, [0, 1], []], "shape": [[2]]})
            check_extents(parsed, {"x": (3, 4), "y": (4,)}, {"axis": [0, -1], "shape": [2]})
        except Mistake as mistake:
            assert 0 <= mistake.offset <= len(text.encode("utf-8", "surrogatepass"))


if __name__ == "__main__":
    found = [case.case.call or case.case.claim or "" for case in load(CASES).cases]
    drive(one_input, [text.encode() for text in dict.fromkeys(found)])
