"""Made-up timing files, with something of everything that the page of timings may show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.timing.model import DIRECTIONS, FORMAT, Calls, Cell, Circumstances, Copy, Timing, TimingRun

_MODES = {"numpy": ("eager",), "torch": ("eager", "compile"), "jax": ("eager", "jit")}
_SHAPES = ((2, 20), (64, 1024), (1024, 1024))
_WHY_NOT = "failed: a value is 12 ULP off, 4 are allowed"


def timed(slower: float = 1.0) -> list[TimingRun]:
    """Timings of three backends in five modes, some withheld; `slower` times as slow as usual for every other cell."""
    return [_run(number, backend, slower) for number, backend in enumerate(_MODES)]


def _run(number: int, backend: str, slower: float) -> TimingRun:
    timings: dict[tuple[str, str], Timing] = {}
    for mode in _MODES[backend]:
        for operation in ("softmax", "exp", "stack"):
            for shape in _SHAPES:
                for direction in DIRECTIONS:
                    if backend == "numpy" and direction != "forward":
                        continue  # it has no gradients
                    timing = _timing(number, operation, mode, shape, direction, slower if len(timings) % 2 else 1.0)
                    timings[mode, timing.id] = timing
    about = Circumstances(
        format=FORMAT,
        suite="0.1.0",
        backend=backend,
        device="cpu",
        versions={backend: "1.2.3"},
        environment={"python": "3.11.7", "system": "Linux x86_64", "processor": "a processor", "cores": "2"},
        threads=1,
        copies=[Copy(256, [1e-7] * 7), Copy(2**20, [4e-5] * 7), Copy(2**23, [1e-3] * 7)],
        started="2030-01-02T03:04:05+00:00",
        finished="2030-01-02T03:05:05+00:00",
        plain="eager",
        left_out=["float16: not in the default plan"],
    )
    return TimingRun(Path(f"{backend}-cpu.json"), about, timings)


def _timing(number: int, operation: str, mode: str, shape: tuple[int, int], direction: Any, slower: float) -> Timing:
    size = shape[0] * shape[1]
    # Compiled calls cost more at tiny sizes, and win at large ones.
    overhead, rate = (5e-5, 4e-10) if mode in ("compile", "jit") else (5e-6 * (number + 1), 1e-9 * (number + 1))
    seconds = slower * (overhead + rate * size)
    name = f"{operation}[float32,shape={shape[0]}x{shape[1]},{direction}]"
    withheld = operation == "stack" and mode == "jit"
    cell = Cell(
        id=name,
        operation=operation,
        mode=mode,
        dtype="float32",
        shape=shape,
        direction=direction,
        call=f"{operation}(x)",
        bytes=8 * size,
        first_seconds=0.3 if mode in ("compile", "jit") else 0.001,
        reference=(1e-5, 1e-5),
        why_not=_WHY_NOT if withheld else "",
    )
    calls = None if withheld else Calls(tuple(seconds * (1 + i / 1000) for i in range(9)), 10)
    return Timing(cell, calls)
