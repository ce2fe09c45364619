"""TensorFlow."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from conformance.backends.base import Backend, Function
from conformance.backends.idioms.tensorflow import idiom
from conformance.backends.scripts import ModeScript, pinned, renamed, source_of
from conformance.backends.scripts import tensorflow as pieces

if TYPE_CHECKING:
    import tensorflow as tf


class TensorflowBackend(Backend):
    """TensorFlow, operation by operation, as a graph (``tf.function``), and compiled by XLA (``jit_compile=True``)."""

    name = "tensorflow"
    package = "tensorflow"
    distributions = ("tensorflow", "tensorflow-cpu", "keras")
    modes = ("eager", "graph", "xla")
    idioms = idiom
    imports: ClassVar = {"tf": "tensorflow"}

    def __init__(self, device: str = "cpu") -> None:
        # Read when TensorFlow is first imported: its start-up messages are about its build, not about results.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if "keras" not in sys.modules:  # TensorFlow imports Keras, which runs on what this says
            os.environ["KERAS_BACKEND"] = "tensorflow"
        super().__init__(device)

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        in_mode = {"eager": pieces.eager, "xla": pieces.xla}.get(mode, pieces.graph)
        return ModeScript(
            pieces.OPENING + (pieces.OPENING_ON_CPU if device == "cpu" else ""),
            pinned("tensorflow", "tensorflow-cpu", "keras", "numpy", "ml-dtypes"),
            source_of(pieces.native),
            source_of(pieces.numbers_of),
            renamed(in_mode, "in_mode"),
            source_of(pieces.dtype_named),
            source_of(pieces.gradients),
        )

    def devices(self) -> list[str]:
        return ["cpu", "gpu"] if tf.config.list_physical_devices("GPU") else ["cpu"]

    def start(self) -> None:
        # Sums are split among threads, so results would depend on the machine's cores.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_tensor_float_32_execution(False)

    def scope(self, mode: str) -> Any:
        return tf.device("/GPU:0" if self.device == "gpu" else "/CPU:0")

    def from_numpy(self, array: np.ndarray) -> Any:
        return tf.constant(array)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array.numpy())

    def dtype(self, name: str) -> Any:
        return tf.dtypes.as_dtype(name)

    def compile(self, function: Function, mode: str) -> Function:
        if mode == "eager":
            return function
        return tf.function(function, jit_compile=mode == "xla", autograph=False)

    def gradient(self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any) -> list[Any]:
        watched = [inputs[index] for index in wrt]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            output = function(*inputs)
        return list(tape.gradient(output, watched, cotangent, unconnected_gradients="zero"))

    def settings(self) -> dict[str, str]:
        return {
            "intra-op threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
            "oneDNN": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        }
