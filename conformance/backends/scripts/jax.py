"""JAX's share of scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp

OPENING = """\
import jax
import jax.numpy as jnp
import numpy as np
"""

WIDE = """
jax.config.update("jax_enable_x64", True)
"""

NARROW = """
jax.config.update("jax_enable_x64", False)
"""

ON_CPU = """\
jax.config.update("jax_platforms", "cpu")
"""

ON_GPU = """\
jax.config.update("jax_default_device", jax.devices("gpu")[{number}])
"""

PRECISE_ON_GPU = """\
jax.config.update("jax_default_matmul_precision", "highest")
"""


def native(array):
    return jnp.asarray(array)


def numbers_of(result):
    return np.asarray(result)


def eager(function):
    return function


def jitted(function):
    return jax.jit(function)


def dtype_named(name):
    return jnp.dtype(name)


def gradients(function, inputs, wrt, cotangent):
    def of_some(*some):
        arrays = list(inputs)
        for i, x in zip(wrt, some, strict=True):
            arrays[i] = x
        return function(*arrays)

    _, pull_back = jax.vjp(of_some, *(inputs[i] for i in wrt))
    return pull_back(cotangent)
