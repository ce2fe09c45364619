"""JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from conformance.backends import operators
from conformance.backends.base import Backend, Function, Idioms

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp

idiom = Idioms(operators.idiom)


class JaxBackend(Backend):
    """JAX, operation by operation and under ``jax.jit``, with 64-bit types on; ``jit-x32`` is its default precision."""

    name = "jax"
    package = "jax"
    distributions = ("jax", "jaxlib", "numpy")
    modes = ("eager", "jit", "jit-x32")
    idioms = idiom
    imports: ClassVar = {"jax": "jax", "jnp": "jax.numpy"}

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

    def synchronise(self, result: Any) -> None:
        jax.block_until_ready(result)

    def settings(self) -> dict[str, str]:
        return {"default matmul precision": str(jax.config.jax_default_matmul_precision)}


@idiom("asarray")
def asarray(data, *, dtype=None):
    return jnp.array(data, dtype=dtype)


@idiom("softmax")
def softmax(x, *, axis):
    return jax.nn.softmax(x, axis=axis)


@idiom("log_softmax")
def log_softmax(x, *, axis):
    return jax.nn.log_softmax(x, axis=axis)


@idiom("sigmoid")
def sigmoid(x):
    return jax.nn.sigmoid(x)


@idiom("log_sigmoid")
def log_sigmoid(x):
    return jax.nn.log_sigmoid(x)


@idiom("stack")
def stack(arrays, *, axis=0):
    return jnp.stack(arrays, axis=axis)


@idiom("reshape")
def reshape(x, shape):
    return jnp.reshape(x, shape)


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return jnp.sum(x, axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    return jnp.mean(x, axis=axis, keepdims=keepdims)


@idiom("binary_cross_entropy")
def binary_cross_entropy(p, target, *, weight=None, reduction="mean"):
    log_p = jnp.maximum(jnp.log(p), -100)
    log_not_p = jnp.maximum(jnp.log1p(-p), -100)
    loss = -(target * log_p + (1 - target) * log_not_p)
    if weight is not None:
        loss = weight * loss
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    positive = jax.nn.softplus(-x)  # -log(sigmoid(x))
    negative = jax.nn.softplus(x)  # -log(1 - sigmoid(x))
    if pos_weight is not None:
        positive = pos_weight * positive
    loss = target * positive + (1 - target) * negative
    if weight is not None:
        loss = weight * loss
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("exp")
def exp(x):
    return jnp.exp(x)


@idiom("log")
def log(x):
    return jnp.log(x)
