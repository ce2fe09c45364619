"""How many elements a call gives is known before it is run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.casefile import expressions
from conformance.casefile.errors import Mistake
from conformance.casefile.extents import Shape, _Extents, check_extents
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
        "mean(many, axis=[1, -2]) + one",
        "sum(many, axis=[1, -2]) * many",
        "sum(many, axis=[0, 1], keepdims=True) * many",
        "sum(many, axis=[]) * many",
        "sum(one, axis=[-1]) + sum(one, axis=[])",
        "sum(asarray([[1, 2], [3, 4]]), axis=[0, 1])",
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


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("sum(many, axis=2)", "15: axis 2 is out of range at rank 2, its axes go from -2 to 1: "),
        ("exp(mean(many, axis=[0, -3]))", "20: axis -3 is out of range at rank 2"),
        ("sum(many, axis=[0, 0])", "15: axis 0 is given twice: "),
        ("sum(many, axis=[0, -2])", "15: 0 and -2 are one axis at rank 2: "),
        ("sum(many, axis=[-1, 1])", "15: -1 and 1 are one axis at rank 2: "),
        ("sum(row, axis=axis)", "14: 0 and -1 are one axis at rank 1: "),
        ("sum(one, axis=[1])", "14: axis 1 is out of range at rank 1, its one axis is 0 or -1: "),
        ("sum(one, axis=[0, -1])", "14: 0 and -1 are one axis at rank 1: "),
        ("sum(sum(many, axis=[0, 1]), axis=1)", "33: axis 1 is out of range at rank 1"),
        ("sum(asarray(nested), axis=2)", "26: axis 2 is out of range at rank 2"),
        ("sum(softmax(many, axis=1), axis=[0, 2]) == 2", "32: axis 2 is out of range at rank 2"),
        ("shape(mean(many, axis=[1, 1])) == [1]", "22: axis 1 is given twice"),
    ],
)
def test_axes_that_a_reduction_cannot_go_along_are_pointed_at_unless_that_is_expected(text: str, mistake: str) -> None:
    bindings = {"axis": [0, -1], "nested": [[1, 2], [3, 4]]}
    found = largest(text, **bindings)
    assert found.startswith(mistake)
    if mistake.endswith(": "):
        assert found.endswith("correct it, or state 'expect: raises' if the call is to be refused")
    parse = expressions.parse_claim if "==" in text else expressions.parse_call
    check_extents(parse(text), SHAPES, bindings, refused=True)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, [], [1], [0, 2], [-1, 1], [2, 0, 1]])
def test_the_shape_of_a_reduction_is_numpys(axis: Any, keepdims: bool) -> None:
    bindings = {"axis": axis, "keepdims": keepdims}
    for name in ("sum", "mean"):
        call = expressions.parse_call(f"{name}(x, axis=axis, keepdims=keepdims)")
        along = tuple(axis) if isinstance(axis, list) else axis
        due = np.sum(np.zeros((3, 4, 5)), axis=along, keepdims=keepdims).shape
        assert _Extents({"x": (3, 4, 5)}, bindings, refused=False).of(call) == due
