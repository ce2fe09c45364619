"""TensorFlow's share of scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

OPENING = """\
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # what it says of its own build
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)  # sums are split among threads
tf.config.threading.set_inter_op_parallelism_threads(1)
"""

PRECISE = """\
tf.config.experimental.enable_tensor_float_32_execution(False)
"""

ON_CPU = """\
tf.config.set_visible_devices([], "GPU")
"""

ON_GPU = """\
tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[{number}], "GPU")
"""


def native(array):
    return tf.constant(array)


def numbers_of(result):
    return np.asarray(result.numpy())


def eager(function):
    return function


def graph(function):
    return tf.function(function, autograph=False)


def xla(function):
    return tf.function(function, jit_compile=True, autograph=False)


def dtype_named(name):
    return tf.dtypes.as_dtype(name)


def gradients(function, inputs, wrt, cotangent):
    watched = [inputs[i] for i in wrt]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        output = function(*inputs)
    return tape.gradient(output, watched, cotangent, unconnected_gradients="zero")
