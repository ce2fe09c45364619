"""The `reduction` parameter of loss functions: single losses, their sum or their mean."""

from __future__ import annotations

import functools
import math

import numpy as np

from conformance.ops.bounds import gradual_underflow, relative_to, summation_growth
from conformance.ops.reductions.mean import mean
from conformance.ops.reductions.sum import sum_
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


def reduced(losses: Balls, reduction: str) -> Balls:
    """Losses as they are ('none'), their sum, or their mean."""
    losses = balls.as_balls(losses)  # NumPy unpacks arrays of rank 0
    if reduction == "none":
        return losses
    return sum_.exact(losses) if reduction == "sum" else mean.exact(losses)


def reduced_by_convention(special: np.ndarray, values: np.ndarray, reduction: str) -> tuple[np.ndarray, np.ndarray]:
    """Where single losses are what a convention says, and those losses, after their reduction."""
    if reduction == "none":
        return special, values
    if reduction == "mean" and not values.size:  # 0 / 0
        return np.asarray(True), np.asarray(np.nan)
    return np.asarray(special.any()), np.asarray(np.where(special, values, 0.0).sum())


def product(*magnitudes: np.ndarray | float) -> np.ndarray:
    """Of magnitudes, as budgets need it: 0 where one is 0, however large the others are."""
    found = np.asarray(functools.reduce(np.multiply, magnitudes), dtype=np.float64)
    nothing = functools.reduce(np.logical_or, [np.asarray(one) == 0 for one in magnitudes])
    return np.where(nothing, 0.0, found)


def rounded_products(*factors: np.ndarray | float | None) -> np.ndarray:
    """How many of the products by these factors are rounded, and so may underflow: those by 0 and by 1 are exact."""
    rounded = [(np.asarray(factor) != 0) & (np.asarray(factor) != 1) for factor in factors if factor is not None]
    return np.asarray(functools.reduce(np.add, [one.astype(np.float64) for one in rounded], np.zeros(())))


def single_cotangents(cotangent: np.ndarray, reduction: str, *parts: np.ndarray | None) -> np.ndarray:
    """The magnitudes of the weights that single losses of these parts have in the sum whose gradient is taken."""
    shape = np.broadcast_shapes(*(part.shape for part in parts if part is not None))
    size = max(math.prod(shape), 1) if reduction == "mean" else 1
    return np.broadcast_to(np.abs(cotangent) / size, shape)


def reduced_bound(
    result: Rounded, losses: np.ndarray, errors: np.ndarray, products: np.ndarray, reduction: str
) -> np.ndarray:
    """ULP allowed to a reduced loss.

    Args:
        result: the exact result.
        losses: the magnitudes of the single losses, float64.
        errors: the absolute errors allowed to the single losses, in units roundoff, of the same shape.
        products: how many products of each loss may underflow.
        reduction: 'none', 'sum' or 'mean'.
    """
    errors = errors + products * gradual_underflow(result)
    if reduction == "none":
        return relative_to(result, errors) + 0.5
    total = errors.sum() + (summation_growth(losses.size) + 1) * losses.sum()
    return relative_to(result, total if reduction == "sum" else total / max(losses.size, 1)) + 0.5
