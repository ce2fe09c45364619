"""JAX."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from conformance.backends import kernels
from conformance.backends.base import GPU_FAST, Backend, foreign
from conformance.backends.idioms.jax import idiom
from conformance.backends.kernels import Choice
from conformance.backends.scripts import ModeScript, pinned, renamed, source_of
from conformance.backends.scripts import jax as pieces
from conformance.backends.spelling import Function, Unsupported
from conformance.ground.devices import kind_of, named, number_of

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp


class JaxBackend(Backend):
    """JAX, operation by operation and under ``jax.jit``, with 64-bit types on; ``jit-x32`` is its default precision."""

    name = "jax"
    package = "jax"
    distributions = ("jax", "jaxlib", "optax", "numpy")
    modes = ("eager", "jit", "jit-x32")
    gpu_modes = (GPU_FAST,)
    idioms = idiom
    imports: ClassVar = {"jax": "jax", "jnp": "jax.numpy"}

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        settings = pieces.NARROW if mode == "jit-x32" else pieces.WIDE
        if kind_of(device) == "gpu":
            settings += pieces.ON_GPU.format(number=number_of(device))
            settings += pieces.PRECISE_ON_GPU if mode != GPU_FAST else ""
        else:
            settings += pieces.ON_CPU
        return ModeScript(
            pieces.OPENING + settings,
            pinned("jax", "jaxlib", "numpy", "ml-dtypes"),
            source_of(pieces.native),
            source_of(pieces.numbers_of),
            renamed(pieces.jitted if mode in ("jit", "jit-x32") else pieces.eager, "in_mode"),
            source_of(pieces.dtype_named),
            source_of(pieces.gradients),
        )

    def __init__(self, device: str = "cpu") -> None:
        # Read when JAX first looks for devices: it would take three quarters of a GPU's memory, also for work on the
        # CPU, and leave the other backends of a run too little.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        super().__init__(device)
        self._float16: bool | None = None  # not tried yet

    def devices(self) -> list[str]:
        return list(self._names().values())

    def start(self) -> None:
        self._place = jax.local_devices(backend=kind_of(self.device))[number_of(self.device)]
        self._name_of = self._names()

    def _names(self) -> dict[Any, str]:
        """The names of the devices of this process."""
        found = {device: named("cpu", i) for i, device in enumerate(jax.local_devices(backend="cpu"))}
        with contextlib.suppress(RuntimeError):  # that there is no such kind is an error to JAX
            found |= {device: named("gpu", i) for i, device in enumerate(jax.local_devices(backend="gpu"))}
        return found

    def device_of(self, array: Any) -> str:
        if not isinstance(array, jax.Array):
            raise foreign(array, self)
        return ", ".join(sorted(self._name_of[device] for device in array.devices()))

    def limit_threads(self, count: int) -> str:
        # XLA starts a thread for each core that the process may use when it makes its client, and has no other setting
        # that all of its parts heed.
        self.threads = count
        if sys.platform != "linux":
            return "XLA computes with as many threads as there are cores; only Linux lets a process leave some out"
        cores = sorted(os.sched_getaffinity(0))
        if count > len(cores):
            return f"there are {len(cores)} cores, and XLA computes with a thread for each"
        os.sched_setaffinity(0, cores[-count:])
        return ""

    def kernels(self) -> str:
        """What XLA compiles for, on a CPU."""
        return kernels.of_xla() if kind_of(self.device) == "cpu" else ""

    @classmethod
    def kernel_choices(cls) -> dict[str, Choice]:
        return kernels.choices_of_xla()

    @contextlib.contextmanager
    def scope(self, mode: str) -> Any:
        with contextlib.ExitStack() as stack:
            stack.enter_context(jax.enable_x64(mode != "jit-x32"))
            stack.enter_context(jax.default_device(self._place))
            if kind_of(self.device) == "gpu" and mode != GPU_FAST:  # by default float32 is multiplied in TF32 there
                stack.enter_context(jax.default_matmul_precision("highest"))
            yield

    def from_numpy(self, array: np.ndarray) -> Any:
        if array.dtype == np.float16 and not self._computes_in_float16():
            raise Unsupported(f"XLA compiles nothing that computes in float16 for this processor ({self.kernels()})")
        return jnp.asarray(array)

    def _computes_in_float16(self) -> bool:
        """Whether it does. On processors that have no instructions to convert float16, 0.10 calls what is not there."""
        if self._float16 is None:
            try:
                one = jnp.ones((2,), jnp.float16)
                self._float16 = bool((one + one == 2).all())
            except jax.errors.JaxRuntimeError:
                self._float16 = False
        return self._float16

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def dtype(self, name: str) -> Any:
        return jnp.dtype(name)

    def compile(self, function: Function, mode: str) -> Function:
        return function if mode in ("eager", GPU_FAST) else jax.jit(function)

    def gradient(self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any) -> list[Any]:
        return self.recorded(lambda *arrays: (function(*arrays),), inputs, wrt, cotangent)[1]

    def recorded(
        self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any
    ) -> tuple[Sequence[Any], list[Any]]:
        def of_some(*some: Any) -> Any:
            arrays = list(inputs)
            for index, array in zip(wrt, some, strict=True):
                arrays[index] = array
            results = function(*arrays)
            return results[-1], results

        _, pull_back, results = jax.vjp(of_some, *(inputs[index] for index in wrt), has_aux=True)
        return results, list(pull_back(cotangent))

    def release(self) -> None:
        jax.clear_caches()

    def synchronise(self, result: Any) -> None:
        jax.block_until_ready(result)

    def waiter(self) -> Callable[[Any], Any] | None:
        return jax.block_until_ready

    def copier(self, array: Any) -> Callable[[], Any] | None:
        return None if kind_of(self.device) == "cpu" else lambda: jnp.array(array, copy=True)

    def settings(self) -> dict[str, str]:
        precision = str(jax.config.jax_default_matmul_precision)
        if kind_of(self.device) != "gpu":
            return {"default matmul precision": precision}
        return {
            "gpu": self._place.device_kind,
            "default matmul precision": f"highest; in {GPU_FAST}: {precision}",
        }

    def state(self) -> Mapping[str, Any]:
        return {
            "64-bit types": jax.config.jax_enable_x64,
            "default matmul precision": jax.config.jax_default_matmul_precision,
            "NaN debugging": jax.config.jax_debug_nans,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        jax.config.update("jax_enable_x64", state["64-bit types"])
        jax.config.update("jax_default_matmul_precision", state["default matmul precision"])
        jax.config.update("jax_debug_nans", state["NaN debugging"])
