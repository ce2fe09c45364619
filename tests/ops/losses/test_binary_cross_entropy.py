"""Binary cross entropy of probabilities against loops in mpmath, clamps, weights and reductions included."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.truth.balls import UndefinedError

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]
REDUCTIONS = ["none", "mean", "sum"]


def clamped(value: Any) -> Any:
    return mpmath.mpf(-100) if value == 0 else max(mpmath.log(value), mpmath.mpf(-100))


def loops(p: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    shape = np.broadcast_shapes(p.shape, () if weight is None else weight.shape)
    weights = np.broadcast_to(np.array(mpmath.mpf(1), dtype=object) if weight is None else weight, shape)
    losses = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        t = target[index]
        losses[index] = -weights[index] * (t * clamped(p[index]) + (1 - t) * clamped(1 - p[index]))
    if reduction == "none":
        return losses
    total = mpmath.mpf(0)
    for loss in losses.ravel():
        total += loss
    return np.array(total if reduction == "sum" else total / losses.size, dtype=object)


def sample(dtype: np.dtype, shape: tuple[int, ...] = (2, 10)) -> dict[str, Any]:
    rng = np.random.default_rng(6)
    return {"p": rng.uniform(0.02, 0.98, shape).astype(dtype), "target": (rng.uniform(size=shape) < 0.5).astype(dtype)}


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_usual_probabilities_by_every_reduction(check: Any, dtype: np.dtype, reduction: str) -> None:
    check.value("binary_cross_entropy", loops, **sample(dtype), reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(10,), (2, 1), (2, 10), ()])
def test_weights_are_broadcast_against_the_losses(check: Any, reduction: str, shape: tuple[int, ...]) -> None:
    weight = np.asarray(np.random.default_rng(7).uniform(0, 3, shape), dtype=np.float32)
    check.value("binary_cross_entropy", loops, **sample(np.dtype(np.float32)), weight=weight, reduction=reduction)


def test_the_default_reduction_is_the_mean(check: Any) -> None:
    arguments = sample(np.dtype(np.float32))
    by_default = check.answer("binary_cross_entropy", arguments)
    assert by_default.value == check.answer("binary_cross_entropy", {**arguments, "reduction": "mean"}).value
    assert by_default.value != check.answer("binary_cross_entropy", {**arguments, "reduction": "sum"}).value


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_certain_and_wrong_costs_exactly_100_and_certain_and_right_nothing(check: Any, dtype: np.dtype) -> None:
    result = check.value(
        "binary_cross_entropy",
        loops,
        p=np.array([0, 0, 1, 1], dtype=dtype),
        target=np.array([1, 0, 0, 1], dtype=dtype),
        reduction="none",
    )
    assert result.value.astype(np.float64).tolist() == [100, 0, 100, 0]


def test_a_target_between_the_classes_at_a_certain_probability_costs_its_share_of_100(check: Any) -> None:
    result = check.value(
        "binary_cross_entropy",
        loops,
        p=np.array([0, 1], dtype=np.float32),
        target=np.array([0.25, 0.25], dtype=np.float32),
        reduction="none",
    )
    assert result.value.tolist() == [25, 75]


def test_the_clamp_begins_below_exp_of_minus_100_and_not_before(check: Any) -> None:
    p = np.array([1e-43, 1e-44, 1e-30], dtype=np.float32)
    result = check.value("binary_cross_entropy", loops, p=p, target=np.ones(3, dtype=np.float32), reduction="none")
    assert [v == 100 for v in result.value.tolist()] == [False, True, False]
    assert 98 < result.value[0] < 100


def test_a_probability_outside_0_to_1_has_no_loss(check: Any) -> None:
    for p in (-0.5, 1.5):
        with pytest.raises(UndefinedError):
            check.answer("binary_cross_entropy", {"p": np.array([p]), "target": np.array([1.0])})


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradient(check: Any, reduction: str) -> None:
    arguments = sample(np.dtype(np.float64), (2, 3))
    weight = np.array([0.5, 2.0, 3.0])
    check.gradient("binary_cross_entropy", "p", loops, **arguments, reduction=reduction)
    check.gradient("binary_cross_entropy", "p", loops, **arguments, weight=weight, reduction=reduction)
    check.gradient("binary_cross_entropy", "weight", loops, **arguments, weight=weight, reduction=reduction)


def test_soft_targets_are_differentiated_too(check: Any) -> None:
    check.gradient("binary_cross_entropy", "p", loops, p=np.array([0.1, 0.7]), target=np.array([0.25, 0.9]))


def test_an_absolute_tolerance_would_pass_what_the_budget_does_not(check: Any) -> None:
    """p = 1 - 2**-20 costs 9.5e-7; a clip of p to 1 - 1e-5, which one framework does, costs ten times that."""
    arguments = {"p": np.array([1 - 2.0**-20], dtype=np.float32), "target": np.ones(1, dtype=np.float32)}
    result = check.answer("binary_cross_entropy", arguments)
    allowed = check.allowed("binary_cross_entropy", result, arguments)
    assert not result.distance(np.zeros((), dtype=np.float32)) <= allowed
    assert not result.distance(np.float32(-np.log(1 - 1e-5)).reshape(())) <= allowed
