"""An adapter's idioms: whether they are called as the operations are; and calls whose results anybody knows."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import numpy as np

from conformance.backends.base import Backend
from conformance.backends.spelling import Function, Unsupported
from conformance.backends.state import Watch, in_short, of_calls
from conformance.execution.executor import Executor
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program, Ref, Refs, Step
from conformance.ops import OPERATIONS
from conformance.smoke.contract import modes_here, plain_scope
from conformance.smoke.line import Line, Party, in_words, to_blame
from conformance.words.wording import describe

_ARRAYS = ("a", "b", "x", "p", "target", "weight", "pos_weight")

EXACT: tuple[tuple[str, Mapping[str, Any], Any], ...] = (
    ("add", {"a": [1, 2], "b": [3, 4]}, [4, 6]),
    ("subtract", {"a": [1, 2], "b": [3, 0.5]}, [-2, 1.5]),
    ("multiply", {"a": [1, 2], "b": [3, 0.25]}, [3, 0.5]),
    ("divide", {"a": [6, 1], "b": [3, 2]}, [2, 0.5]),
    ("negative", {"x": [1, -2]}, [-1, 2]),
    ("exp", {"x": [0, 0]}, [1, 1]),
    ("log", {"x": [1, 1]}, [0, 0]),
    ("sum", {"x": [1, 2, 3]}, 6),
    ("mean", {"x": [1, 3]}, 2),
    ("sigmoid", {"x": [0, 1000, -1000]}, [0.5, 1, 0]),
    ("log_sigmoid", {"x": [1000]}, [0]),
    ("softmax", {"x": [[0, 0], [0, 1000]], "axis": -1}, [[0.5, 0.5], [0, 1]]),
    ("log_softmax", {"x": [[1], [2]], "axis": 1}, [[0], [0]]),
    ("reshape", {"x": [[1, 2], [3, 4]], "shape": [4]}, [1, 2, 3, 4]),
    ("stack", {"arrays": [[1, 2], [3, 4]], "axis": 1}, [[1, 3], [2, 4]]),
    ("asarray", {"data": [1, 2], "dtype": "float32"}, [1, 2]),
    ("binary_cross_entropy", {"p": [1, 0], "target": [1, 0], "reduction": "mean"}, 0),
    ("binary_cross_entropy_with_logits", {"x": [1000, -2000], "target": [0, 1], "reduction": "sum"}, 3000),
)
"""Calls in float32 whose results are exact without any rounding: operation, arguments, result."""


def idiom_lines(backend: Backend) -> Iterator[Line]:
    """A line for every idiom that is not called as its operation is, or refuses what its signature offers."""
    idioms = backend.idioms
    wrong = {name: _signature(name, function) for name, function in idioms.items()}
    for name in idioms:
        if wrong[name]:
            yield Line("adapter", f"spells {name} as an operation of this suite", wrong[name], operation=name)
    if not any(wrong.values()):
        yield Line("adapter", "spells operations by their names and parameters", note=_lacking(backend))
    refusals = [line for name, _, _ in EXACT if name in idioms and not wrong[name] for line in _refusals(backend, name)]
    yield from refusals
    if not refusals:
        yield Line("adapter", "takes all that the signatures of its idioms offer")


def _lacking(backend: Backend) -> str:
    lacking = [name for name in OPERATIONS if name not in backend.idioms]
    return f"it has no {', '.join(lacking)}" if lacking else ""


def _signature(operation: str, function: Function) -> str:
    """How an idiom's parameters differ from its operation's; empty where they don't."""
    if operation not in OPERATIONS:
        return "there is none of that name"
    try:
        found = inspect.signature(function).parameters
    except ValueError:
        return f"{operation}: it does not tell its parameters"
    due = OPERATIONS[operation].parameters
    mine = [(p.name, p.kind is p.KEYWORD_ONLY) for p in found.values()]
    theirs = [(p.name, p.keyword_only) for p in due.values()]
    if mine == theirs:
        return ""
    want, have = (", ".join(f"{name}=" if only else name for name, only in side) for side in (theirs, mine))
    return f"{operation}({want}) is due, and its idiom is {operation}({have})"


def _refusals(backend: Backend, operation: str) -> Iterator[Line]:
    """A line for each call that an idiom offers and raises an error for."""
    arguments = next(given for name, given, _ in EXACT if name == operation)
    watch = Watch(of_calls(backend.own_variables), backend.state, backend.restore)
    function = backend.idioms.spelling(operation).ready()
    for changed in ({}, *_choices(operation, arguments)):
        chosen = {**arguments, **changed}
        shown = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
        party: Party = "adapter"
        problem = ""
        try:
            with watch, plain_scope(backend), backend.placing():
                backend.synchronise(function(**_natives(backend, chosen)))
        except Unsupported:
            continue
        except Exception as error:
            party, problem = to_blame(error, type(backend)), in_words(error)
        problem = problem or in_short(watch.changes)
        if problem:
            yield Line(party, f"takes {operation}({shown})", problem, operation=operation)


def _choices(operation: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each parameter's other values, one at a time: each choice of a few, flags, axes, arrays that may be left out."""
    for name, parameter in OPERATIONS[operation].parameters.items():
        (kind, *_) = get_args(parameter.kind)
        if get_origin(kind) is Literal:
            yield from ({name: choice} for choice in get_args(kind))
        elif kind is bool:
            yield from ({name: flag} for flag in (True, False))
        elif name == "axis":
            yield from ({name: axis} for axis in (0, -1))
            if parameter.accepts([]):
                yield {name: tuple(range(np.ndim(arguments["x"])))}
        elif name == "dtype":
            yield from ({name: dtype} for dtype in (None, "float32", "int32"))
        elif name in ("weight", "pos_weight"):
            yield {name: [1] * len(arguments["target"])}


def _natives(backend: Backend, arguments: Mapping[str, Any]) -> dict[str, Any]:
    def native(name: str, value: Any) -> Any:
        if name == "arrays":
            return [native("x", item) for item in value]
        if name == "dtype":
            return value if value is None else backend.dtype(value)
        return backend.from_numpy(np.array(value, dtype=np.float32)) if name in _ARRAYS else value

    return {name: native(name, value) for name, value in arguments.items()}


def program_of(operation: str, arguments: Mapping[str, Any]) -> tuple[Program, list[np.ndarray]]:
    """A call as a program of one step, and its inputs."""
    inputs: list[np.ndarray] = []

    def bound(name: str, value: Any) -> Any:
        if name == "arrays":
            return Refs(tuple(bound("x", item).index for item in value))
        if name not in _ARRAYS:
            return value
        inputs.append(np.array(value, dtype=np.float32))
        inputs[-1].flags.writeable = False
        return Ref(len(inputs) - 1)

    step = tuple((name, bound(name, value)) for name, value in arguments.items())
    names = tuple(f"input{i}" for i in range(len(inputs)))
    return Program(names, (Step(operation, step, f"{operation} {step!r}"),), (Ref(len(inputs)),), ()), inputs


def exact_lines(backend: Backend, without: Sequence[str] = ()) -> Iterator[Line]:
    """A line for each mode, and one for each exact call that comes out otherwise in it.

    Args:
        backend: started.
        without: operations whose idioms are known to be broken.
    """
    executor = Executor(backend)
    for mode in modes_here(backend):
        right = asked = 0
        for operation, arguments, due in EXACT:
            if operation not in backend.idioms or operation in without:
                continue
            shown = f"{mode}: {operation}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
            program, inputs = program_of(operation, arguments)
            outcome = executor.run(program, inputs, mode)
            faults = list(_faults(outcome, np.array(due, dtype=np.float32)))
            asked += not outcome.unsupported
            right += not (faults or outcome.unsupported)
            for party, problem in faults:
                yield Line(party, shown, problem, f"spelled {' '.join(backend.idioms.source(operation).split())}")
        if right:  # where none does, what is wrong with each stands above
            of = "" if right == asked else f" of {asked}"
            yield Line("framework", f"{mode}: {right}{of} exact calls come out as they must")


def _faults(outcome: Outcome, due: np.ndarray) -> Iterator[tuple[Party, str]]:
    if outcome.changes:
        yield "adapter", in_short(outcome.changes)
    for what, where in outcome.elsewhere.items():
        yield "adapter", f"{what} lives on {where}"
    if outcome.overwritten:
        yield "adapter", "the call writes to its inputs"
    if outcome.unsupported:
        return
    if outcome.raised is not None:
        yield ("framework" if outcome.raised.refused else "adapter"), f"{outcome.raised.type}: {outcome.raised.message}"
        return
    got = outcome.received[-1]
    if got.dtype != due.dtype or got.shape != due.shape or not np.array_equal(got, due):
        yield "framework", f"{describe(due)} was due, and {describe(got)} came"
