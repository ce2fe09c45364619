"""Running programs on a backend: what is kept, what becomes of errors, what is compiled."""

from __future__ import annotations

import contextlib
import os
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Unsupported
from conformance.casefile.inputs import materialise
from conformance.execution.executor import Executor
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program, Ref, Step, compile_variant


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
    outcome = run("x * y", narrowing, "x: [1.0], y: [2.0]")
    assert outcome.narrowed == {"x": ("float32", "float16"), "y": ("float32", "float16")}
    same = run("x * y", narrowing, "x: {array: [1.0], dtype: float16}, y: {array: [2.0], dtype: float16}")
    assert same.narrowed == {}


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


def lists(x: Any) -> Any:
    return np.exp(x).tolist()


def subclass(x: Any) -> Any:
    return np.ma.masked_array(np.exp(x), mask=[True, False])


def nothing(x: Any) -> Any:
    return None


class Torch:
    """Looks like an array of another framework."""

    dtype = np.dtype(np.float32)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.exp(np.array([1, 2], dtype=np.float32))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lists, "'list'"),
        (subclass, "'numpy.ma.MaskedArray'"),
        (nothing, "'NoneType'"),
        (lambda x: Torch(), f"'{Torch.__module__}.Torch'"),
    ],
)
def test_a_result_that_is_no_array_of_the_framework_is_named_and_not_converted(
    wrong: Any, name: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    outcome = run("exp(x)", numpy_with(exp=wrong))
    assert outcome.raised.type == "TypeError"
    assert outcome.raised.message == f"the result of exp: {name} is no array of numpy"
    assert not outcome.raised.refused


@pytest.mark.parametrize(
    ("to_numpy", "found"),
    [
        (lambda self, a: a.tolist(), "list"),
        (lambda self, a: a.view(np.matrix), "matrix"),
        (lambda self, a: None, "NoneType"),
    ],
)
def test_what_comes_back_is_an_array_of_numpy_and_no_subclass(
    to_numpy: Any, found: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    assert run("asarray([1.0], dtype='float32')", numpy_with({"to_numpy": to_numpy}), given="").raised.message == (
        f"the result is a {found}, which is no dtype of this suite"
    )


@pytest.mark.parametrize(
    ("results", "came"),
    [
        (lambda r: r[0], "a ndarray"),
        (lambda r: (*r, *r), "2 results"),
        (lambda r: (), "0 results"),
        (lambda r: None, "a NoneType"),
    ],
)
def test_a_compiled_function_gives_a_tuple_of_one_result_a_step(
    results: Any, came: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with({"compile": lambda self, function, mode: lambda *arrays: results(function(*arrays))})
    raised = run("exp(x)", backend).raised
    assert raised.message == f"a tuple of 1 results was due of the compiled function, and {came} came"
    assert not raised.refused


def test_an_idiom_that_can_not_be_called_as_its_operation_is_refuses_nothing_that_is_due(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """Its TypeError would pass for the refusal of a wrong axis."""
    text = "  - {name: one, given: {x: [1.0, 2.0]}, call: 'softmax(x, axis=5)', expect: raises}"

    def softmax(x: Any, dim: int) -> Any:
        raise IndexError(dim)

    assert on_cases(text, numpy_with(softmax=softmax))["one"].reason == (
        "status: expected a refusal of the call, got TypeError: the idiom of softmax takes (x: 'Any', dim: 'int') -> "
        "'Any', and can't be called with x, axis"
    )


@pytest.mark.parametrize("method", ["scope", "compile", "state"])
def test_an_adapter_whose_own_methods_raise_loses_the_variant_and_not_the_run(
    method: str, run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    calls: list[int] = []

    def broken(self: Any, *_: Any) -> Any:
        calls.append(1)
        if method == "state" and len(calls) == 1:  # an executor is made
            return {}
        raise ZeroDivisionError("of the adapter")

    outcome = run("exp(x)", numpy_with({method: broken}))
    assert (outcome.raised.type, outcome.raised.refused) == ("ZeroDivisionError", False)


def test_an_idiom_that_ends_the_process_has_raised(run: Callable[..., Outcome], numpy_with: Callable[..., Any]) -> None:
    def leaving(x: Any) -> Any:
        raise SystemExit(3)

    assert run("exp(x)", numpy_with(exp=leaving)).raised.type == "SystemExit"


def test_arrays_that_live_elsewhere_are_noted_wherever_they_are(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    places = iter(["cpu", "gpu", "cpu", "gpu:1"])
    methods = {
        "device_of": lambda self, array: next(places),
        "gradient": lambda self, function, inputs, wrt, cotangent: list(inputs),
    }
    outcome = run("x + y", numpy_with(methods), "x: [1.0], y: [2.0]")
    assert outcome.elsewhere == {"the input y": "gpu"}
    places = iter(["cpu", "cpu", "gpu:1", "cpu", "gpu"])
    outcome = run("x + y", numpy_with(methods), "x: [1.0], y: [2.0]", gradient=True)
    assert outcome.elsewhere == {"the result of add": "gpu:1", "the gradient for y": "gpu"}


def test_a_result_that_was_computed_elsewhere_fails_and_says_where(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}"
    backend = numpy_with({"device_of": lambda self, array: "gpu" if array[0] else "cpu"})
    judged = on_cases(text, backend)["one"]
    assert judged.verdict == "failed"
    assert judged.reason == "device: expected the result of sigmoid on the device asked for, got gpu"


MANNERS: dict[str, tuple[Callable[[], Any], str]] = {
    "random": (random.random, "state: expected Python's random state as before, got another (put back)"),
    "numpy": (lambda: np.random.seed(0), "state: expected NumPy's random state as before, got another (put back)"),
    "variables": (
        lambda: os.environ.update(LEFT="1"),
        "state: expected environment variables as before, got LEFT (put back)",
    ),
    "directory": (lambda: os.chdir("/"), "state: expected the current directory as before, got another (put back)"),
    "errstate": (lambda: np.seterr(all="raise"), "state: expected NumPy's errstate as before, got "),
    "filters": (
        lambda: warnings.simplefilter("error"),
        "state: expected the warnings filters as before, got another (put back)",
    ),
    "prints": (lambda: print("debug"), "state: expected nothing on stdout, got 'debug'"),  # noqa: T201
}


@pytest.mark.parametrize("what", MANNERS)
@pytest.mark.parametrize("check", ["value", "gradient", "raises", "unsupported"])
def test_a_call_that_leaves_something_changed_fails_whatever_its_result_is(
    what: str,
    check: str,
    on_cases: Callable[..., Any],
    numpy_with: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    change, reason = MANNERS[what]

    def exp(x: Any) -> Any:
        if check == "gradient" and not gradients:
            return np.exp(x)
        change()
        if check == "unsupported":
            raise Unsupported("not here")
        if check == "raises":
            raise ValueError("no")
        return np.exp(x)

    def gradient(self: Any, function: Any, inputs: Any, wrt: Any, cotangent: Any) -> Any:
        gradients.append(1)
        return [function(*inputs) * cotangent]

    gradients: list[int] = []
    extra = {"raises": "expect: raises", "gradient": "check: [gradient]"}.get(check, "about: A value.")
    text = f"  - {{name: one, given: {{x: [1.0]}}, call: exp(x), {extra}}}"
    methods = {"gradient": gradient, "scope": lambda self, mode: contextlib.nullcontext()}
    judged = on_cases(text, numpy_with(methods, exp=exp))["one"]
    assert judged.verdict == "failed"
    assert judged.reason.startswith(reason)
    assert {finding.channel for finding in judged.findings} == {"state"}


def test_a_registered_divergence_does_not_excuse_what_a_call_leaves_changed(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [1.0]}, call: exp(x)}"
    entry = (
        "  - {cases: things/one*, instead: {raises: ValueError}, because: It is so at this time., first-seen: numpy 2}"
    )

    def exp(x: Any, seeds: bool = True) -> Any:
        if seeds:
            random.seed(0)
        raise ValueError

    judged = on_cases(text, numpy_with(exp=exp), entry)["one"]
    assert judged.verdict == "failed"
    assert judged.reason.endswith("; got also a deviation in state")
    assert on_cases(text, numpy_with(exp=lambda x: exp(x, False)), entry)["one"].verdict == "divergent"


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "stepped", "broadcast"])
@pytest.mark.parametrize("raises", [False, True])
def test_an_input_that_is_unlocked_and_written_to_is_put_back_for_the_others(
    layout: str, raises: bool, variants: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def vandal(x: Any) -> Any:
        owner = x
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        owner.flags.writeable = True
        x = x if not isinstance(x.base, np.ndarray) else owner
        x[...] = 7
        if raises:
            raise ValueError
        return np.exp(x)

    (variant,) = variants(
        f"  - {{name: one, given: {{x: {{normal: {{shape: [2, 3], seed: 1}}, layout: {layout}}}}}, call: exp(x)}}"
    )
    inputs = list(materialise(variant).values())
    before = inputs[0].tobytes()
    outcome = Executor(numpy_with(exp=vandal)).run(compile_variant(variant), inputs, "eager")
    assert outcome.overwritten == ["x"]
    assert inputs[0].tobytes() == before
    assert not inputs[0].flags.writeable


def test_an_input_that_is_written_to_in_the_frameworks_own_memory_is_noticed_too(
    run: Callable[..., Outcome], numpy_with: Callable[..., Any]
) -> None:
    """As on a GPU, from which every `to_numpy` copies."""

    def exp(x: Any) -> Any:
        result = np.exp(x)
        x += 1
        return result

    methods = {"from_numpy": lambda self, a: a.copy(), "to_numpy": lambda self, a: np.array(a)}
    assert run("exp(x)", numpy_with(methods, exp=exp)).overwritten == ["x"]


def test_what_a_spelling_needs_may_change_the_process_when_it_is_imported(
    variants: Callable[..., Any], numpy_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a_library.py").write_text(
        "import os, random\nos.environ['LIBRARY'] = '1'\nrandom.seed(1)\nprint('hi')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("LIBRARY", "0")
    backend = numpy_with()
    backend.idioms("exp", "a_library.exp", needs="a_library")(lambda x: np.exp(x))
    (variant,) = variants("  - {name: one, given: {x: [1.0]}, call: exp(x)}")
    executor = Executor(backend)
    with executor.watch:  # as in a session
        outcome = executor.run(compile_variant(variant), list(materialise(variant).values()), "eager", "a_library.exp")
    assert outcome.raised is None and outcome.changes == []
    assert os.environ["LIBRARY"] == "1"


def test_a_gradient_whose_call_raises_is_unsupported_where_there_are_no_gradients(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def refused(x: np.ndarray) -> np.ndarray:
        raise TypeError("not here")

    text = "  - {name: one, given: {x: [1.0]}, call: exp(x), check: [value, gradient]}"
    verdicts = on_cases(text, numpy_with(exp=refused)).judgements
    assert {name: judged.verdict for name, judged in verdicts.items()} == {
        "things/one[float32]": "failed",
        "things/one[float32,gradient]": "unsupported",
    }
    assert verdicts["things/one[float32,gradient]"].reason == "numpy has no gradients"


def test_whether_subnormals_are_flushed_is_tried_once_and_excuses_nothing_where_it_can_not_be(
    numpy_with: Callable[..., NumpyBackend],
) -> None:
    asked: list[tuple[str, str]] = []

    def flushes(self: Any, mode: str, dtype: str = "float32") -> bool:
        asked.append((mode, dtype))
        if dtype == "float16":
            raise TypeError("no such dtype")
        return dtype == "float32"

    executor = Executor(numpy_with({"flushes_subnormals": flushes}))
    program = Program(("x",), (Step("sigmoid", (("x", Ref(0)),), "sigmoid(x)"),), (Ref(1),), ())
    outcome = executor.run(program, [np.ones(2, dtype=np.float32)], "eager")
    assert asked == []
    found = [outcome.flushes(name) for name in ("float32", "float16", "float64", "float32")]
    assert found == [True, False, False, True]
    assert asked == [("eager", "float32"), ("eager", "float16"), ("eager", "float64")]
