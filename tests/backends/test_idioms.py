"""Every backend spells every operation, with the operation's own parameters; no framework is needed to see that.

The other spellings are run: each is near the primary one on a small input, or off by what is known of it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from conformance import backends
from conformance.backends.base import Backend
from conformance.backends.idioms import operators
from conformance.backends.idioms.numpy import arithmetic
from conformance.backends.spelling import Idioms, Spelling, Unsupported
from conformance.ground.dtypes import DTYPES
from conformance.ops import OPERATIONS

OWN = ("numpy", "torch", "tensorflow", "jax")

ALL = [
    (name, operation, spelling)
    for name in OWN
    for operation in OPERATIONS
    for spelling in backends.load(name).idioms.others(operation)
]
"""Every other spelling: its backend, its operation and its name."""


@pytest.mark.parametrize("name", OWN)
def test_every_operation_has_an_idiom_and_every_idiom_an_operation(name: str) -> None:
    idioms = backends.load(name).idioms
    assert sorted(idioms) == sorted(OPERATIONS)
    assert {operation for operation in OPERATIONS if idioms.others(operation)} <= set(idioms)
    assert len([spelling for own, _, spelling in ALL if own == name]) >= 20


def misplaced(idioms: Idioms, package: str) -> list[str]:
    """Spellings that stand elsewhere than in the file of their operation's family, or among Python's operators."""
    found = [
        (spelling.name or operation, operation, spelling.function.__module__)
        for operation in idioms
        for spelling in (idioms.spelling(operation), *idioms.others(operation).values())
    ]
    return [
        name
        for name, operation, module in found
        if module not in (f"{package}.{OPERATIONS[operation].family}", operators.__name__)
    ]


@pytest.mark.parametrize("name", OWN)
def test_a_spelling_stands_in_the_file_of_its_operations_family(name: str) -> None:
    assert misplaced(backends.load(name).idioms, f"conformance.backends.idioms.{name}") == []


def test_a_spelling_in_another_familys_file_is_found() -> None:
    package = "conformance.backends.idioms.numpy"
    idiom = Idioms({**operators.idiom, "exp": arithmetic.exp})
    idiom("log", "the right file")(arithmetic.log)
    idiom("log")(arithmetic.log)
    assert misplaced(idiom, package) == []
    idiom("sum")(arithmetic.exp)
    idiom("exp", "of a test")(lambda x: x)
    assert misplaced(idiom, package) == ["of a test", "sum"]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", OWN)
def test_an_idiom_takes_what_its_operation_takes(name: str, operation: str) -> None:
    """The same defaults too, except that the axis of softmax, left out, is whichever the framework takes."""
    found = inspect.signature(backends.load(name).idioms[operation]).parameters
    due = OPERATIONS[operation].parameters
    assert [(p.name, p.kind is p.KEYWORD_ONLY) for p in found.values()] == [
        (p.name, p.keyword_only) for p in due.values()
    ]
    for parameter in found.values():
        if not (parameter.name == "axis" and operation in ("softmax", "log_softmax")):
            assert parameter.default == due[parameter.name].default


@pytest.mark.parametrize(("name", "axis"), [("numpy", None), ("torch", None), ("tensorflow", -1), ("jax", -1)])
@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
def test_the_axis_of_softmax_defaults_to_the_frameworks_own(name: str, axis: int | None, operation: str) -> None:
    idioms = backends.load(name).idioms
    assert inspect.signature(idioms[operation]).parameters["axis"].default == axis
    for spelling in idioms.others(operation).values():
        default = inspect.signature(spelling.function).parameters["axis"].default
        assert default == (None if spelling.name.startswith("jax.scipy.special.") else axis)


@pytest.mark.parametrize(("name", "operation", "spelling"), ALL)
def test_another_spelling_takes_some_of_what_its_operation_takes(name: str, operation: str, spelling: str) -> None:
    found = inspect.signature(backends.load(name).idioms.spelling(operation, spelling).function).parameters
    due = OPERATIONS[operation].parameters
    assert [p for p in found if p in due] == list(found)
    assert {p for p, parameter in due.items() if parameter.required and p != "axis"} <= set(found)
    assert all((p.kind is p.KEYWORD_ONLY) == due[p.name].keyword_only for p in found.values())


@pytest.mark.parametrize(
    ("name", "operation", "spelling"),
    [*((name, operation, "") for name in OWN for operation in OPERATIONS), *ALL],
)
def test_the_source_of_an_idiom_is_one_plain_function(name: str, operation: str, spelling: str) -> None:
    (function,) = ast.parse(backends.load(name).idioms.spelling(operation, spelling).source).body
    assert isinstance(function, ast.FunctionDef)
    assert function.decorator_list == []
    assert ast.get_docstring(function) is None
    assert spelling or function.name.rstrip("_") == operation


# The other spellings, run.


@functools.cache
def made(name: str) -> Backend:
    backend = backends.load(name)()
    backend.start()
    return backend


def started(name: str) -> Backend:
    if missing := backends.load(name).not_installed():
        pytest.skip(missing)
    return made(name)


def run(backend: Backend, spelling: Spelling, arguments: dict[str, Any], dtype: str) -> np.ndarray:
    """The result of a spelling for arguments whose arrays are given as lists."""

    def native(name: str, value: Any) -> Any:
        if name == "arrays":
            return [native("x", item) for item in value]
        if name in ("x", "p", "target", "weight", "pos_weight"):
            return backend.from_numpy(np.array(value, dtype=np.float64).astype(DTYPES[dtype].numpy))
        return backend.dtype(value) if name == "dtype" else value

    try:
        function = spelling.ready()
    except Unsupported as reason:
        pytest.skip(str(reason))
    with backend.scope("eager"):
        return backend.to_numpy(function(**{name: native(name, value) for name, value in arguments.items()}))


X = [[0.5, -1.25, 0.0], [2.0, 0.25, -3.0]]
P = [[0.25, 0.75, 0.5], [0.625, 0.125, 0.875]]
TARGET = [[0.0, 1.0, 1.0], [0.5, 0.25, 0.0]]
WEIGHT = [[0.5, 1.0, 2.0], [1.5, 1.0, 0.25]]
VECTORS = [[1.0, 2.0], [4.0, 5.0], [7.0, 8.0]]

SMALL: dict[str, list[dict[str, Any]]] = {
    "asarray": [{"data": X}, {"data": [1, 2]}, {"data": [[1, 0]], "dtype": "float32"}],
    "softmax": [{"x": X, "axis": axis} for axis in (0, 1, -1)],
    "log_softmax": [{"x": X, "axis": axis} for axis in (0, 1, -1)],
    "sigmoid": [{"x": X}],
    "log_sigmoid": [{"x": X}],
    "stack": [{"arrays": VECTORS}, *({"arrays": VECTORS, "axis": axis} for axis in (0, 1, -1, -2))],
    "reshape": [{"x": X, "shape": shape} for shape in ([3, 2], [-1], [-1, 1, 2])],
    "sum": [{"x": X}, {"x": X, "axis": -1}, {"x": X, "axis": 0, "keepdims": True}, {"x": X, "axis": (-1, 0)}],
    "mean": [{"x": X}, {"x": X, "axis": -1}, {"x": X, "axis": 0, "keepdims": True}, {"x": X, "axis": (-1, 0)}],
    "binary_cross_entropy": [
        {"p": P, "target": TARGET},
        *({"p": P, "target": TARGET, "reduction": reduction} for reduction in ("none", "mean", "sum")),
        {"p": P, "target": TARGET, "weight": WEIGHT},
    ],
    "binary_cross_entropy_with_logits": [
        {"x": X, "target": TARGET},
        *({"x": X, "target": TARGET, "reduction": reduction} for reduction in ("none", "mean", "sum")),
        {"x": X, "target": TARGET, "weight": WEIGHT},
        {"x": X, "target": TARGET, "pos_weight": [1.0, 2.0, 0.5]},
    ],
}

FITTING: dict[str, list[dict[str, Any]]] = {
    "*/float-tensor-of-ints": [{"data": [[1, 0, 1], [1, 1, 0]], "dtype": "float32"}],
    "*/rounds-to-the-nearest": [{"data": [0.1, -0.0, 2049.0], "dtype": "float32"}],
    "*/stack-along-dimension-1": [{"arrays": VECTORS, "axis": 1}],
    "*/flattening-the-stack-*": [{"x": X, "shape": [-1]}],
}
"""Inputs like those of the cases that a spelling is meant for, by its pattern of them."""

OVER_THE_LAST_AXIS = (
    "keras.losses.BinaryCrossentropy",
    "keras.losses.binary_crossentropy",
    "keras.losses.BinaryCrossentropy after tf.sigmoid",
    "torch.nn.MultiLabelSoftMarginLoss",
)
"""These take the mean over the last axis before anything else."""

SWAPPED = "Keras arguments in torch's order"
KERAS_ON_NUMPY = "keras.losses.BinaryCrossentropy, of Keras on NumPy"


@pytest.mark.filterwarnings("ignore")  # what frameworks warn of when they are first imported
@pytest.mark.parametrize(
    ("name", "operation", "spelling"), [one for one in ALL if one[2] not in (SWAPPED, KERAS_ON_NUMPY)]
)
def test_another_spelling_is_near_the_primary_one(name: str, operation: str, spelling: str) -> None:
    backend = started(name)
    primary, other = (backend.idioms.spelling(operation, which) for which in ("", spelling))
    inputs = SMALL[operation] if other.cases == "*" else FITTING[other.cases]
    taken = [arguments for arguments in inputs if other.takes(arguments)]
    assert taken
    for arguments in taken:
        due, found = (run(backend, which, arguments, "float32") for which in (primary, other))
        if spelling in OVER_THE_LAST_AXIS and arguments.get("reduction") == "none":
            due = due.mean(axis=-1)
        elif spelling in OVER_THE_LAST_AXIS and arguments.get("reduction") == "sum":
            due = due / np.float32(len(TARGET[0]))
        assert (found.dtype, found.shape) == (due.dtype, due.shape)
        np.testing.assert_allclose(found, due, rtol=1e-5, atol=1e-7)


class Deviation(NamedTuple):
    """What is known of a spelling: what it gives where something else is right, and in which dtype if not its input's."""

    operation: str
    spelling: str
    backends: str
    arguments: dict[str, Any]
    gives: Any
    dtype: str = "float32"
    result: str = ""

    def __str__(self) -> str:
        return f"{self.operation}-{self.spelling}-{self.dtype}".replace(" ", "")


EVERY = "numpy torch tensorflow jax"
INF, NAN, LOG_2 = float("inf"), float("nan"), math.log(2)
UNCLAMPED = "formula: -(t * log(p) + (1 - t) * log(1 - p))"
XLOGY = "formula: -(xlogy(t, p) + xlog1py(1 - t, -p))"
CERTAIN = {"p": [0.0, 0.0, 1.0], "target": [0.0, 1.0, 0.0], "reduction": "none"}
FAR = {"x": [40.0], "target": [0.0], "reduction": "none"}

DEVIATIONS = [
    # Overflow and underflow, where the result is in range.
    Deviation("mean", "formula: sum(x) / size", "numpy torch jax", {"x": [60000.0, 60000.0]}, INF, "float16"),
    # Cancellation.
    Deviation("log_softmax", "formula: x - logsumexp(x)", EVERY, {"x": [[1000.0, 1001.0]], "axis": 1}, [[-1.3132324, -0.3132324]]),
    Deviation("softmax", "formula: exp(x - logsumexp(x))", "numpy jax", {"x": [[1000.0, 1001.0]], "axis": 1}, [[0.2689494, 0.7310801]]),
    Deviation("sigmoid", "formula: (tanh(x / 2) + 1) / 2", "numpy jax", {"x": [-30.0]}, [0]),
    Deviation("log_sigmoid", "formula: -softplus(-x)", "torch", {"x": [-25.0]}, [-25], "float64"),
    Deviation("binary_cross_entropy_with_logits", "formula: logaddexp(0, x) - x * t", "numpy jax", {"x": [15.0], "target": [1.0]}, 0),
    # Probabilities of 0 and 1, which torch clamps the logarithms of at -100.
    Deviation("binary_cross_entropy", XLOGY, "numpy jax", CERTAIN, [0, INF, INF]),
    Deviation("binary_cross_entropy", UNCLAMPED + ", p clipped at 1e-15", "numpy", CERTAIN, [0, 34.538776, INF]),
    Deviation("binary_cross_entropy", UNCLAMPED + ", p clipped at 1e-7", "jax", CERTAIN, [1.1920930e-07, 16.118095, 15.942385]),
    Deviation("binary_cross_entropy", "keras.ops.binary_crossentropy", "tensorflow", CERTAIN, [1.1920930e-07, 16.118095, 15.942385]),
    Deviation("binary_cross_entropy", "keras.losses.binary_crossentropy", "tensorflow", CERTAIN, 10.686827),
    Deviation("binary_cross_entropy", "keras.losses.BinaryCrossentropy", "tensorflow", CERTAIN, 10.686827),
    # Sigmoids that round to 1.
    Deviation("binary_cross_entropy_with_logits", "keras.losses.BinaryCrossentropy after tf.sigmoid", "tensorflow", FAR, 15.942385),
    # Another dtype comes out than went in.
    Deviation("softmax", "keras.layers.Softmax", "tensorflow", {"x": [[0.0, 0.0]], "axis": 1}, [[0.5, 0.5]], "float64", "float32"),
    Deviation("binary_cross_entropy", "keras.losses.BinaryCrossentropy", "tensorflow", {"p": [[0.5]], "target": [[1.0]]}, LOG_2, "float64", "float32"),
    Deviation("binary_cross_entropy_with_logits", "keras.losses.BinaryCrossentropy", "tensorflow", {"x": [[0.0]], "target": [[1.0]]}, LOG_2, "float64", "float32"),
    Deviation("sigmoid", "scipy.special.expit", "numpy", {"x": [0.0]}, [0.5], "float16", "float64"),
    Deviation("log_sigmoid", "scipy.special.log_expit", "numpy", {"x": [0.0]}, [-LOG_2], "float16", "float64"),
    Deviation("binary_cross_entropy", XLOGY, "numpy", {"p": [0.5], "target": [1.0]}, LOG_2, "float16", "float64"),
    Deviation("sum", "keras.ops.sum", "tensorflow", {"x": [100.0, 100.0]}, 200, "int8", "int32"),
    # By way of float32.
    Deviation("asarray", "torch.tensor(data).to(dtype)", "torch", {"data": [0.1], "dtype": "float64"}, [float(np.float32(0.1))], result="float64"),
    Deviation("asarray", "tf.cast(tf.constant(data), dtype)", "tensorflow", {"data": [0.1], "dtype": "float64"}, [float(np.float32(0.1))], result="float64"),
    # The logit is taken for the target, and the target for the logit: log(1 + e) - 2.
    Deviation("binary_cross_entropy_with_logits", SWAPPED, "tensorflow", {"x": [[2.0]], "target": [[1.0]]}, -0.6867383),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "known"),
    [pytest.param(name, known, id=f"{name}-{known}") for known in DEVIATIONS for name in known.backends.split()],
)
def test_a_spelling_deviates_as_is_known_of_it(name: str, known: Deviation) -> None:
    backend = started(name)
    assert known.spelling in backend.idioms.others(known.operation)
    other = backend.idioms.spelling(known.operation, known.spelling)
    found = run(backend, other, known.arguments, known.dtype)
    assert found.dtype == DTYPES[known.result or known.dtype].numpy
    assert found.shape == np.shape(known.gives)
    # Nearer to what is known than to what would be right.
    rtol = 1e-14 if found.dtype == np.float64 else 1e-6
    np.testing.assert_allclose(found.astype(np.float64), known.gives, rtol=rtol, atol=1e-12)

    primary = run(backend, backend.idioms.spelling(known.operation), known.arguments, known.dtype)
    same = found.dtype == primary.dtype and found.shape == primary.shape
    assert not same or not np.array_equal(found, primary)


# Spellings themselves.


def of_two(x: Any, *, axis: int) -> Any:
    # a comment
    return x, axis


def test_a_spelling_takes_the_arguments_that_its_function_has() -> None:
    spelling = Spelling("two", of_two)
    assert not spelling.takes(["x"])
    assert spelling.takes(["x", "axis"])
    assert spelling.takes({"x": 1, "axis": 0})
    assert not spelling.takes({"x": 1, "weight": None})


def test_what_a_spelling_needs_is_imported_when_it_is_first_made_ready() -> None:
    namespace: dict[str, Any] = {}
    exec("def name(): return colorsys.__name__\ndef nested(): return xml.dom.__name__", namespace)
    spelling = Spelling("one", namespace["name"], needs="colorsys")
    assert "colorsys" not in namespace
    assert spelling.ready() is namespace["name"]
    assert spelling.ready()() == "colorsys"
    assert Spelling("another", namespace["nested"], needs="xml.dom").ready()() == "xml.dom"


def test_a_spelling_that_needs_nothing_is_ready() -> None:
    assert Spelling("two", of_two).ready() is of_two


def test_a_spelling_whose_need_is_not_installed_says_so() -> None:
    for needs in ("no_such_module", "no_such_module.of_it"):
        with pytest.raises(Unsupported, match=r"no_such_module can't be imported: No module named 'no_such_module'"):
            Spelling("two", of_two, needs=needs).ready()


def test_the_source_of_a_spelling_has_no_decorator_however_long_it_is() -> None:
    idiom = Idioms()

    @idiom(
        "softmax",
        "a name",
        cases="*",
    )
    def other(x: Any) -> Any:
        return x

    assert idiom.spelling("softmax", "a name").source == "def other(x: Any) -> Any:\n    return x"
    assert Spelling("two", of_two).source.splitlines() == [
        "def of_two(x: Any, *, axis: int) -> Any:",
        "    # a comment",
        "    return x, axis",
    ]


def test_an_operation_has_one_spelling_of_a_name() -> None:
    idiom = Idioms()
    idiom("exp", "a name")(np.exp)
    with pytest.raises(ValueError, match="a second 'a name' for 'exp'"):
        idiom("exp", "a name")(np.exp2)
    idiom("log", "a name")(np.log)  # of another operation
    idiom("exp", "another name")(np.exp2)
    assert list(idiom.others("exp")) == ["a name", "another name"]
    assert list(idiom) == []  # they are no primary idioms


def test_a_spelling_is_found_by_its_name_and_is_else_the_primary_one() -> None:
    idiom = Idioms()
    idiom("exp")(np.exp)
    had_others = idiom.has_others
    idiom("exp", "numpy.exp2", needs="numpy", cases="ops/*")(np.exp2)
    assert (had_others, idiom.has_others) == (False, True)
    assert idiom.spelling("exp", "numpy.exp2") == Spelling("numpy.exp2", np.exp2, "numpy", "ops/*")
    assert idiom.spelling("exp") == idiom.spelling("exp", "no such name") == Spelling("", np.exp)
    assert idiom.others("log") == {}
    with pytest.raises(KeyError):
        idiom.spelling("log")


def test_spellings_are_inherited_and_not_given_back() -> None:
    parents = Idioms()
    parents("exp")(np.exp)
    parents("exp", "a name")(np.exp)
    child = Idioms(parents)
    child("exp", "the child's")(np.exp2)
    assert list(child.others("exp")) == ["a name", "the child's"]
    assert list(parents.others("exp")) == ["a name"]
    assert child.modules == {np.exp2.__module__} and Idioms(parents).modules == set()


KERAS_TWICE = """
import sys

import numpy as np

from conformance import backends
from conformance.backends.spelling import Unsupported

first, second = sys.argv[1:]
for name in (first, second):
    backend = backends.load(name)()
    spelling = next(
        s for s in backend.idioms.others("binary_cross_entropy_with_logits").values()
        if s.name.startswith("keras.losses.BinaryCrossentropy") and "after" not in s.name
    )
    try:
        x, t = np.array([40.0], dtype=np.float32), np.array([0.0], dtype=np.float32)
        loss = spelling.ready()(backend.from_numpy(x), backend.from_numpy(t))
        print(name, round(float(backend.to_numpy(loss)), 2))
    except Unsupported as reason:
        print(name, reason)
"""


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [
        ("numpy", "tensorflow", ["numpy 15.94", "tensorflow keras is in use in this process without"]),
        ("tensorflow", "numpy", ["tensorflow 40.0", "numpy keras is in use in this process without"]),
    ],
)
def test_keras_runs_on_the_backend_that_asks_for_it_or_not_at_all(
    first: str, second: str, lines: list[str], python: Any
) -> None:
    for name in ("keras", "tensorflow"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    done = python("-c", KERAS_TWICE, first, second)
    assert done.returncode == 0, done.stderr
    assert all(map(str.startswith, done.stdout.splitlines(), lines)), done.stdout
