"""Claims: which hold, which fail, how far sides may be apart, and which are refused because they could not fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend

RIGHT = dict(NumpyBackend.idioms)


@pytest.fixture
def claim(on_cases: Callable[..., Any]) -> Callable[..., Any]:
    """The judgement of one claim about given inputs."""

    def judged(text: str, given: str = "x: [0.0, 1.0, -2.0]", more: str = "", backend: Any = None) -> Any:
        case = f"  - name: one\n    given: {{{given}}}\n    claim: {text!r}\n{more}"
        return on_cases(case, backend)["one"]

    return judged


@pytest.mark.parametrize(
    "text",
    [
        "0 < sigmoid(x) < 1",
        "0 <= sigmoid(x) <= 1",
        "1 >= sigmoid(x) > 0",
        "sigmoid(x) == 1 / (1 + exp(-x))",
        "sigmoid(x) + sigmoid(-x) == 1",
        "sigmoid(x) != x",
        "sigmoid(x) > log_sigmoid(x)",
        "shape(sigmoid(x)) == shape(x) == [3]",
        "shape(sum(x)) == []",
        "shape(x) != shape(sum(x))",
    ],
)
def test_a_true_claim_passes(text: str, claim: Callable[..., Any]) -> None:
    judged = claim(text)
    assert (judged.verdict, judged.findings) == ("passed", [])


@pytest.mark.parametrize(
    ("text", "expected", "got", "place"),
    [
        ("sigmoid(x) < 0.5", "left < right", "0.5 and 0.5", "2 of 3 elements; at [0]"),
        ("0.5 <= sigmoid(x)", "left <= right", "0.5 and 0.119", "1 of 3 elements; at [2]"),
        ("sigmoid(x) > 0.5", "left > right", "0.5 and 0.5", "2 of 3 elements; at [0]"),
        ("0.5 >= sigmoid(x)", "left >= right", "0.5 and 0.731", "1 of 3 elements; at [1]"),
        ("0 < sigmoid(x) < 0.6", "left < right", "0.731", "1 of 3 elements; at [1]"),
        ("sigmoid(x) == 0.5", "left == right", "0.7310585976 and 0.5", "2 of 3 elements; at [1]"),
        ("sigmoid(x) != 0.5", "left != right", "0.5 and 0.5", "1 of 3 elements; at [0]"),
        ("sigmoid(x) != exp(x) / (1 + exp(x))", "left != right", "0.5 and 0.5", "3 of 3 elements; at [0]"),
    ],
)
def test_a_false_claim_fails_where_it_is_false(
    text: str, expected: str, got: str, place: str, claim: Callable[..., Any]
) -> None:
    judged = claim(text)
    assert judged.verdict == "failed"
    (finding,) = judged.findings
    assert (finding.channel, finding.expected) == ("claim", expected)
    assert finding.got.startswith(got)
    assert place in finding.detail


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("shape(sigmoid(x)) == [2]", "[3] and [2]"),
        ("shape(sum(x)) == shape(x)", "[] and [3]"),
        ("shape(sigmoid(x)) != shape(x)", "[3] and [3]"),
        ("[3] == shape(sum(x))", "[3] and []"),
    ],
)
def test_a_false_claim_about_shapes_fails(text: str, got: str, claim: Callable[..., Any]) -> None:
    (finding,) = claim(text).findings
    assert (finding.channel, finding.got) == ("claim", got)


def test_a_claim_that_a_backend_breaks_fails_though_it_is_true(
    claim: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    above = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x) + np.float32(0.5))
    channels = [f.channel for f in claim("0 <= sigmoid(x) <= 1", backend=above).findings]
    assert channels == ["value", "claim"]


def test_sides_of_different_shapes_are_not_equal_but_a_number_is_compared_with_every_element(
    claim: Callable[..., Any],
) -> None:
    (finding,) = claim("sigmoid(x) == y", "x: [0.0, 0.0], y: [0.5]").findings
    assert finding.expected == "sides of one shape"
    assert claim("sigmoid(x) == 0.5", "x: [0.0, 0.0]").verdict == "passed"
    assert claim("sigmoid(x) == sum(y)", "x: [0.0, 0.0], y: [0.5]").verdict == "passed"


def test_nan_is_neither_within_a_range_nor_equal_to_itself(
    claim: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    nan = numpy_with(sigmoid=lambda x: np.full_like(x, np.nan))
    for text in ("0 <= sigmoid(x) <= 1", "sigmoid(x) == sigmoid(x)"):
        assert "claim" in {f.channel for f in claim(text, backend=nan).findings}


def test_equal_sides_may_differ_by_what_the_steps_budgets_allow_and_no_more(
    claim: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """Each of the two exponentials is allowed 4 ULP, so their sides may be 8 ULP apart."""

    def exp(ulp: int) -> Any:
        return numpy_with(exp=lambda x: np.exp(x) + np.spacing(np.exp(x)) * x.dtype.type(ulp))

    given = "x: [1.0], y: [1.5]"
    within = claim("exp(x) == exp(y - 0.5)", given, backend=exp(3))
    assert within.verdict == "passed"
    apart = numpy_with(subtract=lambda a, b: a - b + np.float32(1e-5))
    (wrong_step, finding) = claim("exp(x) == exp(y - 0.5)", given, backend=apart).findings
    assert (wrong_step.channel, finding.channel) == ("value", "claim")
    assert finding.detail.endswith("the steps' budgets, carried through the exact definitions")


def test_a_claim_whose_sides_can_not_be_told_apart_is_refused(claim: Callable[..., Any]) -> None:
    """exp(20) less its neighbour: what the two may be off by is as large as the difference."""
    judged = claim("exp(x) - exp(y) == 5000", "x: [20.0], y: [20.00001]")
    (finding,) = judged.findings
    assert judged.verdict == "failed"
    assert finding.expected == "sides that can be told apart"
    assert "so this claim can't fail; narrow its domain or state 'within'" in finding.detail


@pytest.mark.parametrize(
    ("within", "verdict"),
    [
        ("{ulp: 4, because: stated by the maker}", "passed"),
        ("{ulp: 3, because: stated by the maker}", "failed"),
        ("{absolute: 4.8e-7, because: stated by the maker}", "passed"),
        ("{absolute: 4.7e-7, because: stated by the maker}", "failed"),
    ],
)
def test_a_stated_distance_replaces_the_budgets(
    within: str, verdict: str, claim: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """1 + 4 * 2^-23 is 4 ULP, 4.77e-7, from 1."""
    four_off = numpy_with(asarray=lambda data, *, dtype=None: np.array([1 + 4 * 2.0**-23], dtype=np.float32))
    judged = claim("asarray([1.0]) == x", "x: [1.0]", f"    within: {within}\n", four_off)
    assert ("claim" in {f.channel for f in judged.findings}) == (verdict == "failed")
    if verdict == "failed":
        assert judged.findings[-1].detail.endswith("stated by the maker")


def test_ulp_of_a_stated_distance_are_those_of_the_narrowest_side(
    on_cases: Callable[..., Any],
) -> None:
    text = """
  - name: one
    given: {x: [1.0], y: {array: [1.001], dtype: float64}}
    for: {dtype: [float16, float32]}
    claim: sigmoid(x) == sigmoid(y)
    within: {ulp: 2, because: stated by the maker}
"""
    verdicts = on_cases(text)
    assert verdicts["float16"].verdict == "passed"
    assert verdicts["float32"].verdict == "failed"


def test_a_wide_stated_distance_does_not_make_a_claim_pass_that_could_not_fail(claim: Callable[..., Any]) -> None:
    judged = claim("sigmoid(x) == 0.7", "x: [1.0]", "    within: {absolute: 0.5, because: far too generous}\n")
    assert judged.findings[0].expected == "sides that can be told apart"


def test_budgets_are_carried_through_later_steps(claim: Callable[..., Any]) -> None:
    """The error of 1 - sigmoid(8) is that of the sigmoid, 3000 times larger beside the small result.

    In float32 that is more than half its digits, and the claim is refused; in float64 it is not.
    """
    (refused,) = claim("1 - sigmoid(x) == sigmoid(-x)", "x: [8.0]").findings
    assert refused.expected == "sides that can be told apart"
    given = "x: {array: [8.0], dtype: float64}"
    assert claim("1 - sigmoid(x) == sigmoid(-x)", given).verdict == "passed"
    assert claim("1 - sigmoid(x) == 0.00033535013", given).verdict == "failed"


def test_integers_are_equal_only_if_they_are_the_same(claim: Callable[..., Any], on_cases: Callable[..., Any]) -> None:
    assert claim("sum(x) == 6", "x: [1, 2, 3]").verdict == "passed"
    assert claim("sum(x) == 7", "x: [1, 2, 3]").verdict == "failed"


def test_a_step_without_an_exact_value_leaves_its_claim_undecided(
    claim: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    judged = claim("log(x) == 3", "x: [-1.0]")
    assert judged.verdict == "failed"
    assert "sides that can be told apart" in {f.expected for f in judged.findings}


INT64 = "x: {array: [9007199254740993], dtype: int64}, y: {array: [9007199254740992], dtype: int64}"


@pytest.mark.parametrize(
    ("relation", "verdict"), [("==", "failed"), ("!=", "passed"), (">", "passed"), ("<=", "failed")]
)
def test_integers_past_what_float64_tells_apart_are_compared_as_they_are(
    relation: str, verdict: str, claim: Callable[..., Any]
) -> None:
    judged = claim(f"stack([x]) {relation} stack([y])", INT64)
    assert judged.verdict == verdict
    assert verdict == "passed" or judged.findings[0].got == "9007199254740993 and 9007199254740992"


def test_a_bound_that_is_stated_for_integers_is_meant(claim: Callable[..., Any]) -> None:
    within = "    within: {absolute: 1, because: off by one is meant here}\n"
    assert claim("sum(x) == 100", "x: [60, 41]", within).verdict == "passed"
    judged = claim("sum(x) == 100", "x: [60, 42]", within)
    assert (judged.verdict, judged.findings[0].got) == ("failed", "102 and 100")


@pytest.mark.parametrize(
    ("text", "given", "expected", "got"),
    [
        ("exp(x) > [1, 2, 3]", "x: [1.0, 2.0]", "sides of one shape", "[2] and [3]"),
        ("exp(x) == [1, 2, 3]", "x: [1.0, 2.0]", "sides of one shape", "[2] and [3]"),
        ("shape(exp(x)) == y", "x: [1.0, 2.0], y: {array: [2, 3], dtype: int64}", "shapes ==", "[2] and [2, 3]"),
        ("stack([x, x]) == y", "x: [.nan, 1.0], y: {full: {shape: [2, 2], value: 1.0}}",
         "sides that can be told apart", "nan and 1"),
    ],
)  # fmt: skip
def test_sides_that_can_not_be_compared_are_a_finding(
    text: str, given: str, expected: str, got: str, claim: Callable[..., Any]
) -> None:
    judged = claim(text, given)
    assert (judged.verdict, judged.findings[0].expected, judged.findings[0].got) == ("failed", expected, got)


def test_the_shape_of_a_result_may_be_that_an_array_says(claim: Callable[..., Any]) -> None:
    assert claim("shape(exp(x)) == y", "x: [[1.0, 2.0]], y: {array: [1, 2], dtype: int64}").verdict == "passed"


COMPLEX = "    for: {dtype: [complex64]}\n"


def test_complex_numbers_are_equal_in_both_parts(claim: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    def turned(x: Any, *, shape: Any) -> Any:
        return np.reshape(x, shape) + x.dtype.type(1j)

    assert claim("reshape(x, [3]) == x", more=COMPLEX).verdict == "passed"
    found = claim("reshape(x, [3]) == x", more=COMPLEX, backend=numpy_with(reshape=turned))
    assert "claim" in [finding.channel for finding in found.findings]
    assert [finding.got for finding in found.findings if finding.channel == "claim"] == ["1j and 0j"]
