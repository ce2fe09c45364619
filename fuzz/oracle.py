"""What operations must give, worked out anew with mpmath and fractions: nothing of the suite's own arithmetic is used.

Finite results are fractions that are right to 2**-80 of themselves at least. NaN and infinities are what the
documentation of the operations says of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

FORMATS = {"float16": (11, 15), "bfloat16": (8, 127), "float32": (24, 127), "float64": (53, 1023)}
"""Bits of the significand, and the largest exponent."""

Number = Fraction | float
"""A finite number as a fraction; NaN and infinities as floats."""

ENOUGH = 120
"""Bits that must be right of a result."""
MOST = 1 << 14


class NoAnswerError(Exception):
    """These arguments have no answer by what the operation's documentation says."""


def number(value: Any) -> Number:
    """An element of an array, as it is."""
    wide = int(value) if isinstance(value, (int, np.integer, np.bool_)) else float(value)
    return wide if isinstance(wide, float) and not math.isfinite(wide) else Fraction(wide)


def finite(*values: Number) -> bool:
    """Whether no value is NaN or infinite."""
    return all(isinstance(value, Fraction) for value in values)


def negative_zero(value: Any) -> bool:
    """Whether an element's sign bit is set."""
    return math.copysign(1.0, float(value)) < 0


def _mp(value: Number) -> mpf:
    if not isinstance(value, Fraction):
        return mpf(value)
    return mpf(value.numerator) / value.denominator


def _fraction(value: mpf) -> Number:
    if not mpmath.isfinite(value):
        return float(value)
    sign, mantissa, exponent, _ = value._mpf_
    whole = Fraction(int(mantissa)) * Fraction(2) ** int(exponent) if abs(exponent) < 1 << 20 else None
    if whole is None:  # far past every dtype on either side
        whole = Fraction(2) ** 40000 if exponent > 0 else Fraction(1, 2**40000)
    return -whole if sign else whole


def certain(formula: Callable[[], tuple[mpf, mpf]]) -> Number:
    """A result that cancels: of the formula's value and the size of its terms, at a precision that is enough."""
    precision = 2 * ENOUGH
    while True:
        with mpmath.workprec(precision):
            value, size = formula()
            if not mpmath.isfinite(value) or not size:
                return _fraction(value)
            lost = MOST if not value else int(mpmath.mag(size)) - int(mpmath.mag(value))
            if lost + ENOUGH < precision or precision >= MOST:
                return _fraction(value)
        precision = min(max(2 * precision, lost + 2 * ENOUGH), MOST)


def _one(formula: Callable[[mpf], mpf]) -> Callable[[Number], Number]:
    """A function of one number that does not cancel."""

    def of(x: Number) -> Number:
        with mpmath.workprec(2 * ENOUGH + 1100):
            exact = _mp(x)
        with mpmath.workprec(2 * ENOUGH):
            return _fraction(formula(exact))

    return of


def softplus(x: mpf) -> mpf:
    """log(1 + exp(x)), by its larger part and what is beside it."""
    if mpmath.isinf(x):
        return x if x > 0 else mpf(0)
    return max(x, mpf(0)) + mpmath.log1p(mpmath.exp(-abs(x)))


def _log(x: mpf) -> mpf:
    if x == 0:
        return mpf("-inf")
    return mpmath.log(x) if mpmath.isnan(x) or x > 0 else mpf("nan")


def _sigmoid(x: mpf) -> mpf:
    if x < 0:
        return mpmath.exp(x) / (1 + mpmath.exp(x))
    return 1 / (1 + mpmath.exp(-x))


UNARY: dict[str, Callable[[Number], Number]] = {
    "exp": _one(mpmath.exp),
    "log": _one(_log),
    "sigmoid": _one(_sigmoid),
    "log_sigmoid": _one(lambda x: -softplus(-x)),
    "negative": lambda x: -x,
}


def _plus(a: Number, b: Number) -> Number:
    return a + b if finite(a, b) else (float("nan") if a != a or b != b else _sum_of_specials([a, b]))


def _sum_of_specials(values: Sequence[Number]) -> float:
    return sum(float(value) for value in values if not finite(value))


def _times(a: Number, b: Number) -> Number:
    if finite(a, b):
        return a * b
    if a != a or b != b or not a or not b:
        return float("nan")
    return math.inf if (a > 0) == (b > 0) else -math.inf


def _divided(a: Number, b: Number, negative: bool) -> Number:
    """a / b; `negative` is the sign of b, which matters where it is 0."""
    if a != a or b != b or (not a and not b) or not (finite(a) or finite(b)):
        return float("nan")
    if not finite(b):
        return Fraction(0)
    if not finite(a) or not b:
        return math.inf if (a > 0) != negative else -math.inf
    return Fraction(a) / Fraction(b)


def total(values: Sequence[Number]) -> Number:
    """A sum."""
    return sum(values, Fraction(0)) if finite(*values) else _sum_of_specials(values)


def mean(values: Sequence[Number]) -> Number:
    """A mean; that of nothing is NaN."""
    if not values:
        return float("nan")
    whole = total(values)
    return whole / len(values) if isinstance(whole, Fraction) else whole


def softmax(values: Sequence[Number], logarithm: bool) -> list[Number]:
    """The (logarithm of the) softmax of a slice."""
    if any(v != v or v == math.inf for v in values) or all(not finite(v) for v in values):
        return [float("nan")] * len(values)
    top = max(values)
    apart = [value - top for value in values]
    found: list[Number] = []
    for i, mine in enumerate(apart):
        if not finite(mine):
            found.append(-math.inf if logarithm else Fraction(0))
            continue
        with mpmath.workprec(2400):
            exact = [_mp(one) for one in apart]
        with mpmath.workprec(2 * ENOUGH):
            if not logarithm:
                found.append(_fraction(mpmath.exp(exact[i]) / mpmath.fsum(mpmath.exp(one) for one in exact)))
                continue
            first = apart.index(Fraction(0))
            beside = mpmath.log1p(mpmath.fsum(mpmath.exp(one) for j, one in enumerate(exact) if j != first))
            found.append(Fraction(mine) - Fraction(_fraction(beside)))
    return found


def cross_entropy(p: Number, t: Number, w: Number) -> Number:
    """A loss of a probability, each logarithm at least -100."""
    if not finite(p, t):
        return float("nan")
    if not 0 <= p <= 1:
        raise NoAnswerError("a probability outside [0, 1]")

    def loss() -> tuple[mpf, mpf]:
        second = mpmath.log1p(-_mp(p)) if p != 1 else mpf("-inf")
        first, second = _mp(t) * max(_log(_mp(p)), mpf(-100)), _mp(1 - t) * max(second, mpf(-100))
        return -(first + second), abs(first) + abs(second)

    return _times(certain(loss), w)


def with_logits(x: Number, t: Number, w: Number, pos: Number) -> Number:
    """A loss of a logit."""
    if any(v != v for v in (x, t, w, pos)):
        return float("nan")

    def share(term: mpf, factor: Number, weight: Number) -> mpf:
        """A term times its shares; one that grows without bound is not there where a share of it is 0."""
        if mpmath.isinf(term) and ((not factor and finite(weight)) or (not weight and finite(factor))):
            return mpf(0)
        return _mp(factor) * (term * _mp(weight))

    def loss() -> tuple[mpf, mpf]:
        up, down = softplus(_mp(x)), softplus(-_mp(x))
        if not finite(t):
            return _mp(t) * slope(), mpf(0)
        first, second = share(down, t, pos), share(up, 1 - t, Fraction(1))
        return first + second, abs(first) + abs(second)

    def slope() -> mpf:
        """By how much the loss grows with its target."""
        return _mp(certain(lambda: (_mp(pos) * softplus(-_mp(x)) - softplus(_mp(x)), mpf(1))))

    return _times(certain(loss), w)


def slices(x: np.ndarray, axis: int) -> list[tuple[tuple[Any, ...], list[Number]]]:
    """The slices of an array along an axis, each with its index."""
    axis %= x.ndim
    others = [range(n) if i != axis else [slice(None)] for i, n in enumerate(x.shape)]
    return [(index, [number(v) for v in x[index]]) for index in itertools.product(*others)]


def answer(name: str, arguments: dict[str, Any]) -> np.ndarray:
    """The result as an object array of numbers.

    Raises:
        NoAnswerError: the documentation gives none.
    """
    if name in UNARY:
        return _map(UNARY[name], arguments["x"])
    if name in ("add", "subtract", "multiply", "divide"):
        a, b = (np.asarray(arguments[key]) for key in "ab")
        if name == "divide":
            signs = _map(lambda v: v, b, raw=negative_zero)
            return _map(_divided, a, b, signs)
        return _map({"add": _plus, "subtract": lambda p, q: _plus(p, -q), "multiply": _times}[name], a, b)
    if name in ("softmax", "log_softmax"):
        x, axis = arguments["x"], arguments["axis"]
        axis = (0 if x.ndim in (0, 1, 3) else 1) if axis is None else axis
        whole = np.empty(x.shape or (1,), dtype=object)
        for index, values in slices(x.reshape(x.shape or (1,)), axis):
            whole[index] = _column(softmax(values, name == "log_softmax")) if values else []
        return whole.reshape(x.shape)
    if name in ("sum", "mean"):
        return _reduced(total if name == "sum" else mean, arguments["x"], arguments["axis"], arguments["keepdims"])
    return _loss(name, arguments)


def _loss(name: str, arguments: dict[str, Any]) -> np.ndarray:
    first = arguments["p" if name == "binary_cross_entropy" else "x"]
    ones = [np.asarray(1.0 if arguments.get(k) is None else arguments[k]) for k in ("weight", "pos_weight")]
    parts = [first, arguments["target"], *ones][: 3 if name == "binary_cross_entropy" else 4]
    losses = _map(cross_entropy if name == "binary_cross_entropy" else with_logits, *parts)
    if arguments["reduction"] == "none":
        return losses
    return _column([(total if arguments["reduction"] == "sum" else mean)(losses.ravel().tolist())]).reshape(())


def _column(values: Sequence[Any]) -> np.ndarray:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def _map(function: Callable[..., Any], *arrays: Any, raw: Callable[[Any], Any] | None = None) -> np.ndarray:
    spread = np.broadcast_arrays(*arrays)
    read = raw or (lambda v: v if isinstance(v, (bool, Fraction)) else number(v))
    flat = [function(*map(read, values)) for values in zip(*(a.ravel().tolist() for a in spread), strict=True)]
    return _column(flat).reshape(spread[0].shape)


def reduced_axes(rank: int, axis: Any) -> set[int]:
    """What a sum goes along: all axes, one, several or none; of a single number none."""
    listed = axis if isinstance(axis, (list, tuple)) else [axis]
    return set(range(rank)) if axis is None or not rank else {one % rank for one in listed}


def _reduced(function: Callable[..., Number], x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    axes = reduced_axes(x.ndim, axis)
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = tuple(x.shape[i] for i in kept)
    rows = np.transpose(x, [*kept, *sorted(axes)]).reshape((math.prod(shape), -1) if x.size else (math.prod(shape), 0))
    found = _column([function([number(v) for v in row.tolist()]) for row in rows])
    return found.reshape(tuple(1 if i in axes else n for i, n in enumerate(x.shape)) if keepdims else shape)


def rounded(exact: Fraction, dtype: str) -> tuple[int, int, Fraction]:
    """The nearest number of a format, ties to even: its units, the exponent of one unit, and what rounding lost.

    ``exact == (units + lost) * 2**exponent``. A number past the largest is the first that no longer fits.
    """
    bits, largest = FORMATS[dtype]
    smallest = 1 - largest
    top = smallest
    if exact:
        n, d = abs(exact.numerator), exact.denominator
        top = n.bit_length() - d.bit_length()
        if Fraction(n, d) < Fraction(2) ** top:
            top -= 1
    exponent = min(max(top, smallest), largest) - bits + 1
    scaled = exact / Fraction(2) ** exponent
    units = round(scaled)
    if abs(units) == 1 << bits and exponent < largest - bits + 1:
        units, exponent, scaled = units // 2, exponent + 1, scaled / 2
    if abs(units) >= 1 << bits:
        units = (1 << bits) * (1 if units > 0 else -1)
    return units, exponent, scaled - units
