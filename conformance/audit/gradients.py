"""Gradients that are wrong, of results that are right. Over frameworks that have gradients, in their plain modes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from conformance.audit.defect import WITH_GRADIENTS, Defects, Right, Wrong

defects = Defects()

Change = Callable[[Any, Any], Any]
"""A gradient on its way back: a function of it and of the value it belongs to."""


def passed_back(right: Right, x: Any, change: Change) -> Any:
    """`x` as it is, with its gradient changed."""
    if right.backend == "torch":
        if not x.requires_grad:
            return x
        same = x.view_as(x)
        value = x.detach()
        same.register_hook(lambda g: change(g, value))
        return same
    jax = importlib.import_module("jax")
    identity = jax.custom_vjp(lambda value: value)
    identity.defvjp(lambda value: (value, value), lambda value, g: (change(g, value),))
    return identity(x)


def constant(right: Right, x: Any) -> Any:
    """`x` without a gradient."""
    return x.detach() if right.backend == "torch" else importlib.import_module("jax").lax.stop_gradient(x)


def with_gradient_of(right: Right, value: Any, other: Any) -> Any:
    """`value`, with the gradient of `other`, which is finite wherever it is looked at."""
    return constant(right, value) + (other - constant(right, other))


def sigmoid(right: Right, x: Any) -> Any:
    """The formula, in any framework."""
    return 1 / (1 + right.namespace.exp(-x))


def _gradient(operation: str, words: str, backends: tuple[str, ...] = WITH_GRADIENTS) -> Callable[[Wrong], Wrong]:
    return defects.spelling(operation, words, "gradient", backends=backends, check="gradient")


def _changed(
    operation: str, words: str, argument: str, change: Change, backends: tuple[str, ...] = WITH_GRADIENTS
) -> None:
    """An operation with the gradient of one argument changed."""

    @_gradient(operation, f"gradient of {argument} {words}", backends)
    def _(right: Right, **arguments: Any) -> Any:
        if arguments.get(argument) is not None:
            arguments[argument] = passed_back(right, arguments[argument], change)
        return right(**arguments)


LOGITS, BCE = "binary_cross_entropy_with_logits", "binary_cross_entropy"

_changed("sigmoid", "is zero", "x", lambda g, x: g * 0)
_changed("sigmoid", "is negated", "x", lambda g, x: -g)
_changed("sigmoid", "is doubled", "x", lambda g, x: g + g)
_changed("sigmoid", "vanishes past 8 to either side", "x", lambda g, x: g * (abs(x) < 8))
_changed("softmax", "is negated", "x", lambda g, x: -g)
_changed("softmax", "is doubled", "x", lambda g, x: g + g)
_changed("log_softmax", "is zero", "x", lambda g, x: g * 0)
_changed("log_sigmoid", "vanishes below -8", "x", lambda g, x: g * (x > -8))
_changed("log_sigmoid", "is negated", "x", lambda g, x: -g)
_changed("sum", "is a quarter too large", "x", lambda g, x: g * 1.25)
_changed("sum", "is missing for elements below 0", "x", lambda g, x: g * (x > 0))
_changed("mean", "is negated", "x", lambda g, x: -g)
_changed("mean", "is that of a sum", "x", lambda g, x: g * (x.shape[0] if x.shape else 2))
_changed("exp", "is one, whatever x", "x", lambda g, x: g * 0 + 1)
_changed(LOGITS, "is doubled", "x", lambda g, x: g + g)
_changed(LOGITS, "vanishes past 16 to either side", "x", lambda g, x: g * (abs(x) < 16))
_changed(BCE, "is negated", "p", lambda g, x: -g)
# torch refuses the gradients of weights: it has nothing there that could be wrong.
_changed(LOGITS, "is zero", "weight", lambda g, x: g * 0, ("jax",))
_changed(LOGITS, "is zero", "pos_weight", lambda g, x: g * 0, ("jax",))
_changed(BCE, "is zero", "weight", lambda g, x: g * 0, ("jax",))
_changed("divide", "has the wrong sign", "b", lambda g, x: -g)
_changed("subtract", "has the wrong sign", "b", lambda g, x: -g)
_changed("multiply", "is zero", "b", lambda g, x: g * 0)


@_gradient("softmax", "gradient misses the term of the sum")
def _(right: Right, x: Any, **options: Any) -> Any:
    y = right(x, **options)
    return with_gradient_of(right, y, constant(right, y) * x)


@_gradient("log_softmax", "gradient misses the term of the sum")
def _(right: Right, x: Any, **options: Any) -> Any:
    return with_gradient_of(right, right(x, **options), x)


@_gradient("log_sigmoid", "gradient by way of 1 - sigmoid(x), which cancels")
def _(right: Right, x: Any) -> Any:
    slope = 1 - sigmoid(right, constant(right, x))
    return with_gradient_of(right, right(x), slope * x)


@_gradient("sigmoid", "gradient by way of 16 bits")
def _(right: Right, x: Any) -> Any:
    def rounded(g: Any, value: Any) -> Any:
        if right.backend == "torch":
            return g.half().to(g.dtype)
        return g.astype("float16").astype(g.dtype)

    return right(passed_back(right, x, rounded))


@_gradient(LOGITS, "gradient ignores pos_weight")
def _(right: Right, x: Any, target: Any, *, pos_weight: Any = None, **options: Any) -> Any:
    result = right(x, target, pos_weight=pos_weight, **options)
    return result if pos_weight is None else with_gradient_of(right, result, right(x, target, **options))


@_gradient(LOGITS, "gradient is that of a sigmoid and its clamped loss, none at saturation")
def _(right: Right, x: Any, target: Any, *, pos_weight: Any = None, **options: Any) -> Any:
    if pos_weight is not None:
        return right(x, target, pos_weight=pos_weight, **options)
    return right(passed_back(right, x, lambda g, value: g * (sigmoid(right, abs(value)) < 1)), target, **options)


@_gradient(BCE, "gradient of p is that of the positive term only")
def _(right: Right, p: Any, target: Any, **options: Any) -> Any:
    only_positive = right(p, constant(right, target) * 0 + 1, **options)
    return with_gradient_of(right, right(p, target, **options), only_positive)
