"""Views and copies: whether a result shares the memory of the first input, and whether a call writes to its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance import backends
from conformance.backends.base import Backend
from conformance.backends.numpy import NumpyBackend
from conformance.casefile.inputs import materialise
from conformance.execution.executor import Executor
from conformance.execution.outcome import Outcome
from conformance.execution.program import compile_variant
from conformance.judging.judge import Judge
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

RIGHT = dict(NumpyBackend.idioms)

VIEW = """
  - {name: view, given: {x: [[1.0, 2.0], [3.0, 4.0]]}, call: 'reshape(x, shape=[4])', expect: {aliases: true}}
"""
COPY = """
  - {name: copy, given: {x: [[1.0, 2.0], [3.0, 4.0]]}, call: 'reshape(x, shape=[4])', expect: {aliases: false}}
"""
NOT_ASKED = """
  - {name: not-asked, given: {x: [[1.0, 2.0], [3.0, 4.0]]}, call: 'reshape(x, shape=[4])'}
"""


@pytest.fixture
def run(variants: Callable[..., Any]) -> Callable[..., Outcome]:
    """The outcome of the only variant of a case, as a session runs it."""

    def outcome(text: str, backend: Any = None) -> Outcome:
        (variant,) = variants(text)
        aliasing = variant.case.expect.aliases is not None
        inputs = list(materialise(variant).values())
        return Executor(backend or NumpyBackend()).run(compile_variant(variant), inputs, "eager", "", aliasing)

    return outcome


def test_it_is_found_out_only_where_it_is_asked(run: Callable[..., Outcome]) -> None:
    assert [run(text).aliases for text in (VIEW, COPY, NOT_ASKED)] == [True, True, None]


def test_the_values_are_those_from_before_the_memory_was_written_to(run: Callable[..., Outcome]) -> None:
    for text in (VIEW, COPY, NOT_ASKED):
        outcome = run(text)
        np.testing.assert_array_equal(outcome.received[0], [[1, 2], [3, 4]])
        np.testing.assert_array_equal(outcome.received[1], [1, 2, 3, 4])
        assert outcome.overwritten == []


def test_the_case_s_own_input_is_never_written_to(variants: Callable[..., Any]) -> None:
    (variant,) = variants(VIEW)
    inputs = list(materialise(variant).values())
    before = inputs[0].tobytes()
    Executor(NumpyBackend()).run(compile_variant(variant), inputs, "eager", "", True)
    assert inputs[0].tobytes() == before and not inputs[0].flags.writeable


@pytest.fixture
def judged(run: Callable[..., Outcome], variants: Callable[..., Any]) -> Callable[..., Any]:
    """The verdict on the only variant of a case, as a session gives it."""

    def verdict(text: str, backend: Any = None, entry: Any = None) -> Any:
        (variant,) = variants(text)
        return Judge().judge(variant, compile_variant(variant), run(text, backend), [entry] if entry else [])

    return verdict


def copying(x: Any, shape: Any) -> Any:
    return RIGHT["reshape"](x, shape).copy()


def test_a_view_where_one_is_due_and_a_copy_where_one_is_due_pass(
    judged: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    assert judged(VIEW).verdict == judged(NOT_ASKED).verdict == "passed"
    assert judged(COPY, numpy_with(reshape=copying)).verdict == "passed"
    assert judged(NOT_ASKED, numpy_with(reshape=copying)).verdict == "passed"


def test_a_copy_where_a_view_is_due_fails(judged: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    judgement = judged(VIEW, numpy_with(reshape=copying))
    assert judgement.verdict == "failed"
    (finding,) = judgement.findings
    assert (finding.channel, finding.got) == ("aliasing", "a copy")
    assert finding.expected.startswith("a view")


def test_a_view_where_a_copy_is_due_fails(judged: Callable[..., Any]) -> None:
    judgement = judged(COPY)
    assert judgement.verdict == "failed"
    (finding,) = judgement.findings
    assert (finding.channel, finding.expected) == ("aliasing", "a copy")
    assert finding.got.startswith("a view")


def test_a_view_of_a_part_or_in_another_order_is_a_view(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    for view in (lambda x, shape: x[0], lambda x, shape: x.T, lambda x, shape: x[::-1, 1], lambda x, shape: x):
        assert run(VIEW, numpy_with(reshape=view)).aliases is True
    for copy in (lambda x, shape: x[[0]], lambda x, shape: x + 0, lambda x, shape: np.zeros(4, dtype=x.dtype)):
        assert run(VIEW, numpy_with(reshape=copy)).aliases is False


def test_a_result_that_happens_to_hold_what_is_written_is_no_view(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    for constant in (0, 1):
        full = numpy_with(reshape=lambda x, shape, constant=constant: np.full(4, constant, dtype=x.dtype))
        assert run(VIEW, full).aliases is False


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "bfloat16", "float64"])
def test_views_of_every_kind_of_number_are_told_from_copies(
    dtype: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    ones = "[[true, true]]" if dtype == "bool" else "[[1, 1]]"
    text = (
        f"  - {{name: one, given: {{x: {ones}}}, for: {{dtype: {dtype}}}, call: 'reshape(x, shape=[2])',"
        " expect: {aliases: true}}"
    )
    assert run(text).aliases is True
    assert run(text, numpy_with(reshape=copying)).aliases is False


def test_it_is_about_the_first_input_only(run: Callable[..., Outcome], numpy_with: Callable[..., Any]) -> None:
    text = "  - {name: one, given: {x: [1.0], y: [2.0]}, call: x + y, expect: {aliases: false}}"
    assert run(text, numpy_with(add=lambda a, b: a)).aliases is True
    assert run(text, numpy_with(add=lambda a, b: b)).aliases is False


@pytest.mark.parametrize("layout", ["transposed", "stepped", "padded", "broadcast"])
def test_the_layout_of_the_input_reaches_the_call_that_is_asked_about(
    layout: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    """What can't be flattened without a copy is copied. It is called once more, to see whether its result stays."""
    seen: list[Any] = []
    text = (
        f"  - {{name: one, given: {{x: {{array: [[1.0, 2.0], [3.0, 4.0]], layout: {layout}}}}},"
        " call: 'reshape(x, shape=[4])', expect: {aliases: false}}"
    )

    def noting(x: Any, shape: Any) -> Any:
        seen.append(x.strides)
        return RIGHT["reshape"](x, shape)

    outcome = run(text, numpy_with(reshape=noting))
    assert outcome.aliases is False
    assert seen == [{"transposed": (4, 8), "stepped": (40, 8), "padded": (20, 4), "broadcast": (0, 4)}[layout]] * 2
    np.testing.assert_array_equal(outcome.received[-1], [1, 2, 1, 2] if layout == "broadcast" else [1, 2, 3, 4])
    assert run(text, numpy_with(reshape=lambda x, shape: x.T)).aliases is True


def in_one_buffer() -> Any:
    """A reshape that keeps all its results in the memory of the first."""
    buffers: dict[Any, Any] = {}

    def reused(x: Any, shape: Any) -> Any:
        result = RIGHT["reshape"](x, shape)
        buffer = buffers.setdefault((x.shape, x.dtype), np.empty_like(result))
        buffer[...] = result
        return buffer

    return reused


def test_a_result_that_the_next_call_overwrites_fails_and_is_right_otherwise(
    judged: Callable[..., Any], run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    assert [run(text).reused for text in (VIEW, COPY, NOT_ASKED)] == [False, False, False]
    outcome = run(COPY, numpy_with(reshape=in_one_buffer()))
    assert (outcome.reused, outcome.aliases) == (True, False)
    np.testing.assert_array_equal(outcome.received[1], [1, 2, 3, 4])
    judgement = judged(COPY, numpy_with(reshape=in_one_buffer()))
    assert judgement.verdict == "failed"
    assert [(f.channel, f.got) for f in judgement.findings] == [
        ("aliasing", "another: the next call wrote to its memory")
    ]


def test_a_call_that_refuses_the_zeros_of_that_question_answers_it_with_no(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    def picky(x: Any, shape: Any) -> Any:
        if not x.any():
            raise ValueError("nothing but zeros")
        return copying(x, shape)

    outcome = run(COPY, numpy_with(reshape=picky))
    assert (outcome.raised, outcome.reused, outcome.aliases) == (None, False, False)


def test_arrays_that_can_not_be_written_to_alias_nothing(
    judged: Callable[..., Any], run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    immutable = {"fill": lambda self, array, value: False}
    assert run(VIEW, numpy_with(immutable)).aliases is False
    assert judged(COPY, numpy_with(immutable)).verdict == "passed"
    assert [f.channel for f in judged(VIEW, numpy_with(immutable)).findings] == ["aliasing"]


def test_a_backend_s_arrays_can_not_be_written_to_unless_it_says_how() -> None:
    class Plain(NumpyBackend):
        fill = Backend.fill

    assert Plain().fill(np.ones(2), 0) is False
    array = np.ones(2)
    assert NumpyBackend().fill(array, 0) is True and not array.any()


def test_an_error_while_it_is_found_out_fails_by_its_status(
    judged: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def fill(self: Any, array: Any, value: int) -> bool:
        raise RuntimeError("no such kernel")

    judgement = judged(VIEW, numpy_with({"fill": fill}))
    assert judgement.reason == "status: expected a result, got RuntimeError: no such kernel"


def test_whatever_the_memory_the_values_are_judged_too(
    judged: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    judgement = judged(VIEW, numpy_with(reshape=lambda x, shape: x.ravel()[::-1]))
    assert {f.channel for f in judgement.findings} == {"value"}
    both = judged(VIEW, numpy_with(reshape=lambda x, shape: x.ravel()[::-1].copy()))
    assert {f.channel for f in both.findings} == {"value", "aliasing"}


# Calls that write to their inputs


OVERWRITING = """
  - {name: one, given: {x: [1.0, 2.0], y: [3.0, 4.0]}, call: x + y, expect: {aliases: false}}
"""


@pytest.mark.parametrize(("index", "name"), [(0, "x"), (1, "y")])
def test_a_call_that_writes_to_an_input_is_caught_though_its_result_is_right(
    index: int, name: str, judged: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def add(a: Any, b: Any) -> Any:
        result = a + b
        (a, b)[index][1] += 1
        return result

    judgement = judged(OVERWRITING, numpy_with(add=add))
    assert judgement.verdict == "failed"
    finding = judgement.findings[0]
    assert (finding.channel, finding.expected) == ("aliasing", f"the input {name} as it was given")
    assert [f.channel for f in judgement.findings].count("aliasing") == 1


def test_the_result_of_a_call_that_overwrites_its_input_is_a_view_of_it(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    def in_place(a: Any, b: Any) -> Any:
        a += b
        return a

    outcome = run(OVERWRITING, numpy_with(add=in_place))
    assert (outcome.aliases, outcome.overwritten) == (True, ["x"])


def test_writing_the_same_bits_is_no_change_and_the_sign_of_zero_is_one(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    def writing(factor: float) -> Callable[..., Any]:
        def multiply(a: Any, b: Any) -> Any:
            result = a * b
            a *= np.float32(factor)
            return result

        return multiply

    text = "  - {name: one, given: {x: [0.0], y: [1.0]}, call: x * y, expect: {aliases: false}}"
    assert run(text, numpy_with(multiply=writing(1))).overwritten == []
    assert run(text, numpy_with(multiply=writing(-1))).overwritten == ["x"]


def test_numpy_s_inputs_are_read_only_where_nobody_asks_about_memory(
    judged: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def in_place(x: Any) -> Any:
        x *= 2
        return np.exp(x / 2)

    judgement = judged("  - {name: one, given: {x: [1.0]}, call: exp(x)}", numpy_with(exp=in_place))
    assert judgement.reason.startswith("status: expected a result, got ValueError")


def test_an_input_that_is_narrowed_is_not_called_overwritten(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    narrowing = numpy_with({"from_numpy": lambda self, a: a.astype(np.float16)})
    outcome = run("  - {name: one, given: {x: [0.1]}, call: exp(x), expect: {aliases: false}}", narrowing)
    assert outcome.overwritten == [] and outcome.narrowed


@pytest.fixture
def session_of_text(folder: Callable[..., Any]) -> Callable[..., dict[str, str]]:
    """The verdicts of a session of numpy over cases given as text, by the case's name."""

    def verdicts(text: str) -> dict[str, str]:
        made = BackendSession("numpy", select(folder(text)), modes=["eager"])
        return {v.case.case.name: made.run_variant(v, "eager").judgement.verdict for v in made.selection.variants}

    return verdicts


def test_a_session_asks_about_memory_where_a_case_does(session_of_text: Callable[..., Any]) -> None:
    verdicts = session_of_text(VIEW + COPY + NOT_ASKED)
    assert verdicts == {"view": "passed", "copy": "failed", "not-asked": "passed"}


# The frameworks


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64"])
def test_a_reshape_is_a_view_in_numpy_and_torch_and_never_in_the_others(
    dtype: str, framework: Any, run: Callable[..., Outcome]
) -> None:
    text = (
        f"  - {{name: one, given: {{x: [[1, 2], [3, 4]]}}, for: {{dtype: {dtype}}}, call: 'reshape(x, shape=[4])',"
        " expect: {aliases: true}}"
    )
    outcome = run(text, framework)
    assert (outcome.raised, outcome.overwritten) == (None, [])
    assert outcome.aliases is (framework.name in ("numpy", "torch"))
    np.testing.assert_array_equal(outcome.received[-1].astype(np.float64), [1, 2, 3, 4])


@pytest.mark.filterwarnings("ignore")
def test_a_computed_result_is_a_copy_in_every_framework(framework: Any, run: Callable[..., Outcome]) -> None:
    outcome = run("  - {name: one, given: {x: [1.0, 2.0]}, call: exp(x), expect: {aliases: false}}", framework)
    assert (outcome.raised, outcome.aliases, outcome.overwritten) == (None, False, [])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_torch_s_operations_in_place_are_caught(
    dtype: str, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = backends.load("torch")
    if missing := kind.not_installed():
        pytest.skip(missing)
    made = kind()
    made.start()
    changed = type(kind.idioms)()
    changed("exp")(lambda x: x.exp_())
    monkeypatch.setattr(kind, "idioms", changed)
    for expect in ("", ", expect: {aliases: false}"):
        outcome = run(f"  - {{name: one, given: {{x: [1.0]}}, for: {{dtype: {dtype}}}, call: exp(x){expect}}}", made)
        assert outcome.overwritten == ["x"]
