"""Whole numbers out of exact definitions."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.truth import balls
from conformance.truth.whole import whole_numbers, wrapped


@pytest.mark.parametrize(
    ("dtype", "number", "due"),
    [
        ("int8", 127, 127),
        ("int8", 128, -128),
        ("int8", -129, 127),
        ("uint8", -1, 255),
        ("uint8", 256, 0),
        ("int64", 2**63, -(2**63)),
        ("uint64", -1, 2**64 - 1),
        ("int32", 10**30, int.from_bytes((10**30).to_bytes(16, "little")[:4], "little", signed=True)),
    ],
)
def test_what_does_not_fit_is_taken_modulo_two_to_the_width(dtype: str, number: int, due: int) -> None:
    found = wrapped([number], DTYPES[dtype])
    assert (found.tolist(), found.dtype.name) == ([due], dtype)


def test_products_past_every_machine_integer_are_exact_and_fractions_are_none() -> None:
    large = np.array([[2**62 + 1, 3]])
    assert whole_numbers(lambda: balls.exact(large) * balls.exact(large)) == ((1, 2), [(2**62 + 1) ** 2, 9])
    assert whole_numbers(lambda: balls.exact(large) / 2) == ((1, 2), None)
    assert whole_numbers(lambda: np.exp(balls.exact(np.array([1])))) == ((1,), None)
