"""How TensorFlow spells the activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.tensorflow.registry import KERAS, idiom

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@idiom("softmax")
def softmax(x, *, axis=-1):
    return tf.nn.softmax(x, axis=axis)


@idiom("softmax", "keras.ops.softmax", needs="keras", setting=KERAS)
def softmax_keras(x, *, axis=-1):
    return keras.ops.softmax(x, axis=axis)


@idiom("softmax", "keras.activations.softmax", needs="keras", setting=KERAS)
def softmax_activation(x, *, axis=-1):
    return keras.activations.softmax(x, axis=axis)


@idiom("softmax", "keras.layers.Softmax", needs="keras", setting=KERAS)
def softmax_layer(x, *, axis=-1):
    return keras.layers.Softmax(axis=axis)(x)  # a layer casts its input to float32


@idiom("log_softmax")
def log_softmax(x, *, axis=-1):
    return tf.nn.log_softmax(x, axis=axis)


@idiom("log_softmax", "keras.ops.log_softmax", needs="keras", setting=KERAS)
def log_softmax_keras(x, *, axis=-1):
    return keras.ops.log_softmax(x, axis=axis)


@idiom("log_softmax", "keras.activations.log_softmax", needs="keras", setting=KERAS)
def log_softmax_activation(x, *, axis=-1):
    return keras.activations.log_softmax(x, axis=axis)


@idiom("log_softmax", "formula: x - logsumexp(x)")
def log_softmax_of_logsumexp(x, *, axis=-1):
    return x - tf.reduce_logsumexp(x, axis=axis, keepdims=True)


@idiom("sigmoid")
def sigmoid(x):
    return tf.math.sigmoid(x)


@idiom("sigmoid", "tf.nn.sigmoid")
def sigmoid_nn(x):
    return tf.nn.sigmoid(x)


@idiom("sigmoid", "keras.ops.sigmoid", needs="keras", setting=KERAS)
def sigmoid_keras(x):
    return keras.ops.sigmoid(x)


@idiom("sigmoid", "keras.activations.sigmoid", needs="keras", setting=KERAS)
def sigmoid_activation(x):
    return keras.activations.sigmoid(x)


@idiom("log_sigmoid")
def log_sigmoid(x):
    return tf.math.log_sigmoid(x)


@idiom("log_sigmoid", "keras.ops.log_sigmoid", needs="keras", setting=KERAS)
def log_sigmoid_keras(x):
    return keras.ops.log_sigmoid(x)


@idiom("log_sigmoid", "keras.activations.log_sigmoid", needs="keras", setting=KERAS)
def log_sigmoid_activation(x):
    return keras.activations.log_sigmoid(x)


@idiom("log_sigmoid", "formula: -softplus(-x)")
def log_sigmoid_of_softplus(x):
    return -tf.nn.softplus(-x)
