"""`parity.html`: what differs between backends, how much, why, and what to write instead. One file, no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.judging import VERDICTS
from conformance.reports import accuracy_plot, page, plot, view
from conformance.reports.agreement import STEPS
from conformance.reports.query import term
from conformance.reports.source import highlighted
from conformance.runfile import Run

STYLES = ["base.css", "parity.css", "accuracy.css"]
SCRIPTS = ["base.js", "sorting.js", "query.js", "index.js", "variant.js", "list.js", "parity.js"]


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
    return page.render(
        "parity.html.j2",
        STYLES,
        SCRIPTS,
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
