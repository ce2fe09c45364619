"""Binary cross entropy of logits, the document's BCEWithLogitsLoss."""

from __future__ import annotations

import numpy as np

from conformance.ground import dtypes
from conformance.ops.activations.log_sigmoid import softplus
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
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(
    document="torch.nn.BCEWithLogitsLoss(weight, pos_weight=pos_weight, reduction=reduction)(x, target)",
    backward=Backward(functions=2, basics=8),
)
def binary_cross_entropy_with_logits(
    x: Array,
    target: Labels,
    *,
    weight: MaybeArray = None,
    pos_weight: MaybeArray = None,
    reduction: Reduction = "mean",
) -> Balls:
    """-weight * (pos_weight * target * log sigmoid(x) + (1 - target) * log(1 - sigmoid(x))).

    No logarithm is clamped: they stay finite for every finite logit.

    Args:
        x: floating logits, any shape.
        target: the shape and dtype of `x`, values in [0, 1].
        weight: broadcast against `x`; 1 where left out.
        pos_weight: weight of the positive term, broadcast against `x`; 1 where left out.
        reduction: 'mean' over all elements, 'sum', or 'none' for the losses themselves.

    Returns:
        The dtype of `x`; rank 0, or the shape of `x` with reduction 'none'.
    """
    positive = target * softplus(-x)
    losses = (positive if pos_weight is None else pos_weight * positive) + (1 - target) * softplus(x)
    return reduced(losses if weight is None else weight * losses, reduction)


@binary_cross_entropy_with_logits.by_convention(
    "NaN gives NaN, an infinite logit or target the definition's limit there; infinite weights multiply as IEEE 754 "
    "has it"
)
def _(
    x: np.ndarray,
    target: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
    reduction: str = "mean",
) -> Conventional:
    parts = {"x": x, "target": target}
    parts |= {name: part for name, part in (("weight", weight), ("pos_weight", pos_weight)) if part is not None}
    special = np.logical_or.reduce([np.broadcast_to(~np.isfinite(part), x.shape) for part in parts.values()])
    positive_weight = np.asarray(1.0 if pos_weight is None else pos_weight)
    # Above zero for every finite logit, also where that underflows in float64: an infinite weight multiplies it.
    least = np.where(np.isfinite(x), np.finfo(np.float64).smallest_subnormal, 0.0)
    positive, negative = np.maximum(np.logaddexp(0, -x), least), np.maximum(np.logaddexp(0, x), least)
    # At +inf the negative term grows without bound, at -inf the positive one; without a share it is not there.
    # Factor by factor, since the product of two shares may underflow in float64.
    limits = [_grown(term, target_share, share) for term, target_share, share in (
        (positive, target, positive_weight), (negative, 1 - target, np.asarray(1.0)))]  # fmt: skip
    # softplus(-x) - softplus(x) is -x, also where float64 can't tell the two apart.
    difference = np.where(np.isfinite(x), (positive_weight - 1) * positive - x, positive_weight * positive - negative)
    grown = target * difference
    values = np.where(np.isinf(target), grown, limits[0] + limits[1]) * (1.0 if weight is None else weight)
    stand_ins = {name: finite(part) for name, part in parts.items()}
    if reduction != "none":  # a loss that vanishes does not say what the others add up to
        vanishing = special & (values == 0)
        special = special & ~vanishing
        stand_ins["x"] = np.where(vanishing, np.copysign(_FAR, x), stand_ins["x"])
    where, due = reduced_by_convention(special, values, reduction)
    return stand_ins, where, due


def _grown(term: np.ndarray, share: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A term times its shares; one that is infinite is not there where a share of it is 0 and none is infinite.

    It keeps its sign where it underflows: an infinite weight multiplies what is above zero, however little.
    """
    none = ((share == 0) & np.isfinite(weight)) | ((weight == 0) & np.isfinite(share))
    grown = share * (term * weight)
    lost = (grown == 0) & (share != 0) & (term != 0) & (weight != 0) & np.isfinite(share) & np.isfinite(weight)
    least = np.copysign(np.finfo(np.float64).smallest_subnormal, np.sign(share) * np.sign(weight))
    return np.where(none & np.isinf(term), 0.0, np.where(lost & np.isfinite(term), least, grown))


_FAR = 2000.0
"""The exponential of minus this is nothing beside any number of any dtype."""


@binary_cross_entropy_with_logits.inherits(
    "the slope w (l s - pos_weight t) with l = 1 + (pos_weight - 1) t and the rounded sigmoid s, whose terms cancel "
    "near s = t: what s may be off by (one exponential and 2 units roundoff), and 4 units roundoff for l and the "
    "products, times both terms; with respect to the weight, the loss without it: what that may be off by"
)
def _(
    wrt: str,
    result: Rounded,
    error: np.ndarray,
    cotangent: np.ndarray,
    *,
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
    reduction: str = "mean",
) -> np.ndarray | float:
    weights = single_cotangents(cotangent, reduction, x, weight, pos_weight)
    unit_roundoff = dtypes.of(result.value).unit_roundoff
    if wrt == "weight":
        _, errors = _magnitudes(result, x, target, 1.0, pos_weight)
        return product(weights, errors) * unit_roundoff
    if wrt == "pos_weight":
        return 0.0
    positive_weight = np.abs(np.asarray(1.0 if pos_weight is None else pos_weight))
    positive = product(positive_weight, np.abs(target))
    sigmoid = np.exp(-np.logaddexp(0, -x))
    slope = (positive + np.abs(1 - target)) * sigmoid * (elementary(result) + 6) + 4 * positive
    return product(weights, 1.0 if weight is None else np.abs(weight), slope) * unit_roundoff


@binary_cross_entropy_with_logits.budget(
    "error analysis of (1 - t) x + l (log1p(exp(-|x|)) + max(-x, 0)) with l = 1 + (pos_weight - 1) t, and of max(x, 0) "
    "- x t + log1p(exp(-|x|)): both add and subtract terms of the size of x (4 units roundoff of it, times l), and "
    "take one exponential and one log1p (8 each, 2 in 16 bits); then the weight and the reduction's own summation",
    ELEMENTARY_SLACK,
)
def _(
    result: Rounded,
    x: np.ndarray,
    target: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
    reduction: str = "mean",
) -> np.ndarray:
    losses, errors = _magnitudes(result, x, target, 1.0 if weight is None else weight, pos_weight)
    products = rounded_products(target, 1 - target, weight, pos_weight)
    return reduced_bound(result, losses, errors, products, reduction)


def _magnitudes(
    result: Rounded, x: np.ndarray, target: np.ndarray, weight: np.ndarray | float, pos_weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Of the single losses the magnitudes, and what each may be off by in units roundoff."""
    positive_weight = np.abs(np.asarray(1.0 if pos_weight is None else pos_weight))
    scale = np.abs(np.asarray(weight))
    # Targets outside [0, 1] give terms of two signs: their magnitudes count.
    losses = product(scale, positive_weight, np.abs(target), np.logaddexp(0, -x))
    losses = losses + product(scale, np.abs(1 - target), np.logaddexp(0, x))
    terms = product(scale, np.maximum(1, positive_weight), np.maximum(1, np.abs(target)), np.abs(x))
    return losses, 4 * terms + (2 * elementary(result) + 3) * losses
