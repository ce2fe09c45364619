from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from conformance.backends.base import IDIOMS
from conformance.judging import judge
from conformance.reports import parity
from conformance.reports.parity.budgets import BudgetGroup
from conformance.reports.parity.view import page
from conformance.reports.shared.page import unpacked
from conformance.reports.shared.tally import FLUSHED
from conformance.runfile import Record, VariantLine

OPERATIONS = {"softmax": {"budget": "the source", "slack": "the slack"}, "stack": {"budget": "none"}}


def v(name: str, operation: str = "softmax", dtype: str = "float32") -> str:
    return f"ops/{operation}/{name}[{dtype}]"


def lines(*ids: str, **fields: Any) -> dict[str, VariantLine]:
    return {
        i: VariantLine(i, i.partition("[")[0], i.partition("[")[2].rstrip("]").split(",")[0], {}, **fields) for i in ids
    }


def passed(variant: str, ulp: float | None, budget: float | None, mode: str = "eager", **more: Any) -> Record:
    return Record(variant, mode, "passed", ulp=ulp, budget=budget, **more)


def groups(*runs: Any) -> dict[str, BudgetGroup]:
    return {group.title: group for group in page(runs).budgets.groups}


def run(make_run: Any, records: list[Record], backend: str = "a", **changes: Any) -> Any:
    return make_run(backend, records, **{"operations": OPERATIONS} | changes)


def test_each_column_shows_the_error_that_is_the_largest_part_of_its_budget(make_run: Any) -> None:
    a, b, c = v("a"), v("b"), v("c")
    first = run(make_run, [passed(a, 3.0, 10.0, at=[0, 2]), passed(b, 1.0, 2.0, at=[7]), passed(c, 5.0, 50.0)])
    second = run(make_run, [passed(a, 0.5, 10.0), passed(a, 1.0, 10.0, "jit")], "b")
    group = groups(first, second)["softmax"]
    assert (group.source, [row.dtype for row in group.rows]) == ("the source", ["float32"])
    (row,) = group.rows
    assert [(w.ulp, w.budget, w.variant, w.at, w.share, w.records) for w in row.worst if w] == [
        (1.0, 2.0, b, "[7]", 0.5, 3),
        (0.5, 10.0, a, "", 0.05, 1),
        (1.0, 10.0, a, "", 0.1, 1),
    ]
    assert row.nearest == row.worst[0]
    assert (row.times, row.wide) == (2.0, False)


@pytest.mark.parametrize(("ulp", "wide"), [(1.0, False), (0.999, True), (0.0, True), (8.0, False)])
def test_a_budget_of_more_than_eight_times_the_worst_error_is_wide(make_run: Any, ulp: float, wide: bool) -> None:
    far, near = run(make_run, [passed(v("a"), 0.01, 8.0)]), run(make_run, [passed(v("a"), ulp, 8.0)], "b")
    made = page([far, near]).budgets
    assert made.groups[0].rows[0].wide is wide
    assert (made.wide, made.rows) == (int(wide), 1)


def test_a_wide_row_states_the_operation_s_slack_or_that_there_is_none(make_run: Any, written: Any) -> None:
    wide = [passed(v("a"), 0.1, 8.0)]
    assert groups(run(make_run, wide))["softmax"].rows[0].slack == "the slack"
    assert "wide , 80 times the worst the slack" in written(run(make_run, wide))
    assert "no reason stated" not in written(run(make_run, wide))
    assert "wide , 80 times the worst no reason stated" in written(run(make_run, wide, operations={}))
    assert (
        "wide" not in written(run(make_run, [passed(v("a"), 7.0, 8.0)])).partition("Wide?")[2].partition("softmax")[2]
    )


def test_only_what_passed_in_a_primary_spelling_is_measured(make_run: Any) -> None:
    records = [
        passed(v("a"), 1.0, 10.0),
        Record(v("b"), "eager", "divergent", "a registered reason", ulp=9.0, budget=10.0),
        Record(v("c"), "eager", "failed", ulp=99.0, budget=10.0),
        Record(v("d"), "eager", "divergent", f"{FLUSHED}: flushed", ulp=1e6, budget=10.0),
        passed(v("a"), 9.5, 10.0, IDIOMS, idiom="x"),
    ]
    (row,) = groups(run(make_run, records))["softmax"].rows
    assert [(w.ulp, w.records) for w in row.worst if w] == [(1.0, 1)]
    assert row.flushed == [1]


def test_judging_says_of_flushed_results_what_reports_know_them_by() -> None:
    assert f'"{FLUSHED}' in inspect.getsource(judge)


def test_dtypes_and_gradients_have_rows_of_their_own(make_run: Any) -> None:
    ids = [v("a", dtype=d) for d in ("float64", "float16", "float32")]
    gradient = v("g", dtype="float64,gradient")
    about = lines(*ids) | lines(gradient, check="gradient", budget_source="a running error bound")
    records = [passed(i, 1.0, 4.0) for i in ids] + [passed(gradient, 2.0, 80.0)]
    found = groups(run(make_run, records, variants=about))
    assert {title: [row.dtype for row in group.rows] for title, group in found.items()} == {
        "softmax": ["float16", "float32", "float64"],
        "softmax, gradient": ["float64"],
    }
    assert found["softmax, gradient"].source == "a running error bound"
    assert (found["softmax, gradient"].rows[0].wide, found["softmax, gradient"].rows[0].slack) == (
        True,
        found["softmax"].rows[0].slack,
    )


def test_a_step_s_error_counts_for_the_step_s_operation(make_run: Any) -> None:
    records = [passed(v("a"), 1.0, 2.0, at=[3], step="2, sum"), passed(v("b"), 1.0, 4.0, step="1, softmax")]
    found = groups(run(make_run, records))
    assert {title: [w.ulp / w.budget for w in group.rows[0].worst if w] for title, group in found.items()} == {
        "softmax": [0.25],
        "sum": [0.5],
    }
    assert found["sum"].rows[0].worst[0].at == "[3] of step 2, sum"  # type: ignore[union-attr]


def test_operations_that_are_allowed_nothing_have_no_row_and_are_named(make_run: Any) -> None:
    made = page([run(make_run, [passed(v("a", "stack"), 0.0, 0.0), passed(v("a"), None, 4.0)])]).budgets
    assert (made.groups, made.exact) == ([], ["stack"])


def test_the_cell_links_to_the_variant_and_says_where(make_run: Any, written: Any) -> None:
    text = written(run(make_run, [passed(v("a"), 1.25, 5.0, at=[0, 3])]), raw=True)
    assert '<a href="#v=ops/softmax/a%5Bfloat32%5D">1.25 of 5</a><small>25.0%, at [0, 3]</small>' in text


@pytest.fixture
def written() -> Any:
    """Write the page of some runs; its section of budgets, as it stands or without tags."""

    def write(*runs: Any, raw: bool = False) -> str:
        whole = parity.render(page(runs))
        text = whole.partition('<section id="budgets"')[2].partition("</section>")[0]
        # The table is folded: it is kept apart, compressed.
        folds = unpacked(whole.split('id="folds">')[1].split("</script>")[0])
        text = re.sub(r'(<div data-fold="(\d+)">).*?(?=</div>)', lambda found: found[1] + folds[int(found[2])], text)
        return text if raw else " ".join(re.sub(r"<[^>]*>", " ", text).split())

    return write
