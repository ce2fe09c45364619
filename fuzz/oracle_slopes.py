"""Gradients of single operations, from formulas written by hand: each is an array of fractions.

They are worked out with so many bits that what cancels, in any dtype, leaves enough of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import oracle
from mpmath import mpf

BITS = 4800
"""More than twice the distance, in bits, between the largest and the smallest number of float64."""


def gradient(name: str, arguments: dict[str, Any], wrt: str, cotangent: np.ndarray) -> np.ndarray:
    """The gradient of ``sum(cotangent * result)`` with respect to an argument.

    Raises:
        NoAnswerError: there is a kink, or a number that is not finite.
    """
    arrays = {k: v for k, v in arguments.items() if isinstance(v, (np.ndarray, int, float)) and k in _ARRAYS}
    with mpmath.workprec(BITS):
        given = {key: oracle._map(_finite, value) for key, value in arrays.items()}
        weights = oracle._map(_finite, cotangent)
        slopes = _FORMULAS[name](given, arguments, wrt, weights)
        shape = given[wrt].shape
        return oracle._map(_exact, _gathered(slopes, shape), raw=lambda v: v)


def of_list(indices: tuple[int, ...], index: int, cotangent: np.ndarray, axis: int) -> np.ndarray:
    """The gradient with respect to an array of a list that is stacked: the weights where it stands."""
    with mpmath.workprec(BITS):
        weights = oracle._map(_finite, cotangent)
        places = [weights.take(place, axis) for place, number in enumerate(indices) if number == index]
        return oracle._map(_exact, np.asarray(sum(places), dtype=object), raw=lambda v: v)


_ARRAYS = ("x", "a", "b", "p", "target", "weight", "pos_weight")


def _finite(value: Any) -> mpf:
    if not oracle.finite(value):
        raise oracle.NoAnswerError("NaN or an infinity")
    return oracle._mp(value)


def _exact(value: mpf) -> Any:
    return oracle._fraction(mpf(value))


def _gathered(slopes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The terms of each element of an input that was broadcast, added up."""
    slopes = np.asarray(slopes, dtype=object)  # NumPy unpacks arrays of rank 0
    while slopes.ndim > len(shape):
        slopes = np.asarray(slopes.sum(axis=0, initial=mpf(0)), dtype=object)
    for axis, length in enumerate(shape):
        if length == 1 and slopes.shape[axis] != 1:
            slopes = slopes.sum(axis=axis, keepdims=True, initial=mpf(0))
    return slopes


def _each(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    return oracle._map(function, *arrays, raw=lambda v: v)


def _unary(slope: Callable[[mpf], mpf]) -> Callable[..., np.ndarray]:
    return lambda given, arguments, wrt, c: _each(lambda w, x: w * slope(x), c, given["x"])


def _sigmoid(x: mpf) -> mpf:
    return 1 / (1 + mpmath.exp(-x)) if x > 0 else mpmath.exp(x) / (1 + mpmath.exp(x))


def _log_slope(x: mpf) -> mpf:
    if x <= 0:
        raise oracle.NoAnswerError("no logarithm")
    return 1 / x


def _divided(given: dict[str, np.ndarray], arguments: dict[str, Any], wrt: str, c: np.ndarray) -> np.ndarray:
    if any(b == 0 for b in given["b"].ravel()):
        raise oracle.NoAnswerError("a quotient by 0")
    if wrt == "a":
        return _each(lambda w, a, b: w / b, c, given["a"], given["b"])
    return _each(lambda w, a, b: -w * a / b / b, c, given["a"], given["b"])


def _times(given: dict[str, np.ndarray], arguments: dict[str, Any], wrt: str, c: np.ndarray) -> np.ndarray:
    return c * given["b" if wrt == "a" else "a"]


def _softmax(given: dict[str, np.ndarray], arguments: dict[str, Any], wrt: str, c: np.ndarray) -> np.ndarray:
    x, axis = given["x"], arguments["axis"]
    if not x.size:
        return x
    axis = (0 if x.ndim in (0, 1, 3) else 1) if axis is None else axis
    shape = x.shape
    x, c = x.reshape(shape or (1,)), c.reshape(shape or (1,))
    e = _each(mpmath.exp, x - x.max(axis=axis, keepdims=True))
    s = e / e.sum(axis=axis, keepdims=True)
    if arguments["logarithm"]:
        return (c - s * c.sum(axis=axis, keepdims=True)).reshape(shape)
    return (s * (c - (s * c).sum(axis=axis, keepdims=True))).reshape(shape)


def _reduced(given: dict[str, np.ndarray], arguments: dict[str, Any], wrt: str, c: np.ndarray) -> np.ndarray:
    x, axis = given["x"], arguments["axis"]
    if not x.size:
        return x
    axes = oracle.reduced_axes(x.ndim, axis)
    spread = np.broadcast_to(c.reshape([1 if k in axes else n for k, n in enumerate(x.shape)]), x.shape)
    each = math.prod(x.shape[k] for k in axes)
    return spread / each if arguments["mean"] else spread + mpf(0)


def _loss(given: dict[str, np.ndarray], arguments: dict[str, Any], wrt: str, c: np.ndarray) -> np.ndarray:
    logits = "x" in given
    first, t = given["x" if logits else "p"], given["target"]
    one = np.array(mpf(1), dtype=object)
    w, pos = given.get("weight", one), given.get("pos_weight", one)
    if arguments["reduction"] == "mean":
        c = c / max(first.size, 1)
    if logits:
        slope, loss = _logit_slope, _logit_loss
    else:
        slope, loss = _probability_slope, _probability_loss
    if wrt in "xp":
        return _each(lambda *v: v[0] * v[3] * slope(v[1], v[2], v[4]), *np.broadcast_arrays(c, first, t, w, pos))
    if wrt == "pos_weight":
        return _each(lambda k, x, y, f: k * f * y * oracle.softplus(-x), *np.broadcast_arrays(c, first, t, w))
    return _each(lambda k, x, y, q: k * loss(x, y, q), *np.broadcast_arrays(c, first, t, pos))


def _logit_slope(x: mpf, t: mpf, pos: mpf) -> mpf:
    return (1 - t) * _sigmoid(x) - pos * t * _sigmoid(-x)


def _logit_loss(x: mpf, t: mpf, pos: mpf) -> mpf:
    return pos * t * oracle.softplus(-x) + (1 - t) * oracle.softplus(x)


def _probability_slope(p: mpf, t: mpf, _: mpf) -> mpf:
    if not mpmath.exp(-99) < p < 1:
        raise oracle.NoAnswerError("at a clamp")
    return (1 - t) / (1 - p) - t / p


def _probability_loss(p: mpf, t: mpf, _: mpf) -> mpf:
    if not 0 < p < 1:
        raise oracle.NoAnswerError("at a clamp")
    return -(t * max(mpmath.log(p), mpf(-100)) + (1 - t) * max(mpmath.log1p(-p), mpf(-100)))


_FORMULAS: dict[str, Callable[..., np.ndarray]] = {
    "exp": _unary(mpmath.exp),
    "log": _unary(_log_slope),
    "sigmoid": _unary(lambda x: _sigmoid(x) * _sigmoid(-x)),
    "log_sigmoid": _unary(lambda x: _sigmoid(-x)),
    "negative": _unary(lambda x: mpf(-1)),
    "add": lambda given, arguments, wrt, c: c,
    "subtract": lambda given, arguments, wrt, c: c if wrt == "a" else -c,
    "multiply": _times,
    "divide": _divided,
    "softmax": lambda given, arguments, wrt, c: _softmax(given, arguments | {"logarithm": False}, wrt, c),
    "log_softmax": lambda given, arguments, wrt, c: _softmax(given, arguments | {"logarithm": True}, wrt, c),
    "sum": lambda given, arguments, wrt, c: _reduced(given, arguments | {"mean": False}, wrt, c),
    "mean": lambda given, arguments, wrt, c: _reduced(given, arguments | {"mean": True}, wrt, c),
    "binary_cross_entropy": _loss,
    "binary_cross_entropy_with_logits": _loss,
}
