"""How accurate each operation is over its range, of the cases that ask for it: one picture an operation and dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from conformance.ground.dtypes import DTYPES
from conformance.judging.accuracy import Profile
from conformance.reports.shared import plot
from conformance.reports.shared.columns import Column, together
from conformance.reports.shared.material import CaseMaterial
from conformance.runfile import Record, VariantLine
from conformance.runfile.arrays import described

_PREFERRED = "float32"
_RANKS = {name: rank for rank, name in enumerate((_PREFERRED, *(name for name in DTYPES if name != _PREFERRED)))}


@dataclass(frozen=True, slots=True)
class Panel:
    """Errors by exponent, and the columns that showed exactly them.

    Attributes:
        columns: they, in words.
        profile: the errors.
    """

    columns: list[str]
    profile: Profile

    @property
    def largest(self) -> float | None:
        """The largest error of all bins; None where none was measured."""
        return max((one.largest for one in self.profile.bins if one.largest is not None), default=None)

    @property
    def over(self) -> int:
        """How many elements exceed their budgets."""
        return sum(one.over for one in self.profile.bins)


@dataclass(slots=True)
class Figure:
    """The errors of one variant.

    Attributes:
        variant, operation, dtype, about, call: what is drawn.
        by: the input whose exponents the errors are drawn over; empty for those of the exact result.
        panels: distinct results.
        left_out: columns that are not drawn, and why.
        curve: points of the exact curve, ascending in the input; none of what has no curve.
        document: points of a curve that a case asks to be drawn of the same call; none where there is no such case.
        document_case: that case.
    """

    variant: str
    operation: str
    dtype: str
    about: str
    call: str
    by: str = ""
    panels: list[Panel] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    curve: list[tuple[float, float]] = field(default_factory=list)
    document: list[tuple[float, float]] = field(default_factory=list)
    document_case: str = ""

    @property
    def largest(self) -> float | None:
        """The largest error of all panels."""
        return max((panel.largest for panel in self.panels if panel.largest is not None), default=None)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The figures of an operation, float32 first."""

    operation: str
    figures: list[Figure]


class Accuracies:
    """Gathers, case by case, the errors by exponent."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._figures: list[Figure] = []

    def add(self, part: CaseMaterial) -> None:
        """Add a figure for every variant of a case whose accuracy is to be drawn."""
        if part.case.draw == "accuracy":
            self._figures += [self._figure(part, variant) for variant in part.variants]

    def _figure(self, part: CaseMaterial, variant: str) -> Figure:
        lines = part.variants[variant].values()
        line, case = part.line(variant), part.case
        figure = Figure(variant, case.operation, line.dtype, case.about, case.call)
        figure.curve = next((one.curve for one in lines if one.curve), [])
        groups: dict[bytes, tuple[Profile, list[Column]]] = {}
        for number, record in part.records[variant].items():
            column = self._columns[number]
            profile, why = _drawn(record, line)
            if profile is None:
                figure.left_out.append(f"{column.label}: {why}")
            else:
                groups.setdefault(msgspec.json.encode(profile), (profile, []))[1].append(column)
        for profile, alike in groups.values():
            # One figure has one axis: that of its first panel.
            figure.by = figure.by if figure.panels else profile.by
            if profile.by == figure.by:
                figure.panels.append(Panel(together(alike), profile))
            else:
                figure.left_out += [f"{name}: its errors are over another axis" for name in together(alike)]
        return figure

    def all(self, curves: Sequence[plot.Figure] = ()) -> list[Accuracy]:
        """The figures of each operation, float32 first.

        Operations with a curve beside their own stand first, then those of which most results differ.

        Args:
            curves: what else is drawn. A curve of the same call and dtype stands above the errors.
        """
        known = {(one.call, one.dtype): one for one in curves}
        found: dict[str, list[Figure]] = {}
        for figure in sorted(self._figures, key=lambda one: _RANKS.get(one.dtype, len(_RANKS))):
            drawn = known.get((figure.call, figure.dtype))
            if drawn is not None and drawn.input == figure.by:
                figure.document = list(zip(drawn.x.tolist(), drawn.y.tolist(), strict=True))
                figure.document_case = drawn.case
            found.setdefault(figure.operation, []).append(figure)
        return [Accuracy(operation, found[operation]) for operation in sorted(found, key=lambda o: _order(found[o]))]


def _order(figures: Sequence[Figure]) -> tuple[bool, int]:
    """What comes first on a page has the least."""
    return not any(figure.document for figure in figures), -max(len(figure.panels) for figure in figures)


def _drawn(record: Record, line: VariantLine) -> tuple[Profile | None, str]:
    """The errors of a record in ULP of the variant's dtype, or why there are none."""
    if record.profile is None or not record.profile.bins:
        return None, record.reason or record.raised or record.verdict
    if record.got[0].dtype != line.dtype:  # in ULP of another dtype they can't stand beside the others
        return None, f"its result is {described(record.got[0])}"
    return record.profile, ""
