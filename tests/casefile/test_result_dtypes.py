"""Results whose dtype nothing defines are mistakes of the case, at their call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import parse_call, parse_claim
from conformance.casefile.result_dtypes import check_dtypes
from conformance.ground.dtypes import DTYPES


def found(text: str, stated: bool = False, **given: str) -> Mistake | None:
    """The mistake in a call, or in a claim where it compares."""
    parse = parse_claim if "=" in text.replace("axis=", "").replace("weight=", "") else parse_call
    try:
        check_dtypes(parse(text), {name: DTYPES[dtype] for name, dtype in given.items()}, {"axis": 0}, stated)
    except Mistake as mistake:
        return mistake
    return None


@pytest.mark.parametrize(
    ("text", "given", "of", "column"),
    [
        ("mean(x)", {"x": "int32"}, "'mean' is not defined for int32", 0),
        ("exp(mean(x, axis=axis))", {"x": "bool"}, "'mean' is not defined for bool", 4),
        (
            "binary_cross_entropy(p, t, weight=w)",
            {"p": "bfloat16", "t": "bfloat16", "w": "float32"},
            "'binary_cross_entropy' is not defined for bfloat16 and float32",
            0,
        ),
        ("x + y", {"x": "int32", "y": "int64"}, "'add' is not defined for int32 and int64", 0),
        ("x / 2", {"x": "int64"}, "'divide' is not defined for int64", 0),
        ("stack([x, y])", {"x": "float32", "y": "int64"}, "'stack' is not defined for float32 and int64", 0),
        ("sum(softmax(x)) == 1", {"x": "int8"}, "'softmax' is not defined for int8", 4),
        ("shape(softmax(x)) == [2]", {"x": "int8"}, "'softmax' is not defined for int8", 6),
    ],
)
def test_what_leaves_the_dtype_open_is_named_with_the_dtypes_and_its_place(
    text: str, given: dict[str, str], of: str, column: int
) -> None:
    mistake = found(text, **given)
    assert mistake is not None
    assert mistake.message.startswith(f"the dtype of the result of {of}: expected ")
    assert mistake.offset == column


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("sum(x)", {"x": "int8"}),
        ("x + y", {"x": "int64", "y": "int64"}),
        ("-x", {"x": "uint8"}),
        ("x * 2.5", {"x": "bfloat16"}),
        ("mean(x) / y", {"x": "float16", "y": "float16"}),
        ("stack([asarray([1, 2]), asarray([3, 4])])", {}),
        ("exp(x) == y", {"x": "float32", "y": "int64"}),
    ],
)
def test_what_has_a_dtype_is_accepted(text: str, given: dict[str, str]) -> None:
    assert found(text, **given) is None


def test_a_case_may_state_the_dtype_of_the_last_result_and_of_no_other() -> None:
    assert found("mean(x)", stated=True, x="int32") is None
    assert found("exp(mean(x))", stated=True, x="int32") is not None


CASE = """cases:
  - name: one
    given: {{x: [1, 2]}}
    for: {{dtype: [float32, int32]}}
    call: mean(x){expect}
"""


def test_a_file_tells_it_with_its_line_unless_a_dtype_or_a_refusal_is_expected(problems: Callable[..., Any]) -> None:
    (problem,) = problems(CASE.format(expect=""))
    assert problem.startswith("5:11: the dtype of the result of 'mean' is not defined for int32")
    for expect in ("{dtype: float32}", "raises"):
        assert problems(CASE.format(expect=f"\n    expect: {expect}")) == []
