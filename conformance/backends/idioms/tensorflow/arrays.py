"""How TensorFlow spells the making and shaping of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.tensorflow.registry import KERAS, idiom

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@idiom("asarray")
def asarray(data, *, dtype=None):
    return tf.constant(data, dtype=dtype)


@idiom("asarray", "tf.convert_to_tensor")
def asarray_convert(data, *, dtype=None):
    return tf.convert_to_tensor(data, dtype=dtype)


@idiom("asarray", "keras.ops.convert_to_tensor", needs="keras", setting=KERAS)
def asarray_keras(data, *, dtype=None):
    return keras.ops.convert_to_tensor(data, dtype=dtype)


@idiom("asarray", "tf.cast(tf.constant(data), dtype)", cases="*/rounds-to-the-nearest")
def asarray_cast(data, *, dtype):
    return tf.cast(tf.constant(data), dtype)  # by way of float32


@idiom("stack")
def stack(arrays, *, axis=0):
    return tf.stack(arrays, axis=axis)


@idiom("stack", "keras.ops.stack", needs="keras", setting=KERAS)
def stack_keras(arrays, *, axis=0):
    return keras.ops.stack(arrays, axis=axis)


@idiom("stack", "tf.concat of expanded tensors")
def stack_concat(arrays, *, axis=0):
    return tf.concat([tf.expand_dims(a, axis) for a in arrays], axis=axis)


@idiom("reshape")
def reshape(x, shape):
    return tf.reshape(x, shape)


@idiom("reshape", "keras.ops.reshape", needs="keras", setting=KERAS)
def reshape_keras(x, shape):
    return keras.ops.reshape(x, shape)


@idiom("reshape", "keras.ops.ravel", needs="keras", setting=KERAS, cases="*/flattening-the-stack-*")
def reshape_ravel(x, shape):
    return keras.ops.ravel(x)  # to the shape [-1]
