"""How JAX spells the activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.jax.registry import idiom

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp


@idiom("softmax")
def softmax(x, *, axis=-1):
    return jax.nn.softmax(x, axis=axis)


@idiom("softmax", "jax.scipy.special.softmax")
def softmax_scipy(x, *, axis=None):
    return jax.scipy.special.softmax(x, axis=axis)


@idiom("softmax", "formula: exp(x - max(x)) / sum(exp(x - max(x)))")
def softmax_shifted(x, *, axis=-1):
    e = jnp.exp(x - jnp.max(x, axis=axis, keepdims=True))
    return e / jnp.sum(e, axis=axis, keepdims=True)


@idiom("softmax", "formula: exp(x - logsumexp(x))")
def softmax_of_logsumexp(x, *, axis=-1):
    return jnp.exp(x - jax.nn.logsumexp(x, axis=axis, keepdims=True))


@idiom("log_softmax")
def log_softmax(x, *, axis=-1):
    return jax.nn.log_softmax(x, axis=axis)


@idiom("log_softmax", "jax.scipy.special.log_softmax")
def log_softmax_scipy(x, *, axis=None):
    return jax.scipy.special.log_softmax(x, axis=axis)


@idiom("log_softmax", "formula: x - logsumexp(x)")
def log_softmax_of_logsumexp(x, *, axis=-1):
    return x - jax.nn.logsumexp(x, axis=axis, keepdims=True)


@idiom("sigmoid")
def sigmoid(x):
    return jax.nn.sigmoid(x)


@idiom("sigmoid", "jax.lax.logistic")
def sigmoid_lax(x):
    return jax.lax.logistic(x)


@idiom("sigmoid", "jax.scipy.special.expit")
def sigmoid_expit(x):
    return jax.scipy.special.expit(x)


@idiom("sigmoid", "formula: (tanh(x / 2) + 1) / 2")
def sigmoid_of_tanh(x):
    return 0.5 * (jnp.tanh(0.5 * x) + 1)


@idiom("log_sigmoid")
def log_sigmoid(x):
    return jax.nn.log_sigmoid(x)


@idiom("log_sigmoid", "formula: -softplus(-x)")
def log_sigmoid_of_softplus(x):
    return -jax.nn.softplus(-x)


@idiom("log_sigmoid", "formula: -logaddexp(0, -x)")
def log_sigmoid_of_logaddexp(x):
    return -jnp.logaddexp(0, -x)
