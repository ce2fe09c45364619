"""The timing's own truth: backends that take a known time, that are not done, that compile, that are wrong."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.backends.base import Unsupported
from conformance.backends.numpy import NumpyBackend
from conformance.timing.measuring import Bench
from conformance.timing.model import Cell

from .conftest import Taken

NAP = 0.004
Timed = Callable[..., tuple[Cell, Taken]]


def sleeping(x: np.ndarray) -> np.ndarray:
    time.sleep(NAP)
    return -x


def test_a_backend_that_sleeps_is_never_timed_as_faster_than_its_sleep_nor_slower_than_the_clock_on_the_wall(
    timed: Timed, numpy_with: Any
) -> None:
    cell, taken = timed(numpy_with(negative=sleeping))
    assert cell.why_not == "" and len(taken.seconds) >= 7
    # What is reported lies in a band that the measurement itself sets: each call sleeps, and all of them together took
    # no longer than the whole did.
    assert min(taken.seconds) >= NAP
    assert sum(taken.seconds) * taken.calls / len(taken.seconds) <= taken.whole
    assert cell.first_seconds is not None and cell.first_seconds >= NAP


def test_what_is_reported_lies_within_what_a_bare_loop_of_the_same_call_takes_in_turn_with_it(
    timed: Timed, numpy_with: Any
) -> None:
    _, taken = timed(numpy_with(negative=sleeping))
    x, bare = np.ones((2, 20), dtype=np.float32), []
    for _ in range(len(taken.seconds)):
        start = time.perf_counter()
        sleeping(x)
        bare.append(time.perf_counter() - start)
    # A sleep may be overslept by however long the machine is busy: both loops oversleep, so their ranges must meet.
    assert min(taken.seconds) <= max(bare) and min(bare) <= max(taken.seconds)


class Promise:
    """An array that a thread is still filling."""

    def __init__(self, x: np.ndarray) -> None:
        self.array = np.zeros_like(x)
        self.thread = threading.Thread(target=self._fill, args=(x,))
        self.thread.start()

    def _fill(self, x: np.ndarray) -> None:
        time.sleep(NAP)
        np.negative(x, out=self.array)


def read(self: NumpyBackend, array: Any) -> np.ndarray:
    if isinstance(array, Promise):
        array.thread.join()
        return array.array
    return np.asarray(array)


def wait(self: NumpyBackend, result: Any) -> None:
    result.thread.join()


def here(self: NumpyBackend, array: Any) -> str:
    return "cpu"


def test_an_asynchronous_backend_whose_adapter_waits_gets_the_true_time(timed: Timed, numpy_with: Any) -> None:
    cell, taken = timed(numpy_with({"to_numpy": read, "device_of": here, "synchronise": wait}, negative=Promise))
    assert cell.why_not == "" and min(taken.seconds) >= NAP


def test_an_asynchronous_backend_whose_adapter_forgets_to_wait_is_caught(timed: Timed, numpy_with: Any) -> None:
    cell, taken = timed(numpy_with({"to_numpy": read, "device_of": here}, negative=Promise))
    assert "the call returns before its work is done" in cell.why_not and taken.seconds == []


def test_a_result_that_takes_long_to_read_is_not_taken_for_one_that_is_still_being_made(
    timed: Timed, numpy_with: Any
) -> None:
    def slow(self: NumpyBackend, array: Any) -> np.ndarray:
        time.sleep(NAP)
        return np.array(array)

    cell, taken = timed(numpy_with({"to_numpy": slow}))
    assert cell.why_not == "" and taken.seconds


class Compiling(NumpyBackend):
    """Its compiled mode takes long for the first call with a shape, and not for the next ones."""

    modes = ("eager", "compiled")
    compiled: list[tuple[int, ...]]

    def compile(self, function: Any, mode: str) -> Any:
        known: dict[tuple[int, ...], Any] = {}

        def call(*arrays: np.ndarray) -> Any:
            if arrays[0].shape not in known:
                time.sleep(0.2)
                known[arrays[0].shape] = function
                type(self).compiled.append(arrays[0].shape)
            return known[arrays[0].shape](*arrays)

        return call if mode == "compiled" else function


def test_what_compiles_on_its_first_call_has_that_apart_and_a_steady_state_without_it(
    bench: Callable[..., Bench],
) -> None:
    Compiling.compiled = []
    made, during = bench(Compiling), []
    job = next(job for job in made.jobs() if job.operation == "negative" and job.mode == "compiled")

    class Watching(Taken):
        def __call__(self, run: Callable[[], Any], effort: Any) -> None:
            during.append(len(Compiling.compiled))
            super().__call__(run, effort)
            during.append(len(Compiling.compiled))

    taken = Watching()
    cell = made.time(job, taken)
    assert cell.why_not == ""
    assert cell.first_seconds is not None and cell.first_seconds >= 0.2
    # For the mode's first use (another shape), then once for this cell, and never while it is timed.
    assert Compiling.compiled == [(3,), (3,), (2, 20)] and during == [3, 3]
    assert float(made.finish().environment["first use of mode compiled"].split()[0]) >= 0.2


def test_a_cell_begins_in_fresh_state_so_that_each_first_call_compiles(bench: Callable[..., Bench]) -> None:
    Compiling.compiled = []
    made = bench(Compiling)
    jobs = [
        j
        for j in made.jobs()
        if j.operation in ("negative", "exp") and j.mode == "compiled" and j.direction == "forward"
    ]
    for job in jobs:
        made.time(job, Taken())
    assert Compiling.compiled.count((2, 20)) == len(jobs) == 2


def test_a_wrong_output_is_never_timed(timed: Timed, numpy_with: Any) -> None:
    cell, taken = timed(numpy_with(negative=lambda x: -x + np.float32(1e-6)))
    assert cell.why_not.startswith("the first call's output does not conform: value: expected")
    assert taken.seconds == []


def test_one_wrong_element_among_a_million_is_found(timed: Timed, numpy_with: Any) -> None:
    def last_is_off(x: np.ndarray) -> np.ndarray:
        result = -x
        result.flat[-1] = np.nextafter(result.flat[-1], np.float32(0))
        return result

    cell, taken = timed(numpy_with(negative=last_is_off), sizes=["1024x1024"])
    assert "does not conform: value" in cell.why_not and taken.seconds == []


@pytest.mark.parametrize("operation", ["sum", "mean", "softmax"])
def test_a_wrong_row_or_a_wrong_total_of_a_large_array_is_found(timed: Timed, numpy_with: Any, operation: str) -> None:
    right = NumpyBackend.idioms[operation]

    def off(x: np.ndarray, **more: Any) -> np.ndarray:
        result = np.array(right(x, **more))
        result.reshape(-1)[-1] *= np.float32(1.001)
        return result

    cell, _ = timed(numpy_with(**{operation: off}), operation, sizes=["64x1024"])
    assert "does not conform: value" in cell.why_not


def test_a_result_of_another_dtype_or_shape_is_not_timed(timed: Timed, numpy_with: Any) -> None:
    cell, _ = timed(numpy_with(negative=lambda x: -x.astype(np.float64)))
    assert "does not conform: dtype" in cell.why_not
    cell, _ = timed(numpy_with(negative=lambda x: -x[:-1]))
    assert "does not conform: shape" in cell.why_not


def test_an_output_that_is_wrong_only_once_it_is_timed_takes_the_times_back(timed: Timed, numpy_with: Any) -> None:
    calls = 0

    def tiring(x: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        return -x if calls < 50 else x.copy()

    cell, taken = timed(numpy_with(negative=tiring))
    assert cell.why_not.startswith("the last timed call's output does not conform") and taken.calls > 50


def test_a_result_that_was_kept_from_the_call_before_is_not_timed(timed: Timed, numpy_with: Any) -> None:
    kept: dict[int, np.ndarray] = {}
    cell, taken = timed(numpy_with(negative=lambda x: kept.setdefault(id(x), -x)))
    assert "nothing was computed" in cell.why_not and taken.seconds == []


def test_a_call_that_writes_to_its_input_is_not_timed(timed: Timed, numpy_with: Any) -> None:
    def careless(x: np.ndarray) -> np.ndarray:
        result = -x
        x[0, 0] = 0.5
        return result

    def handed(self: NumpyBackend, array: np.ndarray) -> np.ndarray:
        return array.copy()

    cell, _ = timed(numpy_with({"from_numpy": handed}, negative=careless))
    assert cell.why_not != ""


def test_an_error_in_the_first_call_is_the_reason_and_so_is_one_in_the_midst_of_the_rounds(
    timed: Timed, numpy_with: Any
) -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise ValueError("not  today\n<b>")

    cell, taken = timed(numpy_with(negative=broken))
    assert cell.why_not == "the first call raised ValueError: not today <b>" and taken.seconds == []
    calls = 0

    def breaking(x: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls > 12:
            raise RuntimeError("worn out")
        time.sleep(1e-4)
        return -x

    cell, taken = timed(numpy_with(negative=breaking))
    assert cell.why_not == "a timed call raised RuntimeError: worn out" and cell.first_seconds is not None


def test_a_cell_that_fails_leaves_the_next_one_as_it_is(bench: Callable[..., Bench], numpy_with: Any) -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise ValueError

    made = bench(numpy_with(exp=broken))
    jobs = [job for job in made.jobs() if job.operation in ("exp", "log") and job.direction == "forward"]
    assert [bool(made.time(job, Taken()).why_not) for job in jobs] == [True, False]
    assert [cell.operation for cell in made.withheld] == ["exp"]


def test_each_output_is_kept_while_the_next_is_made(timed: Timed, numpy_with: Any) -> None:
    last: list[weakref.ref[Any]] = []
    kept = []

    class Kept(np.ndarray):
        """An array that can be watched."""

    def watched(x: np.ndarray) -> np.ndarray:
        if last:
            kept.append(last[0]() is not None)
        result = (-x).view(Kept)
        last[:] = [weakref.ref(result)]
        return result

    cell, taken = timed(numpy_with({"device_of": here}, negative=watched))
    assert cell.why_not == "" and len(kept) >= taken.calls
    assert all(kept)


def test_inputs_never_take_another_branch_than_ordinary_numbers_do(bench: Callable[..., Bench]) -> None:
    taken_branches = set()

    def branching(function: Any) -> Any:
        def call(*arrays: Any, **more: Any) -> Any:
            for array in arrays[0] if isinstance(arrays[0], list) else arrays:
                wide = np.abs(np.asarray(array, dtype=np.float64))
                taken_branches.add("special" if not np.isfinite(wide).all() else "ordinary")
                if ((wide > 0) & (wide < 2.0**-14)).any():  # subnormal, in some dtype
                    taken_branches.add("subnormal")
                if (wide > 4).any():
                    taken_branches.add("saturated")
            return function(*arrays, **more)

        return call

    idioms = {name: branching(f) for name, f in NumpyBackend.idioms.items() if name != "asarray"}
    kind = type("Branching", (NumpyBackend,), {"idioms": _idioms(idioms)})
    made = bench(kind, sizes=["2x20", "4x1024"], dtypes=["float16", "float32"])
    for job in made.jobs():
        if job.direction == "forward":
            made.time(job, Taken())
    assert taken_branches == {"ordinary"}


def _idioms(functions: dict[str, Any]) -> Any:
    made = type(NumpyBackend.idioms)()
    for name, function in functions.items():
        made(name)(function)
    return made


def test_a_backend_that_would_take_another_branch_for_zeros_is_not_asked_to(timed: Timed, numpy_with: Any) -> None:
    def quick_for_zeros(x: np.ndarray) -> np.ndarray:
        if not x.all():
            raise AssertionError("the other branch")
        return -x

    cell, _ = timed(numpy_with(negative=quick_for_zeros), sizes=["1024x1024"])
    assert cell.why_not == ""


def test_numpy_has_no_gradient_and_the_cell_says_so(timed: Timed) -> None:
    cell, taken = timed(NumpyBackend, "softmax", "forward+backward")
    assert cell.why_not == "unsupported: numpy has no gradients" and taken.seconds == []


def test_what_has_no_exact_gradient_is_not_timed_with_one(timed: Timed) -> None:
    cell, _ = timed(NumpyBackend, "stack", "forward+backward")
    assert "no gradient of it is defined here" in cell.why_not


def test_an_operation_without_an_idiom_says_so(timed: Timed, numpy_with: Any) -> None:
    cell, _ = timed(numpy_with(negative=None))
    assert cell.why_not == "numpy has no idiom for it"


def test_a_backend_that_narrows_its_inputs_is_not_timed_in_their_dtype(timed: Timed, numpy_with: Any) -> None:
    def narrowing(self: NumpyBackend, array: np.ndarray) -> np.ndarray:
        return array.astype(np.float32)

    cell, _ = timed(numpy_with({"from_numpy": narrowing}), dtypes=["float64"])
    assert cell.why_not == "the backend narrows its input from float64 to float32 in this mode"


def test_a_device_that_is_not_there_leaves_every_cell_with_that_reason(bench: Callable[..., Bench]) -> None:
    made = bench(NumpyBackend, device="gpu")
    cells = [made.time(job, Taken()) for job in made.jobs()]
    assert {cell.why_not for cell in cells} == {"no gpu here; numpy sees cpu"}
    assert made.finish().copies == []


def test_a_result_that_lives_elsewhere_is_not_timed(timed: Timed, numpy_with: Any) -> None:
    cell, taken = timed(numpy_with({"device_of": lambda self, array: "gpu"}))
    assert cell.why_not == "an input or a result lives on gpu, and cpu is to be timed" and taken.seconds == []


def test_a_mode_that_is_missing_is_the_reason_of_its_cells(timed: Timed, numpy_with: Any) -> None:
    cell, _ = timed(numpy_with({"missing_mode": lambda self, mode: "no compiler here"}))
    assert cell.why_not == "no compiler here"


def test_what_would_exhaust_the_memory_is_not_tried(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.timing.timed._ARRAYS_AT_ONCE", 10**12)
    cell, taken = timed(NumpyBackend)
    assert "GB of memory" in cell.why_not and taken.seconds == []


def test_the_number_of_threads_is_told_to_the_backend_before_it_starts(
    bench: Callable[..., Bench], numpy_with: Any
) -> None:
    said: list[Any] = []

    def limit(self: NumpyBackend, count: int) -> str:
        said.append(count)
        return "it takes as many as it likes"

    def start(self: NumpyBackend) -> None:
        said.append("start")

    made = bench(numpy_with({"limit_threads": limit, "start": start}), threads=3)
    made.start()
    about = made.finish()
    assert said == [3, "start"] and (about.threads, about.threads_note) == (3, "it takes as many as it likes")


def test_bytes_are_those_of_each_array_once(bench: Callable[..., Bench]) -> None:
    made = bench(NumpyBackend, sizes=["64x1024"])
    cells = {(job.operation, job.direction): made.time(job, Taken()).bytes for job in made.jobs()}
    one = 64 * 1024 * 4
    assert cells["exp", "forward"] == 2 * one
    assert cells["add", "forward"] == 3 * one
    assert cells["stack", "forward"] == 4 * one
    assert cells["mean", "forward"] == one + 4
    assert cells["sum", "forward"] == one + 64 * 4
    assert (
        cells["exp", "forward+backward"] == 4 * one
    )  # x and the weights are read, the result and the gradient written
    assert cells["reshape", "forward"] == 0


def test_a_mode_that_the_backend_does_not_have_is_refused(bench: Callable[..., Bench]) -> None:
    with pytest.raises(LookupError, match="no timed mode 'jit' on cpu; it has eager"):
        bench(NumpyBackend, modes=["jit"])


def test_a_backend_that_refuses_to_start_is_unavailable(timed: Timed, numpy_with: Any) -> None:
    def refuse(self: NumpyBackend) -> None:
        raise Unsupported("not on this machine")

    cell, _ = timed(numpy_with({"start": refuse}))
    assert cell.why_not == "not on this machine"
