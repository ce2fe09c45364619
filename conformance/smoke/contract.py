"""What an adapter owes, whatever its framework computes: none of these checks needs to know a right result.

Each is a function of a started backend that raises `FaultError`, or returns what else there is to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np

from conformance.backends.base import Backend
from conformance.backends.spelling import Function, Unsupported
from conformance.backends.state import Watch, of_calls
from conformance.ground.devices import device
from conformance.ground.dtypes import DTYPES, DType
from conformance.ground.layouts import LAYOUTS, laid_out
from conformance.smoke.line import FaultError

Check = Callable[[Backend], str]

CHECKS: dict[str, Check] = {}
"""The checks by what they are about, in order."""


def _check(words: str) -> Callable[[Check], Check]:
    def add(function: Check) -> Check:
        CHECKS[words] = function
        return function

    return add


def plain_scope(backend: Backend) -> Any:
    """The scope of the backend's plain mode."""
    return backend.scope(backend.modes[0])


def modes_here(backend: Backend) -> list[str]:
    """The modes that can run here."""
    return [mode for mode in _modes(backend) if not backend.missing_mode(mode)]


def _modes(backend: Backend) -> list[str]:
    return [mode for mode in backend.run_modes(backend.device) if mode in (*backend.modes, *backend.gpu_modes)]


def special(dtype: DType) -> np.ndarray:
    """Elements whose bits are easily lost: a NaN with a payload, both zeros, subnormals, the ends of the range."""
    if dtype.kind == "integer":
        limits = np.iinfo(dtype.numpy)
        return np.array([limits.min, limits.max, 0, 1, 2, 3], dtype=dtype.numpy)
    if dtype.kind != "floating":
        return np.array([0, 1, 1, 0, 1, 0], dtype=dtype.numpy)
    width = dtype.numpy.itemsize
    numbers = ml_dtypes.finfo(dtype.numpy)
    ordinary = np.array([-0.0, np.inf, -np.inf, 1.5], dtype=dtype.numpy)
    ends = np.array([numbers.max, numbers.smallest_normal, numbers.smallest_subnormal], dtype=dtype.numpy)
    quiet = np.array([np.nan], dtype=dtype.numpy).view(f"u{width}") | np.array([5], dtype=f"u{width}")
    return np.concatenate([quiet.view(dtype.numpy), ordinary, ends, -ends])


def same(given: np.ndarray, got: Any) -> str:
    """How an array differs from another one: in its kind, dtype, shape or bits; empty where it doesn't."""
    if type(got) is not np.ndarray:
        return f"to_numpy gave a {type(got).__name__}, no numpy.ndarray"
    if got.dtype != given.dtype:
        return f"{given.dtype.name} went in, {got.dtype.name} came back"
    if got.shape != given.shape:
        return f"shape {list(given.shape)} went in, {list(got.shape)} came back"
    if got.tobytes() != given.tobytes():
        unsigned = f"u{given.dtype.itemsize}"
        if given.dtype.itemsize not in (1, 2, 4, 8):
            return "other bits came back"
        a, b = (np.ascontiguousarray(x).view(unsigned).ravel() for x in (given, got))
        at = int(np.flatnonzero(a != b)[0])
        return f"the bits {int(a[at]):#x} ({given.ravel()[at]}) came back as {int(b[at]):#x} ({got.ravel()[at]})"
    return ""


def _offered(backend: Backend) -> Iterator[tuple[DType, np.ndarray]]:
    """The dtypes that the backend takes, each with its special elements."""
    for dtype in DTYPES.values():
        array = special(dtype)
        array.flags.writeable = False
        try:
            backend.from_numpy(array)
        except Unsupported:
            continue
        yield dtype, array


def _faults(found: list[str]) -> None:
    if found:
        raise FaultError("; ".join(found))


@_check("names the devices at hand, and says where an array lives")
def devices(backend: Backend) -> str:
    """Of its own arrays the device that was asked for; of anything else, that it is none."""
    names = backend.devices()
    wrong = [name for name in names if not isinstance(name, str) or _canonical(name) != name]
    if wrong:
        raise FaultError(f"devices() must give names like cpu and gpu:1, and gives {wrong}")
    with plain_scope(backend):
        native = backend.from_numpy(np.ones(2, dtype=np.float32))
        where = backend.device_of(native)
        if where != backend.device:
            raise FaultError(f"an input for {backend.device} lives on {where!r}")
        foreign: list[Any] = [None, [1.0, 1.0], 1.0, "an array"]
        foreign += [] if isinstance(native, np.ndarray) else [np.ones(2, dtype=np.float32)]
        foreign += [np.ma.masked_array(np.ones(2, dtype=np.float32))]
        for thing in foreign:
            try:
                backend.device_of(thing)
            except TypeError:
                continue
            raise FaultError(
                f"device_of must refuse a '{type(thing).__name__}' with a TypeError, and takes it for an array"
            )
    return ", ".join(names)


def _canonical(name: str) -> str:
    try:
        return device(name)
    except ValueError:
        return ""


@_check("gives every bit of every dtype back")
def bits(backend: Backend) -> str:
    """NaN payloads, signs of zeros, subnormals, the ends of every range."""
    with plain_scope(backend):
        taken = list(_offered(backend))
        _faults(
            [
                f"{dtype.name}: {difference}"
                for dtype, array in taken
                if (difference := same(array, backend.to_numpy(backend.from_numpy(array))))
            ]
        )
    if not taken:
        raise FaultError("it takes no dtype at all")
    lacking = [name for name in DTYPES if name not in {dtype.name for dtype, _ in taken}]
    return f"it says that it has no {', '.join(lacking)}" if lacking else ""


@_check("keeps shapes and memory layouts")
def shapes(backend: Backend) -> str:
    """Scalars, arrays without elements, transposed, stepped, padded and broadcast ones."""
    given = [np.ones(shape, dtype=np.float32) for shape in ((), (0,), (2, 0, 3), (1, 1), (2, 3, 4))]
    given += [laid_out(np.arange(6, dtype=np.float32).reshape(2, 3), layout) for layout in LAYOUTS]
    with plain_scope(backend):
        for array in given:
            array.flags.writeable = False
            before = array.tobytes()
            difference = same(array, backend.to_numpy(backend.from_numpy(array)))
            if difference:
                raise FaultError(f"shape {list(array.shape)}, strides {list(array.strides)}: {difference}")
            if array.flags.writeable or array.tobytes() != before:
                raise FaultError("from_numpy writes to the array it was handed, or unlocks it")
    return ""


@_check("names dtypes as the framework does")
def names(backend: Backend) -> str:
    """An array that the framework makes of a dtype's name has that dtype."""
    make = backend.idioms.get("asarray")
    found = []
    with plain_scope(backend):
        for dtype, _ in _offered(backend):
            native = backend.dtype(dtype.name)
            if make is None or dtype.kind == "complex":
                continue
            came = backend.to_numpy(make([True, False] if dtype.kind == "bool" else [1, 0], dtype=native))
            if came.dtype != dtype.numpy:
                found.append(f"dtype('{dtype.name}') is {native!r}, which makes an array of {came.dtype.name}")
    _faults(found)
    return "" if make is not None else "without an idiom for asarray it can't be seen whether they are the right ones"


@_check("compiles and runs the identity in each mode")
def identity(backend: Backend) -> str:
    """What comes back is a tuple, on the device, with the bits that went in."""
    found, missing = [], []
    given = special(DTYPES["float32"])[1:5]  # compilers may flush subnormals, and quieten NaN
    for mode in _modes(backend):
        if why := backend.missing_mode(mode):
            missing.append(f"{mode}: {why}")
            continue
        with backend.scope(mode):
            results = backend.compile(lambda x: (x,), mode)(backend.from_numpy(given))
            backend.synchronise(results)
            if not isinstance(results, (tuple, list)) or len(results) != 1:
                found.append(f"{mode}: a tuple of one result was due of a compiled function, and {results!r} came")
            elif (where := backend.device_of(results[0])) != backend.device:
                found.append(f"{mode}: the result lives on {where}")
            elif difference := same(given, backend.to_numpy(results[0])):
                found.append(f"{mode}: {difference}")
    _faults(found)
    return "; ".join(missing)


@_check("leaves no state behind")
def scopes(backend: Backend) -> str:
    """Neither entering and leaving a mode, nor what comes from there, changes the process or the framework."""
    found = []
    for mode in modes_here(backend):
        watch = Watch(of_calls(backend.own_variables), backend.state, backend.restore)
        with watch, backend.scope(mode), backend.placing():
            backend.to_numpy(backend.from_numpy(np.ones(2, dtype=np.float32)))
        found += [f"{mode}: expected {change.expected}, got {change.got}" for change in watch.changes]
    before = dict(backend.state())
    backend.restore(before)
    if dict(backend.state()) != before:
        found.append(f"restore(state()) changes the state from {before} to {dict(backend.state())}")
    _faults(found)
    return ""


@_check("waits for results, and says whether arrays can be written to")
def waiting(backend: Backend) -> str:
    """`synchronise` takes an array, and a tuple; `fill` does what it says."""
    with plain_scope(backend):
        native = backend.from_numpy(np.ones(3, dtype=np.float32).copy())
        backend.synchronise(native)
        backend.synchronise((native, native))
        filled = backend.fill(native, 0)
        values = backend.to_numpy(native)
        if filled not in (True, False) or bool(values.any()) == filled:
            raise FaultError(f"fill(array, 0) returns {filled!r}, and the array holds {values.tolist()}")
    return ""


@_check("gives gradients of a weighted sum, or says that it has none")
def gradients(backend: Backend) -> str:
    """That of sum(c * x * x) is 2 c x, and 0 for what is not used; one each, in order, in every mode."""
    found = []
    x, unused, c = (np.array(v, dtype=np.float32) for v in ([1, 2, -3], [5, 5, 5], [1, -0.5, 0.25]))
    for mode in modes_here(backend):
        with backend.scope(mode):
            natives = [backend.from_numpy(array) for array in (unused, x)]
            square = _last_of(backend.compile(lambda u, x: (x * x,), mode))
            try:
                came = backend.gradient(square, natives, [1, 0], backend.from_numpy(c))
            except Unsupported as reason:
                return str(reason)
            got = [backend.to_numpy(array) for array in came]
            due = [2 * c * x, np.zeros(3, dtype=np.float32)]
            if len(got) != 2 or any(
                same(a + np.float32(0), b + b.dtype.type(0)) for a, b in zip(due, got, strict=True)
            ):
                found.append(f"{mode}: {[a.tolist() for a in due]} was due, and {[b.tolist() for b in got]} came")
            elsewhere = {backend.device_of(array) for array in came} - {backend.device}
            if elsewhere:
                found.append(f"{mode}: a gradient lives on {', '.join(sorted(elsewhere))}")
    _faults(found)
    return ""


def _last_of(function: Function) -> Function:
    return lambda *arrays: function(*arrays)[-1]


@_check("says its settings in words")
def settings(backend: Backend) -> str:
    """Texts by name, for the record."""
    found = backend.settings()
    wrong = [name for name, value in found.items() if not (isinstance(name, str) and isinstance(value, str) and value)]
    if wrong:
        raise FaultError(f"settings() must give texts by name: {wrong} are none")
    return ", ".join(f"{name} {value}" for name, value in found.items())
