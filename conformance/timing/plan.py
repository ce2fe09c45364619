"""Which cells there are: operations, modes, dtypes, shapes and directions, and what the default plan leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conformance.casefile.loader import load
from conformance.casefile.variants import Variant, expand
from conformance.ground.dtypes import GROUPS
from conformance.timing.model import DIRECTIONS, Direction

CALLS = Path(__file__).with_name("calls.yaml")

Shape = tuple[int, int]

DOCUMENT: Shape = (2, 20)
"""The size of the document's own examples."""
BLOCK: Shape = (4, 1024)
"""What larger arrays are repetitions of."""
SHAPES: tuple[Shape, ...] = (DOCUMENT, BLOCK, (64, 1024), (1024, 1024), (16384, 1024))
DTYPES = GROUPS["floating"]

FIRST_DTYPE = "float32"
OTHER_DTYPES_AT: tuple[Shape, ...] = (DOCUMENT, (1024, 1024))
SLOW = {"compile": "torch.compile takes seconds for each shape, dtype and direction"}
"""Modes whose compiles would take most of a bench's time, and the reason."""
_SLOW_AT: tuple[Shape, ...] = (DOCUMENT, (1024, 1024))


class PlanError(ValueError):
    """What was asked for is not there."""


@dataclass(frozen=True, slots=True)
class Job:
    """A cell that is to be timed.

    Attributes:
        value, gradient: the variants whose exact answers judge it; no gradient where the suite defines none.
        mode, shape, direction: which cell.
    """

    value: Variant
    gradient: Variant | None
    mode: str
    shape: tuple[int, ...]
    direction: Direction

    @property
    def operation(self) -> str:
        """Its name."""
        return self.value.case.headline

    @property
    def dtype(self) -> str:
        """Its name."""
        return self.value.dtype.name

    @property
    def times(self) -> int:
        """How often the small array is repeated."""
        if "shape" not in self.value.bindings:
            return 1
        return self.shape[0] // int(self.value.bindings["shape"][0])

    @property
    def id(self) -> str:
        """Stable, and the same for every backend and mode."""
        return f"{self.operation}[{self.dtype},shape={shape_text(self.shape)},{self.direction}]"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be timed.

    Attributes:
        dtypes, shapes: asked for; empty for the default of each mode.
        full: whether everything is timed that there is.
    """

    dtypes: Sequence[str] = ()
    shapes: Sequence[Shape] = ()
    full: bool = False

    def jobs(self, modes: Sequence[str], plain: str) -> list[Job]:
        """The cells of a backend's modes: those of one call follow each other, since it is them that are compared.

        Args:
            modes: of the backend.
            plain: the backend's plain mode, the only one where making an array from a list is timed.
        """
        jobs = []
        for case in _cases():
            for dtype in DTYPES:
                for shape in SHAPES:
                    for direction in DIRECTIONS:
                        value, gradient = _variants(case, dtype, shape)
                        if value is None or (direction != "forward" and not value.case.case.given):
                            continue
                        jobs += [
                            Job(value, gradient, mode, shape, direction)
                            for mode in modes
                            if self._holds(mode, dtype, shape) and (value.case.case.given or mode == plain)
                        ]
        return jobs

    def _holds(self, mode: str, dtype: str, shape: Shape) -> bool:
        asked = (not self.dtypes or dtype in self.dtypes) and (not self.shapes or shape in self.shapes)
        if self.full or not asked:
            return asked
        if mode in SLOW:
            return (dtype == FIRST_DTYPE or dtype in self.dtypes) and (shape in _SLOW_AT or shape in self.shapes)
        return dtype == FIRST_DTYPE or dtype in self.dtypes or shape in OTHER_DTYPES_AT or shape in self.shapes

    def left_out(self, modes: Sequence[str]) -> list[str]:
        """What the plan leaves out of a backend's modes, and why, a line each."""
        lines = ["asarray: past the document's own size and in compiled modes; it reads a list in Python"]
        if self.dtypes:
            lines.append(f"dtypes: all but {', '.join(self.dtypes)}, as asked for")
        if self.shapes:
            lines.append(f"sizes: all but {', '.join(map(shape_text, self.shapes))}, as asked for")
        if self.full or self.dtypes or self.shapes:
            return lines
        others = ", ".join(dtype for dtype in DTYPES if dtype != FIRST_DTYPE)
        at = " and ".join(map(shape_text, OTHER_DTYPES_AT))
        lines.append(f"{others}: all sizes but {at}, to keep a bench within minutes; --full times them")
        for mode, reason in SLOW.items():
            if mode in modes:
                only = f"{FIRST_DTYPE} at {' and '.join(map(shape_text, _SLOW_AT))}"
                lines.append(f"mode {mode}: all but {only}: {reason}; --full times them")
        return lines

    @property
    def asked(self) -> str:
        """What was asked for, in words; empty for the default."""
        parts = ["--full"] if self.full else []
        parts += [f"--dtype {dtype}" for dtype in self.dtypes]
        parts += [f"--size {shape_text(shape)}" for shape in self.shapes]
        return " ".join(parts)


def shape_text(shape: Sequence[int]) -> str:
    """A shape as IDs have it: ``2x20``."""
    return "x".join(map(str, shape))


def parse_plan(dtypes: Sequence[str], sizes: Sequence[str], full: bool) -> Plan:
    """A plan from what was asked for.

    Raises:
        PlanError: no such dtype or size; it names those there are.
    """
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise PlanError(f"no dtype '{dtype}' is timed; there are {', '.join(DTYPES)}")
    known = {shape_text(shape): shape for shape in SHAPES}
    for size in sizes:
        if size not in known:
            raise PlanError(f"no size '{size}' is timed; there are {', '.join(known)}")
    return Plan(tuple(dict.fromkeys(dtypes)), tuple(known[size] for size in dict.fromkeys(sizes)), full)


@cache
def _cases() -> tuple[tuple[Variant, ...], ...]:
    """The variants of each call."""
    return tuple(tuple(expand(case)) for case in load(CALLS).cases)


def _variants(case: tuple[Variant, ...], dtype: str, shape: Shape) -> tuple[Variant | None, Variant | None]:
    """The variants that judge a call's value and its gradient in a shape; None where there is none."""
    block = shape if shape == DOCUMENT else BLOCK
    found = {
        variant.check: variant
        for variant in case
        if variant.dtype.name == dtype and tuple(variant.bindings.get("shape", DOCUMENT)) == block
    }
    return found.get("value"), found.get("gradient")
