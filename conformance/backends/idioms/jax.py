"""How JAX spells the operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
    import optax

idiom = Idioms(operators.idiom)


@idiom("asarray")
def asarray(data, *, dtype=None):
    return jnp.array(data, dtype=dtype)


@idiom("asarray", "jax.numpy.asarray")
def asarray_asarray(data, *, dtype=None):
    return jnp.asarray(data, dtype=dtype)


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


@idiom("softmax", "formula: exp(x) / sum(exp(x))")
def softmax_unshifted(x, *, axis=-1):
    e = jnp.exp(x)
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


@idiom("log_softmax", "formula: log(softmax(x))")
def log_softmax_of_softmax(x, *, axis=-1):
    return jnp.log(jax.nn.softmax(x, axis=axis))


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


@idiom("sigmoid", "formula: 1 / (1 + exp(-x))")
def sigmoid_textbook(x):
    return 1 / (1 + jnp.exp(-x))


@idiom("sigmoid", "formula: exp(log_sigmoid(x))")
def sigmoid_of_log_sigmoid(x):
    return jnp.exp(jax.nn.log_sigmoid(x))


@idiom("sigmoid", "formula: (tanh(x / 2) + 1) / 2")
def sigmoid_of_tanh(x):
    return 0.5 * (jnp.tanh(0.5 * x) + 1)


@idiom("log_sigmoid")
def log_sigmoid(x):
    return jax.nn.log_sigmoid(x)


@idiom("log_sigmoid", "formula: -softplus(-x)")
def log_sigmoid_of_softplus(x):
    return -jax.nn.softplus(-x)


@idiom("log_sigmoid", "formula: log(sigmoid(x))")
def log_sigmoid_of_sigmoid(x):
    return jnp.log(jax.nn.sigmoid(x))


@idiom("log_sigmoid", "formula: -logaddexp(0, -x)")
def log_sigmoid_of_logaddexp(x):
    return -jnp.logaddexp(0, -x)


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


@idiom("binary_cross_entropy", "formula: -(t * log(p) + (1 - t) * log(1 - p))")
def binary_cross_entropy_textbook(p, target, *, reduction="mean"):
    loss = -(target * jnp.log(p) + (1 - target) * jnp.log(1 - p))
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy", "formula: -(xlogy(t, p) + xlog1py(1 - t, -p))")
def binary_cross_entropy_of_xlogy(p, target, *, reduction="mean"):
    loss = -(jax.scipy.special.xlogy(target, p) + jax.scipy.special.xlog1py(1 - target, -p))
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy", "formula: -(t * log(p) + (1 - t) * log(1 - p)), p clipped at 1e-7")
def binary_cross_entropy_clipped(p, target, *, reduction="mean"):
    p = jnp.clip(p, 1e-7, 1 - 1e-7)
    loss = -(target * jnp.log(p) + (1 - target) * jnp.log(1 - p))
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


@idiom("binary_cross_entropy_with_logits", "optax.sigmoid_binary_cross_entropy", needs="optax")
def sigmoid_binary_cross_entropy(x, target, *, reduction="mean"):
    loss = optax.sigmoid_binary_cross_entropy(x, target)
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy_with_logits", "formula: max(x, 0) - x * t + log1p(exp(-|x|))")
def binary_cross_entropy_with_logits_textbook(x, target, *, reduction="mean"):
    loss = jnp.maximum(x, 0) - x * target + jnp.log1p(jnp.exp(-jnp.abs(x)))
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy_with_logits", "formula: -(t * log_sigmoid(x) + (1 - t) * log_sigmoid(-x))")
def binary_cross_entropy_of_log_sigmoid(x, target, *, reduction="mean"):
    loss = -(target * jax.nn.log_sigmoid(x) + (1 - target) * jax.nn.log_sigmoid(-x))
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy_with_logits", "formula: logaddexp(0, x) - x * t")
def binary_cross_entropy_of_logaddexp(x, target, *, reduction="mean"):
    loss = jnp.logaddexp(0, x) - x * target
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("binary_cross_entropy_with_logits", "formula: -(t * log(p) + (1 - t) * log(1 - p)), p = sigmoid(x)")
def binary_cross_entropy_of_sigmoid(x, target, *, reduction="mean"):
    p = jax.nn.sigmoid(x)
    loss = -(target * jnp.log(p) + (1 - target) * jnp.log(1 - p))
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


@idiom("exp")
def exp(x):
    return jnp.exp(x)


@idiom("log")
def log(x):
    return jnp.log(x)
