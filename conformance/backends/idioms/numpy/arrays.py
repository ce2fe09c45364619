"""How NumPy spells the making and shaping of arrays."""

from __future__ import annotations

import numpy as np

from conformance.backends.idioms.numpy.registry import idiom


@idiom("asarray")
def asarray(data, *, dtype=None):
    return np.array(data, dtype=dtype)


@idiom("asarray", "numpy.asarray")
def asarray_asarray(data, *, dtype=None):
    return np.asarray(data, dtype=dtype)


@idiom("asarray", "numpy.array(data).astype(dtype)", cases="*/rounds-to-the-nearest")
def asarray_astype(data, *, dtype):
    return np.array(data).astype(dtype)  # by way of float64


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
