from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from conformance.reports.machines import summary, tally
from conformance.reports.machines.summary import Summary
from conformance.runfile import Record, Run

SCHEMA = jsonschema.Draft202012Validator(json.loads(summary.schema_text()))


@pytest.fixture
def told(files: Callable[..., Path]) -> Callable[..., Summary]:
    """The summary of some runs, as it reads back from its file, which the schema takes."""

    def read(*runs: Run, **options: Any) -> Summary:
        folder = files(*runs, **options)
        text = (folder / "summary.json").read_text(encoding="utf-8")
        SCHEMA.validate(json.loads(text))
        assert json.loads(text)["$schema"] == summary.SCHEMA
        assert (folder / summary.SCHEMA).read_text(encoding="utf-8") == summary.schema_text()
        return msgspec.json.decode(text, type=Summary)

    return read


def test_the_verdicts_add_up_to_the_manifest_by_mode_and_by_operation(
    told: Callable[..., Summary], every_verdict: Run
) -> None:
    found = told(every_verdict)
    (mode,) = found.runs[0].modes
    assert sum(mode.verdicts.values()) == mode.manifest == 6
    assert found.verdicts == mode.verdicts
    (count,) = found.counts
    assert (count.run, count.mode, count.operation, count.dtype) == ("numpy", "eager", "softmax", "float32")
    assert sum(count.verdicts.values()) == 6
    assert found.status == "failures"
    assert found.failures.total == 3


def test_other_spellings_are_counted_apart(told: Callable[..., Summary], make_run: Any) -> None:
    records = [
        Record("ops/exp/a[float32]", "eager", "passed"),
        Record("ops/exp/a[float32]", "idioms", "divergent", "known", idiom="np.exp"),
    ]
    found = told(make_run("numpy", records))
    assert (found.verdicts["passed"], found.verdicts["divergent"]) == (1, 0)
    assert (found.other_spellings["passed"], found.other_spellings["divergent"]) == (0, 1)
    assert found.status == "no-failures"


@pytest.mark.parametrize("changes", [{"lacking": 2}, {"finished": False}])
def test_an_incomplete_run_is_incomplete_whatever_failed(
    changes: dict[str, Any], told: Callable[..., Summary], make_run: Any, failing: Any
) -> None:
    found = told(make_run("numpy", [failing("ops/exp/a[float32]")], **changes))
    assert found.status == "incomplete"
    assert not found.runs[0].complete
    assert found.runs[0].modes[0].missing == changes.get("lacking", 0)


def test_problems_make_it_incomplete(told: Callable[..., Summary], make_run: Any) -> None:
    found = told(make_run("numpy", [Record("ops/exp/a[float32]", "eager", "passed")]), problems=["torch: it ended"])
    assert (found.status, found.problems) == ("incomplete", ["torch: it ended"])


def test_failures_are_bounded_and_no_backend_hides_those_of_another(
    told: Callable[..., Summary], make_run: Any, failing: Any
) -> None:
    many = make_run("numpy", [failing(f"ops/exp/a[float32,n={n}]") for n in range(500)])
    one = make_run("torch", [failing("ops/exp/a[float32,n=3]", channel="dtype")])
    found = told(many, one)
    assert found.failures.total == 501
    assert [failure.run for failure in found.failures.listed] == ["numpy", "torch", "numpy", "numpy"]
    listed = found.failures.listed[1]
    assert listed.repeat == "conformance run --variant 'ops/exp/a[float32,n=3]' --backend torch --mode eager"
    assert listed.findings[0].channel == "dtype"
    assert listed.text.endswith(listed.repeat)


def test_the_worst_error_is_the_one_nearest_its_budget_and_only_of_what_passed(
    told: Callable[..., Summary], make_run: Any, failing: Any
) -> None:
    records = [
        Record("ops/exp/a[float32,n=1]", "eager", "passed", ulp=3.0, budget=30.0, at=[1]),
        Record("ops/exp/a[float32,n=2]", "eager", "passed", ulp=1.5, budget=2.0, at=[0, 2], step="2, sum"),
        Record("ops/exp/a[float32,n=3]", "eager", "passed", ulp=1.0, budget=2.0, at=[0, 2]),
        Record("ops/exp/a[float32,n=4]", "eager", "divergent", "known", ulp=9.0, budget=2.0),
        failing("ops/exp/a[float32,n=5]"),
    ]
    own, of_step = told(make_run("numpy", records)).worst
    assert (own.operation, own.ulp, own.budget, own.records) == ("exp", 1.0, 2.0, 2)
    assert (of_step.operation, of_step.at, of_step.ulp) == ("sum", "[0, 2] of step 2, sum", 1.5)


def test_reasons_come_with_their_number_the_largest_first(told: Callable[..., Summary], make_run: Any) -> None:
    records = [
        Record(f"ops/exp/a[float32,n={n}]", "eager", "divergent", "rare" if n == 1 else "often") for n in range(4)
    ]
    found = told(make_run("numpy", records)).divergent
    assert (found.records, found.reasons) == (4, 2)
    assert [(reason.reason, reason.records, reason.where) for reason in found.listed] == [
        ("often", 3, ["numpy eager"]),
        ("rare", 1, ["numpy eager"]),
    ]


def test_reasons_beyond_the_bound_are_counted(
    told: Callable[..., Summary], make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST_REASONS", 3)
    records = [Record(f"ops/exp/a[float32,n={n}]", "eager", "divergent", f"reason {n}") for n in range(10)]
    found = told(make_run("numpy", records)).divergent
    assert (found.records, found.reasons) == (10, 3)


def test_hostile_texts_read_back_as_text(
    bad: str, told: Callable[..., Summary], hostile_run: Callable[[str], Run]
) -> None:
    found = told(hostile_run(bad))
    assert found.failures.total == 1
    assert not any(character in found.failures.listed[0].text for character in "\x00\x08\x1b\u202e")


def test_the_schema_is_one_and_tells_a_wrong_summary_from_a_right_one(
    files: Callable[..., Path], every_verdict: Run
) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(summary.schema_text()))
    right = json.loads((files(every_verdict) / "summary.json").read_text(encoding="utf-8"))
    assert SCHEMA.is_valid(right)
    for wrong in (
        {**right, "status": "green"},
        {**right, "score": 97},
        {**right, "verdicts": {"passed": -1}},
        {key: value for key, value in right.items() if key != "failures"},
    ):
        assert not SCHEMA.is_valid(wrong)
