"""`diff.html`: what changed from one run to another. One file, no network."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from conformance.diffing.comparison import Comparison
from conformance.diffing.findings import Category, Group
from conformance.diffing.pairing import Cause
from conformance.diffing.telling import CATEGORIES, closing_line, seconds
from conformance.reports.shared import page
from conformance.words.visible import visible

PAGE = page.Page(Path(__file__).parent, "diff")

GROUPS_SHOWN = 60
"""Groups of a category whose changes stand in the page; of the others, how many changes they have."""

UNFOLDED = 2
"""Groups of a category that are open at once."""

TIMES_SHOWN = 2_000

_FACES = {"worse": "failed", "drifted": "divergent", "better": "passed", "settled": "passed"}


@dataclass(frozen=True, slots=True)
class Section:
    """A category on the page.

    Attributes:
        name, title: of the category.
        face: the verdict that it has its colour from.
        category: what was found.
    """

    name: str
    title: str
    face: str
    category: Category

    @property
    def groups(self) -> list[Group]:
        """The groups whose changes are shown."""
        return self.category.groups[:GROUPS_SHOWN]

    @property
    def others(self) -> list[Group]:
        """The groups of which only the number is."""
        return self.category.groups[GROUPS_SHOWN:]


def write(comparison: Comparison, a: str, b: str, fail_on: Collection[Cause], path: Path) -> None:
    """Write the page of a comparison; folders that its path needs are made.

    Args:
        comparison: what was found.
        a: what A was given as.
        b: what B was given as.
        fail_on: what makes the comparison fail.
        path: of the page.
    """
    page.write(render(comparison, a, b, fail_on), path)


def render(comparison: Comparison, a: str, b: str, fail_on: Collection[Cause]) -> str:
    """The page as HTML. Equal comparisons give equal text."""
    sections = [
        Section(name, title, _FACES.get(name, "unsupported"), getattr(comparison, name))
        for name, title in CATEGORIES.items()
    ]
    return PAGE.render(
        a=visible(a),
        b=visible(b),
        comparison=comparison,
        sections=sections,
        gone=comparison.regressions()["gone"],
        closing=closing_line(comparison, fail_on),
        status=comparison.exit_status(fail_on),
        visible=visible,
        seconds=seconds,
        unfolded=UNFOLDED,
        times_shown=TIMES_SHOWN,
    )
