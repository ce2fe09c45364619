"""Binary cross entropy of logits against loops in mpmath, both weights and the reductions included."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]
REDUCTIONS = ["none", "mean", "sum"]
NAME = "binary_cross_entropy_with_logits"


def softplus(x: Any) -> Any:
    return mpmath.log1p(mpmath.exp(x))


def spread(weight: Any, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(np.array(mpmath.mpf(1), dtype=object) if weight is None else weight, shape)


def loops(x: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    weights, positive = spread(weight, x.shape), spread(pos_weight, x.shape)
    losses = np.empty(x.shape, dtype=object)
    for i in np.ndindex(x.shape):
        t = target[i]
        losses[i] = weights[i] * (positive[i] * t * softplus(-x[i]) + (1 - t) * softplus(x[i]))
    if reduction == "none":
        return losses
    total = mpmath.mpf(0)
    for loss in losses.ravel():
        total += loss
    return np.array(total if reduction == "sum" else total / losses.size, dtype=object)


def sample(dtype: np.dtype, shape: tuple[int, ...] = (2, 10), scale: float = 4) -> dict[str, Any]:
    rng = np.random.default_rng(8)
    target = (rng.uniform(size=shape) < 0.5).astype(dtype)
    return {"x": (rng.standard_normal(shape) * scale).astype(dtype), "target": target}


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_usual_logits_by_every_reduction(check: Any, dtype: np.dtype, reduction: str) -> None:
    check.value(NAME, loops, **sample(dtype), reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("which", ["weight", "pos_weight", "both"])
@pytest.mark.parametrize("shape", [(10,), (2, 1), ()])
def test_both_weights_are_broadcast(check: Any, reduction: str, which: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(9)
    names = ["weight", "pos_weight"] if which == "both" else [which]
    weights = {name: np.asarray(rng.uniform(0.1, 5, shape), dtype=np.float32) for name in names}
    check.value(NAME, loops, **sample(np.dtype(np.float32)), **weights, reduction=reduction)


def test_the_positive_weight_counts_for_positives_only(check: Any) -> None:
    arguments = {"x": np.array([1.0, 1.0]), "target": np.array([1.0, 0.0]), "reduction": "none"}
    plain = check.answer(NAME, arguments).value
    weighted = check.answer(NAME, {**arguments, "pos_weight": np.array(3.0)}).value
    assert weighted[0] == pytest.approx(3 * plain[0])
    assert weighted[1] == plain[1]


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_no_logarithm_is_clamped(check: Any, dtype: np.dtype) -> None:
    """Unlike the loss of probabilities: a logit of -300 costs 300 where the target is 1, not 100."""
    x = np.array([-300, 300, 300, -300], dtype=dtype)
    result = check.value(NAME, loops, x=x, target=np.array([1, 0, 1, 0], dtype=dtype), reduction="none")
    assert result.value.astype(np.float64).tolist()[:2] == [300, 300]
    assert np.all(result.value[2:].astype(np.float64) < 1e-100)


def test_the_ends_of_float64(check: Any) -> None:
    x = np.array([-1e308, 1e308, 1e308, -1e308])
    result = check.value(NAME, loops, x=x, target=np.array([1.0, 0.0, 1.0, 0.0]), reduction="none")
    assert result.value.tolist() == [1e308, 1e308, 0, 0]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("wrt", ["x", "weight", "pos_weight"])
def test_gradient(check: Any, reduction: str, wrt: str) -> None:
    arguments = sample(np.dtype(np.float64), (2, 3))
    weights = {"weight": np.array([0.5, 2.0, 3.0]), "pos_weight": np.array([[1.5], [0.25]])}
    check.gradient(NAME, wrt, loops, **arguments, **weights, reduction=reduction)


def test_gradient_without_weights_and_with_soft_targets(check: Any) -> None:
    check.gradient(NAME, "x", loops, x=np.array([-30.0, -1.0, 0.0, 50.0]), target=np.array([1.0, 0.3, 0.5, 1.0]))


def test_the_composition_with_a_rounded_sigmoid_is_not_within_the_budget(check: Any) -> None:
    """What the fused loss exists for: sigmoid(20) is 1 in float32, and the logarithm of 1 - 1 is no loss."""
    arguments = {
        "x": np.array([20.0, -110.0], dtype=np.float32),
        "target": np.array([0.0, 1.0], dtype=np.float32),
        "reduction": "none",
    }
    result = check.answer(NAME, arguments)
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-arguments["x"]))
        logs = np.log(np.where(arguments["target"] == 1, p, 1 - p))
    assert not np.any(result.distance(-logs) <= check.allowed(NAME, result, arguments))


def test_the_stable_formula_in_float32_is_within_the_budget(check: Any) -> None:
    arguments = {**sample(np.dtype(np.float32), (50, 20), scale=20), "reduction": "none"}
    x, t = arguments["x"], arguments["target"]
    result = check.answer(NAME, arguments)
    stable = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    assert stable.dtype == np.float32
    assert np.all(result.distance(stable) <= check.allowed(NAME, result, arguments))
