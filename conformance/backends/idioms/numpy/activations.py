"""How NumPy spells the activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conformance.backends.idioms.numpy.registry import idiom

if TYPE_CHECKING:
    import scipy.special


@idiom("softmax")
def softmax(x, *, axis=None):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@idiom("softmax", "scipy.special.softmax", needs="scipy.special")
def softmax_scipy(x, *, axis=None):
    return scipy.special.softmax(x, axis=axis)


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


@idiom("sigmoid")
def sigmoid(x):
    # exp(-x) overflows to inf for large negative x, and 1 / inf is the right limit.
    return 1 / (1 + np.exp(-x))


@idiom("sigmoid", "scipy.special.expit", needs="scipy.special")
def sigmoid_expit(x):
    return scipy.special.expit(x)


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
