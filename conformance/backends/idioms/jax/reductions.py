"""How JAX spells the reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.jax.registry import idiom

if TYPE_CHECKING:
    import jax.numpy as jnp


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return jnp.sum(x, axis=axis, keepdims=keepdims)


@idiom("sum", "Array.sum")
def sum_method(x, *, axis=None, keepdims=False):
    return x.sum(axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    return jnp.mean(x, axis=axis, keepdims=keepdims)


@idiom("mean", "Array.mean")
def mean_method(x, *, axis=None, keepdims=False):
    return x.mean(axis=axis, keepdims=keepdims)


@idiom("mean", "formula: sum(x) / size")
def mean_of_sum(x):
    return jnp.sum(x) / x.size
