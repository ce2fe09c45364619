"""The page of timings as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.reports.shared import page
from conformance.reports.timing import chart, view, wording
from conformance.timing.model import TimingRun

PAGE = page.Page(Path(__file__).parent, "timing")


def write(runs: Sequence[TimingRun], path: Path) -> None:
    """Write the page of some timing files; folders that its path needs are made.

    Args:
        runs: one or more, as `conformance.timing.timingfile.read` gives them; their columns stand in this order.
        path: of the page.

    Raises:
        ValueError: there are no runs.
    """
    page.write(render(view.page(runs)), path)


def render(content: view.Page) -> str:
    """The page as HTML. Equal pages give equal text."""
    return PAGE.render(
        page=content,
        words=wording,
        edges={"width": chart.WIDTH, "left": chart.LEFT, "right": chart.WIDTH - chart.RIGHT},
    )
