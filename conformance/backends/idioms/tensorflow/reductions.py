"""How TensorFlow spells the reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.tensorflow.registry import KERAS, idiom

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return tf.reduce_sum(x, axis=axis, keepdims=keepdims)


@idiom("sum", "keras.ops.sum", needs="keras", setting=KERAS)
def sum_keras(x, *, axis=None, keepdims=False):
    return keras.ops.sum(x, axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    return tf.reduce_mean(x, axis=axis, keepdims=keepdims)


@idiom("mean", "keras.ops.mean", needs="keras", setting=KERAS)
def mean_keras(x, *, axis=None, keepdims=False):
    return keras.ops.mean(x, axis=axis, keepdims=keepdims)
