"""Every defect on a few small cases: it is wrong where it says, and nothing else is; the harmless ones pass."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import get_args
from unittest import mock

import numpy as np
import pytest

from conformance import backends
from conformance.audit import auditing, conditions, overlooked
from conformance.audit.auditing import Audit
from conformance.audit.defect import Defect
from conformance.audit.noise import off_by
from conformance.execution.program import Ref, Step
from conformance.judging.answers import Answers
from conformance.judging.findings import Channel
from conformance.ops import OPERATIONS
from conformance.suite.selection import select

SMALL = Path(__file__).parent / "cases"
ALL = [
    (name, defect) for name in ("numpy", "torch", "jax") for defect in auditing.all_defects() if name in defect.backends
]


@cache
def audited(backend: str) -> Audit:
    """All defects of a backend over the small cases. What goes wrong past 65,536 elements does so past 128 of them."""
    with mock.patch.object(conditions, "FARTHER", 128), mock.patch.object(overlooked, "FARTHEST", 128):
        return auditing.audit(select(SMALL), auditing.choose([backend]))


def needs(backend: str) -> None:
    if missing := backends.load(backend).not_installed():
        pytest.skip(missing)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("backend", "defect"), ALL, ids=[f"{name}, {defect.name}" for name, defect in ALL])
def test_a_defect_is_caught_in_its_channel_and_a_harmless_one_is_not(backend: str, defect: Defect) -> None:
    needs(backend)
    (trial,) = [t for t in audited(backend).trials if t.defect == defect]
    assert trial.verdict == ("passed" if defect.harmless else "caught")
    assert defect.harmless or set(trial.channels) & set(defect.channels)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_without_a_defect_the_small_cases_pass(backend: str) -> None:
    needs(backend)
    assert audited(backend).unsound == {}


def test_there_are_enough_defects_with_names_of_their_own_over_all_channels_and_operations() -> None:
    defects = auditing.all_defects()
    assert len({defect.name for defect in defects}) == len(defects) >= 60
    channels = {channel for defect in defects for channel in defect.channels}
    assert channels == set(get_args(Channel)) - {"registry"}
    assert {defect.operation for defect in defects} - {""} == set(OPERATIONS)


def test_a_defect_says_channels_and_a_harmless_one_none() -> None:
    assert all(bool(defect.channels) != defect.harmless for defect in auditing.all_defects())


@pytest.mark.parametrize("operation", ["sigmoid", "exp", "log_sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_of_the_budget_stays_within_it_and_twice_that_goes_past_it(operation: str, dtype: str) -> None:
    x = np.linspace(-9, 9, 101).astype(dtype)
    answer = Answers().of_step(Step(operation, (("x", Ref(0)),), operation), [x])
    assert answer.values is not None
    assert answer.budget is not None
    for share, low, high in ((1.0, 0.0, 1.0), (2.0, 1.99, 4.0)):
        error = answer.values.distance(off_by(answer, share)) / answer.budget
        inexact = answer.values.residual != 0
        assert (error[inexact] >= low).all() and (error <= high).all()
    assert answer.values.distance(off_by(answer, 1.0)).max() > 0.5


def test_a_defect_changes_its_own_backend_class_and_no_other() -> None:
    base = backends.load("numpy")
    before = dict(base.idioms)
    defect = next(d for d in auditing.all_defects() if d.name == "sigmoid: its complement")
    wrong = defect.around(base, Answers())()
    assert wrong.idioms["sigmoid"](x=np.float64(3.0)) == base.idioms["sigmoid"](np.float64(-3.0))
    assert dict(base.idioms) == before
    assert wrong.idioms["softmax"] is base.idioms["softmax"]
