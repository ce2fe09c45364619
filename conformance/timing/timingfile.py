"""Timing files: pytest-benchmark's own JSON, with this suite's facts in it. Data from elsewhere when read.

One file a backend and device, ``reports/timing/BACKEND-DEVICE.json``. A cell's facts stand in its benchmark's
``extra_info``, its times in ``stats.data``; what was run, and the cells without times, under the key ``conformance``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from conformance.ground import limits
from conformance.ground.files import files_in, read_file
from conformance.timing.model import FOLDER, FORMAT, Calls, Cell, Circumstances, Timing, TimingRun
from conformance.words.visible import clipped, on_one_line

KEY = "conformance"
"""The suite's own key in the file."""

_LARGEST = 2**40
"""No array that is timed has so many elements, or moves so many bytes."""


class TimingFileError(ValueError):
    """A timing file can't be read: which, why, and what to do, on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(on_one_line(clipped(message, limits.MESSAGE_CHARACTERS)))


class _Stats(Struct):
    data: list[float]
    iterations: int


class _Benchmark(Struct):
    extra_info: Cell
    stats: _Stats


class _File(Struct):
    benchmarks: list[_Benchmark]
    conformance: Circumstances


class _Format(Struct):
    format: int


class _Opening(Struct):
    """What every JSON of pytest-benchmark has, and what makes it a timing file."""

    benchmarks: list[Any]
    conformance: _Format | None = None


def paths_in(reports: Path) -> list[Path]:
    """The timing files in a folder of reports."""
    return files_in(reports / FOLDER, ".json")


def read(path: Path) -> TimingRun:
    """Read a timing file.

    Raises:
        TimingFileError: it is no timing file, of another format, or contradicts itself.
    """
    try:
        text = read_file(path, limits.TIMING_FILE_BYTES)
    except OSError as error:
        raise TimingFileError(f"{path}: can't be read: {error.strerror}") from None
    _check_format(path, text)
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    timings: dict[tuple[str, str], Timing] = {}
    for benchmark in file.benchmarks:
        _check_times(path, benchmark)
        calls = Calls(tuple(benchmark.stats.data), benchmark.stats.iterations)
        _add(path, timings, Timing(benchmark.extra_info, calls))
    for cell in file.conformance.withheld:
        if not cell.why_not:
            raise _damaged(path, f"'{cell.id}' in mode '{cell.mode}' has no times and does not say why")
        _add(path, timings, Timing(cell))
    _check_circumstances(path, file.conformance)
    return TimingRun(path, file.conformance, timings)


def read_all(paths: Iterable[Path]) -> Sequence[TimingRun]:
    """Read several timing files, in their order.

    Raises:
        TimingFileError: one of them can't be read.
    """
    return [read(path) for path in paths]


def _check_format(path: Path, text: bytes) -> None:
    try:
        opening = msgspec.json.decode(text, type=_Opening)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TimingFileError(
            f"{path}: not a timing file: expected the JSON of pytest-benchmark, found otherwise: {error}. "
            f"'conformance bench' writes timing files"
        ) from None
    if opening.conformance is None:
        raise TimingFileError(
            f"{path}: pytest-benchmark's JSON, but not of this suite: it lacks the key '{KEY}'. "
            f"'conformance bench' writes timing files"
        )
    if opening.conformance.format != FORMAT:
        raise TimingFileError(
            f"{path}: format {opening.conformance.format}; this version of the suite reads format {FORMAT}. "
            f"Read it with the version that wrote it, or measure again: conformance bench"
        )


def _add(path: Path, timings: dict[tuple[str, str], Timing], timing: Timing) -> None:
    cell = timing.cell
    if any(length < 0 for length in cell.shape) or cell.elements > _LARGEST or not 0 <= cell.bytes <= _LARGEST:
        raise _damaged(path, f"'{cell.id}' has an impossible shape or size: {list(cell.shape)}, {cell.bytes} bytes")
    for seconds in (cell.first_seconds, *(cell.reference or ())):
        if seconds is not None and not _is_time(seconds):
            raise _damaged(path, f"'{cell.id}' in mode '{cell.mode}' has an impossible time: {seconds}")
    if (cell.mode, cell.id) in timings:
        raise _damaged(path, f"'{cell.id}' in mode '{cell.mode}' is there twice")
    timings[cell.mode, cell.id] = timing


def _check_times(path: Path, benchmark: _Benchmark) -> None:
    cell, stats = benchmark.extra_info, benchmark.stats
    if cell.why_not:
        raise _damaged(path, f"'{cell.id}' in mode '{cell.mode}' has times, and a reason why it has none")
    if not stats.data or stats.iterations < 1 or not all(map(_is_time, stats.data)):
        raise _damaged(path, f"'{cell.id}' in mode '{cell.mode}' has no times, or impossible ones")


def _check_circumstances(path: Path, about: Circumstances) -> None:
    for copy in about.copies:
        if not 0 < copy.bytes <= _LARGEST or not copy.seconds or not all(map(_is_time, copy.seconds)):
            raise _damaged(path, f"an impossible memory copy of {copy.bytes} bytes")
    if len({copy.bytes for copy in about.copies}) != len(about.copies):
        raise _damaged(path, "two memory copies of one size")


def _is_time(seconds: float) -> bool:
    return math.isfinite(seconds) and 0 < seconds < 1e6


def _damaged(path: Path, what: str) -> TimingFileError:
    return TimingFileError(f"{path}: a damaged timing file: {what}. Measure again: conformance bench")
