"""What calls are held against: how fast memory is copied here, and how fast the machine is from moment to moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from conformance.backends.base import Backend
from conformance.timing.model import Copy

SIZES = tuple(2**power for power in range(7, 30, 2))
"""Bytes read and written together, from that of the document's arrays to that of 16 M elements."""
_ROUNDS = 7
_ROUND_SECONDS = 1e-3
_SPLIT_FROM = 2**20


def measure(backend: Backend | None, threads: int) -> list[Copy]:
    """Measure copies of each size, with as many threads as the framework may use.

    Args:
        backend: started; on a device with its own memory it is that which is copied. None: this machine's memory.
        threads: how many.
    """
    with ThreadPoolExecutor(threads) as pool:
        return [_copy(size, backend, threads, pool) for size in SIZES]


def _copy(size: int, backend: Backend | None, threads: int, pool: ThreadPoolExecutor) -> Copy:
    source = np.ones(size // 2 // 4, dtype=np.float32)
    native = backend.from_numpy(source) if backend is not None and backend.device != "cpu" else None
    copier = backend.copier(native) if backend is not None and native is not None else None
    if backend is not None and copier is not None:
        return Copy(size, _rounds(_waited(copier, backend.synchronise)))
    target = np.zeros_like(source)
    if threads == 1 or size < _SPLIT_FROM:
        return Copy(size, _rounds(lambda: np.copyto(target, source)))
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    return Copy(size, _rounds(lambda: list(pool.map(lambda part: np.copyto(*part), parts))))


def _waited(copy: Callable[[], Any], wait: Callable[[Any], None]) -> Callable[[], None]:
    return lambda: wait(copy())


def _rounds(copy: Callable[[], Any]) -> list[float]:
    copy()  # the first touches memory that the system has not handed out yet
    iterations = max(1, math.ceil(_ROUND_SECONDS / max(_seconds(copy, 1), 1e-7)))
    return [_seconds(copy, iterations) / iterations for _ in range(_ROUNDS)]


def _seconds(call: Callable[[], Any], iterations: int) -> float:
    start = time.perf_counter()
    for _ in range(iterations):
        call()
    return time.perf_counter() - start


_WORK = np.linspace(1.0, 2.0, 4096)
_RESULT = np.empty_like(_WORK)


def reference() -> float:
    """Seconds that a fixed piece of work takes right now: the best of a few, some 10 µs each.

    It stays in the nearest cache and uses one core: if it takes longer, the machine is slower.
    """
    return min(_seconds(lambda: np.sqrt(_WORK, out=_RESULT), 1) for _ in range(9))
