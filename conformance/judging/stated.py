"""Results held against values that the case states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conformance.casefile.errors import Mistake
from conformance.casefile.numbers import to_array
from conformance.casefile.variants import Variant
from conformance.ground import dtypes
from conformance.judging.answers import Answer
from conformance.judging.elements import Elements
from conformance.words.wording import describe


def stated_elements(variant: Variant, elements: Elements, got: np.ndarray, add: Callable[..., None]) -> Answer | None:
    """The result against values that the case states, signs of zeros included; returns them, in the result's dtype."""
    expect, found = variant.case.expect, dtypes.of(got)
    try:
        due = to_array(expect.values, found)
    except Mistake as mistake:  # a dtype that can't hold them
        add("value", "the values stated by the case", describe(got), mistake.message)
        return None
    if due.shape != got.shape:
        add("shape", str(list(due.shape)), str(list(got.shape)))
        return None
    elements.bits(due, got, f"stated by the case: {expect.because}")
    return Answer(due.shape, found, bits=due)
