"""The curves that cases ask to be drawn: the exact one, and every result's error along it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from conformance.ground import dtypes
from conformance.reports.shared.columns import Column, together
from conformance.reports.shared.material import CaseMaterial
from conformance.reports.shared.plot import Figure, Series
from conformance.runfile import Record
from conformance.runfile.arrays import described, load
from conformance.truth.rounding import signed_errors

_PREFERRED = "float32"


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
