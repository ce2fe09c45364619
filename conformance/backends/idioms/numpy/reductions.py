"""How NumPy spells the reductions."""

from __future__ import annotations

import numpy as np

from conformance.backends.idioms.numpy.registry import idiom


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
