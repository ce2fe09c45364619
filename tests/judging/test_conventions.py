"""Results that arithmetic does not define, by an operation's convention: each element of them, and what is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.casefile.inputs import materialise
from conformance.execution.program import compile_variant
from conformance.judging.answers import Answer, Answers
from conformance.ops import OPERATIONS
from conformance.words.wording import count

NAN, INF = float("nan"), float("inf")
E = float(np.e)
HALF_LOG = float(np.log1p(np.exp(-1.0)))  # the loss of the logit 1 and the target 1
LOG_2 = float(np.log(2.0))

SPECIALS: dict[str, tuple[str, str, Any]] = {
    "exp": ("exp(x)", "x: [.nan, .inf, -.inf, 1.0]", [NAN, INF, 0, E]),
    "log": (
        "log(x)",
        "x: [.nan, .inf, -.inf, -1.0, 0.0, -0.0, 1.0, 2.0, smallest_subnormal]",
        [NAN, INF, NAN, NAN, -INF, -INF, 0, LOG_2, -149 * LOG_2],
    ),
    "log within its domain and at 0": ("log(x)", "x: [0.0, 2.0]", [-INF, LOG_2]),
    "negative": ("-x", "x: [.nan, .inf, -.inf, 2.0]", [NAN, -INF, INF, -2]),
    "add": (
        "a + b",
        "a: [.inf, .inf, .nan, 1.0, -.inf, 1.0], b: [-.inf, .inf, 1.0, .nan, 1.0, 2.0]",
        [NAN, INF, NAN, NAN, -INF, 3],
    ),
    "add, broadcast": ("a + b", "a: [[.inf], [1.0]], b: [-.inf, 2.0, .nan]", [[NAN, INF, NAN], [-INF, 3, NAN]]),
    "subtract": (
        "a - b",
        "a: [.inf, .inf, .nan, 1.0, -.inf, 1.0], b: [.inf, -.inf, 1.0, .nan, 1.0, .inf]",
        [NAN, INF, NAN, NAN, -INF, -INF],
    ),
    "multiply": (
        "a * b",
        "a: [0.0, .inf, .nan, -.inf, 2.0, .inf], b: [.inf, -2.0, 0.0, -.inf, 3.0, 0.5]",
        [NAN, -INF, NAN, INF, 6, INF],
    ),
    "divide": (
        "a / b",
        "a: [1.0, -1.0, 0.0, 1.0, .inf, 1.0, .nan, 6.0, .inf, 0.0, -.inf],"
        "b: [0.0, 0.0, 0.0, -0.0, .inf, .inf, 1.0, 3.0, 0.0, -.inf, 2.0]",
        [INF, -INF, NAN, -INF, NAN, 0, NAN, 2, INF, 0, -INF],
    ),
    "sigmoid": ("sigmoid(x)", "x: [.nan, .inf, -.inf, 0.0]", [NAN, 1, 0, 0.5]),
    "log_sigmoid": ("log_sigmoid(x)", "x: [.nan, .inf, -.inf, 0.0]", [NAN, 0, -INF, -LOG_2]),
    "sum of NaN": ("sum(x)", "x: [1.0, .nan, .inf]", NAN),
    "sum of an infinity": ("sum(x)", "x: [1.0, .inf, .inf]", INF),
    "sum of a negative infinity": ("sum(x)", "x: [-.inf, max, max]", -INF),
    "sum of both infinities": ("sum(x)", "x: [-.inf, 1.0, .inf]", NAN),
    "sum along an axis": (
        "sum(x, axis=0)",
        "x: [[.nan, .inf, -.inf, .inf, 1.0], [2.0, 2.0, 2.0, -.inf, 2.0]]",
        [NAN, INF, -INF, NAN, 3],
    ),
    "sum along the other axis": (
        "sum(x, axis=1, keepdims=True)", "x: [[.nan, 1.0], [1.0, 2.0], [.inf, 1.0]]", [[NAN], [3], [INF]],
    ),
    "mean of NaN": ("mean(x)", "x: [1.0, .nan]", NAN),
    "mean of an infinity": ("mean(x)", "x: [1.0, -.inf]", -INF),
    "mean of both infinities": ("mean(x)", "x: [.inf, -.inf]", NAN),
    "mean along an axis": ("mean(x, axis=-1)", "x: [[.nan, 1.0], [1.0, 2.0], [.inf, 1.0]]", [NAN, 1.5, INF]),
    "softmax with NaN": ("softmax(x, axis=0)", "x: [.nan, 0.0]", [NAN, NAN]),
    "softmax with an infinity": ("softmax(x, axis=0)", "x: [.inf, 0.0, -.inf]", [NAN, NAN, NAN]),
    "softmax with a negative infinity": ("softmax(x, axis=0)", "x: [0.0, -.inf, 0.0]", [0.5, 0, 0.5]),
    "softmax of one beside negative infinities": ("softmax(x, axis=0)", "x: [-.inf, -30.0, -.inf]", [0, 1, 0]),
    "softmax of negative infinities": ("softmax(x, axis=0)", "x: [-.inf, -.inf]", [NAN, NAN]),
    "softmax of rank 0": ("softmax(x)", "x: .nan", NAN),
    "softmax row by row": (
        "softmax(x, axis=1)",
        "x: [[0.0, 0.0, -.inf], [.nan, 0.0, 0.0], [1.0, 1.0, 1.0], [-.inf, .inf, 0.0], [-.inf, -.inf, -.inf]]",
        [[0.5, 0.5, 0], [NAN] * 3, [1 / 3] * 3, [NAN] * 3, [NAN] * 3],
    ),
    "softmax column by column": (
        "softmax(x, axis=0)", "x: [[0.0, .nan, -.inf], [0.0, 0.0, 5.0]]", [[0.5, NAN, 0], [0.5, NAN, 1]],
    ),
    "log_softmax": (
        "log_softmax(x, axis=1)",
        "x: [[0.0, 0.0, -.inf], [.nan, 0.0, 0.0], [1.0, 1.0, 1.0], [-.inf, .inf, 0.0], [-.inf, -.inf, -.inf]]",
        [[-LOG_2, -LOG_2, -INF], [NAN] * 3, [-float(np.log(3.0))] * 3, [NAN] * 3, [NAN] * 3],
    ),
    "bce": (
        "binary_cross_entropy(p, y, reduction='none')",
        "p: [.nan, 0.5, 0.5, 0.0], y: [1.0, .nan, 1.0, 1.0]",
        [NAN, NAN, LOG_2, 100],
    ),
    "bce with a weight": (
        "binary_cross_entropy(p, y, weight=w, reduction='none')",
        "p: [[0.5, 0.5], [.nan, 0.5]], y: [[1.0, 1.0], [1.0, 1.0]], w: [.nan, 2.0]",
        [[NAN, 2 * LOG_2], [NAN, 2 * LOG_2]],
    ),
    "bce, mean": ("binary_cross_entropy(p, y)", "p: [.nan, 0.5], y: [1.0, 1.0]", NAN),
    "bce, sum": ("binary_cross_entropy(p, y, reduction='sum')", "p: [0.5, 0.5], y: [1.0, .nan]", NAN),
    "bce with logits": (
        "binary_cross_entropy_with_logits(x, y, reduction='none')",
        "x: [.nan, .inf, .inf, -.inf, -.inf, .inf, -.inf, 1.0, 0.0], y: [1.0, 1.0, 0.0, 1.0, 0.0, 0.5, 0.5, 1.0, .nan]",
        [NAN, 0, INF, INF, 0, INF, INF, HALF_LOG, NAN],
    ),
    "bce with logits and weights": (
        "binary_cross_entropy_with_logits(x, y, weight=w, pos_weight=v, reduction='none')",
        "x: [.inf, .inf, 1.0, 1.0, -.inf], y: [0.0, 1.0, 1.0, 1.0, 1.0], w: [-1.0, 2.0, .nan, 2.0, 3.0],"
        "v: [1.0, 1.0, 1.0, .nan, 0.0]",
        [-INF, 0, NAN, NAN, 0],
    ),
    "bce with logits, mean of NaN": ("binary_cross_entropy_with_logits(x, y)", "x: [.nan, 1.0], y: [1.0, 1.0]", NAN),
    "bce with logits, mean of an infinite loss": (
        "binary_cross_entropy_with_logits(x, y)", "x: [.inf, 1.0], y: [0.0, 1.0]", INF,
    ),
    "bce with logits, mean with a loss that vanishes": (
        "binary_cross_entropy_with_logits(x, y)", "x: [.inf, 1.0], y: [1.0, 1.0]", HALF_LOG / 2,
    ),
    "bce with logits, sum with losses that vanish": (
        "binary_cross_entropy_with_logits(x, y, reduction='sum')", "x: [.inf, 1.0, -.inf], y: [1.0, 1.0, 0.0]", HALF_LOG,
    ),
    "bce with logits, sum of losses that vanish": (
        "binary_cross_entropy_with_logits(x, y, reduction='sum')", "x: [.inf, -.inf], y: [1.0, 0.0]", 0,
    ),
}  # fmt: skip


@pytest.fixture
def answered(variants: Callable[..., Any]) -> Callable[..., Answer]:
    """The answer of the only step of a case given as inputs and a call."""

    def of(call: str, given: str, dtype: str = "float32") -> Answer:
        text = f'  - {{name: one, given: {{{given}}}, for: {{dtype: {dtype}}}, call: "{call}"}}'
        (variant,) = variants(text)
        (answer,) = Answers().of_program(compile_variant(variant), list(materialise(variant).values()))
        return answer

    return of


def test_every_operation_that_computes_has_a_convention_in_words() -> None:
    for operation in OPERATIONS.values():
        assert (operation.convention is not None) != operation.moves
        assert bool(operation.convention_source) != operation.moves


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", SPECIALS)
def test_each_element_is_what_the_convention_says_or_arithmetic(
    name: str, dtype: str, answered: Callable[..., Answer]
) -> None:
    call, given, due = SPECIALS[name]
    if "subnormal" in given and dtype != "float32":
        due = [*due[:-1], {"float16": -24, "bfloat16": -133, "float64": -1074}[dtype] * LOG_2]
    answer = answered(call, given, dtype)
    assert answer.array is not None, answer.why_not
    got, expected = answer.array.astype(np.float64), np.array(due, dtype=np.float64)
    assert got.shape == expected.shape
    rtol = {"float16": 2e-3, "bfloat16": 8e-3, "float32": 2e-7, "float64": 3e-16}[dtype]
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=0)


@pytest.mark.parametrize("name", SPECIALS)
def test_what_follows_from_a_special_input_is_told_from_what_does_not(
    name: str, answered: Callable[..., Answer]
) -> None:
    call, given, due = SPECIALS[name]
    answer = answered(call, given)
    expected = np.array(due, dtype=np.float64)
    assert answer.special.shape == answer.array.shape
    assert answer.special[~np.isfinite(expected)].all()
    assert answer.special.any() != name.endswith(("vanishes", "vanish"))  # from a sum
    assert answer.convention == OPERATIONS[compiled_operation(call)].convention_source
    assert not answer.special[np.isfinite(expected) & (expected != np.round(expected))].any()


def compiled_operation(call: str) -> str:
    signs = {"-x": "negative", "a + b": "add", "a - b": "subtract", "a * b": "multiply", "a / b": "divide"}
    return signs.get(call) or call.partition("(")[0]


def test_without_special_inputs_no_convention_is_asked(answered: Callable[..., Answer]) -> None:
    for call, given in [
        ("exp(x)", "x: [1.0]"),
        ("a / b", "a: [1.0], b: [2.0]"),
        ("softmax(x, axis=0)", "x: [max, -max]"),
    ]:
        answer = answered(call, given)
        assert (answer.special, answer.convention, answer.why_not) == (None, "", "")


def test_what_stands_in_for_a_negative_infinity_does_not_show_in_the_others(answered: Callable[..., Answer]) -> None:
    """The same softmax as without it, in every bit, wherever the finite elements lie."""
    for dtype, largest in [("float16", 6.0e4), ("bfloat16", 1.0e38), ("float32", 1.0e38), ("float64", 1.0e308)]:
        for x in ([0.0, 1.0], [-20.0, -25.0], [largest, largest], [largest, -largest], [1e-6, -1e-6]):
            for operation in ("softmax", "log_softmax"):
                alone = answered(f"{operation}(x, axis=0)", f"x: {x}", dtype)
                beside = answered(f"{operation}(x, axis=0)", f"x: [-.inf, {x[0]!r}, {x[1]!r}]", dtype)
                assert beside.array[1:].tobytes() == alone.array.tobytes(), (dtype, x)
                np.testing.assert_array_equal(beside.values.residual[1:], alone.values.residual)
                assert beside.special.tolist() == [True, False, False]


DIFFERENT = {
    "zero for NaN": lambda y: np.where(np.isnan(y), 0, y),
    "a large number for NaN": lambda y: np.where(np.isnan(y), 1e30, y),
    "infinity for NaN": lambda y: np.where(np.isnan(y), INF, y),
    "NaN for infinity": lambda y: np.where(np.isinf(y), NAN, y),
    "the other infinity": lambda y: np.where(np.isinf(y), -y, y),
    "the largest number for infinity": lambda y: np.where(
        np.isinf(y), np.copysign(float(np.finfo(np.float32).max), y), y
    ),
    "zero for infinity": lambda y: np.where(np.isinf(y), 0, y),
    "NaN for everything": lambda y: np.full_like(y, NAN),
}


@pytest.fixture
def judged(
    answered: Callable[..., Answer], on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> Callable[..., Any]:
    """The verdicts on the right result of an entry of SPECIALS, changed by a function of it as float64."""

    def verdicts(name: str, change: Callable[[np.ndarray], Any] = lambda y: y) -> Any:
        call, given, _ = SPECIALS[name]
        result = np.asarray(change(answered(call, given).array.astype(np.float64))).astype(np.float32)
        backend = numpy_with(**{compiled_operation(call): lambda *args, **kwargs: result.copy()})
        return on_cases(f'  - {{name: one, given: {{{given}}}, for: {{dtype: float32}}, call: "{call}"}}', backend)

    return verdicts


@pytest.mark.parametrize("name", SPECIALS)
def test_the_convention_is_met_by_itself(name: str, judged: Callable[..., Any]) -> None:
    assert judged(name).ids("passed") == ["things/one[float32]"]


@pytest.mark.parametrize("how", DIFFERENT)
@pytest.mark.parametrize("name", SPECIALS)
def test_another_result_than_the_conventions_is_caught_as_nan_or_infinity(
    name: str, how: str, judged: Callable[..., Any]
) -> None:
    due = np.array(SPECIALS[name][2], dtype=np.float64)
    changed = np.asarray(DIFFERENT[how](due))
    if np.array_equal(changed, due, equal_nan=True):
        return  # there is nothing of it here
    verdicts = judged(name, DIFFERENT[how])
    assert verdicts.failed() == {"nan-inf"}
    lost = int((~((changed == due) | (np.isnan(changed) & np.isnan(due)))).sum())
    assert sum(f.non_finite for f in verdicts["one"].findings) == lost


@pytest.mark.parametrize("name", ["exp", "sigmoid", "log_sigmoid", "softmax row by row", "divide"])
def test_a_finite_limit_is_exactly_that(name: str, judged: Callable[..., Any]) -> None:
    """exp(-inf) is 0 and the sigmoid of infinity 1: the next number is wrong, whatever the budget."""
    due = SPECIALS[name][2]
    limits = {"exp": 0, "sigmoid": 1, "log_sigmoid": 0, "softmax row by row": 0, "divide": 0}

    def next_to(y: np.ndarray) -> np.ndarray:
        at = np.array(due, dtype=np.float64) == limits[name]
        return np.where(at, np.nextafter(y.astype(np.float32), np.float32(0.5)), y)

    assert judged(name, next_to).failed() == {"nan-inf"}


def computed(name: str) -> np.ndarray:
    """Where a result of SPECIALS is a finite number that is no limit."""
    due = np.array(SPECIALS[name][2], dtype=np.float64)
    limits = [0, 1] if name != "log" else []
    return np.isfinite(due) & ~np.isin(due, limits) & (due != 0)


@pytest.mark.parametrize("name", [name for name in SPECIALS if computed(name).any()])
def test_finite_elements_beside_special_ones_are_judged_by_their_value(name: str, judged: Callable[..., Any]) -> None:
    due, finite = np.array(SPECIALS[name][2], dtype=np.float64), computed(name)
    # The logit that stands in for an infinite one, where its loss vanishes from a sum, widens the budget.
    factor = 2.0 if "vanish" in name else 1.05
    verdicts = judged(name, lambda y: np.where(finite, y * factor, y))
    assert verdicts.failed() == {"value"}
    assert f"{count(finite)} of {due.size} elements" in verdicts["one"].findings[0].detail
    assert judged(name, lambda y: np.where(finite, NAN, y)).failed() == {"nan-inf"}
    both = judged(name, lambda y: np.where(np.isnan(due), 0, np.where(finite, y * factor, y)))
    assert both.failed() == ({"value", "nan-inf"} if np.isnan(due).any() else {"value"})


REDUCTIONS = {
    "sum": ("sum(x)", "x: [1.0, .nan, 2.0]", lambda x, *, axis=None, keepdims=False: np.nansum(x)),
    "mean": ("mean(x)", "x: [1.0, .nan, 2.0]", lambda x, *, axis=None, keepdims=False: np.nanmean(x)),
    "sum along an axis": (
        "sum(x, axis=1)", "x: [[1.0, .nan], [1.0, 2.0]]", lambda x, *, axis, keepdims=False: np.nansum(x, axis=axis),
    ),
    "softmax": (
        "softmax(x, axis=0)",
        "x: [1.0, .nan, 2.0]",
        lambda x, *, axis: np.exp(x - np.nanmax(x)) / np.nansum(np.exp(x - np.nanmax(x))),
    ),
    "binary_cross_entropy": (
        "binary_cross_entropy(p, y)", "p: [0.5, .nan], y: [1.0, 1.0]", lambda p, target: np.nanmean(-np.log(p)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_backend_that_leaves_nan_out_is_caught(
    name: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    call, given, ignoring = REDUCTIONS[name]
    text = f"  - {{name: one, given: {{{given}}}, call: '{call}'}}"
    assert on_cases(text).ids("passed") == ["things/one[float32]"]
    verdicts = on_cases(text, numpy_with(**{name.partition(" ")[0]: ignoring}))
    assert verdicts.failed() == {"nan-inf"}


def test_the_finding_names_the_element_the_convention_and_how_many_there_are(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [[1.0, .nan], [.nan, .inf]]}, call: exp(x)}"
    judgement = on_cases(text, numpy_with(exp=lambda x: np.exp(np.nan_to_num(x, posinf=np.inf))))["one"]
    (finding,) = judgement.findings
    assert (finding.expected, finding.got, finding.non_finite) == ("nan", "1.0", 2)
    assert finding.detail == f"2 of 4 elements; at [0, 1]; by convention: {OPERATIONS['exp'].convention_source}"


def test_special_elements_do_not_count_as_the_largest_error(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(exp=lambda x: np.where(np.isnan(x), np.float32(0), np.exp(x)))
    judgement = on_cases("  - {name: one, given: {x: [.nan, 1.0]}, call: exp(x)}", wrong)["one"]
    assert judgement.verdict == "failed"
    assert judgement.measured.ulp <= 4


def test_numpy_meets_the_conventions_of_the_elementary_functions(on_cases: Callable[..., Any]) -> None:
    """A check of the conventions by a framework that follows IEEE 754."""
    for name in ("exp", "log", "negative", "add", "subtract", "multiply", "divide", "sigmoid", "log_sigmoid"):
        call, given, _ = SPECIALS[name]
        text = f'  - {{name: one, given: {{{given}}}, for: {{dtype: [float16, float32, float64]}}, call: "{call}"}}'
        assert len(on_cases(text).ids("passed")) == 3, name


def test_each_step_of_a_call_has_its_convention(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    text = "  - {name: one, given: {x: [.nan, 1.0, -.inf]}, call: sum(exp(x))}"
    assert on_cases(text).ids("passed") == ["things/one[float32]"]
    hiding = numpy_with(exp=lambda x: np.nan_to_num(np.exp(x)), sum=lambda x, *, axis=None: np.float32(np.nan))
    judgement = on_cases(text, hiding)["one"]
    assert ["step 1, exp" in f.detail for f in judgement.findings] == [True, False]


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("binary_cross_entropy(p, y)", "p: [1.5], y: [0.5]"),  # no probability: the definition has no value
        ("binary_cross_entropy(p, y)", "p: [-0.5, .nan], y: [0.5, 0.5]"),  # nor beside a NaN
    ],
)
def test_what_no_convention_says_has_no_answer_and_does_not_pass(
    call: str, given: str, answered: Callable[..., Answer], on_cases: Callable[..., Any]
) -> None:
    answer = answered(call, given)
    assert answer.array is None and answer.why_not
    text = f"  - {{name: one, given: {{{given}}}, for: {{dtype: float32}}, call: '{call}'}}"
    assert on_cases(text)["one"].reason.startswith("value: expected values stated by the case")


def test_an_operation_without_a_convention_has_no_answer(
    answered: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OPERATIONS["exp"], "convention", None)
    answer = answered("exp(x)", "x: [.nan, 1.0]")
    assert (answer.array, answer.special) == (None, None)
    assert answer.why_not == "arithmetic defines no result for infinite or NaN inputs"


def test_a_convention_must_give_finite_stand_ins_and_name_something_where_all_inputs_are_finite(
    answered: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the definition's refusal stands."""
    monkeypatch.setattr(OPERATIONS["log"], "convention", lambda x: ({}, ~np.isfinite(x), np.zeros(x.shape)))
    assert answered("log(x)", "x: [.nan, 1.0]").array is None
    nothing = np.zeros(1, dtype=bool)
    monkeypatch.setattr(OPERATIONS["log"], "convention", lambda x: ({"x": x}, nothing, np.zeros(1)))
    answer = answered("log(x)", "x: [0.0]")
    assert answer.array is None and "no finite real value" in answer.why_not


def test_stated_values_come_before_a_convention(on_cases: Callable[..., Any]) -> None:
    text = """
  - name: one
    given: {x: [.nan]}
    call: exp(x)
    expect: {values: [1.0], because: this case says so}
"""
    assert on_cases(text).failed() == {"nan-inf"}


def test_the_sum_of_integers_has_no_convention(answered: Callable[..., Answer]) -> None:
    answer = answered("sum(x)", "x: [1, 2]", "int64")
    assert (answer.bits, answer.special, answer.convention) == (3, None, "")
