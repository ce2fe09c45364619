"""Two runs: what is found, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from conformance import diffing
from conformance.diffing import Comparison
from conformance.diffing.findings import Category
from conformance.runfile import CaseLine, FindingLine, IdiomSource, ModeSummary, Record, Stored, VariantLine

Compared = Callable[..., Comparison]
Make = Callable[..., Record]

CATEGORIES = ("worse", "better", "drifted", "settled", "otherwise", "form", "moved")


def found(comparison: Comparison) -> dict[str, int]:
    """How many changes each category has, without zeros."""
    numbers = {name: getattr(comparison, name).records for name in CATEGORIES}
    return {name: number for name, number in numbers.items() if number}


def only(category: Category) -> Any:
    """The only change of a category."""
    (group,) = category.groups
    (change,) = group.shown
    return change


def test_a_run_compared_with_itself_shows_nothing(compared: Compared, record: Make) -> None:
    records = [record(verdict, name=verdict) for verdict in ("passed", "failed", "divergent", "unsupported", "crashed")]
    comparison = compared(records, records)
    (row,) = comparison.modes
    assert (row.label, row.compared, row.bits, row.new, row.gone) == ("torch eager", 5, 0, {}, {})
    assert found(comparison) == {}
    assert comparison.versus[0].differences == []
    assert comparison.exit_status(["verdict", "drift", "timing"]) == 0


def test_a_flipped_verdict_is_found_with_what_came_and_how_to_repeat_it(compared: Compared, record: Make) -> None:
    comparison = compared([record()], [record("failed", got=(0.75, 1.5), ulp=9e6)])
    assert found(comparison) == {"worse": 1}
    (group,) = comparison.worse.groups
    assert (group.where, group.operation) == ("torch eager", "exp")
    assert (group.what, group.channel) == ("passed → failed", "value")
    change = only(comparison.worse)
    assert (change.a.verdict, change.a.got) == ("passed", "float32[2]: 0.5, 1.5")
    assert (change.b.expected, change.b.got, change.b.ulp) == ("0.5", "0.75", 9e6)
    assert change.repeat == "conformance run --variant 'ops/exp/one[n=1]' --backend torch --mode eager"
    assert comparison.exit_status(["verdict"]) == 1
    assert comparison.exit_status(["drift", "timing"]) == 0


def test_the_sides_swapped_make_it_better(compared: Compared, record: Make) -> None:
    comparison = compared([record("failed")], [record()])
    assert found(comparison) == {"better": 1}
    assert comparison.better.groups[0].what == "failed → passed"
    assert comparison.exit_status(["verdict"]) == 0


@pytest.mark.parametrize(
    ("a", "b", "category"),
    [
        ("passed", "divergent", "worse"),
        ("divergent", "unsupported", "worse"),
        ("unsupported", "failed", "worse"),
        ("failed", "timed-out", "worse"),
        ("timed-out", "crashed", "worse"),
        ("divergent", "passed", "better"),
        ("crashed", "failed", "better"),
    ],
)
def test_every_change_of_a_verdict_has_a_direction(
    a: str, b: str, category: str, compared: Compared, record: Make
) -> None:
    records = [[record(verdict), record(name="n=2")] for verdict in (a, b)]
    assert found(compared(*records)) == {category: 1}


def test_an_error_that_grew_from_half_an_ulp_to_three_is_drift(compared: Compared, record: Make) -> None:
    comparison = compared([record(ulp=0.5)], [record(ulp=3.0)])
    assert found(comparison) == {"drifted": 1}
    assert only(comparison.drifted).note == "+2.5 ULP"
    assert comparison.drifted.groups[0].what == "grew, passed"
    assert comparison.exit_status(["drift"]) == 1
    assert comparison.exit_status(["verdict"]) == 0
    assert found(compared([record(ulp=3.0)], [record(ulp=0.5)])) == {"settled": 1}


def test_what_changed_its_verdict_is_not_counted_as_drift_too(compared: Compared, record: Make) -> None:
    assert found(compared([record(ulp=0.5)], [record("failed", ulp=50.0)])) == {"worse": 1}


def test_the_drift_that_takes_most_of_its_budget_is_shown_first_and_passing_ones_before_all(
    compared: Compared, record: Make
) -> None:
    before = [record(name=f"n={n}") for n in range(3)] + [record("divergent", name="known")]
    after = [
        record(name="n=0", ulp=20.0, budget=1000.0),
        record(name="n=1", ulp=9.0),
        record(name="n=2", ulp=4.0),
        record("divergent", name="known", ulp=1e9),
    ]
    groups = compared(before, after).drifted.groups
    assert [group.what for group in groups] == ["grew, passed", "grew, divergent"]
    assert [change.variant for change in groups[0].shown] == [f"ops/exp/one[n={n}]" for n in (1, 2, 0)]


def test_results_whose_bits_changed_are_counted_and_only_far_ones_listed(compared: Compared, record: Make) -> None:
    one_step = np.nextafter(np.float32(1.5), np.float32(2))
    comparison = compared(
        [record(name="a"), record(name="b"), record(name="c")],
        [record(name="a", got=(0.5, one_step)), record(name="b", got=(0.5, 1.75)), record(name="c")],
    )
    (row,) = comparison.modes
    assert (row.bits, row.moved) == (2, 1)
    assert found(comparison) == {"moved": 1}
    assert only(comparison.moved).note == "2,097,152 steps"


def test_another_nan_is_no_change_and_another_zero_is(compared: Compared, record: Make) -> None:
    quiet, other = np.array([0x7FC00000, 0xFFC00001], np.uint32).view(np.float32)
    comparison = compared([record(got=(quiet, 1.5))], [record(got=(other, 1.5))])
    assert (comparison.modes[0].bits, found(comparison)) == (0, {})
    comparison = compared([record(got=(0.0, 1.5))], [record(got=(-0.0, 1.5))])
    assert (comparison.modes[0].bits, comparison.modes[0].moved) == (1, 0)


def test_a_nan_that_became_a_number_is_further_than_can_be_told(compared: Compared, record: Make) -> None:
    comparison = compared([record(got=(np.nan, 1.5))], [record(got=(0.5, 1.5))])
    assert (comparison.modes[0].bits, comparison.modes[0].moved) == (1, 1)
    assert only(comparison.moved).note == "not known how far"


def test_complex_results_have_bits_and_no_distance(compared: Compared, record: Make) -> None:
    made = [
        msgspec.structs.replace(record(), got=[Stored.of(np.array(value, np.complex64))]) for value in (1 + 2j, 1 + 3j)
    ]
    assert compared(made[:1], made[:1]).modes[0].bits == 0
    comparison = compared(made[:1], made[1:])
    assert (comparison.modes[0].bits, comparison.modes[0].moved) == (1, 1)


def test_another_dtype_or_shape_is_found_under_one_verdict(compared: Compared, record: Make) -> None:
    wide = msgspec.structs.replace(record(), got=[Stored.of(np.array([0.5, 1.5]))])
    comparison = compared([record(), record(name="s")], [wide, record(name="s", got=((0.5, 1.5),))])
    assert found(comparison) == {"form": 2}
    notes = {change.note for group in comparison.form.groups for change in group.shown}
    assert notes == {"float32[2] → float64[2]", "float32[2] → float32[1, 2]"}


def test_an_error_of_another_type_is_found_and_another_text_is_not(compared: Compared, record: Make) -> None:
    def raised(name: str, text: str) -> Record:
        return record(name=name, got=None, raised=text, ulp=None, budget=None)

    comparison = compared(
        [raised("a", "ValueError: no"), raised("b", "ValueError: no")],
        [raised("a", "TypeError: no"), raised("b", "ValueError: not at all")],
    )
    assert found(comparison) == {"form": 1}
    assert only(comparison.form).note == "ValueError → TypeError"


def test_what_fails_in_another_channel_is_found_though_its_verdict_is_the_same(
    compared: Compared, record: Make
) -> None:
    other = [FindingLine("dtype", "float32", "float64")]
    assert found(compared([record("failed")], [record("failed", findings=other)])) == {"otherwise": 1}
    assert found(compared([record("divergent")], [record("divergent", reason="another")])) == {"otherwise": 1}
    assert found(compared([record("failed")], [record("failed", reason="value: expected 0.5, got 0.76")])) == {}


def test_a_case_whose_text_changed_is_another_question(compared: Compared, record: Make) -> None:
    case = CaseLine("ops/exp/one", "exp", "exp.yaml", "- name: other", "", "exp(x)", False)
    before, after = ([record(verdict), record(verdict, name="n=2")] for verdict in ("passed", "failed"))
    comparison = compared(before, after, b={"cases": {case.id: case}})
    (row,) = comparison.modes
    assert (row.compared, row.questions, found(comparison)) == (0, 2, {})
    assert [(q.name, q.what) for q in comparison.changed] == [("ops/exp/one", "the case's text")]
    assert comparison.changed_total == 1


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"inputs": {"x": Stored.of(np.array([0.5, 2.5], np.float32))}}, "the inputs"),
        ({"answer": Stored.of(np.array([0.5, 2.5], np.float32))}, "the exact answer"),
        ({"answer": None}, "the exact answer"),
        ({"expected": "an error"}, "what is expected"),
        ({"dtype": "float64"}, "its dtype, or whether it is a gradient"),
        ({"check": "gradient"}, "its dtype, or whether it is a gradient"),
    ],
)
def test_a_variant_that_asks_something_else_is_another_question(
    changes: dict[str, Any], what: str, compared: Compared, record: Make
) -> None:
    x = Stored.of(np.array([0.5, 1.5], np.float32))
    plain = VariantLine("ops/exp/one[n=1]", "ops/exp/one", "float32", {"x": x}, x)
    changed = msgspec.structs.replace(plain, **changes)
    comparison = compared(
        [record(), record(name="n=2")],
        [record("failed"), record(name="n=2")],
        a={"variants": {plain.id: plain}},
        b={"variants": {plain.id: changed}},
    )
    assert [(q.name, q.what) for q in comparison.changed] == [(plain.id, what)]
    assert (comparison.modes[0].compared, comparison.modes[0].questions, found(comparison)) == (1, 1, {})


def test_variants_that_only_one_side_has_are_new_or_gone(compared: Compared, record: Make) -> None:
    comparison = compared([record(name="a"), record("failed", name="b")], [record(name="a"), record(name="c")])
    (row,) = comparison.modes
    assert (row.compared, row.new, row.gone) == (1, {"passed": 1}, {"failed": 1})
    assert (comparison.exit_status(["verdict"]), comparison.exit_status(["gone"])) == (0, 1)
    assert comparison.regressions()["gone"] == 1


def test_what_could_not_be_asked_before_is_no_loss_when_it_is_gone(compared: Compared, record: Make) -> None:
    comparison = compared([record(), record("unsupported", name="b")], [record()])
    assert comparison.modes[0].gone == {"unsupported": 1}
    assert comparison.exit_status(["gone"]) == 0


def test_a_mode_that_only_the_first_run_has_is_gone(compared: Compared, record: Make) -> None:
    before = [record(), record(mode="compile"), record("unsupported", mode="compile", name="n=2")]
    comparison = compared(before, [record()])
    assert comparison.regressions()["gone"] == 1
    assert (comparison.exit_status(["gone"]), comparison.exit_status(["verdict"])) == (1, 0)
    assert compared([record()], before).exit_status(["gone"]) == 0
    assert compared(before, before, pair=["torch:eager=torch:compile"]).exit_status(["gone"]) == 0


def test_a_backend_that_only_the_first_side_has_is_gone_unless_pairs_were_asked_for(
    write: Callable[..., Path], record: Make, tmp_path: Path
) -> None:
    for side, backend in (("a", "torch"), ("a", "jax"), ("b", "torch")):
        write(side, [record()], backend)
    both, one = tmp_path / "a", tmp_path / "b"
    with diffing.load("A", both) as a, diffing.load("B", one) as b:
        comparison = diffing.compare(diffing.pair(a, b))
        assert comparison.left_over == ["jax on cpu is only in A"]
        assert (comparison.regressions()["gone"], comparison.exit_status(["gone"])) == (1, 1)
        assert diffing.compare(diffing.pair(b, a)).exit_status(["gone"]) == 0
        assert diffing.compare(diffing.pair(a, b, ["torch=torch"])).exit_status(["gone"]) == 0


def test_two_runs_that_share_no_question_are_no_ground_for_a_verdict(compared: Compared, record: Make) -> None:
    comparison = compared([record(name="a")], [record(name="b")])
    assert comparison.incomplete == ["torch: nothing could be compared: no variant is the same question in both"]
    assert comparison.exit_status([]) == 3


def test_variants_of_whole_cases_that_only_one_side_has_count_too(compared: Compared, record: Make) -> None:
    extra = msgspec.structs.replace(record(), variant="ops/exp/two[n=1]")
    assert compared([record()], [record(), extra]).modes[0].new == {"passed": 1}
    assert compared([record(), extra], [record()]).modes[0].gone == {"passed": 1}


def test_what_a_part_of_the_cases_left_out_is_neither_gone_nor_missing(compared: Compared, record: Make) -> None:
    comparison = compared([record(), record(name="n=2")], [record()], b={"selection": "-k one"})
    (row,) = comparison.modes
    assert (row.not_asked, row.gone, row.missing) == (1, {}, 0)
    assert [(d.what, d.b) for d in comparison.versus[0].differences] == [("part of the cases", "-k one")]


def test_what_is_not_in_a_modes_subset_is_neither_gone_nor_missing(compared: Compared, record: Make) -> None:
    modes = [ModeSummary("eager", 1, 1, "slow", subset=("ops/*[n=1]",))]
    (row,) = compared([record(), record(name="n=2")], [record()], b={"modes": modes}).modes
    assert (row.compared, row.outside, row.gone) == (1, 1, {})


@pytest.mark.parametrize("changes", [{"lacking": 1}, {"finished": False}])
@pytest.mark.parametrize("side", ["a", "b"])
def test_an_incomplete_run_is_no_ground_for_a_verdict(
    side: str, changes: dict[str, Any], compared: Compared, record: Make
) -> None:
    sides: dict[str, Any] = {side: changes}
    comparison = compared([record()], [record("failed")], **sides)
    assert comparison.exit_status(["verdict"]) == 3
    (line,) = comparison.incomplete
    assert line.startswith(f"{side.upper()}: the run of torch is incomplete; missing: ")


def test_records_that_an_incomplete_run_lacks_are_not_gone(compared: Compared, record: Make) -> None:
    (row,) = compared([record(), record(name="n=2")], [record()], b={"lacking": 1}).modes
    assert (row.missing, row.gone) == (1, {})


def test_a_side_of_which_nothing_could_run_is_incomplete(compared: Compared, record: Make) -> None:
    comparison = compared([record()], [record("unsupported")])
    assert comparison.incomplete == ["B: nothing of torch could run"]
    assert comparison.exit_status(["verdict"]) == 3


def test_other_spellings_are_compared_by_their_names(compared: Compared, record: Make) -> None:
    before = [record(mode="idioms", idiom="torch.exp"), record(mode="idioms", idiom="Tensor.exp")]
    after = [record(mode="idioms", idiom="torch.exp"), record("failed", mode="idioms", idiom="Tensor.exp")]
    comparison = compared(before, after)
    assert comparison.modes[0].compared == 2
    assert only(comparison.worse).idiom == "Tensor.exp"


def test_two_modes_of_one_run_can_be_compared(compared: Compared, record: Make) -> None:
    records = [record(), record("failed", mode="compile")]
    comparison = compared(records, records, pair=["torch:eager=torch:compile"])
    assert [row.label for row in comparison.modes] == ["torch eager → torch compile"]
    assert found(comparison) == {"worse": 1}
    assert only(comparison.worse).repeat.endswith("--backend torch --mode compile")


def test_two_backends_can_be_compared(compared: Compared, record: Make) -> None:
    comparison = compared([record()], [record("failed")], b={"backend": "jax"}, pair=["torch=jax"])
    assert [row.label for row in comparison.modes] == ["torch eager → jax eager"]
    assert comparison.title == "torch → jax"
    assert only(comparison.worse).repeat.endswith("--backend jax --mode eager")


def test_a_changed_budget_is_counted(compared: Compared, record: Make) -> None:
    assert compared([record()], [record(budget=12.0)]).modes[0].budgets == 1


def test_what_else_is_different_is_listed_the_framework_first(compared: Compared, record: Make) -> None:
    comparison = compared(
        [record()],
        [record()],
        b={
            "versions": {"torch": "2.0"},
            "environment": {"python": "3.12.1", "processor": "a processor"},
            "cases_digest": "ef" * 32,
            "modes": [ModeSummary("eager", 1, flushes_subnormals=True)],
            "idioms": [IdiomSource("exp", "def exp(x):\n    return x.exp()")],
        },
    )
    differences = [(d.what, d.a, d.b) for d in comparison.versus[0].differences]
    assert [what for what, _, _ in differences] == [
        "version of torch", "python", "cases", "subnormals in mode eager", "spelling of exp"
    ]  # fmt: skip
    assert differences[0] == ("version of torch", "1.0", "2.0")
    assert differences[-1][2] == "def exp(x):\n    return x.exp()"


def test_of_what_a_spelling_needs_it_is_told_whether_it_is_there(compared: Compared, record: Make) -> None:
    def differences(a: str, b: str) -> list[str]:
        needs = [[IdiomSource("exp", "def exp(x): ...", "keras.ops.exp", needs)] for needs in (a, b)]
        comparison = compared([record()], [record()], a={"idioms": needs[0]}, b={"idioms": needs[1]})
        return [d.what for d in comparison.versus[0].differences]

    assert differences("keras", "keras 3.15.1") == ["spelling of exp as keras.ops.exp"]
    assert differences("keras 3.15.0", "keras 3.15.1") == []  # the versions say that


def test_many_changes_are_counted_and_some_kept(compared: Compared, record: Make) -> None:
    before, after = ([record(verdict, name=f"n={n}") for n in range(300)] for verdict in ("passed", "failed"))
    (group,) = compared(before, after).worse.groups
    assert (group.records, len(group.shown), group.left_out) == (300, 12, 288)
    assert group.shown[0].variant == "ops/exp/one[n=0]"
