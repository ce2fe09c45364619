"""TensorFlow."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from conformance.backends import kernels
from conformance.backends.base import GPU_FAST, Backend, foreign
from conformance.backends.idioms.tensorflow import idiom
from conformance.backends.kernels import Choice
from conformance.backends.scripts import ModeScript, pinned, renamed, source_of
from conformance.backends.scripts import tensorflow as pieces
from conformance.backends.spelling import Function, Unsupported
from conformance.ground.devices import kind_of, named, number_of
from conformance.ground.processors import cpuinfo

if TYPE_CHECKING:
    import tensorflow as tf


class TensorflowBackend(Backend):
    """TensorFlow, operation by operation, as a graph (``tf.function``), and compiled by XLA (``jit_compile=True``)."""

    name = "tensorflow"
    package = "tensorflow"
    distributions = ("tensorflow", "tensorflow-cpu", "keras")
    modes = ("eager", "graph", "xla")
    gpu_modes = (GPU_FAST,)
    idioms = idiom
    imports: ClassVar = {"tf": "tensorflow"}

    def __init__(self, device: str = "cpu") -> None:
        # Read when TensorFlow is first imported: its start-up messages are about its build, not about results.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if "keras" not in sys.modules:  # TensorFlow imports Keras, which runs on what this says
            os.environ["KERAS_BACKEND"] = "tensorflow"
        super().__init__(device)
        self._mode = ""
        self._float16: bool | None = None  # not tried yet

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        in_mode = {"graph": pieces.graph, "xla": pieces.xla}.get(mode, pieces.eager)
        place = pieces.ON_GPU.format(number=number_of(device)) if kind_of(device) == "gpu" else pieces.ON_CPU
        return ModeScript(
            pieces.OPENING + (pieces.PRECISE if mode != GPU_FAST else "") + place,
            pinned("tensorflow", "tensorflow-cpu", "keras", "numpy", "ml-dtypes"),
            source_of(pieces.native),
            source_of(pieces.numbers_of),
            renamed(in_mode, "in_mode"),
            source_of(pieces.dtype_named),
            source_of(pieces.gradients),
        )

    def devices(self) -> list[str]:
        # Not list_logical_devices: that starts TensorFlow, after which `start` can set no threads.
        return [
            named(kind.lower(), number)
            for kind in ("CPU", "GPU")
            for number in range(
                sum(
                    len(tf.config.get_logical_device_configuration(device) or [None])
                    for device in tf.config.list_physical_devices(kind)
                )
            )
        ]

    def start(self) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(self.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_tensor_float_32_execution(False)
        for card in tf.config.list_physical_devices("GPU"):
            # It would take all of a GPU's memory, also for work on the CPU, and leave other backends none. Where
            # TensorFlow has started already, or the card was divided, somebody has decided on that.
            with contextlib.suppress(RuntimeError, ValueError):
                tf.config.experimental.set_memory_growth(card, True)
        self._place = f"/{kind_of(self.device).upper()}:{number_of(self.device)}"

    def device_of(self, array: Any) -> str:
        if not isinstance(array, tf.Tensor):
            raise foreign(array, self)
        kind, _, number = array.device.rpartition("/device:")[2].partition(":")
        return named(kind.lower(), int(number))

    def scope(self, mode: str) -> Any:
        self._mode = mode
        return self._fast() if mode == GPU_FAST else tf.device(self._place)

    @contextlib.contextmanager
    def _fast(self) -> Iterator[None]:
        """TensorFlow's own default: float32 is multiplied in TF32 where the GPU can."""
        tf.config.experimental.enable_tensor_float_32_execution(True)
        try:
            with tf.device(self._place):
                yield
        finally:
            tf.config.experimental.enable_tensor_float_32_execution(False)

    def from_numpy(self, array: np.ndarray) -> Any:
        if array.dtype == np.float16 and self._mode == "xla" and not self._xla_computes_in_float16():
            raise Unsupported(f"XLA compiles nothing that computes in float16 for this processor ({kernels.of_xla()})")
        return tf.constant(array)

    def _xla_computes_in_float16(self) -> bool:
        """Whether it does. On processors that have no instructions to convert float16, 2.21 calls what is not there."""
        if self._float16 is None:
            doubled = tf.function(lambda x: x + x, jit_compile=True, autograph=False)
            try:
                self._float16 = bool((doubled(tf.ones((2,), tf.float16)).numpy() == 2).all())
            except tf.errors.InternalError:
                self._float16 = False
        return self._float16

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array.numpy())

    def dtype(self, name: str) -> Any:
        return tf.dtypes.as_dtype(name)

    def compile(self, function: Function, mode: str) -> Function:
        if mode in ("eager", GPU_FAST):
            return function
        return tf.function(function, jit_compile=mode == "xla", autograph=False)

    def gradient(self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any) -> list[Any]:
        watched = [inputs[index] for index in wrt]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            output = function(*inputs)
        return list(tape.gradient(output, watched, cotangent, unconnected_gradients="zero"))

    def synchronise(self, result: Any) -> None:
        if kind_of(self.device) == "gpu":
            tf.test.experimental.sync_devices()

    def waiter(self) -> Callable[[Any], Any] | None:
        return self.synchronise if kind_of(self.device) == "gpu" else None  # on the CPU a call returns when it is done

    def copier(self, array: Any) -> Callable[[], Any] | None:
        return None if kind_of(self.device) == "cpu" else lambda: tf.raw_ops.DeepCopy(x=array)

    def kernels(self) -> str:
        """oneDNN and the instruction set it computes with, or 'no oneDNN' and who made the processor; then XLA's.

        Without it, TensorFlow takes the processor's approximate reciprocals, which differ from maker to maker.

        TensorFlow turns it on by itself where the processor has instructions for neural networks (AVX512_VNNI or later
        ones), and TF_ENABLE_ONEDNN_OPTS turns it on or off; it tells which holds in a module of its own only. Nothing
        in Python tells what oneDNN found: that is what the processor has, up to the set that ONEDNN_MAX_CPU_ISA names.
        """
        try:
            from tensorflow.python.util._pywrap_util_port import IsMklEnabled  # noqa: PLC0415 - a part of TensorFlow
        except ImportError:
            return ""
        if IsMklEnabled():
            own = [f"oneDNN {_instruction_set(os.environ.get('ONEDNN_MAX_CPU_ISA', ''))}"]
        else:
            own = ["no oneDNN", _vendor()]
        return ", ".join(filter(None, (*own, kernels.of_xla())))

    @classmethod
    def kernel_choices(cls) -> dict[str, Choice]:
        switch, on = "TF_ENABLE_ONEDNN_OPTS", bool(_flags() & _TURN_ONEDNN_ON)
        return {
            "onednn": Choice("oneDNN's kernels", {switch: "1"}, not on),
            "no-onednn": Choice("TensorFlow's own kernels, without oneDNN", {switch: "0"}, on),
        } | kernels.choices_of_xla()

    def settings(self) -> dict[str, str]:
        found = {"intra-op threads": str(tf.config.threading.get_intra_op_parallelism_threads())}
        if kind_of(self.device) == "gpu":
            card = tf.config.list_physical_devices("GPU")[number_of(self.device)]
            found["gpu"] = str(tf.config.experimental.get_device_details(card).get("device_name", "unknown"))
            on = tf.config.experimental.tensor_float_32_execution_enabled()
            found["TF32"] = f"{'on' if on else 'off'}; in {GPU_FAST}: on"
        return found

    def state(self) -> Mapping[str, Any]:
        keras = sys.modules.get("keras")
        return {
            "TF32": tf.config.experimental.tensor_float_32_execution_enabled(),
            "the default dtype of Keras": keras.backend.floatx() if keras else "float32",
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        tf.config.experimental.enable_tensor_float_32_execution(state["TF32"])
        if "keras" in sys.modules:
            sys.modules["keras"].backend.set_floatx(state["the default dtype of Keras"])


_INSTRUCTION_SETS = {
    "SSE41": ("SSE41",),
    "AVX": ("AVX",),
    "AVX2": ("AVX2",),
    "AVX2_VNNI_2": ("AVX_NE_CONVERT",),  # with which oneDNN computes bfloat16 as well
    "AVX512": ("AVX512_SKX", "X86_V4"),
}
"""Sets of vector instructions that oneDNN has code for, from the least, and how NumPy or Linux call them."""


def _instruction_set(limit: str) -> str:
    """The widest vector instructions that oneDNN may use.

    Args:
        limit: what ONEDNN_MAX_CPU_ISA says, such as AVX2 or AVX512_CORE_VNNI; empty for no limit.
    """
    limit = limit.upper() if limit.upper() in _INSTRUCTION_SETS else limit.upper().partition("_")[0]
    more = {"AVX_NE_CONVERT"} if "avx_ne_convert" in _flags() else ()  # which NumPy does not look for
    return kernels.widest(limit, _INSTRUCTION_SETS, more) or "of unknown instructions"


_TURN_ONEDNN_ON = frozenset({"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile"})
"""Instructions for neural networks, as Linux calls them: TensorFlow turns oneDNN on where a processor has any."""


def _flags() -> set[str]:
    """The processor's features, as Linux calls them."""
    return set(cpuinfo("flags").split())


def _vendor() -> str:
    """Who made the processor, as it says itself: 'AuthenticAMD', 'GenuineIntel'; empty where nothing tells."""
    return platform.processor().rpartition(", ")[2] if sys.platform == "win32" else cpuinfo("vendor_id")
