"""JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from conformance.backends.base import Backend, Function
from conformance.backends.idioms.jax import idiom
from conformance.backends.scripts import ModeScript, pinned, renamed, source_of
from conformance.backends.scripts import jax as pieces

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp


class JaxBackend(Backend):
    """JAX, operation by operation and under ``jax.jit``, with 64-bit types on; ``jit-x32`` is its default precision."""

    name = "jax"
    package = "jax"
    distributions = ("jax", "jaxlib", "optax", "numpy")
    modes = ("eager", "jit", "jit-x32")
    idioms = idiom
    imports: ClassVar = {"jax": "jax", "jnp": "jax.numpy"}

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        settings = (pieces.WIDE if mode != "jit-x32" else "") + (pieces.ON_CPU if device == "cpu" else "")
        return ModeScript(
            pieces.OPENING + (f"\n{settings}" if settings else ""),
            pinned("jax", "jaxlib", "numpy", "ml-dtypes"),
            source_of(pieces.native),
            source_of(pieces.numbers_of),
            renamed(pieces.eager if mode == "eager" else pieces.jitted, "in_mode"),
            source_of(pieces.dtype_named),
            source_of(pieces.gradients),
        )

    def devices(self) -> list[str]:
        kinds = {device.platform for device in jax.local_devices(backend="cpu")}
        with contextlib.suppress(RuntimeError):
            kinds |= {device.platform for device in jax.local_devices(backend="gpu")}
        return sorted("cpu" if kind == "cpu" else "gpu" for kind in kinds)

    def start(self) -> None:
        self._place = jax.local_devices(backend=self.device)[0]

    @contextlib.contextmanager
    def scope(self, mode: str) -> Any:
        with jax.enable_x64(mode != "jit-x32"), jax.default_device(self._place):
            yield

    def from_numpy(self, array: np.ndarray) -> Any:
        return jnp.asarray(array)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def dtype(self, name: str) -> Any:
        return jnp.dtype(name)

    def compile(self, function: Function, mode: str) -> Function:
        return function if mode == "eager" else jax.jit(function)

    def gradient(self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any) -> list[Any]:
        def of_some(*some: Any) -> Any:
            arrays = list(inputs)
            for index, array in zip(wrt, some, strict=True):
                arrays[index] = array
            return function(*arrays)

        _, pull_back = jax.vjp(of_some, *(inputs[index] for index in wrt))
        return list(pull_back(cotangent))

    def release(self) -> None:
        jax.clear_caches()

    def synchronise(self, result: Any) -> None:
        jax.block_until_ready(result)

    def settings(self) -> dict[str, str]:
        return {"default matmul precision": str(jax.config.jax_default_matmul_precision)}
