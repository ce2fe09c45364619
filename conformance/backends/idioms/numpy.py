"""How NumPy spells the operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms

if TYPE_CHECKING:
    import keras
    import scipy.special

idiom = Idioms(operators.idiom)


@idiom("asarray")
def asarray(data, *, dtype=None):
    return np.array(data, dtype=dtype)


@idiom("asarray", "numpy.asarray")
def asarray_asarray(data, *, dtype=None):
    return np.asarray(data, dtype=dtype)


@idiom("asarray", "numpy.array(data).astype(dtype)", cases="*/rounds-to-the-nearest")
def asarray_astype(data, *, dtype):
    return np.array(data).astype(dtype)  # by way of float64


@idiom("softmax")
def softmax(x, *, axis=None):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@idiom("softmax", "scipy.special.softmax", needs="scipy.special")
def softmax_scipy(x, *, axis=None):
    return scipy.special.softmax(x, axis=axis)


@idiom("softmax", "formula: exp(x) / sum(exp(x))")
def softmax_unshifted(x, *, axis=None):
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


@idiom("softmax", "formula: exp(x - logsumexp(x))", needs="scipy.special")
def softmax_of_logsumexp(x, *, axis=None):
    return np.exp(x - scipy.special.logsumexp(x, axis=axis, keepdims=True))


@idiom("log_softmax")
def log_softmax(x, *, axis=None):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@idiom("log_softmax", "scipy.special.log_softmax", needs="scipy.special")
def log_softmax_scipy(x, *, axis=None):
    return scipy.special.log_softmax(x, axis=axis)


@idiom("log_softmax", "formula: x - logsumexp(x)", needs="scipy.special")
def log_softmax_of_logsumexp(x, *, axis=None):
    return x - scipy.special.logsumexp(x, axis=axis, keepdims=True)


@idiom("log_softmax", "formula: log(softmax(x))")
def log_softmax_of_softmax(x, *, axis=None):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.log(e / np.sum(e, axis=axis, keepdims=True))


@idiom("sigmoid")
def sigmoid(x):
    # exp(-x) overflows to inf for large negative x, and 1 / inf is the right limit.
    return 1 / (1 + np.exp(-x))


@idiom("sigmoid", "scipy.special.expit", needs="scipy.special")
def sigmoid_expit(x):
    return scipy.special.expit(x)


@idiom("sigmoid", "formula: exp(x) / (1 + exp(x))")
def sigmoid_of_exp(x):
    return np.exp(x) / (1 + np.exp(x))


@idiom("sigmoid", "formula: (tanh(x / 2) + 1) / 2")
def sigmoid_of_tanh(x):
    return 0.5 * (np.tanh(0.5 * x) + 1)


@idiom("sigmoid", "formula: where(x >= 0, 1 / (1 + exp(-x)), exp(x) / (1 + exp(x)))")
def sigmoid_by_sign(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))


@idiom("log_sigmoid")
def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@idiom("log_sigmoid", "scipy.special.log_expit", needs="scipy.special")
def log_sigmoid_log_expit(x):
    return scipy.special.log_expit(x)


@idiom("log_sigmoid", "formula: -logaddexp(0, -x)")
def log_sigmoid_of_logaddexp(x):
    return -np.logaddexp(0, -x)


@idiom("log_sigmoid", "formula: log(sigmoid(x))")
def log_sigmoid_of_sigmoid(x):
    return np.log(1 / (1 + np.exp(-x)))


@idiom("stack")
def stack(arrays, *, axis=0):
    return np.stack(arrays, axis=axis)


@idiom("stack", "numpy.concatenate of expanded arrays")
def stack_concatenate(arrays, *, axis=0):
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis=axis)


@idiom("stack", "numpy.column_stack", cases="*/stack-along-dimension-1")
def stack_columns(arrays, *, axis):
    return np.column_stack(arrays)  # vectors, along axis 1


@idiom("reshape")
def reshape(x, shape):
    return np.reshape(x, shape)


@idiom("reshape", "ndarray.reshape")
def reshape_method(x, shape):
    return x.reshape(shape)


@idiom("reshape", "numpy.ravel", cases="*/flattening-the-stack-*")
def reshape_ravel(x, shape):
    return np.ravel(x)  # to the shape [-1]


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return np.sum(x, axis=axis, keepdims=keepdims)


@idiom("sum", "ndarray.sum")
def sum_method(x, *, axis=None, keepdims=False):
    return x.sum(axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    return np.mean(x, axis=axis, keepdims=keepdims)


@idiom("mean", "ndarray.mean")
def mean_method(x, *, axis=None, keepdims=False):
    return x.mean(axis=axis, keepdims=keepdims)


@idiom("mean", "numpy.average")
def mean_average(x, *, axis=None, keepdims=False):
    return np.average(x, axis=axis, keepdims=keepdims)


@idiom("mean", "formula: sum(x) / size")
def mean_of_sum(x):
    return np.sum(x) / x.size


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


@idiom("binary_cross_entropy", "formula: -(t * log(p) + (1 - t) * log(1 - p))")
def binary_cross_entropy_textbook(p, target, *, reduction="mean"):
    loss = -(target * np.log(p) + (1 - target) * np.log(1 - p))
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


@idiom("binary_cross_entropy_with_logits", "formula: -(t * log(p) + (1 - t) * log(1 - p)), p = sigmoid(x)")
def binary_cross_entropy_of_sigmoid(x, target, *, reduction="mean"):
    p = 1 / (1 + np.exp(-x))
    loss = -(target * np.log(p) + (1 - target) * np.log(1 - p))
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


@idiom("exp")
def exp(x):
    return np.exp(x)


@idiom("log")
def log(x):
    return np.log(x)
