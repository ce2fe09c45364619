"""What a timing file says: a run of a backend on a device, and one timing a cell.

A cell is an operation in a mode, a dtype, a shape and a direction. Every cell of the plan is in the file: with its
times, or with the reason why none are shown.
"""

from __future__ import annotations

import bisect
import math
import statistics
from pathlib import Path
from typing import Literal

from msgspec import Struct

from conformance.timing.statistics import median_interval, spread

FORMAT = 1
FOLDER = "timing"
"""The folder of timing files within that of the reports."""

Direction = Literal["forward", "forward+backward"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "forward+backward")


class Cell(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What was timed, or was to be: in a benchmark's ``extra_info``, or among the cells without times.

    Attributes:
        id: stable, and the same for every backend and mode: ``softmax[float32,shape=2x20,forward]``.
        operation: its name.
        mode: of the backend.
        dtype: of the inputs.
        shape: of each input array.
        direction: 'forward', or 'forward+backward' for a result and its gradients.
        call: as a case would write it: ``softmax(x, axis=-1)``.
        bytes: what the call must at least read and write: its arrays, once each. 0 where nothing need be moved.
        first_seconds: of the very first call in fresh state, tracing and compiling included; None where it raised.
        reference: seconds that a fixed piece of work took right before and right after: how fast the machine was.
        judged: how the output was judged.
        why_not: why no times are shown; empty where they are.
    """

    id: str
    operation: str
    mode: str
    dtype: str
    shape: tuple[int, ...]
    direction: Direction
    call: str
    bytes: int = 0
    first_seconds: float | None = None
    reference: tuple[float, float] | None = None
    judged: str = ""
    why_not: str = ""

    @property
    def elements(self) -> int:
        """How many elements each input array has."""
        return math.prod(self.shape)


class Copy(Struct, frozen=True, forbid_unknown_fields=True):
    """A memory copy, measured in the same process.

    Attributes:
        bytes: read and written, together.
        seconds: of each measurement.
    """

    bytes: int
    seconds: list[float]

    @property
    def rate(self) -> float:
        """Bytes a second, read and written."""
        return self.bytes / statistics.median(self.seconds)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of `rate`."""
        low, high = median_interval(self.seconds)
        return self.bytes / high, self.bytes / low


class Circumstances(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """The key ``conformance`` of a timing file: what was run, on what, and the cells without times.

    Attributes:
        format: version of the format.
        suite: version of this package.
        backend: its name.
        device: its name: 'cpu', 'gpu', 'gpu:1'.
        versions: of the backend's distributions, the framework's own first.
        environment: Python, operating system, processor, and the framework's settings.
        plain: the backend's plain mode, whatever was timed; compiled ones are held against it.
        threads: how many the framework was allowed.
        threads_note: where that could not be set, what holds instead.
        copies: of growing size.
        started, finished: UTC, ISO 8601.
        selection: what was asked for; empty for the default plan.
        left_out: what the plan leaves out, and why: a line each.
        withheld: cells without times.
    """

    format: int
    suite: str
    backend: str
    device: str
    versions: dict[str, str]
    environment: dict[str, str]
    threads: int
    copies: list[Copy]
    started: str
    finished: str
    plain: str = ""
    threads_note: str = ""
    selection: str = ""
    left_out: list[str] = []
    withheld: list[Cell] = []

    @property
    def held_to(self) -> str:
        """The kernels that it was held to: none, times are of what a framework chooses."""
        return ""


class Calls(Struct, frozen=True):
    """Times of the calls after the first ones: the steady state.

    Attributes:
        seconds: of a call, one number a round.
        iterations: how many calls a round had.
    """

    seconds: tuple[float, ...]
    iterations: int

    @property
    def n(self) -> int:
        """How many rounds there were."""
        return len(self.seconds)

    @property
    def median(self) -> float:
        """Seconds a call."""
        return statistics.median(self.seconds)

    @property
    def interval(self) -> tuple[float, float]:
        """The median's 95 % confidence interval, in seconds."""
        return median_interval(self.seconds)

    @property
    def noise(self) -> float:
        """How far the median may be off within this run, relative to it.

        The larger of its interval's half-width and half the distance between the quartiles. How the machine's speed
        changes between runs it can't know; `TimingRun.drift` says how it did within one.
        """
        low, high = self.interval
        return max((high - low) / 2 / self.median if self.median > 0 else 0.0, spread(self.seconds) / 2)


class Timing(Struct, frozen=True):
    """A cell with its times, or without.

    Attributes:
        cell: what.
        calls: None where no times are shown; `cell.why_not` then says why.
    """

    cell: Cell
    calls: Calls | None = None

    @property
    def id(self) -> str:
        """Of the cell; one a mode."""
        return self.cell.id

    @property
    def mode(self) -> str:
        """Of the backend."""
        return self.cell.mode


class TimingRun(Struct, frozen=True):
    """A timing file that was read.

    Attributes:
        path: of the file.
        about: what was run, and on what.
        timings: every cell, by mode and ID, in the order of the file; those without times last.
    """

    path: Path
    about: Circumstances
    timings: dict[tuple[str, str], Timing]

    @property
    def modes(self) -> list[str]:
        """Those that were timed, the plain one first."""
        found = dict.fromkeys(mode for mode, _ in self.timings)
        return sorted(found, key=lambda mode: mode != self.about.plain)

    def copy_rate(self, moved: int) -> float | None:
        """Bytes a second that a memory copy reads and writes, when it moves as many in all.

        Between two measured sizes it is interpolated, on logarithmic scales. None where no copy was measured.
        """
        copies = sorted(self.about.copies, key=lambda copy: copy.bytes)
        if not copies or moved <= 0:
            return None
        at = bisect.bisect_left([copy.bytes for copy in copies], moved)
        if at in (0, len(copies)):
            return copies[min(at, len(copies) - 1)].rate
        low, high = copies[at - 1], copies[at]
        share = math.log(moved / low.bytes) / math.log(high.bytes / low.bytes)
        return math.exp((1 - share) * math.log(low.rate) + share * math.log(high.rate))

    def share_of_copy(self, timing: Timing) -> float | None:
        """How fast a call moves its bytes, against a copy that moves as many; None where there are no times or bytes.

        1 is the speed of a copy, 0.38 is "38 % of a copy".
        """
        rate = self.copy_rate(timing.cell.bytes)
        if timing.calls is None or rate is None or timing.calls.median <= 0:
            return None
        return timing.cell.bytes / timing.calls.median / rate

    @property
    def drift(self) -> float:
        """How much the machine's own speed varied during the run.

        The longest time of the reference over the shortest, of the middle 90 %; 1 where it was not measured.
        """
        times = sorted(t for timing in self.timings.values() for t in timing.cell.reference or ())
        if not times:
            return 1.0
        low, high = times[len(times) // 20], times[-1 - len(times) // 20]
        return high / low if low > 0 else 1.0
