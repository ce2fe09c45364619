"""Adapters and frameworks broken in each way: which of the checks catches it, and who is told to be at fault."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from conformance import backends
from conformance.backends.base import GPU_FAST
from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Idioms, Unsupported
from conformance.cli import app
from conformance.smoke import smoking
from conformance.smoke.calls import EXACT
from conformance.smoke.contract import CHECKS
from conformance.smoke.line import Line, to_blame

RIGHT = dict(NumpyBackend.idioms)


def square_gradient(
    self: Any, function: Any, inputs: Any, wrt: Any, cotangent: Any, changed: Callable[[list[Any]], Any] = lambda g: g
) -> Any:
    """The gradients of a weighted sum of x * x, for arrays whose squares are exact."""
    found = []
    for index in wrt:
        moved = list(inputs)
        moved[index] = inputs[index] + np.float32(1)  # (x + 1)² - (x - 1)² = 4 x
        other = list(inputs)
        other[index] = inputs[index] - np.float32(1)
        found.append(cotangent * (function(*moved) - function(*other)) / np.float32(2))
    return changed(found)


@pytest.fixture
def smoked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Line]]:
    """The lines of a backend made of NumPy's, with some methods, attributes and idioms replaced."""

    def made(methods: Mapping[str, Any] | None = None, device: str = "cpu", **idioms: Any) -> list[Line]:
        changed = Idioms()
        for name, function in {**RIGHT, **idioms}.items():
            if function is not None:
                changed(name)(function)
        kind = type(
            "Odd", (NumpyBackend,), {"__module__": __name__, "name": "odd", "idioms": changed, **(methods or {})}
        )
        point = type("Point", (), {"load": lambda self: kind})()
        monkeypatch.setattr(backends, "entry_points", lambda: {"odd": point})
        return list(smoking.smoke("odd", device))

    return made


def faults(lines: list[Line]) -> list[tuple[str, str]]:
    return [(line.party, line.check) for line in lines if line.problem]


def test_a_sound_adapter_of_a_sound_framework_has_no_fault(smoked: Callable[..., list[Line]]) -> None:
    lines = smoked()
    assert faults(lines) == []
    assert smoking.exit_status(lines) == 0
    assert smoking.closing_line("odd", lines) == "odd: adapter and framework are sound"
    assert len(lines) >= len(CHECKS) + 5
    assert len([line for line in lines if line.party == "adapter"]) >= 12
    assert lines[-1].check == f"eager: {len(EXACT)} exact calls come out as they must"
    assert faults(smoked({"gradient": square_gradient})) == []


def test_of_exact_calls_only_those_that_come_out_right_are_counted(smoked: Callable[..., list[Line]]) -> None:
    def told(lines: list[Line]) -> list[str]:
        return [line.check for line in lines if "exact calls come out" in line.check]

    def unsupported(x: Any) -> Any:
        raise Unsupported("not here")

    exps, all_ = sum(operation == "exp" for operation, _, _ in EXACT), len(EXACT)
    assert 0 < exps < all_
    wrong = smoked(exp=lambda x: RIGHT["exp"](x) + x.dtype.type(1))
    assert told(wrong) == [f"eager: {all_ - exps} of {all_} exact calls come out as they must"]
    assert told(smoked(exp=unsupported)) == [f"eager: {all_ - exps} exact calls come out as they must"]
    assert told(smoked({"to_numpy": lambda self, array: np.zeros_like(array)})) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_the_suites_own_adapters_are_sound(name: str) -> None:
    """Torch takes as long as it takes to compile twenty functions; its adapter's tests are elsewhere."""
    if missing := backends.load(name).not_installed():
        pytest.skip(missing)
    lines = list(smoking.smoke(name))
    assert faults(lines) == []


def narrowed(self: Any, array: np.ndarray) -> Any:
    return array.astype(np.float32) if array.dtype == np.float64 else array


def canonical_nan(self: Any, array: Any) -> Any:
    array = np.array(array)
    if array.dtype.kind == "f":
        array[array != array] = np.nan
    return array


def no_signs_of_zero(self: Any, array: Any) -> Any:
    return (
        np.where(array == 0, np.abs(array), array).astype(array.dtype) if array.dtype.kind == "f" else np.asarray(array)
    )


def no_subnormals(self: Any, array: Any) -> Any:
    return (
        np.where(np.abs(array) < 2.0**-126, np.float32(0) * array, array)
        if array.dtype == np.float32
        else np.asarray(array)
    )


def through_float32(self: Any, array: Any) -> Any:
    return array.astype(np.float32).astype(array.dtype) if array.dtype == np.int64 else np.asarray(array)


def scope_that_seeds(self: Any, mode: str) -> Any:
    random.seed(0)
    return np.errstate(all="ignore")


@contextlib.contextmanager
def scope_that_stays(self: Any, mode: str) -> Any:
    os.environ["PRECISION"] = "high"
    yield


class Holder:
    """A framework's settings."""

    dtype = "float32"


def scope_that_sets(self: Any, mode: str) -> Any:
    Holder.dtype = "float64"
    return contextlib.nullcontext()


DEVICES = "names the devices at hand, and says where an array lives"
BITS = "gives every bit of every dtype back"
SHAPES = "keeps shapes and memory layouts"
NAMES = "names dtypes as the framework does"
IDENTITY = "compiles and runs the identity in each mode"
STATE = "leaves no state behind"
WAITING = "waits for results, and says whether arrays can be written to"
GRADIENTS = "gives gradients of a weighted sum, or says that it has none"
SETTINGS = "says its settings in words"

ADAPTERS: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "devices that are none": ({"devices": lambda self: ["cpu", "tpu"]}, DEVICES, "['tpu']"),
    "another device": ({"device_of": lambda self, a: "gpu"}, DEVICES, "an input for cpu lives on 'gpu'"),
    "anything is an array": ({"device_of": lambda self, a: "cpu"}, DEVICES, "must refuse a 'NoneType'"),
    "subclasses are arrays": (
        {"device_of": lambda self, a: "cpu" if hasattr(a, "dtype") else (_ for _ in ()).throw(TypeError())},
        DEVICES,
        "must refuse a 'MaskedArray'",
    ),
    "float64 narrowed on the way in": ({"from_numpy": narrowed}, BITS, "float64: float64 went in, float32 came back"),
    "float64 narrowed on the way out": ({"to_numpy": narrowed}, BITS, "float64: float64 went in, float32 came back"),
    "a dtype that is always the same": (
        {"to_numpy": lambda self, a: np.asarray(a).astype(np.float32)},
        BITS,
        "int8: int8 went in, float32 came back",
    ),
    "NaN payloads": (
        {"to_numpy": canonical_nan},
        BITS,
        "float32: the bits 0x7fc00005 (nan) came back as 0x7fc00000 (nan)",
    ),
    "signs of zeros": ({"to_numpy": no_signs_of_zero}, BITS, "the bits 0x8000 (-0.0) came back as 0x0 (0.0)"),
    "subnormals": ({"to_numpy": no_subnormals}, BITS, "the bits 0x1 (1.401298464324817e-45) came back as 0x0 (0.0)"),
    "integers by way of float32": ({"to_numpy": through_float32}, BITS, "int64: the bits 0x7fffffffffffffff"),
    "a list": ({"to_numpy": lambda self, a: a.tolist()}, BITS, "to_numpy gave a list, no numpy.ndarray"),
    "a subclass": ({"to_numpy": lambda self, a: a.view(np.recarray)}, BITS, "to_numpy gave a recarray"),
    "bfloat16 raises": (
        {"from_numpy": lambda self, a: a if a.dtype.kind != "V" else np.asarray(a, dtype="no such")},
        BITS,
        "TypeError: ",
    ),
    "no dtype at all": (
        {"from_numpy": lambda self, a: (_ for _ in ()).throw(Unsupported("none"))},
        BITS,
        "it takes no dtype at all",
    ),
    "scalars of rank 1": ({"from_numpy": lambda self, a: np.atleast_1d(a)}, SHAPES, "shape [] went in, [1] came back"),
    "nothing becomes something": (
        {"from_numpy": lambda self, a: a if a.size else np.zeros(1, dtype=a.dtype)},
        SHAPES,
        "shape [0]",
    ),
    "layouts forgotten": (
        {"from_numpy": lambda self, a: np.ndarray(a.shape, a.dtype, a.tobytes("A"))},
        SHAPES,
        "strides [4, 8]: the bits",
    ),
    "inputs unlocked": (
        {"from_numpy": lambda self, a: [setattr(a.flags, "writeable", a.base is None), a][1]},
        SHAPES,
        "from_numpy writes to the array it was handed, or unlocks it",
    ),
    "a dtype under another's name": (
        {"dtype": lambda self, name: np.dtype({"int32": "int64"}.get(name, "float32"))},
        NAMES,
        "dtype('int32') is dtype('int64'), which makes an array of int64",
    ),
    "no dtype under a name": ({"dtype": lambda self, name: getattr(np, name)}, NAMES, "AttributeError: "),
    "compiled functions without their tuple": (
        {"compile": lambda self, f, mode: lambda *a: f(*a)[-1]},
        IDENTITY,
        "eager: a tuple of one result was due of a compiled function",
    ),
    "one mode that raises": (
        {"modes": ("eager", "jit"), "compile": lambda self, f, mode: {"eager": f}[mode]},
        IDENTITY,
        "KeyError: 'jit'",
    ),
    "one mode that computes elsewhere": (
        {
            "modes": ("eager", "jit"),
            "compile": lambda self, f, mode: f if mode == "eager" else lambda *a: tuple(map(np.copy, f(*a))),
            "device_of": lambda self, a: [
                NumpyBackend.device_of(self, a),
                "gpu" if np.asarray(a).flags.owndata and np.size(a) == 4 else "cpu",
            ][1],
        },
        IDENTITY,
        "jit: the result lives on gpu",
    ),
    "one mode in another precision": (
        {
            "modes": ("eager", "jit"),
            "compile": lambda self, f, mode: f
            if mode == "eager"
            else lambda *a: tuple(r.astype(np.float64) for r in f(*a)),
        },
        IDENTITY,
        "jit: float32 went in, float64 came back",
    ),
    "a scope that seeds": ({"scope": scope_that_seeds}, STATE, "eager: expected Python's random state as before"),
    "a scope that stays": (
        {"scope": scope_that_stays},
        STATE,
        "expected environment variables as before, got PRECISION",
    ),
    "a scope with another default dtype": (
        {
            "scope": scope_that_sets,
            "state": lambda self: {"the default dtype": Holder.dtype},
            "restore": lambda self, state: setattr(Holder, "dtype", state["the default dtype"]),
        },
        STATE,
        "expected the framework's settings as before, got the default dtype float64 (put back)",
    ),
    "a state that can't be put back": (
        {"state": lambda self: {"calls": random.getrandbits(64)}, "restore": lambda self, state: None},
        STATE,
        "",
    ),
    "prints": (
        {"to_numpy": lambda self, a: [print("!"), np.asarray(a)][1]},  # noqa: T201
        STATE,
        "eager: expected nothing on stdout, got '!'",
    ),
    "waiting for tuples only": ({"synchronise": lambda self, r: [x.shape for x in r[0]]}, WAITING, "IndexError"),
    "filled and not": (
        {"fill": lambda self, a, v: True},
        WAITING,
        "fill(array, 0) returns True, and the array holds [1.0",
    ),
    "filled and denied": ({"fill": lambda self, a, v: bool(a.fill(v))}, WAITING, "fill(array, 0) returns False"),
    "gradients in another order": (
        {"gradient": lambda *a: square_gradient(*a, changed=lambda g: g[::-1])},
        GRADIENTS,
        "eager: [[2.0, -2.0, -1.5], [0.0, 0.0, 0.0]] was due, and [[0.0",
    ),
    "gradients without weights": (
        {"gradient": lambda s, f, i, w, c: square_gradient(s, f, i, w, np.ones_like(c))},
        GRADIENTS,
        "and [[2.0, 4.0, -6.0]",
    ),
    "one gradient too few": (
        {"gradient": lambda *a: square_gradient(*a, changed=lambda g: g[:1])},
        GRADIENTS,
        "eager: ",
    ),
    "nothing for what is not used": (
        {"gradient": lambda *a: square_gradient(*a, changed=lambda g: [g[0], None])},
        GRADIENTS,
        "",
    ),
    "gradients in another dtype": (
        {"gradient": lambda *a: square_gradient(*a, changed=lambda g: [x.astype(np.float64) for x in g])},
        GRADIENTS,
        "eager: ",
    ),
    "no gradients, by an error": (
        {"gradient": lambda *a: (_ for _ in ()).throw(NotImplementedError("none"))},
        GRADIENTS,
        "NotImplementedError: none",
    ),
    "settings that are no words": ({"settings": lambda self: {"threads": 1}}, SETTINGS, "['threads'] are none"),
}


@pytest.mark.parametrize("how", ADAPTERS)
def test_a_broken_adapter_is_told_by_the_check_that_is_about_it(how: str, smoked: Callable[..., list[Line]]) -> None:
    methods, check, problem = ADAPTERS[how]
    Holder.dtype = "float32"
    lines = smoked(methods)
    found = {line.check: line.problem for line in lines if line.problem and line.party == "adapter"}
    assert check in found, faults(lines)
    assert problem in found[check]
    assert smoking.exit_status(lines) == 2
    assert smoking.closing_line("odd", lines).startswith("odd: the adapter is at fault, ")


def test_an_idiom_that_is_not_called_as_its_operation_is_told_apart(smoked: Callable[..., list[Line]]) -> None:
    lines = smoked(softmax=lambda x, dim: x, sigmod=lambda x: x, exp=None)
    assert {line.check: (line.party, line.problem) for line in lines if line.problem} == {
        "spells softmax as an operation of this suite": (
            "adapter",
            "softmax(x, axis=) is due, and its idiom is softmax(x, dim)",
        ),
        "spells sigmod as an operation of this suite": ("adapter", "there is none of that name"),
    }
    (line,) = (line for line in smoked(exp=None) if line.check == "spells operations by their names and parameters")
    assert line.note == "it has no exp"


def refusing(reduction: str) -> Callable[..., Any]:
    def binary_cross_entropy(p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
        if reduction == refused:
            raise NotImplementedError(reduction)
        return RIGHT["binary_cross_entropy"](p, target, weight=weight, reduction=reduction)

    refused = reduction
    return binary_cross_entropy


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_what_an_idioms_signature_offers_it_must_take(reduction: str, smoked: Callable[..., list[Line]]) -> None:
    lines = smoked(binary_cross_entropy=refusing(reduction))
    (fault,) = faults(lines)
    assert fault[0] == "adapter"
    assert fault[1] == f"takes binary_cross_entropy(p=[1, 0], target=[1, 0], reduction='{reduction}')"
    assert smoking.exit_status(lines) == 2


def misspelled(x: Any) -> Any:
    return np.exponential(x)  # type: ignore[attr-defined]


def test_an_error_in_the_adapters_own_code_is_the_adapters_and_one_from_below_the_frameworks(
    smoked: Callable[..., list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def below(x: Any) -> Any:
        return np.linalg.inv(np.zeros((2, 2))) + x  # raised by NumPy's own Python code

    idioms = Idioms({"exp": misspelled, "log": below})
    idioms.modules |= {misspelled.__module__}
    for name, party in (("exp", "adapter"), ("log", "framework")):
        kind = type("Odd", (NumpyBackend,), {"idioms": idioms})
        with pytest.raises((AttributeError, np.linalg.LinAlgError)) as error:
            idioms[name](np.ones((2, 2)))
        assert to_blame(error.value, kind) == party


WRONG: dict[str, Any] = {
    "add": lambda a, b: a - b,
    "exp": lambda x: np.exp(x) + np.float32(1e-7),
    "log": lambda x: np.log(x).astype(np.float64),
    "sum": lambda x, *, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=True),
    "sigmoid": lambda x: np.exp(np.minimum(x, 50)) / (1 + np.exp(np.minimum(x, 50)) * np.float32(1.1)),
    "softmax": lambda x, *, axis=None: RIGHT["softmax"](x, axis=0 if axis == -1 else axis),
}


@pytest.mark.parametrize("operation", WRONG)
def test_a_framework_that_gives_a_wrong_result_of_an_exact_call_is_at_fault_and_its_adapter_is_not(
    operation: str, smoked: Callable[..., list[Line]]
) -> None:
    lines = smoked({"package": "numpy"}, **{operation: WRONG[operation]})
    assert {party for party, _ in faults(lines)} == {"framework"}
    (line,) = (line for line in lines if line.problem)
    assert line.check.startswith(f"eager: {operation}(")
    assert " was due, and " in line.problem and line.note.startswith("spelled ")
    assert smoking.exit_status(lines) == 1
    assert smoking.closing_line("odd", lines) == (
        "odd: the framework is at fault, 1 of its checks do not hold; its adapter is sound"
    )


def test_a_compiler_that_gives_a_wrong_result_is_told_by_its_mode(smoked: Callable[..., list[Line]]) -> None:
    def compile_(self: Any, function: Any, mode: str) -> Any:
        return (
            function
            if mode == "eager"
            else lambda *arrays: tuple(np.where(r == 6, r + r, r) for r in function(*arrays))
        )

    lines = smoked({"modes": ("eager", "jit"), "compile": compile_})
    assert faults(lines) and all(check.startswith("jit: ") for _, check in faults(lines))


def test_a_call_that_leaves_something_changed_is_the_adapters_fault(smoked: Callable[..., list[Line]]) -> None:
    def exp(x: Any) -> Any:
        np.random.seed(0)
        return np.exp(x)

    lines = smoked(exp=exp)
    assert faults(lines) == [("adapter", "takes exp(x=[0, 0])")]
    (line,) = (line for line in lines if line.problem)
    assert line.problem.endswith("expected NumPy's random state as before, got another (put back)")


@pytest.mark.parametrize(
    ("start", "party", "problem"),
    [
        (lambda self: {}["place"], "adapter", "KeyError: 'place'"),
        (lambda self: (_ for _ in ()).throw(ImportError("libm.so")), "framework", "ImportError: libm.so"),
        (lambda self: random.seed(1), "adapter", "expected Python's random state as before, got another (put back)"),
        (lambda self: np.linalg.inv(np.zeros((2, 2))), "framework", "LinAlgError: Singular matrix"),
    ],
)
def test_a_start_that_fails_or_leaves_traces_is_told(
    start: Any, party: str, problem: str, smoked: Callable[..., list[Line]]
) -> None:
    lines = smoked({"start": start})
    (line,) = (line for line in lines if line.problem)
    assert (line.party, line.check) == (party, "starts on cpu")
    assert problem in line.problem


def test_the_fast_mode_is_checked_where_there_is_a_gpu(smoked: Callable[..., list[Line]]) -> None:
    card = {"devices": lambda self: ["cpu", "gpu"], "gpu_modes": (GPU_FAST,)}
    card["device_of"] = lambda self, a: [NumpyBackend.device_of(self, a), self.device][1]
    for device, modes in (("cpu", ["eager"]), ("gpu", ["eager", GPU_FAST])):
        lines = smoked(card, device)
        assert faults(lines) == []
        assert [line.check.partition(":")[0] for line in lines if line.party == "framework"] == modes


def test_what_is_not_here_is_nobodys_fault(smoked: Callable[..., list[Line]]) -> None:
    with pytest.raises(smoking.NotHereError, match="no_such_framework is not installed"):
        smoked({"package": "no_such_framework"})
    with pytest.raises(smoking.NotHereError, match="no gpu here; odd sees cpu"):
        smoked(device="gpu")


# The command.


def call(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["smoke", *arguments], catch_exceptions=False)


def test_the_command_prints_a_line_for_each_check_and_who_is_at_fault(smoked: Callable[..., list[Line]]) -> None:
    smoked()
    done = call("odd")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert all(line.startswith(("adapter    ok     ", "framework  ok     ")) for line in lines[:-1])
    assert lines[-1] == "odd: adapter and framework are sound"
    smoked(add=lambda a, b: a - b)
    done = call("odd")
    assert done.exit_code == 1
    assert (
        "framework  FAULT  eager: add(a=[1, 2], b=[3, 4])\n           [4.0, 6.0] (float32, shape [2]) was due"
        in done.stdout
    )
    smoked({"to_numpy": narrowed})
    done = call("odd")
    assert done.exit_code == 2
    assert f"adapter    FAULT  {BITS}\n           float64: float64 went in" in done.stdout


def test_the_command_says_what_it_can_not_ask(
    smoked: Callable[..., list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    smoked()
    assert (call("odder").exit_code, call("odder").stderr) == (2, "error: no backend 'odder'; there are odd\n")
    assert (call("odd", "--device", "gpu").exit_code, call("odd", "--device", "gpu").stderr) == (
        3,
        "error: no gpu here; odd sees cpu\n",
    )
    assert call("odd", "--device", "tpu").exit_code == 2
    point = type("Point", (), {"load": lambda self: 1 / 0})()
    monkeypatch.setattr(backends, "entry_points", lambda: {"odd": point})
    done = call("odd")
    assert done.exit_code == 2
    assert "adapter    FAULT  can be imported, and is a backend" in done.stdout
    assert "ZeroDivisionError: division by zero" in done.stdout
