"""How JAX spells the arithmetic that Python has no operator for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.jax.registry import idiom

if TYPE_CHECKING:
    import jax.numpy as jnp


@idiom("exp")
def exp(x):
    return jnp.exp(x)


@idiom("log")
def log(x):
    return jnp.log(x)
