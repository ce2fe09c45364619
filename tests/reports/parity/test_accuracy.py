"""Errors by exponent on a page: which results share a panel, what is left out and why, and what stands first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.accuracy import Bin, Profile
from conformance.reports.parity import accuracy_plot
from conformance.reports.parity.accuracy import Accuracies, Accuracy, Figure
from conformance.reports.parity.curve import Figures
from conformance.reports.shared import page, plot
from conformance.reports.shared.material import gather
from conformance.runfile import CaseLine, Record, Run, Stored, VariantLine

CASE = "accuracy/functions/sigmoid"
X = np.zeros((64, 128), np.float32)
RIGHT = Profile("x", [Bin(-1, 0, 4096, 0.5, 0.49, -0.01, 4.0), Bin(1, 0, 4096, 0.5, 0.49, 0.01, 4.0)])
OFF = Profile("x", [Bin(-1, 0, 4096, 7.0, 3.0, -2.0, 4.0, over=9), Bin(1, 0, 4000, 0.5, 0.49, 0.01, 4.0, lost=96)])


def record(profile: Profile | None, mode: str = "eager", dtype: str = "float32", **more: Any) -> Record:
    got = [] if more.get("raised") or more.get("verdict") == "unsupported" else [Stored.of(X.astype(dtype))]
    variant = more.pop("variant", f"{CASE}[float32]")
    return Record(variant, mode, more.pop("verdict", "passed"), got=got, profile=profile, **more)


def sweep(case: str = CASE, operation: str = "sigmoid", call: str = "sigmoid(x)", **changes: Any) -> dict[str, Any]:
    """What the fixture `make_run` wants to know of a case whose accuracy is drawn."""
    points = changes.pop("curve", [(-1.0, 0.25), (1.0, 0.75)])
    lines = {
        f"{case}[{dtype}]": VariantLine(f"{case}[{dtype}]", case, dtype, {"x": Stored.of(X)}, curve=points)
        for dtype in ("float16", "float32", "float64")
    }
    about = changes.pop("about", "what it shows")
    return {"variants": lines, "cases": {case: CaseLine(case, operation, "a.yaml", "", about, call, False, "accuracy")}}


def gathered(runs: Sequence[Run]) -> list[Accuracy]:
    material = gather(runs)
    accuracies, figures = Accuracies(material.columns), Figures(material.columns)
    for part in material.parts():
        accuracies.add(part)
        figures.add(part)
    return accuracies.all(figures.all)


@pytest.fixture
def runs(make_run: Any) -> list[Run]:
    """The sweep of the sigmoid by a backend that is right in both its modes, and one that is off."""
    return [
        make_run("right", [record(RIGHT), record(RIGHT, "compile")], **sweep()),
        make_run("off", [record(OFF, verdict="failed", reason="value: …")], **sweep()),
    ]


def only(found: list[Accuracy]) -> Figure:
    ((figure,),) = (accuracy.figures for accuracy in found)
    return figure


def test_columns_with_the_same_errors_share_a_panel(runs: list[Run]) -> None:
    figure = only(gathered(runs))
    assert [(panel.columns, panel.largest, panel.over) for panel in figure.panels] == [
        (["right eager, compile"], 0.5, 0),
        (["off eager"], 7.0, 9),
    ]
    assert (figure.by, figure.largest, figure.left_out) == ("x", 7.0, [])
    assert figure.curve == [(-1.0, 0.25), (1.0, 0.75)]


def test_what_has_no_errors_or_those_of_another_dtype_or_axis_is_left_out_with_its_reason(
    runs: list[Run], make_run: Any
) -> None:
    by_result = Profile("", [Bin(1, 0, X.size, 0.5, 0.5, 0.0, 1.0)])
    more = [
        make_run("none", [record(None, raised="TypeError: no")], **sweep()),
        make_run("missing", [record(None, verdict="unsupported", reason="no sigmoid here")], **sweep()),
        make_run("wide", [record(RIGHT, dtype="float64")], **sweep()),
        make_run("other", [record(by_result)], **sweep()),
    ]
    figure = only(gathered([*runs, *more]))
    assert len(figure.panels) == 2
    assert figure.left_out == [
        "none eager: TypeError: no",
        "missing eager: no sigmoid here",
        "wide eager: its result is float64[64, 128]",
        "other eager: its errors are over another axis",
    ]


def test_float32_stands_first_then_the_dtypes_in_their_order(make_run: Any) -> None:
    names = ("float16", "float64", "float32")
    records = [record(RIGHT, variant=f"{CASE}[{name}]", dtype=name) for name in names]
    (accuracy,) = gathered([make_run("a", records, **sweep())])
    assert [figure.dtype for figure in accuracy.figures] == ["float32", "float16", "float64"]
    assert [len(figure.panels) for figure in accuracy.figures] == [1, 1, 1]


def test_a_curve_that_is_drawn_of_the_same_call_stands_above_the_errors(runs: list[Run], curve_runs: list[Run]) -> None:
    """Samples and exact values, as the document's own curve has them, in the operation that stands first."""
    figure = only(gathered([*runs, curve_runs[0]]))
    assert figure.document_case == "document/sigmoid/curve"
    assert len(figure.document) == 161
    assert figure.document[80] == (0.0, 0.5)
    assert only(gathered(runs)).document == []


def test_operations_with_a_curve_stand_first_then_those_of_which_most_results_differ(
    make_run: Any, curve_runs: list[Run]
) -> None:
    more = sweep("accuracy/functions/exp", "exp", "exp(x)"), sweep("accuracy/a/add", "add", "add(x, x)"), sweep()
    told = {key: {**more[0][key], **more[1][key], **more[2][key]} for key in ("variants", "cases")}
    names = ("accuracy/a/add", "accuracy/functions/exp", CASE)
    off = {"accuracy/a/add": RIGHT, "accuracy/functions/exp": OFF, CASE: RIGHT}
    right = [record(RIGHT, variant=f"{name}[float32]") for name in names]
    other = [
        record(off[name], variant=f"{name}[float32]", verdict="failed" if off[name] is OFF else "passed")
        for name in names
    ]
    pair = [make_run("right", right, **told), make_run("other", other, **told)]
    assert [accuracy.operation for accuracy in gathered(pair)] == ["exp", "add", "sigmoid"]
    assert [accuracy.operation for accuracy in gathered([*pair, curve_runs[0]])] == ["sigmoid", "exp", "add"]


def test_cases_that_ask_for_nothing_get_nothing(make_run: Any, curve_runs: list[Run]) -> None:
    assert gathered([make_run("a", [Record("ops/sigmoid/a[float32]", "eager", "passed")]), *curve_runs]) == []


def test_a_case_without_any_error_has_a_figure_that_says_why(make_run: Any) -> None:
    figure = only(gathered([make_run("none", [record(None, raised="TypeError: no")], **sweep())]))
    assert (figure.panels, figure.largest, figure.left_out) == ([], None, ["none eager: TypeError: no"])
    laid_out = accuracy_plot.plot(figure)
    assert (laid_out.rows, laid_out.lines) == ([], [])


@pytest.fixture
def rendered() -> Callable[..., tuple[str, page.Folds]]:
    """The section's HTML, and what it folds."""

    def made(found: list[Accuracy]) -> tuple[str, page.Folds]:
        folds = page.Folds()
        template = page._environment(Path(accuracy_plot.__file__).parent).from_string(
            '{% import "accuracy.html.j2" as section with context %}{{ section.accuracy(groups) }}'
        )
        groups = [accuracy_plot.plots(accuracy) for accuracy in found]
        edges = {"width": plot.WIDTH}
        return template.render(groups=groups, folds=folds, plot_edges=edges, accuracy_marks=accuracy_plot.MARKS), folds

    return made


def test_the_first_picture_needs_no_script_and_the_others_are_folded(
    runs: list[Run], make_run: Any, rendered: Callable[..., tuple[str, page.Folds]]
) -> None:
    html, folds = rendered(gathered(runs))
    assert html.count('<svg class="plot binned"') == 1
    assert "Errors of sigmoid(x) in float32" in html and "data-fold" not in html
    assert html.count("<tr>") == 2 + 2  # two heads, two exponents
    assert "9 over budget" in html and "96 not finite" in html
    records = [record(RIGHT), record(RIGHT, variant=f"{CASE}[float64]", dtype="float64")]
    html, folds = rendered(gathered([make_run("a", records, **sweep())]))
    assert html.count("data-fold") == 1 and "in float64</title>" not in html
    assert "Errors of sigmoid(x) in float64" in folds._parts[0]


HOSTILE = '<script>alert(1)</script>"]]>'


def test_hostile_names_stay_text(make_run: Any, rendered: Callable[..., tuple[str, page.Folds]]) -> None:
    case = f"accuracy/{HOSTILE}"
    named = sweep(case, HOSTILE, HOSTILE, about=HOSTILE)
    strange = Profile(HOSTILE, RIGHT.bins)
    runs = [
        make_run("a", [record(strange, variant=f"{case}[float32]")], **named),
        make_run("b", [record(None, variant=f"{case}[float32]", raised=HOSTILE)], **named),
    ]
    html, folds = rendered(gathered(runs))
    whole = html + "".join(folds._parts)
    assert "<script" not in whole and '"]]>' not in whole
    assert whole.count("&lt;script&gt;") >= 6
