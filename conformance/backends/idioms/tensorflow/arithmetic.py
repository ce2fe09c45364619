"""How TensorFlow spells the arithmetic that Python has no operator for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.tensorflow.registry import idiom

if TYPE_CHECKING:
    import tensorflow as tf


@idiom("exp")
def exp(x):
    return tf.exp(x)


@idiom("log")
def log(x):
    return tf.math.log(x)
