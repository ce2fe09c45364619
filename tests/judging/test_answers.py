"""Exact answers of steps and programs: what has one, what has none and why, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from conformance.casefile.inputs import materialise
from conformance.execution.outcome import Outcome
from conformance.execution.program import compile_variant
from conformance.ground.dtypes import DTYPES
from conformance.judging import answers
from conformance.judging.answers import Answer, Answers
from conformance.judging.judge import Judge
from conformance.truth import balls


@pytest.fixture
def asked(variants: Callable[..., Any]) -> Callable[..., list[Answer]]:
    """The answers of every step of the first variant of a case given as text, or as inputs and a call."""

    def of(call: str, given: str = "x: [1.0, 2.0]") -> list[Answer]:
        stated = "    expect: {dtype: float32}\n"  # which answers of steps leave out of account
        (variant,) = variants(f"  - name: one\n    given: {{{given}}}\n    call: {call!r}\n{stated}")
        return Answers().of_program(compile_variant(variant), list(materialise(variant).values()))

    return of


def test_an_answer_holds_shape_dtype_values_and_budget(asked: Callable[..., list[Answer]]) -> None:
    (answer,) = asked("exp(x)")
    assert (answer.shape, answer.dtype, answer.why_not) == ((2,), DTYPES["float32"], "")
    np.testing.assert_array_equal(answer.array, np.exp(np.array([1.0, 2.0])).astype(np.float32))
    np.testing.assert_array_equal(answer.budget, [4.0, 4.0])
    assert answer.bits is None


@pytest.mark.parametrize("call", ["sum(x, axis=a)", "mean(x, axis=[a])", "softmax(x, axis=a)", "stack([x, x], axis=a)"])
def test_an_axis_past_every_machine_integer_is_one_that_there_is_not(call: str, variants: Callable[..., Any]) -> None:
    text = f"  - {{name: one, given: {{x: [1.0]}}, for: {{a: [{10**23}]}}, call: '{call}', expect: raises}}"
    (variant,) = variants(text)
    (answer,) = Answers().of_program(compile_variant(variant), list(materialise(variant).values()))
    assert answer.array is None
    assert answer.why_not.startswith("the definition refuses these arguments: ")


def test_every_step_is_answered_on_the_rounded_results_of_the_steps_before_it(
    asked: Callable[..., list[Answer]],
) -> None:
    first, second = asked("1 - sigmoid(x)", "x: [10.0]")
    assert second.array == np.float32(1) - first.array
    assert float(second.array[0]) != pytest.approx(1 / (1 + np.exp(10.0)), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "given", "shape", "why"),
    [
        ("softmax(x, axis=2)", "x: [1.0]", None, "the definition refuses these arguments"),
        ("reshape(x, shape=[3])", "x: [1.0]", None, "the definition refuses these arguments"),
        ("stack([x, y])", "x: [1.0], y: [1.0, 2.0]", None, "the definition refuses these arguments"),
        ("x + y", "x: [1.0, 2.0], y: [1.0, 2.0, 3.0]", None, "the definition refuses these arguments"),
        ("binary_cross_entropy(x, y)", "x: [0.5], y: [1.0, 0.0]", None, "prediction and target must have one shape"),
        ("binary_cross_entropy(p, y)", "p: [2.0, 0.5], y: [1.0, 0.0]", (), "no finite real value at element ()"),
        ("x + y", "x: [1.0], y: {array: [1.0], dtype: float64}", (1,), "dtype of the result is not defined"),
        ("sigmoid(x)", "x: [1, 2]", (2,), "dtype of the result is not defined"),
    ],
)
def test_where_there_is_no_answer_it_is_said_why(
    call: str, given: str, shape: Any, why: str, asked: Callable[..., list[Answer]]
) -> None:
    (answer,) = asked(call, given)
    assert answer.array is None
    assert answer.shape == shape
    assert why in answer.why_not


def test_answers_end_at_the_step_that_has_none(asked: Callable[..., list[Answer]]) -> None:
    answered = asked("exp(softmax(log(x), axis=5))", "x: [1.0]")
    assert [answer.array is None for answer in answered] == [False, True]


def test_integers_add_up_exactly_at_any_size(asked: Callable[..., list[Answer]]) -> None:
    """2^53 + 1 is no float64."""
    (answer,) = asked("sum(x)", f"x: [{2**53}, 1]")
    assert answer.bits.dtype == np.int64
    assert int(answer.bits) == 2**53 + 1


def test_a_plain_number_takes_the_dtype_of_the_other_side(asked: Callable[..., list[Answer]]) -> None:
    (answer,) = asked("x * 0.1", "x: [1.0]")
    assert (answer.dtype, answer.array[0]) == (DTYPES["float32"], np.float32(0.1))
    (answer,) = asked("2 / x", "x: {array: [3.0], dtype: float64}")
    assert answer.array[0] == 2 / 3


def test_moved_elements_keep_every_bit(asked: Callable[..., list[Answer]]) -> None:
    (answer,) = asked("reshape(x, shape=[3])", "x: [[-0.0, .nan, smallest_subnormal]]")
    assert answer.bits.tobytes() == np.array([-0.0, np.nan, 2.0**-149], dtype=np.float32).tobytes()


def test_an_answer_may_be_rounded_to_another_dtype(variants: Callable[..., Any]) -> None:
    (variant,) = variants("  - {name: one, given: {x: [0.3]}, call: exp(x)}")
    program, inputs = compile_variant(variant), list(materialise(variant).values())
    known = Answers()
    narrow = known.of_step(program.steps[0], inputs)
    wide = known.of_step(program.steps[0], inputs, DTYPES["float64"])
    assert (narrow.array.dtype, wide.array.dtype) == (np.float32, np.float64)
    assert wide.array[0] == np.exp(np.float64(np.float32(0.3)))


def test_the_same_step_on_the_same_inputs_is_answered_once_and_others_are_told_apart(
    variants: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    real = answers._answer
    monkeypatch.setattr(answers, "_answer", lambda *a: asked.append(a) or real(*a))
    text = """
  - {name: a, given: {x: [[0.0, 2.0], [3.0, 5.0]]}, call: 'softmax(x, axis=0)'}
  - {name: b, given: {x: [[-0.0, 2.0], [3.0, 5.0]]}, call: 'softmax(x, axis=0)'}
  - {name: c, given: {x: [[-0.0, 2.0], [3.0, 5.0]]}, call: 'softmax(x, axis=1)'}
  - {name: d, given: {x: [-0.0, 2.0, 3.0, 5.0]}, call: 'softmax(x, axis=0)'}
"""
    known, found = Answers(), []
    known.of_case("one")
    for _ in range(2):
        for variant in variants(text):
            (step,) = compile_variant(variant).steps
            found.append(known.of_step(step, list(materialise(variant).values())))
    assert len(asked) == 4
    assert all(a is b for a, b in zip(found[:4], found[4:], strict=True))
    assert not np.array_equal(found[1].array, found[2].array)
    known.of_case("another")
    known.of_step(step, list(materialise(variant).values()))
    assert len(asked) == 5


def test_printed_inputs_reach_as_far_as_their_intervals(variants: Callable[..., Any]) -> None:
    """The product of [0.95, 1.05] and [1.95, 2.05] is [1.8525, 2.1525]."""
    (variant,) = variants("  - {name: one, given: {x: [1.0], y: [2.0]}, call: x * y}")
    balls.working_precision(100)
    twentieth = Fraction(1, 20)
    inputs = [balls.intervals([Fraction(n)], [twentieth], (1,)) for n in (1, 2)]
    product = answers.chain(compile_variant(variant), inputs)[-1][0]
    low, high = float(product.lower()), float(product.upper())
    assert 1.84 < low <= 1.8525 and 2.1525 <= high < 2.16


@pytest.mark.parametrize(
    ("call", "given", "dtype", "right"),
    [
        ("x / 2.5", "x: {array: [5, 10], dtype: int64}", "float32", [2.0, 4.0]),
        ("x * 0.5", "x: {array: [1, 2], dtype: int32}", "float32", [0.5, 1.0]),
        ("x / 2", "x: {array: [true, false], dtype: bool}", "float32", [0.5, 0.0]),
        ("x * 0.333", "x: {array: [1, 2], dtype: int32}", "bfloat16", [0.33203125, 0.6640625]),
        ("x / 0.333", "x: {array: [1.0], dtype: bfloat16}", "bfloat16", [3.015625]),  # 1 / 0.33203125, rounded
        ("-3 * x", "x: {array: [1, 2], dtype: uint8}", "int16", [-3, -6]),
        ("x + 300", "x: {array: [1, 2], dtype: int8}", "int16", [301, 302]),
        ("x + 1", "x: {array: [9007199254740992], dtype: int64}", None, [9007199254740993]),
        ("-x", "x: {array: [-5, 5], dtype: int8}", None, [5, -5]),
        ("x * x", "x: {array: [3037000499], dtype: int64}", None, [9223372030926249001]),
    ],
)
def test_a_plain_number_takes_a_dtype_that_holds_it(
    call: str, given: str, dtype: str | None, right: list[float], variants: Callable[..., Any]
) -> None:
    stated = f", expect: {{dtype: {dtype}}}" if dtype else ""
    (variant,) = variants(f"  - {{name: one, given: {{{given}}}, call: {call!r}{stated}}}")
    (step,) = compile_variant(variant).steps
    answer = Answers().of_step(step, list(materialise(variant).values()), DTYPES[dtype] if dtype else None)
    assert answer.array is not None, answer.why_not
    due = np.array(right, dtype=DTYPES[dtype].numpy if dtype else answer.array.dtype)
    assert answer.array.dtype == due.dtype and answer.array.tolist() == due.tolist()


@pytest.mark.parametrize(
    ("call", "given", "why"),
    [
        ("x / 1000", "x: {array: [1, 2], dtype: int8}", "the dtype of the result is not defined for these inputs"),
        ("x * 0.5", "x: {array: [1, 2], dtype: int32}", "the dtype of the result is not defined for these inputs"),
        ("x + x", "x: {array: [true], dtype: bool}", "the dtype of the result is not defined for these inputs"),
    ],
)
def test_integers_that_have_no_answer_say_why(
    call: str, given: str, why: str, asked: Callable[..., list[Answer]]
) -> None:
    (answer,) = asked(call, given)
    assert (answer.array, answer.why_not) == (None, why)


@pytest.mark.parametrize(
    ("call", "shape", "due"),
    [
        ("mean(x)", [0], ()),
        ("mean(x, axis=1)", [3, 0], (3,)),
        ("mean(x, axis=0, keepdims=True)", [0, 2], (1, 2)),
        ("binary_cross_entropy(x, x)", [0], ()),
        ("binary_cross_entropy_with_logits(x, x)", [0], ()),
    ],
)
def test_the_mean_of_nothing_is_nan_by_convention(
    call: str, shape: list[int], due: tuple[int, ...], asked: Callable[..., list[Answer]]
) -> None:
    (answer,) = asked(call, f"x: {{full: {{shape: {shape}, value: 1.0}}}}")
    assert answer.shape == due and answer.array is not None and answer.array.shape == due
    assert np.isnan(answer.array).all() and answer.special is not None and answer.special.all()


@pytest.mark.parametrize(
    ("given", "more", "right"),
    [
        ("x: [1.0e-20], t: [.inf]", "", -np.inf),  # t (softplus(-x) - softplus(x)) is -t x
        ("x: [-1.0e-20], t: [.inf]", "", np.inf),
        ("x: [-.inf], t: [0.25], w: {array: [smallest_subnormal]}", ", pos_weight=w", np.inf),
        ("x: [-.inf], t: [0.25], w: [0.0]", ", pos_weight=w", 0.0),
        ("x: [0.0], t: {array: [max]}, w: {array: [max]}", ", pos_weight=w", np.inf),
    ],
)
def test_a_loss_at_infinity_is_its_limit_also_where_float64_has_no_number_for_it(
    given: str, more: str, right: float, asked: Callable[..., list[Answer]]
) -> None:
    answer = asked(f"binary_cross_entropy_with_logits(x, t{more})", given)[0]
    assert answer.array is not None and answer.array == np.float32(right)
    assert not np.isnan(answer.budget).any()  # type: ignore[arg-type]


def test_a_budget_allows_for_gradual_underflow(asked: Callable[..., list[Answer]]) -> None:
    """Ten products of subnormal size, each rounded to the grid of subnormal numbers: 1.48 ULP came of right backends."""
    half, weight = "{full: {shape: [10], value: 0.5}}", "{full: {shape: [10], value: '0x7p-149'}}"
    (answer,) = asked("binary_cross_entropy(p, p, weight=w, reduction='sum')", f"p: {half}, w: {weight}")
    assert answer.array is not None and answer.budget is not None
    in_float32 = np.float32(0)
    for _ in range(10):
        in_float32 += np.float32(7 * 2.0**-149) * np.float32(np.log(2.0))
    assert 0.5 < answer.values.distance(np.asarray(in_float32)) < answer.budget  # type: ignore[union-attr]
    # Nothing is allowed for where no product is rounded: a smallest prediction that is flushed must not pass.
    (plain,) = asked("binary_cross_entropy(p, t, reduction='none')", "p: [smallest_subnormal], t: [0.0]")
    assert plain.budget is not None and plain.budget < 1 and plain.values is not None
    assert plain.values.distance(np.zeros(1, dtype=np.float32)) > plain.budget


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("call", ["x + y", "x - y", "x * y", "-x", "sum(x * y)", "x * 300 - 7"])
def test_integers_wrap_where_the_case_says_so(call: str, dtype: str, variants: Callable[..., Any]) -> None:
    """Held against the last bytes of Python's own integers."""
    ends = np.iinfo(dtype)
    x, y = [int(ends.max), int(ends.min), 100, 3], [int(ends.max), 5, 77, int(ends.max) // 3]
    text = f"  - {{name: one, given: {{x: {x}, y: {y}}}, for: {{dtype: {dtype}}}, call: {call!r}, expect: {{wraps: true}}}}"
    (variant,) = variants(text if "y" in call else text.replace(f", y: {y}", ""))
    *_, answer = Answers().of_program(compile_variant(variant), list(materialise(variant).values()))

    def last(number: int, of: str) -> int:
        width = np.dtype(of).itemsize
        bits = (number % 256**width).to_bytes(width, "little")
        return int.from_bytes(bits, "little", signed=of.startswith("int"))

    one = {"x + y": lambda a, b: a + b, "x - y": lambda a, b: a - b, "-x": lambda a, b: -a}
    one |= {"x * 300 - 7": lambda a, b: a * 300 - 7}
    due: Any = [last(one.get(call, lambda a, b: a * b)(a, b), dtype) for a, b in zip(x, y, strict=True)]
    due = last(sum(due), "int64") if call.startswith("sum") else due
    assert answer.bits is not None and answer.bits.tolist() == due, answer.why_not


def test_a_result_that_does_not_wrap_is_wrong_where_the_case_says_that_it_does(variants: Callable[..., Any]) -> None:
    """One that stays at the end of the range, one in a wider dtype, and one that went through float64."""
    text = "  - {name: one, given: {x: [120, 3]}, for: {dtype: int8}, call: x + 10, expect: {wraps: true}}"
    (variant,) = variants(text)
    program, inputs = compile_variant(variant), list(materialise(variant).values())
    for came, verdict in (
        (np.array([-126, 13], np.int8), "passed"),
        (np.array([127, 13], np.int8), "failed"),
        (np.array([130, 13], np.int16), "failed"),
        (np.array([130.0, 13.0]), "failed"),
    ):
        assert Judge().judge(variant, program, Outcome(received=[*inputs, came])).verdict == verdict
