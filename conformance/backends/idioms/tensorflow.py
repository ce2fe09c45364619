"""How TensorFlow spells the operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

idiom = Idioms(operators.idiom)
KERAS = "KERAS_BACKEND=tensorflow"


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


@idiom("softmax", "formula: exp(x) / sum(exp(x))")
def softmax_unshifted(x, *, axis=-1):
    e = tf.exp(x)
    return e / tf.reduce_sum(e, axis=axis, keepdims=True)


@idiom("log_softmax")
def log_softmax(x, *, axis=-1):
    return tf.nn.log_softmax(x, axis=axis)


@idiom("log_softmax", "keras.ops.log_softmax", needs="keras", setting=KERAS)
def log_softmax_keras(x, *, axis=-1):
    return keras.ops.log_softmax(x, axis=axis)


@idiom("log_softmax", "keras.activations.log_softmax", needs="keras", setting=KERAS)
def log_softmax_activation(x, *, axis=-1):
    return keras.activations.log_softmax(x, axis=axis)


@idiom("log_softmax", "formula: log(softmax(x))")
def log_softmax_of_softmax(x, *, axis=-1):
    return tf.math.log(tf.nn.softmax(x, axis=axis))


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


@idiom("sigmoid", "formula: 1 / (1 + exp(-x))")
def sigmoid_textbook(x):
    return 1 / (1 + tf.exp(-x))


@idiom("log_sigmoid")
def log_sigmoid(x):
    return tf.math.log_sigmoid(x)


@idiom("log_sigmoid", "keras.ops.log_sigmoid", needs="keras", setting=KERAS)
def log_sigmoid_keras(x):
    return keras.ops.log_sigmoid(x)


@idiom("log_sigmoid", "keras.activations.log_sigmoid", needs="keras", setting=KERAS)
def log_sigmoid_activation(x):
    return keras.activations.log_sigmoid(x)


@idiom("log_sigmoid", "formula: log(sigmoid(x))")
def log_sigmoid_of_sigmoid(x):
    return tf.math.log(tf.sigmoid(x))


@idiom("log_sigmoid", "formula: -softplus(-x)")
def log_sigmoid_of_softplus(x):
    return -tf.nn.softplus(-x)


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


@idiom("binary_cross_entropy")
def binary_cross_entropy(p, target, *, weight=None, reduction="mean"):
    log_p = tf.maximum(tf.math.log(p), -100)
    log_not_p = tf.maximum(tf.math.log1p(-p), -100)
    loss = -(target * log_p + (1 - target) * log_not_p)
    if weight is not None:
        loss = weight * loss
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy", "keras.losses.BinaryCrossentropy", needs="keras", setting=KERAS)
def binary_cross_entropy_class(p, target, *, reduction="mean"):
    # Takes the mean over the last axis, whatever the reduction, and casts to float32.
    reduction = "sum_over_batch_size" if reduction == "mean" else reduction
    return keras.losses.BinaryCrossentropy(reduction=reduction)(target, p)


@idiom("binary_cross_entropy", "keras.losses.binary_crossentropy", needs="keras", setting=KERAS)
def binary_cross_entropy_function(p, target, *, reduction="mean"):
    loss = keras.losses.binary_crossentropy(target, p)  # takes the mean over the last axis
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy", "keras.ops.binary_crossentropy", needs="keras", setting=KERAS)
def binary_cross_entropy_keras(p, target, *, reduction="mean"):
    loss = keras.ops.binary_crossentropy(target, p)
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy", "formula: -(t * log(p) + (1 - t) * log(1 - p))")
def binary_cross_entropy_textbook(p, target, *, reduction="mean"):
    loss = -(target * tf.math.log(p) + (1 - target) * tf.math.log(1 - p))
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    if pos_weight is None:
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=x)
    else:
        loss = tf.nn.weighted_cross_entropy_with_logits(labels=target, logits=x, pos_weight=pos_weight)
    if weight is not None:
        loss = weight * loss
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy_with_logits", "tf.nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(x, target, *, pos_weight=1, reduction="mean"):
    loss = tf.nn.weighted_cross_entropy_with_logits(labels=target, logits=x, pos_weight=pos_weight)
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy_with_logits", "keras.losses.BinaryCrossentropy", needs="keras", setting=KERAS)
def binary_cross_entropy_with_logits_class(x, target, *, reduction="mean"):
    # Takes the mean over the last axis, whatever the reduction, and casts to float32.
    reduction = "sum_over_batch_size" if reduction == "mean" else reduction
    return keras.losses.BinaryCrossentropy(from_logits=True, reduction=reduction)(target, x)


@idiom("binary_cross_entropy_with_logits", "keras.losses.binary_crossentropy", needs="keras", setting=KERAS)
def binary_cross_entropy_with_logits_function(x, target, *, reduction="mean"):
    loss = keras.losses.binary_crossentropy(target, x, from_logits=True)  # takes the mean over the last axis
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("binary_cross_entropy_with_logits", "keras.ops.binary_crossentropy", needs="keras", setting=KERAS)
def binary_cross_entropy_with_logits_keras(x, target, *, reduction="mean"):
    loss = keras.ops.binary_crossentropy(target, x, from_logits=True)
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom(
    "binary_cross_entropy_with_logits",
    "Keras arguments in torch's order",
    needs="keras",
    setting=KERAS,
    cases="*/arguments-in-torch-order",
)
def binary_cross_entropy_with_logits_swapped(x, target):
    return keras.losses.BinaryCrossentropy(from_logits=True)(x, target)  # Keras takes the target first


@idiom(
    "binary_cross_entropy_with_logits", "keras.losses.BinaryCrossentropy after tf.sigmoid", needs="keras", setting=KERAS
)
def binary_cross_entropy_of_sigmoid(x, target, *, reduction="mean"):
    reduction = "sum_over_batch_size" if reduction == "mean" else reduction
    return keras.losses.BinaryCrossentropy(reduction=reduction)(target, tf.sigmoid(x))


@idiom("binary_cross_entropy_with_logits", "formula: max(x, 0) - x * t + log1p(exp(-|x|))")
def binary_cross_entropy_with_logits_textbook(x, target, *, reduction="mean"):
    loss = tf.maximum(x, 0) - x * target + tf.math.log1p(tf.exp(-tf.abs(x)))
    if reduction == "none":
        return loss
    return tf.reduce_mean(loss) if reduction == "mean" else tf.reduce_sum(loss)


@idiom("exp")
def exp(x):
    return tf.exp(x)


@idiom("log")
def log(x):
    return tf.math.log(x)
