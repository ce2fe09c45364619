"""Whether two runs were asked the same: only then is a difference between their answers one."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.runfile import CaseLine, Stored, VariantLine
from conformance.runfile.arrays import identical


def case_change(a: CaseLine, b: CaseLine) -> str:
    """What of a case is another one in B; empty where nothing is."""
    if a.operation != b.operation:
        return "the operation it is about"
    return "" if (a.text, a.call, a.claim) == (b.text, b.call, b.claim) else "the case's text"


def variant_change(a: VariantLine, b: VariantLine) -> str:
    """What of a variant is another one in B; empty where nothing is.

    A verdict is given on the exact answer and on what the case expects. Where those changed, the suite did, and not
    the framework. What the case binds follows from its text and the variant's ID.
    """
    if (a.dtype, a.check) != (b.dtype, b.check):
        return "its dtype, or whether it is a gradient"
    if not _same(a.inputs, b.inputs):
        return "the inputs"
    if (a.answer is None) != (b.answer is None) or (a.answer and b.answer and not identical(a.answer, b.answer)):
        return "the exact answer"
    return "" if a.expected == b.expected else "what is expected"


def _same(a: Mapping[str, Stored], b: Mapping[str, Stored]) -> bool:
    return list(a) == list(b) and all(identical(a[name], b[name]) for name in a)
