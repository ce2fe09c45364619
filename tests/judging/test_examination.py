"""What the examination of an outcome sees: printed values as intervals, subnormal results, gradients."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Unsupported
from conformance.suite.selection import default_root

RIGHT = dict(NumpyBackend.idioms)


@pytest.fixture
def with_misprint(tmp_path: Path, on_cases: Callable[..., Any]) -> Callable[..., Any]:
    """Run a file of the document's cases with one printed number changed."""

    def run(name: str, printed: str, misprint: str) -> Any:
        copy = tmp_path / name
        shutil.copy(default_root() / "document" / name, copy)
        text = copy.read_text(encoding="utf-8")
        assert printed in text
        return on_cases(text.replace(printed, misprint))

    return run


def test_a_misprinted_loss_fails_with_the_interval_and_what_rounding_the_inputs_may_have_done(
    with_misprint: Callable[..., Any],
) -> None:
    verdicts = with_misprint("bce-loss.yaml", "tensor(0.7922)", "tensor(0.7923)")
    judged = verdicts["loss-of-the-printed-example"]
    assert judged.verdict == "failed"
    (finding,) = judged.findings
    assert finding.channel == "printed"
    assert finding.expected == "0.79225 to 0.79235"
    assert finding.detail.startswith(
        "printed 0.7923, that is 0.79225 to 0.79235; rounding of the printed inputs ± 2.4e-05; exact 0.7921"
    )
    assert "the backend is right, the expectation is not" in finding.detail
    assert verdicts["printed-sigmoids-of-the-printed-logits"].verdict == "passed"


def test_the_rounding_of_printed_inputs_reaches_as_far_as_it_does_and_no_further(
    with_misprint: Callable[..., Any],
) -> None:
    """From sigmoids printed to 4 digits the loss is known to 1.3e-4 only: 0.7921 and 0.7923 hold, 0.7932 does not."""
    for neighbour in ("tensor(0.7921)", "tensor(0.7923)"):
        near = with_misprint("bce-loss.yaml", "tensor(0.7922)", neighbour)["loss-of-the-printed-sigmoids"]
        assert near.verdict == "passed"
    far = with_misprint("bce-loss.yaml", "tensor(0.7922)", "tensor(0.7932)")["loss-of-the-printed-sigmoids"]
    assert far.verdict == "failed"
    assert "rounding of the printed inputs ± 1.3e-04" in far.findings[0].detail


def test_a_misprinted_softmax_fails_at_its_element(with_misprint: Callable[..., Any]) -> None:
    (finding,) = with_misprint("softmax.yaml", "0.2689", "0.2688")["printed-example"].findings
    assert finding.expected == "0.26875 to 0.26885"
    assert finding.detail.endswith("at [0, 1, 1]")


def test_a_loss_that_only_the_backend_gets_wrong_is_not_blamed_on_the_print(
    on_document: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(
        binary_cross_entropy=lambda p, target: RIGHT["binary_cross_entropy"](p, target) + np.float32(0.01)
    )
    findings = on_document(wrong, "bce-loss/loss-of-the-printed-example")["loss"].findings
    assert [f.channel for f in findings] == ["value", "printed"]
    assert "the expectation is not" not in findings[1].detail


def test_integers_as_printed_are_not_floats_and_floats_not_integers(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - {name: whole, given: {x: [[1, 2]]}, call: 'reshape(x, shape=[2])', expect: {prints: 'tensor([1, 2])'}}
  - {name: float, given: {x: [[1.0, 2.0]]}, call: 'reshape(x, shape=[2])', expect: {prints: 'tensor([1., 2.])'}}
"""
    assert len(on_cases(text).ids("passed")) == 2
    floats = on_cases(text, numpy_with(reshape=lambda x, shape: x.reshape(shape).astype(np.float32)))["whole"]
    assert [f.expected for f in floats.findings if f.channel == "printed"] == ["integers, as printed"]
    whole = on_cases(text, numpy_with(reshape=lambda x, shape: x.reshape(shape).astype(np.int64)))["float"]
    assert [f.expected for f in whole.findings if f.channel == "printed"] == ["floats, as printed"]


def test_a_printed_shape_and_dtype_count(on_cases: Callable[..., Any]) -> None:
    text = """
  - {name: shape, given: {x: [0.0, 0.0]}, call: sigmoid(x), expect: {prints: 'tensor([[0.5000, 0.5000]])'}}
  - {name: dtype, given: {x: [0.0]}, call: sigmoid(x), expect: {prints: 'tensor([0.5000], dtype=torch.float64)'}}
  - {name: numpys, given: {x: [0.0]}, call: sigmoid(x), expect: {prints: 'array([0.5], dtype=float32)'}}
"""
    verdicts = on_cases(text)
    assert verdicts["shape"].reason == "shape: expected [1, 2], as printed, got [2]"
    assert verdicts["dtype"].reason == "dtype: expected float64, as printed, got float32"
    assert verdicts["numpys"].verdict == "passed"


def test_a_printed_nan_and_infinity_are_met_by_themselves_alone(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - name: one
    given: {x: [[.nan, .inf, 1.0]]}
    call: reshape(x, shape=[3])
    expect: {prints: 'tensor([nan, inf, 1.])'}
"""
    assert on_cases(text)["one"].verdict == "passed"
    for i in range(2):
        wrong = np.array([np.nan, np.inf, 1.0], dtype=np.float32)
        wrong[i] = 3.0
        judged = on_cases(text, numpy_with(reshape=lambda x, shape, wrong=wrong: wrong))["one"]
        assert "printed" in {f.channel for f in judged.findings}


def test_a_print_that_can_not_fail_is_refused(on_cases: Callable[..., Any]) -> None:
    """1.0000 may have been 1: its complement's logarithm is unbounded, and any loss would be 'as printed'."""
    text = """
  - name: one
    given: {p: {printed: 'tensor([1.0000, 0.5000])'}, y: [0.0, 1.0]}
    call: binary_cross_entropy(p, y)
    expect: {prints: tensor(77.0)}
"""
    judged = on_cases(text)["one"]
    assert judged.verdict == "failed"
    assert judged.reason.startswith("printed: expected a print that can be told apart")


FLUSHES = {"flushes_subnormals": lambda self, mode, dtype="float32": True}
FLUSHED = """
  - {name: default, given: {x: [-88.0, 0.0]}, call: sigmoid(x)}
  - {name: preserved, given: {x: [-88.0, 0.0]}, call: sigmoid(x), subnormals: preserve}
"""


def test_a_flushed_subnormal_is_divergent_or_failed_but_never_passed(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def flushing(x: np.ndarray) -> np.ndarray:
        y = np.exp(x.astype(np.float64)) / (1 + np.exp(x.astype(np.float64)))
        return np.where(y < 2.0**-126, 0, y).astype(np.float32)

    verdicts = on_cases(FLUSHED, numpy_with(FLUSHES, sigmoid=flushing))
    assert verdicts["default"].verdict == "divergent"
    assert "subnormal" in verdicts["default"].reason
    assert "1 subnormal values came as zero; at [0]" in verdicts["default"].findings[0].detail
    assert verdicts["preserved"].verdict == "failed"
    assert verdicts["preserved"].findings[0].channel == "value"


def test_a_backend_that_keeps_subnormals_of_a_dtype_is_not_excused_by_a_flush(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def asked(self: Any, mode: str, dtype: str = "float32") -> bool:
        return dtype == "float16"

    lost = lambda x: RIGHT["sigmoid"](x) * (x > -11)  # noqa: E731
    text = "  - {name: one, given: {x: [-90.0, 0.0]}, for: {dtype: [float16, float32]}, call: sigmoid(x)}"
    assert on_cases(text, numpy_with(sigmoid=lost)).ids("divergent") == []
    text = "  - {name: one, given: {x: [-11.5, 0.0]}, for: {dtype: [float16]}, call: sigmoid(x)}\n" + (
        "  - {name: other, given: {x: [-90.0, 0.0]}, call: sigmoid(x)}"
    )
    verdicts = on_cases(text, numpy_with({"flushes_subnormals": asked}, sigmoid=lost))
    assert (verdicts["one"].verdict, verdicts["other"].verdict) == ("divergent", "failed")


def test_a_sum_that_overflowed_is_no_flush(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    """Each element of the softmax is subnormal in float16, whose subnormal numbers this backend keeps."""
    text = """
  - name: one
    given: {x: {full: {shape: [65537], value: 0.0}}}
    for: {dtype: [float16]}
    call: softmax(x, axis=0)
"""
    zeros = on_cases(text, numpy_with(softmax=lambda x, axis: np.zeros_like(x)))["one"]
    assert (zeros.verdict, zeros.findings[0].zeros) == ("failed", 65537)
    right = numpy_with(softmax=lambda x, axis: np.full_like(x, 1 / 65537))
    assert on_cases(text, right)["one"].verdict == "passed"


def test_a_zero_for_a_normal_number_is_no_flush_whoever_gives_it(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """Nor where the inputs are subnormal, and were taken for zeros."""
    text = """
  - {name: quotient, given: {a: [smallest_subnormal], b: [smallest_subnormal]}, call: a / b}
  - {name: product, given: {a: [smallest_subnormal], b: [1.0e+30]}, call: a * b}
"""
    zeros = numpy_with(FLUSHES, divide=lambda a, b: np.zeros_like(a), multiply=lambda a, b: np.zeros_like(a))
    assert [j.verdict for j in on_cases(text, zeros).judgements.values()] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("exp(x)", "{x: [-90.0]}"),
        ("x * y", "{x: [1.0e-30], y: [1.0e-12]}"),
        ("x / y", "{x: [1.0e-30], y: [1.0e+12]}"),
        ("x - y", "{x: [tiny], y: ['0x1.8p-126']}"),
        ("x + y", "{x: [-tiny], y: ['0x1.8p-126']}"),
        ("-x", "{x: [smallest_subnormal]}"),
        ("sum(x)", "{x: [tiny, '-0x1.8p-126']}"),
        ("mean(x)", "{x: [tiny, 0.0]}"),
        ("sigmoid(x)", "{x: [-88.0]}"),
        ("log_sigmoid(x)", "{x: [88.0]}"),
        ("softmax(x, axis=0)", "{x: [-88.0, 0.0]}"),
        ("log_softmax(x, axis=0)", "{x: [-88.0, 0.0]}"),
        ("binary_cross_entropy(x, y)", "{x: [1.0e-40], y: [0.0]}"),
        ("binary_cross_entropy_with_logits(x, y)", "{x: [-88.0], y: [0.0]}"),
        ("reshape(x, shape=[1, 1])", "{x: [1.0e-40]}"),
        ("stack([x])", "{x: [1.0e-40]}"),
    ],
)
def test_of_every_operation_a_flush_is_divergent_where_the_backend_flushes_and_fails_where_it_does_not(
    call: str, given: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def flushed(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*args: Any, **kwargs: Any) -> Any:
            result = np.asarray(right(*args, **kwargs))
            return np.where(np.abs(result) < 2.0**-126, result.dtype.type(0), result)

        return wrong

    case = f"  - {{name: one, given: {given}, call: '{call}'}}"
    everywhere = {name: flushed(right) for name, right in RIGHT.items() if name != "asarray"}
    for methods, verdict in ((FLUSHES, "divergent"), ({}, "failed")):
        judged = on_cases(case, numpy_with(methods, **everywhere))["one"]
        assert {f.channel for f in judged.findings} <= {"value", "signed-zero"}
        assert judged.verdict == verdict or (judged.findings and verdict == "failed")


def test_a_preserved_subnormal_passes_both(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    def right(x: np.ndarray) -> np.ndarray:
        return (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)

    assert len(on_cases(FLUSHED, numpy_with(sigmoid=right)).ids("passed")) == 2


def test_a_subnormal_that_comes_as_another_number_fails(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(sigmoid=lambda x: np.where(x < 0, np.float32(2.0**-126), np.float32(0.5)))
    assert len(on_cases(FLUSHED, wrong).ids("failed")) == 2


def test_a_normal_result_that_comes_as_zero_fails(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    text = "  - {name: one, given: {x: [-80.0, 0.0]}, call: sigmoid(x)}"
    wrong = numpy_with(sigmoid=lambda x: np.where(x < 0, np.float32(0), np.float32(0.5)))
    assert on_cases(text, wrong)["one"].verdict == "failed"


def test_a_subnormal_that_was_only_to_be_moved_is_divergent_or_failed_when_flushed(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - {name: default, given: {x: [[smallest_subnormal, 1.0]]}, call: 'reshape(x, shape=[2])'}
  - {name: preserved, given: {x: [[smallest_subnormal, 1.0]]}, call: 'reshape(x, shape=[2])', subnormals: preserve}
"""
    flushed = lambda x, shape: np.where(np.abs(x) < 2.0**-126, np.float32(0), x).reshape(shape)  # noqa: E731
    flushing = numpy_with(FLUSHES, reshape=flushed)
    assert [j.verdict for j in on_cases(text, flushing).judgements.values()] == ["divergent", "failed"]
    more = numpy_with(reshape=lambda x, shape: np.zeros(2, dtype=x.dtype))  # a 1 that came as zero was not flushed
    assert [j.verdict for j in on_cases(text, more).judgements.values()] == ["failed", "failed"]


GRADIENTS = """
  - name: sigmoid
    given: {x: [[0.5, -1.0, 3.0], [0.0, 2.0, -4.0]]}
    for: {dtype: [float32, float64]}
    call: sigmoid(x)
    check: [value, gradient]
  - name: softmax
    given: {x: [[0.5, -1.0, 3.0], [0.0, 2.0, -4.0]]}
    for: {dtype: [float32, float64]}
    call: softmax(x, axis=1)
    check: [gradient]
"""


def analytic(function: Callable[..., Any], inputs: Any, wrt: Any, cotangent: Any) -> list[np.ndarray]:
    """The gradients of a sigmoid, or of a softmax along axis 1, told apart by the sums of their results."""
    x, c = (array.astype(np.float64) for array in (inputs[0], cotangent))
    y = function(*inputs).astype(np.float64)
    if np.allclose(y.sum(axis=1), 1):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        return [(y * (c - (c * y).sum(axis=1, keepdims=True))).astype(inputs[0].dtype)]
    y = 1 / (1 + np.exp(-x))
    return [(c * y * (1 - y)).astype(inputs[0].dtype)]


@pytest.fixture
def with_gradients(numpy_with: Callable[..., Any]) -> Callable[..., Any]:
    """The numpy backend with analytic gradients, each changed by a function."""

    def made(change: Callable[[np.ndarray], Any] = lambda g: g, **idioms: Any) -> Any:
        def gradient(self: Any, *arguments: Any) -> list[Any]:
            return [change(g) for g in analytic(*arguments)]

        return numpy_with({"gradient": gradient}, **idioms)

    return made


def test_right_gradients_pass(on_cases: Callable[..., Any], with_gradients: Callable[..., Any]) -> None:
    verdicts = on_cases(GRADIENTS, with_gradients())
    assert len(verdicts.ids("passed")) == len(verdicts.judgements) == 6
    measured = verdicts["sigmoid[float64,gradient]"].measured
    assert 0 < measured.budget < 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g * 0,
        lambda g: -g,
        lambda g: g * g.dtype.type(2),
        lambda g: g + g.dtype.type(1e-3),
        lambda g: g * g.dtype.type(np.nan),
        lambda g: g[::-1],
        lambda g: g[0],
        lambda g: g.astype(np.float16),
        lambda g: np.ones_like(g),
    ],
    ids=["zero", "negated", "doubled", "moved", "NaN", "permuted", "wrong shape", "wrong dtype", "cotangent forgotten"],
)
def test_a_wrong_gradient_is_caught_in_its_channel_though_the_values_are_right(
    change: Callable[[np.ndarray], Any], on_cases: Callable[..., Any], with_gradients: Callable[..., Any]
) -> None:
    verdicts = on_cases(GRADIENTS, with_gradients(change))
    assert verdicts.ids("passed") == ["things/sigmoid[float32]", "things/sigmoid[float64]"]
    assert len(verdicts.ids("failed")) == 4
    assert verdicts.failed() == {"gradient"}


def test_a_gradient_has_the_dtype_of_its_input(
    on_cases: Callable[..., Any], with_gradients: Callable[..., Any]
) -> None:
    verdicts = on_cases(GRADIENTS, with_gradients(lambda g: g.astype(np.float64)))
    assert verdicts.ids("failed") == ["things/sigmoid[float32,gradient]", "things/softmax[float32,gradient]"]
    assert verdicts.failed() == {"gradient"}


def test_of_a_gradient_variant_the_gradient_is_judged_and_the_value_by_its_own_variant(
    on_cases: Callable[..., Any], with_gradients: Callable[..., Any]
) -> None:
    verdicts = on_cases(GRADIENTS, with_gradients(sigmoid=lambda x: RIGHT["sigmoid"](x) * x.dtype.type(1.01)))
    assert verdicts.failed() == {"value"}
    assert verdicts.ids("failed") == ["things/sigmoid[float32]", "things/sigmoid[float64]"]


def test_a_gradient_of_a_result_of_the_wrong_shape_or_dtype_fails_by_that(
    on_cases: Callable[..., Any], with_gradients: Callable[..., Any]
) -> None:
    for channel, change in (("shape", np.ravel), ("dtype", lambda y: y.astype(np.float16))):
        verdicts = on_cases(GRADIENTS, with_gradients(sigmoid=lambda x, c=change: c(RIGHT["sigmoid"](x))))
        assert channel in verdicts.failed()
        assert "things/sigmoid[float32,gradient]" in verdicts.ids("failed")


def test_a_gradient_that_raises_or_can_not_be_read_fails_by_its_status(
    on_cases: Callable[..., Any], with_gradients: Callable[..., Any]
) -> None:
    def raising(g: np.ndarray) -> np.ndarray:
        raise RuntimeError("no backward formula")

    for change in (raising, lambda g: None):
        assert on_cases(GRADIENTS, with_gradients(change)).failed() == {"status"}


def test_a_backend_without_gradients_is_unsupported_for_them_and_judged_for_the_rest(
    on_cases: Callable[..., Any],
) -> None:
    verdicts = on_cases(GRADIENTS)
    assert verdicts.ids("passed") == ["things/sigmoid[float32]", "things/sigmoid[float64]"]
    assert len(verdicts.ids("unsupported")) == 4
    assert {verdicts[v].reason for v in verdicts.ids("unsupported")} == {"numpy has no gradients"}


def test_a_gradient_with_respect_to_nothing_does_not_pass(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [1, 2]}, call: sum(x), check: [gradient]}"
    judged = on_cases(text, numpy_with({"gradient": lambda *_: []}))["one"]
    assert judged.reason == "gradient: expected a floating input to differentiate by, got none"


def test_a_gradient_at_a_kink_of_the_definition_asks_for_a_statement(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - name: one
    given: {p: [0.0], y: [1.0]}
    call: binary_cross_entropy(p, y, reduction='none')
    check: [gradient]
"""
    wrong = numpy_with({"gradient": lambda self, function, inputs, wrt, cotangent: [np.float32([7.0])]})
    judged = on_cases(text, wrong)["one"]
    assert judged.verdict == "failed"
    assert {f.channel for f in judged.findings} == {"gradient"}


def test_a_flushed_gradient_is_divergent(on_cases: Callable[..., Any], with_gradients: Callable[..., Any]) -> None:
    text = """
  - {name: default, given: {x: [[-88.0, 0.0]]}, call: sigmoid(x), check: [gradient]}
  - {name: preserved, given: {x: [[-88.0, 0.0]]}, call: sigmoid(x), check: [gradient], subnormals: preserve}
"""
    right = lambda x: (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)  # noqa: E731
    flushing = with_gradients(lambda g: np.where(np.abs(g) < 2.0**-126, np.float32(0), g), sigmoid=right)
    kept = on_cases(text, flushing)
    assert [j.verdict for j in kept.judgements.values()] == ["failed", "failed"]
    flushing.flushes_subnormals = lambda mode, dtype="float32": True
    verdicts = on_cases(text, flushing)
    assert [j.verdict for j in verdicts.judgements.values()] == ["divergent", "failed"]


def test_an_idiom_may_say_that_it_is_unsupported_and_nothing_is_shown_as_its_result(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def refusing(x: np.ndarray) -> np.ndarray:
        raise Unsupported("this build has no such kernel")

    judged = on_cases("  - {name: one, given: {x: [1.0]}, call: sigmoid(x)}", numpy_with(sigmoid=refusing))["one"]
    assert (judged.verdict, judged.reason) == ("unsupported", "this build has no such kernel")


STATED = """
  - name: one
    given: {p: [0.0], y: [1.0]}
    call: binary_cross_entropy(p, y, reduction='none')
    check: [gradient]
    expect: {values: [0.0], because: 'the clamped logarithm is constant, so its slope is 0'}
"""


def with_gradient(*elements: Any, dtype: Any = np.float32) -> dict[str, Any]:
    return {"gradient": lambda self, function, inputs, wrt, cotangent: [np.array(g, dtype=dtype) for g in elements]}


def test_a_gradient_may_be_stated_where_the_definition_has_none(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    judged = on_cases(STATED, numpy_with(with_gradient([0.0])))["one"]
    assert (judged.verdict, judged.findings) == ("passed", [])


@pytest.mark.parametrize(
    ("gradient", "dtype", "channels"),
    [
        ([-1.0], np.float32, {"value"}),
        ([1e-38], np.float32, {"value"}),
        ([-np.inf], np.float32, {"nan-inf"}),
        ([np.nan], np.float32, {"nan-inf"}),
        ([-0.0], np.float32, {"signed-zero"}),
        ([0.0, 0.0], np.float32, {"shape"}),
        (0.0, np.float32, {"shape"}),
        ([0.0], np.float64, {"gradient"}),
    ],
)
def test_another_gradient_than_the_stated_one_fails(
    gradient: Any, dtype: Any, channels: set[str], on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    assert on_cases(STATED, numpy_with(with_gradient(gradient, dtype=dtype))).failed() == channels


def test_stated_values_of_a_gradient_are_about_the_first_input_that_is_differentiated(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = """
  - name: one
    given: {y: [1.0, 0.0], a: [2.0, 3.0]}
    call: add(a, y)
    check: [gradient]
    expect: {values: [1.0, -0.5], because: these are the weights of the sum}
"""
    assert on_cases(text, numpy_with(with_gradient([1.0, -0.5], [7.0, 7.0])))["one"].verdict == "passed"
    assert on_cases(text, numpy_with(with_gradient([7.0, 7.0], [1.0, -0.5])))["one"].verdict == "failed"


def test_a_stated_gradient_excuses_no_result_of_another_shape(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(
        with_gradient([0.0]), binary_cross_entropy=lambda p, target, *, reduction: np.zeros(2, dtype=p.dtype)
    )
    assert on_cases(STATED, wrong).failed() == {"shape"}


def test_elements_of_a_gradient_that_are_not_finite_are_counted(
    on_cases: Callable[..., Any], with_gradients: Callable[..., Any]
) -> None:
    def spoiled(g: np.ndarray) -> np.ndarray:
        g = g.copy()
        g[0, :2] = np.nan, np.inf
        return g

    judged = on_cases(GRADIENTS, with_gradients(spoiled))["softmax[float64,gradient]"]
    assert [(f.channel, f.non_finite) for f in judged.findings] == [("gradient", 2)]


@pytest.mark.parametrize(
    ("operation", "call", "given"),
    [
        ("multiply", "x * y", "{x: [-0.0, 1.0], y: [2.0, 2.0]}"),
        ("divide", "x / y", "{x: [-0.0, 1.0], y: [2.0, 2.0]}"),
        ("add", "x + y", "{x: [-0.0, 1.0], y: [-0.0, 2.0]}"),
        ("subtract", "x - y", "{x: [-0.0, 1.0], y: [0.0, 2.0]}"),
        ("negative", "-x", "{x: [0.0, 1.0]}"),
    ],
)
def test_a_true_zero_of_the_wrong_sign_is_caught(
    operation: str, call: str, given: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = f"  - {{name: one, given: {given}, call: '{call}'}}"
    unsigned = numpy_with(**{operation: lambda *args, **kwargs: RIGHT[operation](*args, **kwargs) + np.float32(0)})
    judged = on_cases(text, unsigned)["one"]
    assert [f.channel for f in judged.findings] == ["signed-zero"]
    assert on_cases(text, numpy_with())["one"].verdict == "passed"
