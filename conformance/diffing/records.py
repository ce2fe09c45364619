"""Two records of one variant: which verdict is worse, whether the error drifted, whether the result is the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from conformance.runfile import Record, Stored
from conformance.runfile.arrays import distance, identical, load, shown
from conformance.words.visible import clipped, on_one_line

Direction = Literal["worse", "better"]

ORDER = ("passed", "divergent", "unsupported", "failed", "timed-out", "crashed")
"""Verdicts from best to worst. A registered deviation is no exact answer, a refusal is no answer, and a wrong answer is
worse than none."""

STEP = 1.0
"""ULP. Where one rounding is decided the other way, a result moves by one representable value, and its error by at most
1 ULP. An error that grew by more has another cause than that."""

SHARE = 0.5
"""Of the budget. Where the whole budget is 1 or 2 ULP, one step is most of what is allowed."""

_COMPUTED = 2.0**-20
"""ULP. Errors are worked out in float64: one that grew by just a step must not look as if it grew by more."""

_LONGEST = 400
_ELEMENTS = 4


def verdict_change(a: Record, b: Record) -> Direction | None:
    """Which way the verdict changed; None where it did not."""
    left, right = ORDER.index(a.verdict), ORDER.index(b.verdict)
    return None if left == right else "worse" if right > left else "better"


def growth(a: Record, b: Record) -> float | None:
    """By how many ULP the error grew from A to B; negative where it shrank, None where it was not measured in both.

    A record holds the error of the element nearest its budget. Where that is the same element in both, its errors are
    subtracted. Where it is another, its error in A is not known, but it was no larger a part of its budget than that of
    A's element: what is beyond that part has grown.
    """
    if a.ulp is None or b.ulp is None or a.budget is None or b.budget is None:
        return None
    if (a.at, a.step) == (b.at, b.step):
        return b.ulp - a.ulp
    left, right = _share(a.ulp, a.budget), _share(b.ulp, b.budget)
    if not (math.isfinite(left) and math.isfinite(right)):
        return b.ulp - a.ulp
    return (right - left) * (b.budget if right >= left else a.budget)


def drift(a: Record, b: Record) -> Direction | None:
    """Which way the error drifted; None where it did not, or was not measured in both.

    It drifted where it grew, or shrank, by more than 1 ULP or by more than half of its budget, whichever is less.
    """
    grown = growth(a, b)
    if grown is None:
        return None
    budget = (b if grown > 0 else a).budget or 0.0
    if abs(grown) <= min(STEP, SHARE * budget) + _COMPUTED:
        return None
    return "worse" if grown > 0 else "better"


def _share(ulp: float, budget: float) -> float:
    if budget:
        return ulp / budget
    return math.inf if ulp else 0.0


def form(record: Record) -> str:
    """Dtype and shape of each result, or the type of the error that came."""
    if record.raised:
        return record.raised.partition(":")[0]
    return " ".join(f"{one.dtype}{one.shape}" for one in record.got)


def way(record: Record) -> tuple[str, ...]:
    """In which way a record did not pass: its channels, and its reason unless that holds the numbers of a failure."""
    channels = tuple(sorted({finding.channel for finding in record.findings}))
    return channels if record.verdict == "failed" else (*channels, record.reason)


@dataclass(frozen=True, slots=True)
class Moved:
    """How far results moved: in representable steps; None where that can't be told from what is stored."""

    steps: int | None


def moved(a: Record, b: Record) -> Moved | None:
    """How far the results moved; None where every bit is the same, or a NaN is another NaN."""
    if a.got == b.got:
        return None
    if len(a.got) == len(b.got) and all(map(identical, a.got, b.got)):
        return None
    if len(a.got) != len(b.got):
        return Moved(None)
    steps = [_steps(left, right) for left, right in zip(a.got, b.got, strict=True)]
    known = [one for one in steps if one is not None]
    return Moved(max(known) if len(known) == len(steps) else None)


def _steps(a: Stored, b: Stored) -> int | None:
    if not (a.whole and b.whole):
        return None
    left, right = load(a), load(b)
    if left is None or right is None or left.dtype.kind == "c":  # complex numbers have no order
        return None
    found = distance(left, right)
    return None if found is None or found.nan_apart else found.steps


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says of a record, in short texts: records themselves hold whole arrays.

    Attributes:
        verdict, reason: of the record; no reason where it only repeats what was expected and what came.
        channel, expected, got: of its first finding; where it has none, `got` is the result, or the error that came.
        ulp, budget: of the element nearest its budget.
        at: its index, and the step where there are several.
    """

    verdict: str
    reason: str
    channel: str
    expected: str
    got: str
    ulp: float | None
    budget: float | None
    at: str


def told(record: Record) -> Told:
    """A record in short texts, with nothing in them that acts on a terminal."""
    first = record.findings[0] if record.findings else None
    got = first.got if first else record.raised or "; ".join(shown(one, _ELEMENTS) for one in record.got[:2])
    at = " of ".join(part for part in (str(record.at) if record.at else "", record.step) if part)
    return Told(
        record.verdict,
        "" if first and record.verdict == "failed" else short(record.reason),
        short(first.channel if first else ""),
        short(first.expected if first else ""),
        short(got),
        record.ulp,
        record.budget,
        short(at),
    )


def short(text: str) -> str:
    """A text from a run file in one line of bounded length."""
    return clipped(on_one_line(text), _LONGEST)
