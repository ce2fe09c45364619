"""A claim: a comparison between computed values, and how far its sides may be apart."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from conformance.casefile.variants import Variant
from conformance.execution.outcome import Outcome
from conformance.execution.program import Program, Ref, ShapeRef
from conformance.ground import dtypes
from conformance.ground.dtypes import DType
from conformance.judging.answers import chain
from conformance.ops import OPERATIONS
from conformance.truth import balls
from conformance.truth.settling import midpoints_and_radii
from conformance.words.wording import count, first, place, short

_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Claim:
    """A comparison between computed values."""

    def __init__(
        self,
        variant: Variant,
        program: Program,
        outcome: Outcome,
        budgets: Sequence[np.ndarray | None],
        add: Callable[..., None],
    ) -> None:
        self._variant = variant
        self._program = program
        self._values = outcome.received
        self._budgets = budgets
        self._add = add
        self._reaches: list[np.ndarray] | None = None

    def check(self) -> None:
        """Note every comparison that does not hold."""
        sides = self._program.results
        for left, relation, right in zip(sides, self._program.relations, sides[1:], strict=False):
            self._relation(left, relation, right)

    def _relation(self, left: Any, relation: str, right: Any) -> None:
        if isinstance(left, ShapeRef) or isinstance(right, ShapeRef):
            self._shapes(left, relation, right)
            return
        a, b = _comparable(self._value(left), self._value(right))
        if not _broadcast(a.shape, b.shape, exactly=relation in ("==", "!=")):
            self._add("claim", "sides of one shape", f"{list(a.shape)} and {list(b.shape)}")
            return
        if relation in ("==", "!="):
            self._equality(left, right, a, b, relation)
            return
        holds = np.asarray(_RELATIONS[relation](a, b))
        if not holds.all():
            self._report(holds, a, b, relation, "")

    def _value(self, side: Any) -> Any:
        return self._values[side.index] if isinstance(side, Ref) else side

    def _shapes(self, left: Any, relation: str, right: Any) -> None:
        a, b = (
            list(self._values[side.index].shape)
            if isinstance(side, ShapeRef)
            else np.asarray(self._value(side)).tolist()
            for side in (left, right)
        )
        if (a == b) != (relation == "=="):
            self._add("claim", f"shapes {relation}", f"{a} and {b}")

    def _equality(self, left: Any, right: Any, a: np.ndarray, b: np.ndarray, relation: str) -> None:
        a, b = np.broadcast_arrays(a, b)
        dtype = self._dtype(left, right)
        size = np.maximum(np.abs(a), np.abs(b)).astype(np.float64)
        tolerance, reason = self._tolerance(left, right, size, dtype)
        with np.errstate(invalid="ignore"):
            equal = (np.abs(a - b) <= tolerance) | (a == b)
        if relation == "!=":
            if equal.any():
                self._report(~equal, a, b, relation, reason)
            return
        most = size * 2.0 ** (-dtype.precision / 2)
        # Also where the sides happen to be equal: other conforming ones would not be. Integers are exact, and a bound
        # that is stated for them is meant.
        hopeless = ~(tolerance <= most) if dtype.precision else np.zeros(size.shape, dtype=bool)
        if hopeless.any():
            at = first(hopeless)
            self._add(
                "claim", "sides that can be told apart", f"{_shown(a[at])} and {_shown(b[at])}",
                f"results within their budgets may differ by {tolerance[at]:.2g} here, so this claim can't fail; "
                "narrow its domain or state 'within'",
            )  # fmt: skip
        elif not equal.all():
            self._report(equal, a, b, relation, reason)

    def _dtype(self, *sides: Any) -> DType:
        found = [dtypes.of(self._values[s.index]) for s in sides if isinstance(s, Ref)]
        return min(found, key=lambda d: d.precision or math.inf) if found else dtypes.DTYPES["float64"]

    def _tolerance(self, left: Any, right: Any, size: np.ndarray, dtype: DType) -> tuple[np.ndarray, str]:
        within = self._variant.case.case.within
        if within is not None and within.absolute is not None:
            return np.full_like(size, within.absolute), f"within {within.absolute:g}: {within.because}"
        if within is not None and within.ulp is not None:
            _, exponent = np.frexp(size)
            quantum = np.maximum(exponent - 1, dtype.min_exponent) - dtype.precision + 1
            return np.ldexp(within.ulp, quantum), f"within {within.ulp:g} ULP: {within.because}"
        total = self._reach(left) + self._reach(right)
        return np.broadcast_to(total, size.shape), "the steps' budgets, carried through the exact definitions"

    def _reach(self, side: Any) -> np.ndarray:
        """How far a value may lie from the exact one when every step before it kept within its own budget."""
        if not isinstance(side, Ref):
            return np.zeros(())
        if self._reaches is None:
            self._reaches = self._propagate()
        return self._reaches[side.index]

    def _propagate(self) -> list[np.ndarray]:
        balls.working_precision(balls.AMPLE_PRECISION)
        inputs = len(self._program.inputs)
        given = self._values[:inputs]
        real = [dtypes.all_finite(a) and dtypes.of(a).kind != "complex" for a in given]
        values: list[Any] = [balls.exact(a) if known else None for a, known in zip(given, real, strict=True)]
        reaches = [np.zeros(a.shape) for a in self._values[:inputs]]
        for number, step in enumerate(self._program.steps):
            one = Program((), (step,), (), ())
            allowed = self._budgets[number]
            try:  # an input or an earlier step may have no exact value
                result = chain(one, values)[-1] if allowed is not None else None
            except (TypeError, ValueError, AttributeError, ArithmeticError):
                result = None
            got = self._values[inputs + number]
            if result is None or allowed is None or result.shape != got.shape:  # stacked, say, of what has no value
                values.append(None)
                moved = OPERATIONS[step.operation].moves and not any(reaches[number].any() for number in step.values)
                reaches.append(np.full(got.shape, 0.0 if moved else np.inf))
                continue
            widened = balls.widened(result, np.broadcast_to(allowed, result.shape))
            values.append(widened)
            reaches.append(midpoints_and_radii(widened)[1])
        return reaches

    def _report(self, holds: np.ndarray, a: np.ndarray, b: np.ndarray, relation: str, reason: str) -> None:
        a, b, holds = np.broadcast_arrays(a, b, holds)
        at = first(~holds)
        detail = f"{count(~holds)} of {holds.size} elements; {place(at)}"
        self._add(
            "claim",
            f"left {relation} right",
            f"{_shown(a[at])} and {_shown(b[at])}",
            f"{detail}; {reason}".rstrip("; "),
        )


def _comparable(*sides: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as arrays that compare exactly: Python's integers where both are such, else float64 or complex128."""
    arrays = [np.asarray(side) for side in sides]
    if all(array.dtype.kind in "iu" for array in arrays):
        a, b = (array.astype(object) for array in arrays)
    else:
        wide = np.complex128 if any(array.dtype.kind == "c" for array in arrays) else np.float64
        a, b = (array.astype(wide) for array in arrays)
    return a, b


def _broadcast(a: tuple[int, ...], b: tuple[int, ...], exactly: bool) -> bool:
    """Whether sides can be compared: those of an equality have one shape, or one of them is a number."""
    if exactly:
        return a == b or not a or not b
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, (int, complex)) else short(value)
