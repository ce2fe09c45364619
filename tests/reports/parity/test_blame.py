"""Who is off, who agrees with whom, and what says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.reports.parity.view import page
from conformance.runfile import Record, Stored, VariantLine

V = "ops/softmax/a[float32]"


def record(verdict: str, value: float, variant: str = V, mode: str = "eager") -> Record:
    return Record(variant, mode, verdict, got=[Stored.of(np.array([value], np.float32))])


def runs(make_run: Any, truth: str = "arithmetic", **records: Any) -> list[Any]:
    line = {V: VariantLine(V, "ops/softmax/a", "float32", {}, truth=truth)}
    return [
        make_run(name, found if isinstance(found, list) else [found], variants=line) for name, found in records.items()
    ]


def test_a_majority_that_is_off_is_off_and_what_is_right_is_right(make_run: Any) -> None:
    made = page(runs(make_run, a=record("divergent", 2), b=record("divergent", 2), c=record("passed", 1)))
    (blame,) = made.blames
    assert (blame.off, blame.variants, blame.agreeing) == (("a", "b"), 1, [("a = b", 1)])
    assert blame.rests_on == [("exact arithmetic", 1)]
    assert blame.query == 'off="a,b"'


def test_backends_that_conform_with_other_bits_do_not_agree(make_run: Any) -> None:
    made = page(runs(make_run, a=record("failed", 9), b=record("passed", 1), c=record("passed", 1.5)))
    assert made.blames[0].agreeing == []
    made = page(runs(make_run, a=record("failed", 9), b=record("passed", 1), c=record("passed", 1)))
    assert made.blames[0].agreeing == [("b = c", 1)]


def test_what_the_truth_rests_on_is_said(make_run: Any) -> None:
    for truth, words in [("convention", "a stated convention"), ("refusal", "that the call must be refused")]:
        (blame,) = page(runs(make_run, truth, a=record("divergent", 2), b=record("passed", 1))).blames
        assert blame.rests_on == [(words, 1)]


def test_only_plain_modes_count_and_unsupported_ones_are_nobody_s_fault(make_run: Any) -> None:
    made = page(
        runs(make_run, a=[record("passed", 1), record("failed", 2, mode="jit")], b=Record(V, "eager", "unsupported"))
    )
    assert made.blames == []
    assert made.compared == 0


def test_a_backend_that_is_judged_alone_is_said_to_be(make_run: Any) -> None:
    (blame,) = page(runs(make_run, a=record("divergent", 2), b=Record(V, "eager", "unsupported"))).blames
    assert (blame.off, blame.alone) == (("a",), 1)
