"""The plan: which cells there are, and what is left out."""

from __future__ import annotations

import pytest

from conformance.ops import OPERATIONS
from conformance.timing.plan import SHAPES, PlanError, parse_plan, shape_text


def test_every_operation_has_a_cell_in_both_directions_and_ids_say_which() -> None:
    jobs = parse_plan([], [], full=False).jobs(["eager"], "eager")
    assert {job.operation for job in jobs} == set(OPERATIONS)
    ids = [job.id for job in jobs]
    assert "softmax[float32,shape=2x20,forward]" in ids and "softmax[float32,shape=2x20,forward+backward]" in ids
    assert len(set(ids)) == len(ids)


def test_modes_of_a_cell_follow_each_other() -> None:
    jobs = parse_plan(["float32"], ["2x20"], full=False).jobs(["eager", "jit"], "eager")
    first = jobs[0].id
    assert [(job.id, job.mode) for job in jobs[:2]] == [(first, "eager"), (first, "jit")]


def test_the_default_has_float32_at_every_size_and_the_others_at_two() -> None:
    jobs = parse_plan([], [], full=False).jobs(["eager"], "eager")
    shapes = {
        d: {shape_text(j.shape) for j in jobs if j.dtype == d and j.operation == "exp"} for d in ("float32", "float64")
    }
    assert shapes == {"float32": {shape_text(shape) for shape in SHAPES}, "float64": {"2x20", "1024x1024"}}


def test_slow_modes_have_a_subset_unless_asked_for_more_and_it_is_said() -> None:
    default, full = parse_plan([], [], full=False), parse_plan([], [], full=True)
    few, many = (len(plan.jobs(["compile"], "eager")) for plan in (default, full))
    assert 0 < few < many
    assert any(line.startswith("mode compile: all but float32") for line in default.left_out(["eager", "compile"]))
    assert not any("mode compile" in line for line in default.left_out(["eager"]))
    assert len(full.left_out(["compile"])) == 1
    asked = parse_plan(["float64"], ["16384x1024"], full=False).jobs(["compile"], "eager")
    assert {(job.dtype, shape_text(job.shape)) for job in asked} == {("float64", "16384x1024")}


def test_making_an_array_is_timed_in_the_plain_mode_only() -> None:
    jobs = parse_plan([], [], full=True).jobs(["eager", "jit"], "eager")
    assert {(job.mode, job.direction, job.shape) for job in jobs if job.operation == "asarray"} == {
        ("eager", "forward", (2, 20))
    }


@pytest.mark.parametrize(
    ("dtypes", "sizes", "said"),
    [
        (["int8"], [], "no dtype 'int8' is timed; there are float16"),
        ([], ["3x3"], "no size '3x3' is timed; there are 2x20"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(dtypes: list[str], sizes: list[str], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        parse_plan(dtypes, sizes, full=False)
