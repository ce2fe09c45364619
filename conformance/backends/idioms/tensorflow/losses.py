"""How TensorFlow spells the losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.tensorflow.registry import KERAS, idiom

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


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
