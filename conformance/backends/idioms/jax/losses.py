"""How JAX spells the losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.jax.registry import idiom

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
    import optax


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


@idiom("binary_cross_entropy_with_logits", "formula: logaddexp(0, x) - x * t")
def binary_cross_entropy_of_logaddexp(x, target, *, reduction="mean"):
    loss = jnp.logaddexp(0, x) - x * target
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)
