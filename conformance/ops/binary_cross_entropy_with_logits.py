"""Binary cross entropy of logits, the document's BCEWithLogitsLoss."""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, Labels, MaybeArray, Reduction, elementary, operation
from conformance.ops.log_sigmoid import softplus
from conformance.ops.reductions import reduced, reduced_bound
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.nn.BCEWithLogitsLoss(weight, pos_weight=pos_weight, reduction=reduction)(x, target)")
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


@binary_cross_entropy_with_logits.budget(
    "error analysis of (1 - t) x + l (log1p(exp(-|x|)) + max(-x, 0)) with l = 1 + (pos_weight - 1) t, and of max(x, 0) "
    "- x t + log1p(exp(-|x|)): both add and subtract terms of the size of x (4 units roundoff of it, times l), and "
    "take one exponential and one log1p (8 each, 2 in 16 bits); then the weight and the reduction's own summation"
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
    positive_weight = np.asarray(1.0 if pos_weight is None else pos_weight)
    scale = np.abs(np.asarray(1.0 if weight is None else weight))
    losses = scale * (positive_weight * target * np.logaddexp(0, -x) + (1 - target) * np.logaddexp(0, x))
    errors = 4 * scale * np.maximum(1, positive_weight) * np.abs(x) + (2 * elementary(result) + 3) * losses
    return reduced_bound(result, np.abs(losses), errors, reduction)
