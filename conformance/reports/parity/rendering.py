"""`parity.html`: what differs between backends, how much, why, and what to write instead. One file, no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.ground.verdicts import VERDICTS
from conformance.reports.parity import accuracy_plot, view
from conformance.reports.parity.agreement import STEPS
from conformance.reports.shared import page, plot
from conformance.reports.shared.query import term
from conformance.reports.shared.source import highlighted
from conformance.runfile import Run

PAGE = page.Page(Path(__file__).parent, "parity", ["accuracy.css"], ["query.js", "index.js", "variant.js", "list.js"])


def write(runs: Sequence[Run], path: Path) -> None:
    """Write the parity page of some runs; folders that its path needs are made.

    Args:
        runs: one or more, as `conformance.runfile.read` gives them; their columns stand in this order.
        path: of the page.

    Raises:
        ValueError: there are no runs.
    """
    page.write(render(view.page(runs)), path)


def render(content: view.Page) -> str:
    """The page as HTML. Equal pages give equal text."""
    return PAGE.render(
        page=content,
        plots=[plot.plot(figure) for figure in content.figures],
        plot_edges={"width": plot.WIDTH, "left": plot.LEFT, "right": plot.WIDTH - plot.RIGHT},
        accuracies=[accuracy_plot.plots(accuracy) for accuracy in content.accuracies],
        accuracy_marks=accuracy_plot.MARKS,
        verdicts=VERDICTS,
        steps=STEPS,
        term=term,
        highlighted=highlighted,
        index=page.packed(content.index),
        shared=page.packed(content.shared),
    )
