"""Expressions as straight lines of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance.execution.program import Program, Ref, Refs, ShapeRef, compile_variant, runner


@pytest.fixture
def compiled(variants: Callable[..., Any]) -> Callable[..., list[Program]]:
    """The programs of a case's variants."""

    def of(call: str = "", given: str = "x: [1.0], y: [2.0]", grid: str = "", claim: str = "") -> list[Program]:
        lines = [
            "  - name: one",
            f"    given: {{{given}}}",
            f"    claim: {claim!r}" if claim else f"    call: {call!r}",
        ]
        text = "\n".join([*lines, *([f"    for: {{{grid}}}"] if grid else [])])
        return [compile_variant(variant) for variant in variants(text)]

    return of


def test_steps_come_in_the_order_they_are_needed_and_refer_to_values_by_number(
    compiled: Callable[..., list[Program]],
) -> None:
    (program,) = compiled("sum(stack([exp(x), y]), axis=0)")
    assert program.inputs == ("x", "y")
    assert [(s.operation, s.arguments) for s in program.steps] == [
        ("exp", (("x", Ref(0)),)),
        ("stack", (("arrays", Refs((2, 1))),)),
        ("sum", (("x", Ref(3)), ("axis", 0))),
    ]
    assert (program.results, program.relations) == ((Ref(4),), ())


def test_a_part_that_occurs_twice_is_computed_once(compiled: Callable[..., list[Program]]) -> None:
    (program,) = compiled("exp(x) / (1 + exp(x))", "x: [1.0]")
    assert [s.operation for s in program.steps] == ["exp", "add", "divide"]


def test_the_sides_of_a_claim_are_values_shapes_and_plain_numbers(compiled: Callable[..., list[Program]]) -> None:
    (program,) = compiled(claim="0 <= exp(x) != y", given="x: [1.0], y: [2.0]")
    assert (program.results, program.relations) == ((0, Ref(2), Ref(1)), ("<=", "!="))
    (program,) = compiled(claim="shape(exp(x)) == shape(x) == [1]", given="x: [1.0]")
    assert program.results == (ShapeRef(1), ShapeRef(0), [1])


def test_grid_values_are_put_in_place(compiled: Callable[..., list[Program]]) -> None:
    programs = compiled("sum(x, axis=a, keepdims=k)", "x: [1.0]", "a: [0, null], k: [true, false]")
    assert [dict(p.steps[0].arguments)["axis"] for p in programs] == [0, 0, None, None]
    assert len({p.key for p in programs}) == 4


def test_programs_that_differ_only_in_the_kind_of_a_number_have_different_keys(
    compiled: Callable[..., list[Program]],
) -> None:
    """1, 1.0 and True are equal to Python, and different dtypes to a framework."""
    programs = compiled("asarray(d)", "", "d: [[1], [1.0], [true]]")
    assert len({p.key for p in programs}) == 3


def test_a_program_runs_with_any_functions_and_gives_every_steps_result(
    compiled: Callable[..., list[Program]],
) -> None:
    (program,) = compiled("sum(stack([exp(x), y]), axis=0)")
    functions = {
        "exp": lambda x: ("exp", x),
        "stack": lambda arrays: ("stack", *arrays),
        "sum": lambda x, axis: ("sum", x, axis),
    }
    first, second, third = runner(program, functions)("X", "Y")
    assert first == ("exp", "X")
    assert second == ("stack", first, "Y")
    assert third == ("sum", second, 0)


def test_lists_of_arrays_are_new_lists_in_every_run(compiled: Callable[..., list[Program]]) -> None:
    (program,) = compiled("stack([x, y])")
    kept: list[Any] = []
    run = runner(program, {"stack": lambda arrays: kept.append(arrays) or np.zeros(1)})
    run(1, 2)
    kept[0].clear()
    run(3, 4)
    assert kept[1] == [3, 4]
