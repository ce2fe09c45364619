"""The curves that cases ask to be drawn: the exact one, and every result's error along it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from conformance import dtypes
from conformance.reports.arrays import described, load
from conformance.reports.columns import Column, together
from conformance.reports.material import CaseMaterial
from conformance.runfile import Record
from conformance.truth.rounding import signed_errors

_PREFERRED = "float32"


@dataclass(frozen=True, slots=True)
class Series:
    """One result along the curve, and the columns that gave exactly it.

    Attributes:
        columns: they, in words.
        errors: of each sample, in ULP of the exact value, against the rounded exact value; positive where the result
            is too large, infinite or NaN where it is no number or should not be one.
        off: how many samples are not the rounded exact value.
        largest: the largest error against the exact value itself, as the run recorded it.
        budget: what was allowed there.
        where: the input it was at, in words.
    """

    columns: list[str]
    errors: np.ndarray
    off: int
    largest: float | None
    budget: float | None
    where: str


@dataclass(slots=True)
class Figure:
    """A drawn variant.

    Attributes:
        variant, case, dtype, about, call: what is drawn.
        input: the input's name.
        x, y: the samples and the rounded exact values, ascending in x.
        series: distinct results.
        left_out: columns that are not drawn, and why.
    """

    variant: str
    case: str
    dtype: str
    about: str
    call: str
    input: str
    x: np.ndarray
    y: np.ndarray
    series: list[Series] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class Figures:
    """Gathers, case by case, what is to be drawn."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self.all: list[Figure] = []

    def add(self, part: CaseMaterial) -> None:
        """Add a figure for every variant of a case that wants its curve drawn, float32 first."""
        if part.case.draw == "curve":
            drawn = [figure for variant in part.variants for figure in _figure(part, variant, self._columns)]
            self.all += sorted(drawn, key=lambda figure: figure.dtype != _PREFERRED)


def _figure(part: CaseMaterial, variant: str, columns: Sequence[Column]) -> Iterator[Figure]:
    line, case = part.line(variant), part.case
    if case.claim or len(line.inputs) != 1 or line.check == "gradient":
        return
    ((name, stored),) = line.inputs.items()
    x = load(stored)
    answers = (load(one.answer) for one in part.variants[variant].values() if one.answer and one.answer.whole)
    y = next((a for a in answers if a is not None and x is not None and a.shape == x.shape), None)
    if x is None or y is None or not stored.whole or x.size < 2 or dtypes.of(y).kind != "floating":
        return
    order = np.argsort(x.ravel().astype(np.float64), kind="stable")
    wide_x, wide_y = x.ravel()[order].astype(np.float64), y.ravel()[order].astype(np.float64)
    if not (np.isfinite(wide_x).all() and np.isfinite(wide_y).all()) or wide_x[0] == wide_x[-1]:
        return
    figure = Figure(variant, case.id, line.dtype, case.about, case.call, name, wide_x, wide_y)
    groups: dict[bytes, tuple[Record, np.ndarray, list[Column]]] = {}
    for number, record in part.records[variant].items():
        column = columns[number]
        got = load(record.got[0]) if len(record.got) == 1 and record.got[0].whole else None
        if got is None:
            figure.left_out.append(f"{column.label}: {record.reason or record.raised or record.verdict}")
        elif got.dtype != y.dtype or got.shape != y.shape:
            figure.left_out.append(f"{column.label}: its result is {described(record.got[0])}")
        else:
            groups.setdefault(got.tobytes(), (record, got, []))[2].append(column)
    for record, got, alike in groups.values():
        figure.series.append(_series(record, got, together(alike), x, y, order))
    yield figure


def _series(
    record: Record, got: np.ndarray, labels: list[str], x: np.ndarray, y: np.ndarray, order: np.ndarray
) -> Series:
    errors = signed_errors(y, got).ravel()[order]
    at = tuple(record.at)
    inside = len(at) == x.ndim and all(0 <= i < n for i, n in zip(at, x.shape, strict=True))
    where = f"{float(x[at].astype(np.float64)):.6g}".replace("-", "−") if inside and record.ulp is not None else ""
    off = int(np.count_nonzero(errors != 0))
    return Series(labels, errors, off, record.ulp, record.budget, where)
