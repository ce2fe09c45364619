"""Running programs on a backend: what is kept, what becomes of errors, what is compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Unsupported
from conformance.casefile.inputs import materialise
from conformance.execution import Executor, Outcome
from conformance.program import compile_variant


@pytest.fixture
def run(variants: Callable[..., Any]) -> Callable[..., Outcome]:
    """The outcome of the only variant of a case, on a backend."""

    def outcome(call: str, backend: Any = None, given: str = "x: [1.0, 2.0]", gradient: bool = False) -> Outcome:
        (variant,) = variants(f"  - name: one\n    given: {{{given}}}\n    call: {call!r}")
        executor = Executor(backend or NumpyBackend())
        asked = executor.gradient if gradient else executor.run
        return asked(compile_variant(variant), list(materialise(variant).values()), "eager")

    return outcome


def test_the_inputs_and_every_steps_result_are_kept_in_order(run: Callable[..., Outcome]) -> None:
    outcome = run("sum(exp(x))")
    assert [a.shape for a in outcome.received] == [(2,), (2,), ()]
    np.testing.assert_array_equal(outcome.received[1], np.exp(np.array([1, 2], dtype=np.float32)))
    assert (outcome.raised, outcome.unsupported, outcome.narrowed) == (None, "", {})


def test_an_error_becomes_an_outcome_with_its_type_and_message_in_one_line(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    def raising(x: Any) -> Any:
        raise ValueError("no\n  kernel " + "x" * 500)

    outcome = run("exp(x)", numpy_with(exp=raising))
    assert outcome.raised.type == "ValueError"
    assert outcome.raised.message.startswith("no kernel xxx")
    assert len(outcome.raised.message) == 401 and outcome.raised.message.endswith("…")
    assert outcome.raised.refused
    assert len(outcome.received) == 1


def test_an_interrupt_is_no_outcome(run: Callable[..., Outcome], numpy_with: Callable[..., Any]) -> None:
    def interrupted(x: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("exp(x)", numpy_with(exp=interrupted))


@pytest.mark.parametrize("where", ["from_numpy", "to_numpy", "compile", "dtype", "gradient"])
def test_unsupported_is_no_error_wherever_it_is_said(
    where: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    def refuse(*_: Any) -> Any:
        raise Unsupported("there is no such thing here")

    call = "asarray([1.0], dtype='float32') * x" if where == "dtype" else "exp(x)"
    outcome = run(call, numpy_with({where: refuse}), gradient=where == "gradient")
    assert outcome.unsupported == "there is no such thing here"
    assert outcome.raised is None


def test_an_input_that_arrives_in_another_dtype_is_noted(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    narrowing = numpy_with({"from_numpy": lambda self, a: a.astype(np.float16)})
    outcome = run("x + y", narrowing, "x: [1.0], y: {array: [1.0], dtype: float16}")
    assert outcome.narrowed == {"x": ("float32", "float16")}


def test_dtype_names_reach_an_idiom_as_the_frameworks_dtypes(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    seen: list[Any] = []

    def asarray(data: Any, *, dtype: Any = None) -> Any:
        seen.append(dtype)
        return np.asarray(data, dtype="float32")

    run("asarray([1.0], dtype='float32') * x", numpy_with({"dtype": lambda self, name: f"<{name}>"}, asarray=asarray))
    run("asarray([1.0], dtype=null) * x".replace("null", "None"), numpy_with(asarray=asarray))
    run("asarray([1.0]) * x", numpy_with(asarray=asarray))
    assert seen == ["<float32>", None, None]


def test_everything_of_a_mode_happens_in_its_scope(run: Callable[..., Outcome], numpy_with: Callable[..., Any]) -> None:
    inside: list[str] = []
    seen: list[list[str]] = []

    @contextlib.contextmanager
    def scope(self: Any, mode: str) -> Any:
        inside.append(mode)
        yield
        inside.pop()

    def note(result: Any) -> Any:
        seen.append(list(inside))
        return result

    methods = {
        "scope": scope,
        "from_numpy": lambda self, a: note(a),
        "to_numpy": lambda self, a: note(a),
        "gradient": lambda self, function, inputs, wrt, cotangent: note([inputs[0]]),
    }
    run("exp(x)", numpy_with(methods), gradient=True)
    assert len(seen) >= 6
    assert all(place == ["eager"] for place in seen)


def test_a_program_is_compiled_once_a_mode_and_for_other_steps_again(
    variants: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    compiled: list[str] = []

    def compile_(self: Any, function: Any, mode: str) -> Any:
        compiled.append(mode)
        return function

    executor = Executor(numpy_with({"compile": compile_}))
    text = """
  - {name: one, given: {x: [[1.0, 2.0]]}, for: {dtype: [float32, float64], axis: [0, 1]}, call: 'sum(x, axis=axis)'}
  - {name: flag, given: {x: [[1.0, 2.0]]}, for: {k: [false, true]}, call: 'sum(x, axis=0, keepdims=k)'}
"""
    for mode in ("eager", "jit"):
        shapes = []
        for variant in variants(text):
            outcome = executor.run(compile_variant(variant), list(materialise(variant).values()), mode)
            shapes.append(outcome.received[-1].shape)
        assert shapes == [(2,), (1,), (2,), (1,), (2,), (1, 2)]
    assert compiled == ["eager"] * 4 + ["jit"] * 4


def test_gradients_are_asked_for_what_is_learned_and_not_for_targets_or_integers(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    asked: list[Any] = []

    def gradient(self: Any, function: Any, inputs: Any, wrt: Any, cotangent: Any) -> Any:
        asked.append((list(wrt), cotangent.dtype, cotangent.tolist()))
        return [inputs[i] for i in wrt]

    backend = numpy_with({"gradient": gradient})
    outcome = run(
        "binary_cross_entropy(p, y, weight=w, reduction='none')",
        backend,
        "w: [1.0, 2.0], y: [1.0, 0.0], p: [0.5, 0.25]",
        gradient=True,
    )
    assert asked == [([2, 0], np.float32, [1.0, -0.5])]
    assert list(outcome.gradients) == ["p", "weight"]
    np.testing.assert_array_equal(outcome.gradients["weight"], [1.0, 2.0])
    run("sum(x)", backend, "x: [1, 2]", gradient=True)
    assert asked[-1][0] == []


def test_a_backend_that_gives_too_few_gradients_is_told_apart(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with({"gradient": lambda self, function, inputs, wrt, cotangent: [inputs[0]]})
    outcome = run("x + y", backend, "x: [1.0], y: [2.0]", gradient=True)
    assert outcome.raised.type == "ValueError"


def test_what_is_lazy_is_waited_for_inside_the_call(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    """An error that comes late, when the result is waited for, is still the call's."""

    def synchronise(self: Any, result: Any) -> None:
        raise RuntimeError("it was computed only now")

    assert run("exp(x)", numpy_with({"synchronise": synchronise})).raised.refused
