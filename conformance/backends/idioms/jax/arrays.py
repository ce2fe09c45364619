"""How JAX spells the making and shaping of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.jax.registry import idiom

if TYPE_CHECKING:
    import jax.numpy as jnp


@idiom("asarray")
def asarray(data, *, dtype=None):
    return jnp.array(data, dtype=dtype)


@idiom("asarray", "jax.numpy.asarray")
def asarray_asarray(data, *, dtype=None):
    return jnp.asarray(data, dtype=dtype)


@idiom("stack")
def stack(arrays, *, axis=0):
    return jnp.stack(arrays, axis=axis)


@idiom("stack", "jax.numpy.concatenate of expanded arrays")
def stack_concatenate(arrays, *, axis=0):
    return jnp.concatenate([jnp.expand_dims(a, axis) for a in arrays], axis=axis)


@idiom("reshape")
def reshape(x, shape):
    return jnp.reshape(x, shape)


@idiom("reshape", "Array.reshape")
def reshape_method(x, shape):
    return x.reshape(shape)


@idiom("reshape", "jax.numpy.ravel", cases="*/flattening-the-stack-*")
def reshape_ravel(x, shape):
    return jnp.ravel(x)  # to the shape [-1]
