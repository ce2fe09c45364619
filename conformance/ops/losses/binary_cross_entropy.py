"""Binary cross entropy of probabilities, the document's BCELoss."""

from __future__ import annotations

import numpy as np

from conformance.ground import dtypes
from conformance.ops.base import Array, Backward, Labels, MaybeArray, Reduction, operation
from conformance.ops.bounds import ELEMENTARY_SLACK, elementary
from conformance.ops.conventions import Conventional, finite
from conformance.ops.losses.reducing import (
    product,
    reduced,
    reduced_bound,
    reduced_by_convention,
    rounded_products,
    single_cotangents,
)
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded

LOWEST_LOG = -100
"""``torch.nn.BCELoss`` clamps each logarithm to be at least this, so that the loss stays finite."""


@operation(document="torch.nn.BCELoss(weight, reduction=reduction)(p, target)", backward=Backward(basics=8))
def binary_cross_entropy(
    p: Array, target: Labels, *, weight: MaybeArray = None, reduction: Reduction = "mean"
) -> Balls:
    """-weight * (target * log p + (1 - target) * log(1 - p)), with each logarithm at least -100.

    Args:
        p: floating, any shape, values in [0, 1].
        target: the shape and dtype of `p`, values in [0, 1].
        weight: broadcast against `p`; 1 where left out.
        reduction: 'mean' over all elements, 'sum', or 'none' for the losses themselves.

    Returns:
        The dtype of `p`; rank 0, or the shape of `p` with reduction 'none'.
    """
    losses = -(target * balls.at_least(balls.log(p), LOWEST_LOG)
               + (1 - target) * balls.at_least(balls.log1p(-p), LOWEST_LOG))  # fmt: skip
    return reduced(losses if weight is None else weight * losses, reduction)


@binary_cross_entropy.by_convention("NaN gives NaN; an infinite weight multiplies as IEEE 754 has it")
def _(p: np.ndarray, target: np.ndarray, *, weight: np.ndarray | None = None, reduction: str = "mean") -> Conventional:
    parts = {"p": p, "target": target} | ({} if weight is None else {"weight": weight})
    unclear = ~(np.isfinite(p) & np.isfinite(target))
    scale = np.asarray(1.0 if weight is None else weight)
    values = np.where(unclear, np.nan, scale * _losses(p, target))
    where, due = reduced_by_convention(unclear | ~np.isfinite(scale), values, reduction)
    return {name: finite(part) for name, part in parts.items()}, where, due


def _losses(p: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The unweighted losses in float64."""
    return -(target * np.maximum(np.log(p), LOWEST_LOG) + (1 - target) * np.maximum(np.log1p(-p), LOWEST_LOG))


@binary_cross_entropy.inherits("with respect to the weight, the slope is the loss without it: what that may be off by")
def _(
    wrt: str,
    result: Rounded,
    error: np.ndarray,
    cotangent: np.ndarray,
    *,
    p: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    reduction: str = "mean",
) -> np.ndarray | float:
    if wrt != "weight":
        return 0.0
    rounding = (elementary(result) + 5) * dtypes.of(result.value).unit_roundoff
    return single_cotangents(cotangent, reduction, p, weight) * np.abs(_losses(p, target)) * rounding


@binary_cross_entropy.budget(
    "error analysis of the definition, two terms of one sign: a logarithm of an exact argument each (8 units "
    "roundoff, 2 in 16 bits), 1 - target, two products, the sum, the weight; then the reduction's own summation",
    ELEMENTARY_SLACK,
)
def _(
    result: Rounded,
    p: np.ndarray,
    target: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    reduction: str = "mean",
) -> np.ndarray:
    losses = product(np.abs(_losses(p, target)), 1.0 if weight is None else np.abs(weight))
    products = rounded_products(target, 1 - target, weight)
    return reduced_bound(result, losses, (elementary(result) + 5) * losses, products, reduction)
