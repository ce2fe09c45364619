"""How NumPy spells the losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conformance.backends.idioms.numpy.registry import idiom

if TYPE_CHECKING:
    import keras
    import scipy.special


@idiom("binary_cross_entropy")
def binary_cross_entropy(p, target, *, weight=None, reduction="mean"):
    log_p = np.maximum(np.log(p), -100)
    log_not_p = np.maximum(np.log1p(-p), -100)
    loss = -(target * log_p + (1 - target) * log_not_p)
    if weight is not None:
        loss = weight * loss
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom("binary_cross_entropy", "formula: -(xlogy(t, p) + xlog1py(1 - t, -p))", needs="scipy.special")
def binary_cross_entropy_of_xlogy(p, target, *, reduction="mean"):
    loss = -(scipy.special.xlogy(target, p) + scipy.special.xlog1py(1 - target, -p))
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom("binary_cross_entropy", "formula: -(t * log(p) + (1 - t) * log(1 - p)), p clipped at 1e-15")
def binary_cross_entropy_clipped(p, target, *, reduction="mean"):
    p = np.clip(p, 1e-15, 1 - 1e-15)  # 1 - 1e-15 is 1 in float32, and log(0) remains
    loss = -(target * np.log(p) + (1 - target) * np.log(1 - p))
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    softplus_of_minus_abs = np.log1p(np.exp(-np.abs(x)))
    positive = np.maximum(-x, 0) + softplus_of_minus_abs  # -log(sigmoid(x))
    negative = np.maximum(x, 0) + softplus_of_minus_abs  # -log(1 - sigmoid(x))
    if pos_weight is not None:
        positive = pos_weight * positive
    loss = target * positive + (1 - target) * negative
    if weight is not None:
        loss = weight * loss
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom("binary_cross_entropy_with_logits", "formula: max(x, 0) - x * t + log1p(exp(-|x|))")
def binary_cross_entropy_with_logits_textbook(x, target, *, reduction="mean"):
    loss = np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x)))
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom("binary_cross_entropy_with_logits", "formula: logaddexp(0, x) - x * t")
def binary_cross_entropy_of_logaddexp(x, target, *, reduction="mean"):
    loss = np.logaddexp(0, x) - x * target
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom(
    "binary_cross_entropy_with_logits",
    "formula: -(t * log_expit(x) + (1 - t) * log_expit(-x))",
    needs="scipy.special",
)
def binary_cross_entropy_of_log_expit(x, target, *, reduction="mean"):
    loss = -(target * scipy.special.log_expit(x) + (1 - target) * scipy.special.log_expit(-x))
    if reduction == "none":
        return loss
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


@idiom(
    "binary_cross_entropy_with_logits",
    "keras.losses.BinaryCrossentropy, of Keras on NumPy",
    needs="keras",
    setting="KERAS_BACKEND=numpy",
    cases="document/bce-with-logits-loss/*",
)
def binary_cross_entropy_with_logits_by_keras(x, target, *, reduction="mean"):
    reduction = "sum_over_batch_size" if reduction == "mean" else reduction
    return keras.losses.BinaryCrossentropy(from_logits=True, reduction=reduction)(target, x)
