"""How many elements a call gives is known before it is run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.casefile import expressions
from conformance.casefile.errors import Mistake
from conformance.casefile.extents import Shape, check_extents
from conformance.ground import limits

ROOT = 2**10  # of the largest number of elements
SHAPES: dict[str, Shape] = {"x": (ROOT, 1), "row": (ROOT,), "many": (ROOT, ROOT), "one": (), "none": (0, ROOT)}


def largest(text: str, **bindings: Any) -> str:
    """The mistake that an expression is refused with; empty where it isn't."""
    claim = any(sign in text for sign in ("==", "<"))
    try:
        check_extents((expressions.parse_claim if claim else expressions.parse_call)(text), SHAPES, bindings)
    except Mistake as mistake:
        return f"{mistake.offset}: {mistake.message}"
    return ""


@pytest.mark.parametrize(
    "text",
    [
        "x * row",
        "exp(many)",
        "sum(many, axis=0) + sum(many, axis=-1)",
        "sum(many) * many",
        "sum(many, axis=0, keepdims=True) * sum(many, axis=1, keepdims=True)",
        "mean(many, axis=5) + one",
        "stack([row, row], axis=1)",
        "reshape(many, shape=[-1, 2])",
        "reshape(x, shape=[-5, 7])",
        "asarray([[1, 2], [3, 4]]) * one",
        "binary_cross_entropy(many, many) * many",
        "binary_cross_entropy(x, row, reduction='none')",
        "stack([none, none, none]) * many",
        "shape(stack([many])) == [1, 1024, 1024]",
        "x + many * many - row",
        "many + row + asarray([1, 2, 3])",
    ],
)
def test_results_up_to_the_limit_are_let_pass(text: str) -> None:
    assert largest(text) == ""


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("exp(x * row + stack([x, x]))", "4: 'add' gives 2,097,152 elements"),
        ("stack([many, many], axis=-1)", "0: 'stack' gives 2,097,152"),
        ("asarray(big)", ""),
        ("reshape(one, shape=s)", "0: 'reshape' gives 1,099,511,627,776"),
        ("reshape(x, shape=[-1]) * reshape(many, shape=[-1, 1])", "0: 'multiply' gives 1,073,741,824"),
        ("binary_cross_entropy(reshape(many, shape=[-1, 1]), row)", "0: 'binary_cross_entropy' gives 1,073,741,824"),
        ("exp(one) == many * reshape(many, shape=[1024, 1024, 1])", "12: 'multiply' gives 1,073,741,824"),
        ("shape(stack([many, many])) == [2]", "6: 'stack' gives 2,097,152"),
        ("softmax(stack([stack([many])] ), axis=0) * stack([one, one])", ""),
    ],
)
def test_the_first_call_that_gives_more_is_pointed_at(text: str, mistake: str) -> None:
    found = largest(text, s=[2**20, 2**20], big=[1.0, 2.0])
    assert found.startswith(mistake) if mistake else found == ""


@pytest.mark.parametrize(
    "text", ["exp(x)", "x * row", "sum(many, axis=1)", "stack([x, x], axis=1)", "reshape(many, shape=[2, -1])"]
)
def test_the_limit_is_held_against_what_numpy_gives(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {name: np.zeros(shape, dtype=np.int8) for name, shape in SHAPES.items()}
    numpy = {"exp": abs, "sum": np.sum, "stack": np.stack, "reshape": lambda x, shape: np.reshape(x, shape)}
    size = eval(text, {**numpy, **arrays}).size
    monkeypatch.setattr(limits, "ELEMENTS", size)
    assert largest(text) == ""
    monkeypatch.setattr(limits, "ELEMENTS", size - 1)
    assert f"gives {size:,} elements" in largest(text)
