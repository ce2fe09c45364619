"""A backend that breaks in every way, where the first number of an input tells it to: for tests and benchmarks.

It is NumPy, but for `sigmoid`. Processes that are started with `environment` find it as the backend `faulty`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.backends.base import Idioms
from conformance.backends.numpy import NumpyBackend

RIGHT = NumpyBackend.idioms["sigmoid"]


def segfault() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def leave() -> None:
    os._exit(3)


def leave_with_success() -> None:
    os._exit(0)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    while True:
        time.sleep(1)


def hang_in_c() -> None:
    """Hang with the interpreter's lock held."""
    ctypes.PyDLL(None).sleep(100_000)


def overflow_the_stack() -> None:
    """Recurse from C to Python and back."""
    sys.setrecursionlimit(10**9)
    again = ctypes.CFUNCTYPE(None)(lambda: again())
    again()


def recurse() -> None:
    recurse()


def want_memory() -> None:
    np.empty(2**62, dtype=np.uint8)


def storm() -> None:
    """Raise an error of a megabyte, from errors."""
    error: Exception = ValueError("first")
    for number in range(200):
        later = RuntimeError(f"{number} " + "x" * 1_000_000 if number == 199 else str(number))
        later.__cause__ = error
        error = later
    raise error


def leave_politely() -> None:
    sys.exit("the framework has had enough")


def interrupt() -> None:
    raise KeyboardInterrupt


def make_noise() -> None:
    """Print a megabyte that looks like a run file, and end it in the midst of a line."""
    line = b'{"kind":"record","variant":"things/no[float32]","mode":"eager","verdict":"failed"}\n'
    for stream in (1, 2):
        for _ in range(200):
            os.write(stream, line * 60)
        os.write(stream, b'{"kind":"foot\x00\xff')


def leave_a_child_and_crash() -> None:
    """Start a process that outlives this one, in its group, and one in a session of its own."""
    sleep = [sys.executable, "-c", "import time; time.sleep(1000)"]
    for own_session in (False, True):
        child = subprocess.Popen(sleep, start_new_session=own_session)
        with Path(os.environ["FAULTY_LOG"]).with_name("children").open("a") as file:
            file.write(f"{child.pid}\n")
    segfault()


def close_every_file() -> None:
    os.closerange(0, 256)


def fork_and_go_on() -> None:
    os.fork()


def raise_no_exception() -> None:
    raise type("Farewell", (BaseException,), {})("is no Exception")


def shout(stream: int) -> None:
    line = b"no end of it\n" * 5000
    while True:
        os.write(stream, line)


def shout_on_stdout() -> None:
    shout(1)


def shout_on_stderr() -> None:
    shout(2)


def close_stdout() -> None:
    sys.stdout.close()


def remove_the_run_file() -> None:
    Path(os.environ["FAULTY_LOG"]).with_name("out").joinpath("faulty-cpu.jsonl").unlink()


def assert_in_a_kernel() -> None:
    """Raise an error after which nothing can be computed in this process, as CUDA does."""
    POISONED.append(True)
    raise RuntimeError("CUDA error: device-side assert triggered")


def lose_the_device() -> None:
    """The same, and no other process can compute anything either."""
    Path(os.environ["FAULTY_LOG"]).with_name("lost").touch()
    assert_in_a_kernel()


POISONED: list[bool] = []
"""Whether nothing can be computed in this process any more."""

FAULTS: Mapping[int, Callable[[], None]] = {
    101: segfault,
    102: abort,
    103: leave,
    104: be_killed,
    105: hang,
    106: hang_in_c,
    107: overflow_the_stack,
    108: recurse,
    109: want_memory,
    110: storm,
    111: leave_politely,
    112: make_noise,
    113: interrupt,
    114: leave_with_success,
    115: leave_a_child_and_crash,
    116: close_every_file,
    117: fork_and_go_on,
    118: raise_no_exception,
    119: shout_on_stdout,
    120: shout_on_stderr,
    121: close_stdout,
    122: remove_the_run_file,
    123: assert_in_a_kernel,
    124: lose_the_device,
}
"""By the number that calls for them: whole numbers that every floating dtype has."""

CODES = {fault.__name__: number for number, fault in FAULTS.items()}


def sigmoid(x: Any) -> Any:
    """The sigmoid, unless its first number is that of a fault; tells the log what it was asked for."""
    if log := os.environ.get("FAULTY_LOG"):
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(descriptor, f"{x.dtype} {x.tobytes().hex()}\n".encode())
        os.close(descriptor)
    if x.size and (fault := FAULTS.get(int(x.ravel()[0]))):
        fault()
    return RIGHT(x)


def refuse_to_fork_after(number: int) -> None:
    """Have the system give no more processes after so many, as where a user may have so many and no more."""
    fork, left = os.fork, iter(range(number))

    def limited() -> int:
        if next(left, None) is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return fork()

    os.fork = limited


if limit := os.environ.get("FAULTY_FORKS"):
    refuse_to_fork_after(int(limit))


class FaultyBackend(NumpyBackend):
    """NumPy with a sigmoid that breaks, and, as ``FAULTY_START`` says, a start that does."""

    name = "faulty"
    idioms = Idioms({**NumpyBackend.idioms, "sigmoid": sigmoid})

    def from_numpy(self, array: np.ndarray) -> Any:
        log = os.environ.get("FAULTY_LOG")
        if POISONED or (log and Path(log).with_name("lost").exists()):
            raise RuntimeError("CUDA error: device-side assert triggered")
        return super().from_numpy(array)

    def start(self) -> None:
        if how := os.environ.get("FAULTY_START"):
            FAULTS[CODES[how]]() if how in CODES else self._fail(how)

    def _fail(self, how: str) -> None:
        raise ImportError(how) if "lib" in how else RuntimeError(how)


def environment(folder: Path) -> dict[str, str]:
    """The environment variables with which a process finds this backend.

    Args:
        folder: where what stands for an installed package is written, and the log of what was executed.
    """
    installed = folder / "faulty-1.dist-info"
    installed.mkdir(parents=True, exist_ok=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[conformance.backends]\nfaulty = faulty:FaultyBackend\n")
    paths = [str(folder), str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "FAULTY_LOG": str(folder / "log")}
