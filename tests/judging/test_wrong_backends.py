"""Backends that are wrong on purpose, run over the document's own cases: each is caught, and in its channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.casefile.errors import CaseFileError
from conformance.casefile.inputs import materialise
from conformance.execution.program import compile_variant
from conformance.judging.answers import Answers

RIGHT = dict(NumpyBackend.idioms)


def softmax_without_shift(x: Any, *, axis: int) -> Any:
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


def changed(name: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: change(np.asarray(RIGHT[name](*args, **kwargs)))


def test_plain_numpy_fails_none_of_the_documents_cases_and_deviates_only_as_registered(
    on_document: Callable[..., Any],
) -> None:
    verdicts = on_document(NumpyBackend())
    assert verdicts.ids("failed") == verdicts.ids("unsupported") == []
    registered = set(verdicts.ids("divergent"))
    assert registered == {
        "document/bce-loss/a-target-of-another-shape-is-refused[float32]",
        "document/bce-with-logits-loss/raw-logits-are-refused-as-probabilities[float32]",
        "document/constructors/tensor-of-floats[float32]",
        # exp(-x) overflows where subnormal numbers are due, which NumPy keeps.
        "document/sigmoid/largest-and-smallest-inputs[float32]",
        "document/sigmoid/range-is-0-to-1[float16]",
    }
    assert len(verdicts.ids("passed")) > 150


SHIFT_MATTERS = """
  - name: large
    given: {x: [1000.0, 1000.0, 0.0]}
    for: {dtype: [float32, float64]}
    call: softmax(x, axis=0)
  - name: small
    given: {x: [1.0, 2.0, 0.5]}
    for: {dtype: [float32, float64]}
    call: softmax(x, axis=0)
"""


def test_a_softmax_without_shift_fails_where_the_shift_matters_and_passes_where_not(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    verdicts = on_cases(SHIFT_MATTERS, numpy_with(softmax=softmax_without_shift))
    assert verdicts.ids("failed") == ["things/large[float32]", "things/large[float64]"]
    assert verdicts.failed() == {"nan-inf"}


def test_a_softmax_whose_nan_is_turned_into_zero_fails_by_its_values(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(softmax=lambda x, *, axis: np.nan_to_num(softmax_without_shift(x, axis=axis)))
    assert on_cases(SHIFT_MATTERS, wrong).failed() == {"value"}


def test_a_nan_that_is_due_must_come(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    text = """
  - name: nan
    given: {x: [.nan, 0.0]}
    call: sigmoid(x)
    expect: {values: [.nan, 0.5], because: NaN goes through every formula}
"""
    assert on_cases(text).ids("passed") == ["things/nan[float32]"]
    zeroed = numpy_with(sigmoid=lambda x: np.nan_to_num(RIGHT["sigmoid"](x)))
    assert on_cases(text, zeroed).failed() == {"nan-inf"}


@pytest.mark.parametrize(("share", "verdict"), [(0.75, "passed"), (-0.75, "passed"), (2.0, "failed"), (-2.0, "failed")])
def test_an_error_within_the_budget_passes_and_one_of_twice_the_budget_fails(
    share: float,
    verdict: str,
    on_cases: Callable[..., Any],
    variants: Callable[..., Any],
    numpy_with: Callable[..., Any],
) -> None:
    """The budget of exp is 4 ULP; the rounded result is less than half an ULP from the exact one."""
    text = "  - {name: one, given: {x: [1.0, 0.3, -2.0]}, for: {dtype: [float64]}, call: exp(x)}"
    (variant,) = variants(text)
    (exact,) = Answers().of_program(compile_variant(variant), list(materialise(variant).values()))
    assert np.all(exact.budget == 4.0)

    def off(x: np.ndarray) -> np.ndarray:
        return exact.array + share * 4 * exact.values.ulp()

    judged = on_cases(text, numpy_with(exp=off))["one"]
    assert judged.verdict == verdict
    assert judged.measured.ulp == pytest.approx(4 * abs(share), abs=0.51)
    if verdict == "failed":
        assert "4 ULP allowed; 3 of 3 elements" in judged.findings[0].detail


def test_the_element_named_is_the_one_furthest_past_its_budget(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def wrong(x: np.ndarray) -> np.ndarray:
        result = np.exp(x)
        result[0, 1] *= 1.001
        result[1, 0] *= 1.1
        return result

    text = "  - {name: one, given: {x: [[1.0, 0.3], [-2.0, 0.0]]}, call: exp(x)}"
    (finding,) = on_cases(text, numpy_with(exp=wrong))["one"].findings
    assert "2 of 4 elements; at [1, 0]" in finding.detail
    assert float(finding.expected) == pytest.approx(np.exp(-2.0))
    assert float(finding.got) == pytest.approx(1.1 * np.exp(-2.0))


LOST_SIGNS = """
  - name: computed
    given: {a: [-1.0e-30], b: [1.0e-30]}
    call: multiply(a, b)
  - name: moved
    given: {x: [-0.0, 1.0]}
    call: reshape(x, shape=[2])
  - name: stated
    given: {x: [-0.0]}
    call: sigmoid(x) * x
    expect: {values: [-0.0], because: a half of minus zero}
"""


def test_the_sign_of_a_zero_is_looked_at_where_it_is_computed_moved_or_stated(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    assert on_cases(LOST_SIGNS).ids("passed") == [f"things/{n}[float32]" for n in ("computed", "moved", "stated")]
    lost = numpy_with(multiply=lambda a, b: a * b + 0, reshape=lambda x, shape: np.reshape(x, shape) + 0)
    verdicts = on_cases(LOST_SIGNS, lost)
    assert len(verdicts.ids("failed")) == 3
    assert verdicts.failed() == {"signed-zero"}


def test_a_flushed_element_does_not_hide_the_lost_sign_of_another(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {a: ['-tiny', '-smallest_subnormal'], b: [0.5, 0.25]}, call: 'multiply(a, b)'}"
    assert on_cases(text).ids("passed") == ["things/one[float32]"]
    judged = on_cases(text, numpy_with(multiply=lambda a, b: np.zeros_like(a)))["one"]
    assert judged.verdict == "failed"
    assert {f.channel for f in judged.findings} == {"value", "signed-zero"}


def test_a_wrong_first_step_is_not_excused_by_a_second_that_hides_it(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [1.0, 2.0]}, call: 'reshape(sum(softmax(x, axis=0), axis=0), shape=[1])'}"
    swapped = numpy_with(softmax=lambda x, *, axis: RIGHT["softmax"](x, axis=axis)[::-1])
    (finding,) = on_cases(text, swapped)["one"].findings
    assert "step 1, softmax" in finding.detail


def test_each_step_is_judged_on_what_it_received_and_the_way_from_end_to_end_is_only_measured(
    on_cases: Callable[..., Any],
) -> None:
    """1 - sigmoid(10) loses digits in the first step; the second is right on what it gets."""
    judged = on_cases("  - {name: one, given: {x: [10.0]}, call: 1 - sigmoid(x)}")["one"]
    assert judged.verdict == "passed"
    assert judged.end_to_end > 100


INTEGERS = """
  - {name: whole, given: {x: [[1, 2], [3, 4]]}, for: {dtype: [int32, int64, uint8]}, call: 'reshape(x, shape=[4])'}
  - {name: total, given: {x: [100, 100, 100]}, for: {dtype: [int64]}, call: sum(x)}
"""


def test_integers_are_compared_bit_for_bit(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    assert len(on_cases(INTEGERS).ids("passed")) == 4
    off = numpy_with(reshape=changed("reshape", lambda y: y + y.dtype.type(1)), sum=changed("sum", lambda y: y - 1))
    verdicts = on_cases(INTEGERS, off)
    assert len(verdicts.ids("failed")) == 4
    assert verdicts.failed() == {"value"}


def test_integers_of_another_dtype_are_compared_as_numbers(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    narrow = numpy_with(sum=changed("sum", lambda y: y.astype(np.int32)))
    assert {f.channel for f in on_cases(INTEGERS, narrow)["total"].findings} == {"dtype"}
    wrapped = numpy_with(sum=changed("sum", lambda y: y.astype(np.int8)))
    findings = on_cases(INTEGERS, wrapped)["total"].findings
    assert [(f.channel, f.expected, f.got) for f in findings] == [("dtype", "int64", "int8"), ("value", "300", "44")]


def test_a_dtype_that_can_not_hold_the_stated_values_is_a_finding_and_no_crash(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - name: half
    given: {x: [0.0]}
    call: sigmoid(x)
    expect: {values: [0.5], because: a half exactly}
"""
    judged = on_cases(text, numpy_with(sigmoid=lambda x: np.zeros(1, dtype=np.int64)))["half"]
    assert [f.channel for f in judged.findings] == ["dtype", "value"]


def test_stated_values_of_another_shape_are_refused(on_cases: Callable[..., Any]) -> None:
    text = """
  - name: half
    given: {x: [0.0, 0.0]}
    call: sigmoid(x)
    expect: {values: [0.5], because: a half exactly}
"""
    assert on_cases(text)["half"].reason == "shape: expected [1], got [2]"


def test_a_stated_shape_and_dtype_count(on_cases: Callable[..., Any]) -> None:
    text = """
  - {name: shape, given: {x: [0.0, 0.0]}, call: sigmoid(x), expect: {shape: [2, 1]}}
  - {name: dtype, given: {x: [0.0, 0.0]}, call: sigmoid(x), expect: {dtype: float64}}
"""
    verdicts = on_cases(text)
    assert verdicts["shape"].reason == "shape: expected [2, 1], got [2]"
    assert verdicts["dtype"].reason == "dtype: expected float64, got float32"


def test_a_result_of_which_nothing_is_known_does_not_pass(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """Inputs that are no probabilities, refused arguments: the case must say what is due."""
    text = """
  - {name: outside, given: {p: [1.5], y: [1.0]}, call: 'binary_cross_entropy(p, y)'}
  - {name: refused, given: {x: [1.0, 2.0]}, call: 'sum(reshape(x, shape=[3]))'}
"""
    verdicts = on_cases(text, numpy_with(reshape=lambda x, shape: np.ones(3, dtype=x.dtype)))
    assert len(verdicts.ids("failed")) == 2
    assert verdicts["outside"].reason.startswith("value: expected values stated by the case")
    assert verdicts["refused"].reason.startswith("shape: expected an error or a stated result")


def test_a_backend_that_narrows_its_inputs_is_told_so(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    narrowing = numpy_with({"from_numpy": lambda self, array: array.astype(np.float32)})
    text = "  - {name: one, given: {x: [1.5]}, for: {dtype: [float32, float64]}, claim: 0 <= sigmoid(x) <= 1}"
    verdicts = on_cases(text, narrowing)
    assert verdicts.ids("passed") == ["things/one[float32]"]
    (first, *_) = verdicts["float64"].findings
    assert (first.channel, first.expected, first.got) == ("dtype", "the input x as float64", "float32")


def test_complex_numbers_where_real_ones_are_due_fail_by_their_dtype(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [1.0]}, call: sigmoid(x)}"
    judged = on_cases(text, numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x).astype(np.complex64)))["one"]
    assert [f.channel for f in judged.findings] == ["dtype"]


def test_of_complex_numbers_only_what_a_case_states_can_pass(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - {name: open, given: {x: [1.0]}, for: {dtype: complex64}, call: sigmoid(x), expect: {dtype: complex64}}
  - name: stated
    given: {x: [0.0]}
    for: {dtype: complex64}
    call: sigmoid(x)
    expect: {dtype: complex64, values: [0.5], because: a half in the complex plane as well}
"""
    verdicts = on_cases(text)
    assert verdicts.ids("passed") == ["things/stated[complex64]"]
    wrong = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x) + np.complex64(1e-3j))
    assert on_cases(text, wrong)["stated"].verdict == "failed"


@pytest.mark.parametrize("dtype", ["complex128", "datetime64[D]", "U1", "object"])
def test_a_result_of_an_element_type_that_can_not_be_judged_fails(
    dtype: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [1.0]}, call: sigmoid(x)}"
    judged = on_cases(text, numpy_with(sigmoid=lambda x: np.zeros(1, dtype=dtype)))["one"]
    assert judged.verdict == "failed"
    assert "no dtype of this suite" in judged.reason


def test_an_error_outside_the_call_is_not_the_refusal_that_is_due(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def broken(self: Any, array: np.ndarray) -> np.ndarray:
        raise TypeError("this adapter is broken")

    text = "  - {name: one, given: {x: [1.0, 2.0]}, call: 'softmax(x, axis=5)', expect: raises}"
    assert on_cases(text).ids("passed") == ["things/one[float32]"]
    for method in ("from_numpy", "to_numpy"):
        judged = on_cases(text, numpy_with({method: broken}))["one"]
        assert judged.reason == "status: expected a refusal of the call, got TypeError: this adapter is broken"


AXIS_LEFT_OUT = """
  - {name: rank-0, given: {x: 1.5}, for: {dtype: float32}, call: softmax(x)}
  - name: of
    given: {x: {normal: {shape: s, seed: 1}}}
    for: {s: [[4], [3, 4], [2, 3, 4], [2, 2, 3, 2]]}
    call: softmax(x)
"""


def test_a_softmax_without_an_axis_goes_along_axis_0_or_1_as_the_rank_has_it(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def implicit(x: Any, *, axis: int | None = None) -> Any:
        return RIGHT["softmax"](x, axis=(None, 0, 1, 0, 1)[x.ndim] if axis is None else axis)

    assert len(on_cases(AXIS_LEFT_OUT, numpy_with(softmax=implicit)).ids("passed")) == 5


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [
        ("over all", ["s=3x4", "s=2x3x4", "s=2x2x3x2"]),
        ("the last", ["s=2x3x4", "s=2x2x3x2"]),
        ("the first", ["s=3x4", "s=2x2x3x2"]),
        ("refused", ["rank-0", "s=4", "s=3x4", "s=2x3x4", "s=2x2x3x2"]),
    ],
)
def test_a_softmax_with_another_implicit_axis_is_caught_wherever_that_is_another(
    wrong: str, failing: list[str], on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def softmax(x: Any, *, axis: int | None = None) -> Any:
        if wrong == "refused" and axis is None:
            raise TypeError("softmax() missing 1 required keyword-only argument: 'axis'")
        return RIGHT["softmax"](x, axis=None if wrong == "over all" or not x.ndim else {"the last": -1}.get(wrong, 0))

    verdicts = on_cases(AXIS_LEFT_OUT, numpy_with(softmax=softmax))
    assert [any(part in v for part in failing) for v in verdicts.judgements] == [
        v in verdicts.ids("failed") for v in verdicts.judgements
    ]
    assert len(verdicts.ids("failed")) == len(failing)
    assert verdicts.failed() == ({"status"} if wrong == "refused" else {"value"})


def test_the_axis_may_be_left_out_but_is_not_null(variants: Callable[..., Any]) -> None:
    assert variants("  - {name: one, given: {x: [1.0]}, call: softmax(x)}")
    with pytest.raises(CaseFileError, match="must be an axis"):
        variants("  - {name: one, given: {x: [1.0]}, call: 'softmax(x, axis=None)'}")
