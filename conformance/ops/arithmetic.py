"""The elementary functions and the four arithmetic operations, which claims are written with.

In an expression, ``a + b`` is `add`, ``a - b`` `subtract`, ``a * b`` `multiply`, ``a / b`` `divide` and ``-a``
`negative`; arguments broadcast, and plain numbers take the dtype of the other side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conformance.ground import dtypes
from conformance.ops.base import Array, Backward, operands_dtype, operation
from conformance.ops.bounds import ELEMENTARY_SLACK, elementary
from conformance.ops.conventions import IEEE, LIMITS, Conventional, finite, limits
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.exp(x)", backward=Backward(functions=1, basics=1))
def exp(x: Array) -> Balls:
    """e to the power x, element by element."""
    return np.exp(x)


@operation(document="torch.log(x)", backward=Backward(basics=2))
def log(x: Array) -> Balls:
    """Natural logarithm, element by element."""
    return balls.log(x)


@operation(document="torch.neg(x)", result_dtype=operands_dtype)
def negative(x: Array) -> Balls:
    """-x, element by element."""
    return -x


@operation(document="torch.add(a, b)", result_dtype=operands_dtype)
def add(a: Array, b: Array) -> Balls:
    """a + b, element by element, broadcast."""
    return a + b


@operation(document="torch.sub(a, b)", result_dtype=operands_dtype)
def subtract(a: Array, b: Array) -> Balls:
    """a - b, element by element, broadcast."""
    return a - b


@operation(document="torch.mul(a, b)", result_dtype=operands_dtype, backward=Backward(basics=2))
def multiply(a: Array, b: Array) -> Balls:
    """a * b, element by element, broadcast."""
    return a * b


@operation(document="torch.div(a, b)", backward=Backward(basics=4))
def divide(a: Array, b: Array) -> Balls:
    """a / b, element by element, broadcast."""
    return a / b


@exp.by_convention(LIMITS)
def _(x: np.ndarray) -> Conventional:
    return limits(x, 0.0, np.inf)


@log.by_convention("IEEE 754: the logarithm of 0 is -inf, that of a negative number NaN; " + LIMITS)
def _(x: np.ndarray) -> Conventional:
    special = ~np.isfinite(x) | (x <= 0)
    return {"x": np.where(special, 1.0, x)}, special, np.log(np.where(special, x, 1.0))


@negative.by_convention(IEEE)
def _(x: np.ndarray) -> Conventional:
    return {"x": finite(x)}, ~np.isfinite(x), -x


def _ieee(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray, special: np.ndarray
) -> Conventional:
    return {"a": finite(a), "b": finite(b)}, special, function(a, b)


@add.by_convention(IEEE)
def _(a: np.ndarray, b: np.ndarray) -> Conventional:
    return _ieee(np.add, a, b, ~(np.isfinite(a) & np.isfinite(b)))


@subtract.by_convention(IEEE)
def _(a: np.ndarray, b: np.ndarray) -> Conventional:
    return _ieee(np.subtract, a, b, ~(np.isfinite(a) & np.isfinite(b)))


@multiply.by_convention(IEEE)
def _(a: np.ndarray, b: np.ndarray) -> Conventional:
    return _ieee(np.multiply, a, b, ~(np.isfinite(a) & np.isfinite(b)))


@divide.by_convention(IEEE)
def _(a: np.ndarray, b: np.ndarray) -> Conventional:
    stand_ins, special, values = _ieee(np.divide, a, b, ~(np.isfinite(a) & np.isfinite(b)) | (b == 0))
    # Whatever is divided by 0 or by what is not finite is special: the quotient by a stand-in is not looked at.
    return stand_ins | {"b": np.where(np.isfinite(b) & (b != 0), b, 1.0)}, special, values


@exp.inherits("the slope y is the rounded result: what it may be off by")
def _(wrt: str, result: Rounded, error: np.ndarray, cotangent: np.ndarray, **arguments: np.ndarray) -> np.ndarray:
    return np.abs(cotangent) * error


@divide.inherits("of g (a / b) / b, in whatever order, one factor may be subnormal, and then has lost digits")
def _(
    wrt: str, result: Rounded, error: np.ndarray, cotangent: np.ndarray, *, a: np.ndarray, b: np.ndarray
) -> np.ndarray:
    if wrt == "a":
        return np.zeros(())
    smallest = np.ldexp(1.0, dtypes.of(result.value).smallest_quantum)
    return np.asarray(smallest * (np.abs(cotangent) + 1 / np.abs(b)))


# IEEE 754, section 6.3: products and quotients have the signs' product, and a sum of opposite numbers is +0.
for _signed, _zero_sign in (
    (negative, np.negative),
    (add, np.add),
    (subtract, np.subtract),
    (multiply, np.multiply),
    (divide, np.divide),
):
    _signed.zero_sign = _zero_sign

for _function in (exp, log):

    @_function.budget(
        "the bound that vector mathematics libraries state for one call: 4 ULP, 1 in 16 bits", ELEMENTARY_SLACK
    )
    def _(result: Rounded, x: np.ndarray) -> float:
        return elementary(result) / 2


for _basic in (negative, add, subtract, multiply, divide):

    @_basic.budget(
        "IEEE 754: the basic operations are correctly rounded",
        "the weights of the outputs are short numbers, with which most products of a gradient are exact",
    )
    def _(result: Rounded, *arguments: np.ndarray, **named: np.ndarray) -> float:
        return 0.5
