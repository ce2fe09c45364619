from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.backends.base import IDIOMS
from conformance.ground.verdicts import VERDICTS
from conformance.reports.parity.view import page
from conformance.reports.shared import issues
from conformance.runfile import FindingLine, Held, ModeSummary, Record, Shard, Stored

RECORDED = VERDICTS[:-1]
EVERY = [
    Record(f"ops/softmax/{verdict}[float32]", "eager", verdict, "" if verdict == "passed" else f"because {verdict}")
    for verdict in RECORDED
]


def test_the_counts_of_every_verdict_add_up_to_the_manifest(make_run: Any) -> None:
    (row,) = page([make_run("a", EVERY, lacking=1)]).counts
    assert row.counts == dict.fromkeys(VERDICTS, 1)
    assert (row.total, row.manifest, row.adds_up) == (7, 7, True)


def test_what_an_incomplete_run_lacks_counts_as_not_run_and_is_warned_of(make_run: Any) -> None:
    made = page([make_run("a", EVERY, lacking=5, finished=False)])
    (row,) = made.counts
    assert (row.counts["not-run"], row.counts["passed"]) == (5, 1)
    assert (row.total, row.manifest) == (11, 11)
    (warning,) = made.warnings
    assert "The run of a is incomplete" in warning
    assert "5 in mode eager" in warning
    assert not made.environments[0].complete


def test_a_run_without_footer_is_incomplete_even_with_every_record(make_run: Any) -> None:
    assert any("incomplete" in w for w in page([make_run("a", EVERY, finished=False)]).warnings)


def test_complete_runs_of_the_same_cases_give_no_warning(make_run: Any) -> None:
    assert page([make_run("a", EVERY), make_run("b", EVERY)]).warnings == []


def test_runs_of_different_case_files_are_warned_of(make_run: Any) -> None:
    (warning,) = page([make_run("a", EVERY), make_run("b", EVERY, cases_digest="ef" * 32)]).warnings
    assert "different case files" in warning
    assert "abababababab" in warning
    assert "efefefefefef" in warning


def test_a_selection_and_different_suites_are_warned_of(make_run: Any) -> None:
    shard = Shard(2, 8, [ModeSummary("eager", 48)])
    warnings = page(
        [make_run("a", EVERY, selection="-k softmax", shard=shard), make_run("b", EVERY, suite="9.9")]
    ).warnings
    assert [w for w in warnings if "a part of the corpus only: -k softmax, shard 2 of 8" in w]
    assert [w for w in warnings if "0.1.0, 9.9" in w]


def test_unsupported_counts_neither_as_passed_nor_as_failed(make_run: Any) -> None:
    records = [Record("ops/softmax/a[float32]", "eager", "unsupported", "no float32")]
    made = page([make_run("a", records)])
    assert made.verdicts["passed"] == made.verdicts["failed"] == 0
    ((row,),) = (family.rows for family in made.matrix)
    assert row.cells[0].counts == {"unsupported": 1}
    assert row.cells[0].worst == "unsupported"
    assert [(group.title, group.records) for group in made.unsupported] == [("no float32", 1)]
    assert made.failures == made.divergences == []


def test_modes_that_run_a_subset_say_how_much_is_left_out_and_why(make_run: Any) -> None:
    modes = [ModeSummary("eager", 6, left_out=3006, because="a compile costs seconds")]
    (subset,) = page([make_run("a", EVERY, modes=modes)]).subsets
    assert subset == "a eager: 3,006 variants not in this mode's subset, because a compile costs seconds"


def test_the_matrix_holds_every_record_once(make_run: Any) -> None:
    other = [Record(f"ops/stack/case[{i}]", "eager", "passed") for i in range(3)]
    made = page([make_run("a", [*EVERY, *other], lacking=2), make_run("b", other)])
    for column in made.columns:
        recorded = sum(sum(row.cells[column.number].counts.values()) for family in made.matrix for row in family.rows)
        assert recorded + column.missing == made.counts[column.number].manifest
    assert [(row.operation, row.variants) for family in made.matrix for row in family.rows] == [
        ("softmax", 6),
        ("stack", 3),
    ]


@pytest.mark.parametrize("grave", ["failed", "crashed", "timed-out", "divergent"])
def test_a_cell_wears_its_gravest_verdict(make_run: Any, grave: str) -> None:
    records = [
        Record("ops/softmax/a[float32]", "eager", "passed"),
        Record("ops/softmax/b[float32]", "eager", "unsupported", "no float32"),
        Record("ops/softmax/c[float32]", "eager", grave, "so it is"),
    ]
    (family,) = page([make_run("a", records)]).matrix
    (row,) = family.rows
    assert row.cells[0].worst == grave


def test_divergences_are_grouped_by_reason_over_backends_and_modes(make_run: Any) -> None:
    def divergent(variant: str, mode: str, reason: str) -> Record:
        found = [FindingLine("dtype", "float64", "float32", "narrowed"), FindingLine("value", "1", "2")]
        return Record(f"ops/softmax/{variant}[f]", mode, "divergent", reason, found, link="https://example.org/x")

    runs = [
        make_run("a", [divergent("one", "eager", "narrow"), divergent("two", "eager", "flush")]),
        make_run("b", [divergent(v, m, "narrow") for v in ("one", "two") for m in ("eager", "jit")]),
    ]
    narrow, flush = page(runs).divergences
    assert (narrow.title, narrow.records, narrow.variants, narrow.columns) == (
        "narrow",
        5,
        2,
        ["a eager", "b eager, jit"],
    )
    assert (flush.title, flush.records) == ("flush", 1)
    assert [row.case for row in narrow.rows] == ["ops/softmax/one", "ops/softmax/two"]
    first = narrow.rows[0]
    assert first.first == FindingLine("dtype", "float64", "float32", "narrowed")
    assert (first.more, first.example_in) == (1, "a eager")


def test_failures_are_grouped_by_channel_and_crashes_stand_among_them(make_run: Any) -> None:
    records = [
        Record("ops/softmax/a[f]", "eager", "failed", "value: 1, 2", [FindingLine("value", "1", "2")]),
        Record("ops/softmax/b[f]", "eager", "failed", "value: 3, 4", [FindingLine("value", "3", "4")]),
        Record("ops/softmax/c[f]", "eager", "crashed", "the process died"),
        Record("ops/softmax/d[f]", "eager", "timed-out", "after 60 s"),
    ]
    made = page([make_run("a", records)])
    assert [(g.verdict, g.title, g.records) for g in made.failures] == [
        ("failed", "channel: value", 2),
        ("crashed", "the process died", 1),
        ("timed-out", "after 60 s", 1),
    ]
    assert made.divergences == []


def test_reasons_that_come_after_a_thousand_are_put_together(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issues, "MOST_GROUPS", 2)
    records = [Record(f"ops/softmax/{n}[f]", "eager", "divergent", f"why {n}") for n in range(5)]
    records.append(Record("ops/softmax/x[f]", "eager", "failed", "", [FindingLine("value", "1", "2")]))
    made = page([make_run("a", records)])
    assert [(group.title, group.records, group.reason) for group in made.divergences] == [
        ("reasons that came after the first 2", 3, ""),
        ("why 0", 1, "why 0"),
        ("why 1", 1, "why 1"),
    ]
    assert [(group.title, group.records, group.channel) for group in made.failures] == [
        ("reasons that came after the first 2", 1, "")
    ]


def test_two_runs_of_one_backend_are_told_apart_by_what_differs(make_run: Any) -> None:
    def labels(*runs: Any) -> list[str]:
        return page(runs).backends

    old, new = (make_run("torch", EVERY, versions={"torch": v}) for v in ("2.6", "2.13"))
    gpu = make_run("torch", EVERY, device="gpu", versions={"torch": "2.6"})
    assert labels(old, new) == ["torch 2.6", "torch 2.13"]
    assert labels(old, gpu) == ["torch cpu", "torch gpu"]
    assert labels(old, new, gpu) == ["torch 2.6 cpu", "torch 2.13 cpu", "torch 2.6 gpu"]
    assert labels(old, old, make_run("jax", EVERY)) == ["torch (1)", "torch (2)", "jax"]
    held = make_run("torch", EVERY, versions={"torch": "2.6"}, held=Held("default", {}))
    assert labels(old, held) == ["torch", "torch default"]
    assert labels(old, held, gpu) == ["torch 2.6 cpu", "torch 2.6 cpu default", "torch 2.6 gpu"]
    x86, arm, other = (
        make_run("torch", EVERY, environment={"system": f"Linux {machine}", "processor": name, "kernels": "some"})
        for machine, name in (("x86_64", "EPYC"), ("aarch64", "EPYC"), ("x86_64", "Xeon"))
    )
    assert labels(x86, arm) == ["torch x86_64", "torch aarch64"]
    assert labels(x86, other) == ["torch EPYC", "torch Xeon"]


def with_spellings(make_run: Any, backend: str = "a", **changes: Any) -> Any:
    """Two variants in two modes, and each once more in two other spellings, one of which fails."""
    variants = [f"ops/softmax/{name}[float32]" for name in "xy"]
    one, two = ([Stored.of(np.array([value], np.float32))] for value in (1, 2))
    records = [Record(v, mode, "passed", got=one) for v in variants for mode in ("eager", "jit")]
    for v in variants:
        records.append(Record(v, IDIOMS, "passed", got=two, idiom="good"))
        found = [FindingLine("value", "1.0", "2.0")]
        records.append(Record(v, IDIOMS, "failed", "value: 1, 2", found, two, idiom="bad"))
    records.append(Record(variants[0], IDIOMS, "divergent", "a reason", got=two, idiom="odd"))
    return make_run(backend, records, **changes)


def test_other_spellings_have_a_row_of_counts_that_adds_up_to_the_manifest(make_run: Any) -> None:
    made = page([with_spellings(make_run), with_spellings(make_run, "b", lacking=2, finished=False)])
    rows = {row.column.label: row for row in made.counts}
    assert list(rows) == [f"{b} {m}" for b in "ab" for m in ("eager", "jit", "other spellings")]
    row = rows["a other spellings"]
    assert {verdict: n for verdict, n in row.counts.items() if n} == {"passed": 2, "failed": 2, "divergent": 1}
    assert (row.total, row.manifest, row.adds_up) == (5, 5, True)
    row = rows["b other spellings"]
    assert (row.counts["not-run"], row.total, row.manifest, row.adds_up) == (2, 7, 7, True)
    assert any("2 of other spellings" in warning for warning in made.warnings)


def test_other_spellings_distort_neither_columns_nor_matrix_nor_agreement_nor_tallies(make_run: Any) -> None:
    made = page([with_spellings(make_run), with_spellings(make_run, "b")])
    assert [column.label for column in made.columns] == ["a eager", "a jit", "b eager", "b jit"]
    assert [column.number for column in made.columns] == [0, 1, 2, 3]
    ((row,),) = (family.rows for family in made.matrix)
    assert (row.variants, [cell.counts for cell in row.cells]) == (2, [{"passed": 2}] * 4)
    assert made.verdicts["passed"] == 8 and made.verdicts["failed"] == 0
    assert made.other_verdicts["passed"] == 4 and made.other_verdicts["failed"] == 4
    assert made.spellings == 6
    assert {(pair.left.label, pair.right.label) for pair in made.agreements} == {
        ("a eager", "b eager"),
        ("a eager", "a jit"),
        ("b eager", "b jit"),
    }
    assert all((pair.compared, pair.identical) == (2, 2) for pair in made.agreements)
    assert not any(IDIOMS in mode for environment in made.environments for mode in environment.modes)


def test_failures_and_divergences_of_other_spellings_are_listed_by_their_names_after_all_others(make_run: Any) -> None:
    failed = Record("ops/softmax/x[float32]", "eager", "failed", "r", [FindingLine("value", "1", "2")])
    made = page([make_run("b", [failed]), with_spellings(make_run)])
    assert [(g.other, g.title, g.records, g.columns) for g in made.failures] == [
        (False, "channel: value", 1, ["b eager"]),
        (True, "channel: value", 2, ["a: bad"]),
    ]
    (divergence,) = made.divergences
    assert (divergence.other, divergence.columns, divergence.rows[0].example_in) == (True, ["a: odd"], "a: odd")


def test_many_spellings_of_a_group_are_counted_and_not_named(make_run: Any) -> None:
    records = [Record("ops/softmax/x[f]", IDIOMS, "failed", "r", idiom=f"spelling {i}") for i in range(9)]
    (group,) = page([make_run("a", records)]).failures
    assert group.columns == ["a: 9 spellings"]


def test_a_run_of_other_spellings_alone_has_no_column_and_still_a_page(make_run: Any) -> None:
    made = page([make_run("a", [Record("ops/softmax/x[f]", IDIOMS, "passed", idiom="good")])])
    assert made.columns == []
    assert [row.column.label for row in made.counts] == ["a other spellings"]
    assert made.counts[0].adds_up


def test_no_runs_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="no runs"):
        page([])


def test_operations_of_a_family_stand_together_in_the_matrix(make_run: Any) -> None:
    names = {"softmax": "activations", "stack": "arrays", "sigmoid": "activations", "new": ""}
    records = [Record(f"ops/{name}/a[float32]", "eager", "passed") for name in names]
    told = {name: {"family": family} for name, family in names.items() if family}
    made = page([make_run("a", records, operations=told)])
    assert [(family.name, [row.operation for row in family.rows]) for family in made.matrix] == [
        ("activations", ["softmax", "sigmoid"]),
        ("arrays", ["stack"]),
        ("", ["new"]),
    ]


def test_the_commit_of_the_cases_is_told_where_it_is_known(make_run: Any) -> None:
    made = page([make_run("a", EVERY, commit="0123456789ab+"), make_run("b", EVERY)])
    assert [environment.commit for environment in made.environments] == ["0123456789ab+", ""]
