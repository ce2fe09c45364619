"""NumPy, with SciPy's special functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.backends import operators
from conformance.backends.base import Backend, Idioms
from conformance.dtypes import DTYPES

idiom = Idioms(operators.idiom)


class NumpyBackend(Backend):
    """Plain NumPy on the CPU. bfloat16 is ml_dtypes' extension type."""

    name = "numpy"
    package = "numpy"
    distributions = ("numpy", "scipy", "ml-dtypes")
    idioms = idiom

    def devices(self) -> list[str]:
        return ["cpu"]

    def scope(self, mode: str) -> Any:
        # log(0), exp(1000) and their like are part of what is tested; NumPy would warn.
        return np.errstate(all="ignore")

    def from_numpy(self, array: np.ndarray) -> np.ndarray:
        return array

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def dtype(self, name: str) -> Any:
        return DTYPES[name].numpy


@idiom("asarray")
def asarray(data, *, dtype=None):
    return np.array(data, dtype=dtype)


@idiom("softmax")
def softmax(x, *, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@idiom("log_softmax")
def log_softmax(x, *, axis):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@idiom("sigmoid")
def sigmoid(x):
    # exp(-x) overflows to inf for large negative x, and 1 / inf is the right limit.
    return 1 / (1 + np.exp(-x))


@idiom("log_sigmoid")
def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@idiom("stack")
def stack(arrays, *, axis=0):
    return np.stack(arrays, axis=axis)


@idiom("reshape")
def reshape(x, shape):
    return np.reshape(x, shape)


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return np.sum(x, axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    return np.mean(x, axis=axis, keepdims=keepdims)


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


@idiom("exp")
def exp(x):
    return np.exp(x)


@idiom("log")
def log(x):
    return np.log(x)
