"""Losses whose formula, weights or reduction are wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.audit.defect import Defects, Right

defects = Defects()

BCE = "binary_cross_entropy"
LOGITS = "binary_cross_entropy_with_logits"


def reduced(loss: Any, reduction: str) -> Any:
    """Losses, their mean, or their sum."""
    return loss if reduction == "none" else np.mean(loss) if reduction == "mean" else np.sum(loss)


def cross_entropy(p: Any, target: Any, log: Callable[[Any], Any], weight: Any, reduction: str) -> Any:
    """The loss with a logarithm of one's own."""
    loss = -(target * log(p) + (1 - target) * log(1 - p))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(BCE, "no clamp of the logarithm", "nan-inf")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    loss = -(target * np.log(p) + (1 - target) * np.log1p(-p))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(BCE, "the logarithm is clamped at -50", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    loss = -(target * np.maximum(np.log(p), -50) + (1 - target) * np.maximum(np.log1p(-p), -50))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(BCE, "the logarithm is clamped at -99", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    loss = -(target * np.maximum(np.log(p), -99) + (1 - target) * np.maximum(np.log1p(-p), -99))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(BCE, "the logarithm is clamped at -101", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    loss = -(target * np.maximum(np.log(p), -101) + (1 - target) * np.maximum(np.log1p(-p), -101))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(BCE, "the loss is clamped, and not the logarithm", "nan-inf", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    loss = np.minimum(-(target * np.log(p) + (1 - target) * np.log1p(-p)), 100)
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(BCE, "1e-8 is added inside the logarithm", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    return cross_entropy(p, target, lambda q: np.log(q + q.dtype.type(1e-8)), weight, reduction)


@defects.spelling(BCE, "log(1 - p) in place of log1p(-p)", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    return cross_entropy(p, target, lambda q: np.maximum(np.log(q), -100), weight, reduction)


@defects.spelling(BCE, "the negative term is left out", "value")
def _(right: Right, p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    loss = -(target * np.maximum(np.log(p), -100))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(LOGITS, "a sigmoid first, then the loss of it", "value", "nan-inf")
def _(right: Right, x: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    p = 1 / (1 + np.exp(-x))
    scale = 1 if pos_weight is None else pos_weight
    loss = -(scale * target * np.maximum(np.log(p), -100) + (1 - target) * np.maximum(np.log1p(-p), -100))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(LOGITS, "its logarithms are clamped at -100, as those of the loss of probabilities", "value")
def _(right: Right, x: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    return right(np.clip(x, -100, 100), target, weight=weight, pos_weight=pos_weight, reduction=reduction)


@defects.spelling(LOGITS, "log(1 + exp(x)), which overflows", "nan-inf")
def _(right: Right, x: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    positive = np.log1p(np.exp(-x)) * (1 if pos_weight is None else pos_weight)
    loss = target * positive + (1 - target) * np.log1p(np.exp(x))
    return reduced(loss if weight is None else weight * loss, reduction)


@defects.spelling(LOGITS, "pos_weight on the negative term", "value")
def _(right: Right, x: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    return right(-x, 1 - target, weight=weight, pos_weight=pos_weight, reduction=reduction)


@defects.spelling(LOGITS, "pos_weight on both terms", "value")
def _(right: Right, x: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    both = weight if pos_weight is None else pos_weight if weight is None else weight * pos_weight
    return right(x, target, weight=both, reduction=reduction)


@defects.spelling(LOGITS, "pos_weight is ignored", "value")
def _(right: Right, x: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    return right(x, target, weight=weight, reduction=reduction)


def _for_each_loss(operation: str, prediction: str) -> None:
    """The defects that both losses may have."""

    @defects.spelling(operation, "weight is ignored", "value")
    def _(right: Right, *, weight: Any = None, **arguments: Any) -> Any:
        return right(**arguments)

    @defects.spelling(operation, "weight is applied twice", "value")
    def _(right: Right, *, weight: Any = None, **arguments: Any) -> Any:
        return right(weight=None if weight is None else weight * weight, **arguments)

    @defects.spelling(operation, "the mean is divided by the sum of the weights", "value")
    def _(right: Right, *, weight: Any = None, reduction: str = "mean", **arguments: Any) -> Any:
        result = right(weight=weight, reduction=reduction, **arguments)
        return result if weight is None or reduction != "mean" else result / np.mean(weight)

    @defects.spelling(operation, "only the first weight is used", "value")
    def _(right: Right, *, weight: Any = None, **arguments: Any) -> Any:
        return right(weight=None if weight is None else np.full_like(weight, np.ravel(weight)[0]), **arguments)

    @defects.spelling(operation, "the mean where the sum was asked", "value")
    def _(right: Right, *, reduction: str = "mean", **arguments: Any) -> Any:
        return right(reduction="mean" if reduction == "sum" else reduction, **arguments)

    @defects.spelling(operation, "the sum where the mean was asked", "value")
    def _(right: Right, *, reduction: str = "mean", **arguments: Any) -> Any:
        return right(reduction="sum" if reduction == "mean" else reduction, **arguments)

    @defects.spelling(operation, "no reduction, whatever was asked", "shape")
    def _(right: Right, *, reduction: str = "mean", **arguments: Any) -> Any:
        return right(reduction="none", **arguments)

    @defects.spelling(operation, "the losses are reduced, and none of them is kept", "shape")
    def _(right: Right, *, reduction: str = "mean", **arguments: Any) -> Any:
        return right(reduction="mean" if reduction == "none" else reduction, **arguments)

    @defects.spelling(operation, "the mean over the last axis only", "shape")
    def _(right: Right, *, reduction: str = "mean", **arguments: Any) -> Any:
        losses = right(reduction="none", **arguments)
        return np.mean(losses, axis=-1) if reduction == "mean" and losses.ndim else reduced(losses, reduction)

    @defects.spelling(operation, "prediction and target swapped", "value", "nan-inf")
    def _(right: Right, *, target: Any, **arguments: Any) -> Any:
        return right(target=arguments.pop(prediction), **{prediction: target}, **arguments)

    @defects.spelling(operation, "targets are rounded to 0 and 1", "value")
    def _(right: Right, *, target: Any, **arguments: Any) -> Any:
        return right(target=(target > 0.5).astype(target.dtype), **arguments)


_for_each_loss(BCE, "p")
_for_each_loss(LOGITS, "x")
