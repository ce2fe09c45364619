"""array-api-strict, the array API standard and nothing beyond it, as a backend of framework-conformance.

Importing this module imports no framework: `imports` names it, and it is imported when the backend is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from conformance.backends import Backend, Idioms, Unsupported
from conformance.backends.base import foreign
from conformance.backends.idioms import operators

if TYPE_CHECKING:
    import array_api_strict as xp

idiom = Idioms(operators.idiom)  # -x, a + b, a - b, a * b and a / b are spelled with Python's operators


class StrictBackend(Backend):
    """The array API standard, operation by operation, on the CPU."""

    name = "array-api-strict"
    package = "array_api_strict"
    distributions = ("array-api-strict", "numpy")
    idioms = idiom
    imports: ClassVar = {"xp": "array_api_strict"}

    def devices(self) -> list[str]:
        return ["cpu"]

    def device_of(self, array: Any) -> str:
        if not isinstance(array, xp.asarray(0).__class__):
            raise foreign(array, self)
        return "cpu" if array.device == xp.Device("CPU_DEVICE") else str(array.device)

    def from_numpy(self, array: np.ndarray) -> Any:
        self.dtype(array.dtype.name)
        return xp.asarray(array)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def dtype(self, name: str) -> Any:
        if not hasattr(xp, name):
            raise Unsupported(f"the array API standard has no {name}")
        return getattr(xp, name)

    def fill(self, array: Any, value: int) -> bool:
        array[...] = bool(value) if array.dtype == xp.bool else value
        return True


@idiom("asarray")
def asarray(data, *, dtype=None):
    return xp.asarray(data, dtype=dtype)


@idiom("exp")
def exp(x):
    return xp.exp(x)


@idiom("log")
def log(x):
    return xp.log(x)


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return xp.sum(x, axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    return xp.mean(x, axis=axis, keepdims=keepdims)


@idiom("reshape")
def reshape(x, shape):
    return xp.reshape(x, tuple(shape))


@idiom("stack")
def stack(arrays, *, axis=0):
    return xp.stack(arrays, axis=axis)


@idiom("sigmoid")
def sigmoid(x):
    return 1 / (1 + xp.exp(-x))


@idiom("softmax")
def softmax(x, *, axis=None):
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


@idiom("log_softmax")
def log_softmax(x, *, axis=None):
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))
