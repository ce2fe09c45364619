"""The elementary functions and the four arithmetic operations, which claims are written with.

In an expression, ``a + b`` is `add`, ``a - b`` `subtract`, ``a * b`` `multiply`, ``a / b`` `divide` and ``-a``
`negative`; arguments broadcast, and plain numbers take the dtype of the other side.
"""

from __future__ import annotations

import numpy as np

from conformance.ops.base import Array, elementary, operation
from conformance.truth import balls
from conformance.truth.balls import Balls
from conformance.truth.rounding import Rounded


@operation(document="torch.exp(x)")
def exp(x: Array) -> Balls:
    """e to the power x, element by element."""
    return np.exp(x)


@operation(document="torch.log(x)")
def log(x: Array) -> Balls:
    """Natural logarithm, element by element."""
    return balls.log(x)


@operation(document="torch.neg(x)")
def negative(x: Array) -> Balls:
    """-x, element by element."""
    return -x


@operation(document="torch.add(a, b)")
def add(a: Array, b: Array) -> Balls:
    """a + b, element by element, broadcast."""
    return a + b


@operation(document="torch.sub(a, b)")
def subtract(a: Array, b: Array) -> Balls:
    """a - b, element by element, broadcast."""
    return a - b


@operation(document="torch.mul(a, b)")
def multiply(a: Array, b: Array) -> Balls:
    """a * b, element by element, broadcast."""
    return a * b


@operation(document="torch.div(a, b)")
def divide(a: Array, b: Array) -> Balls:
    """a / b, element by element, broadcast."""
    return a / b


for _function in (exp, log):

    @_function.budget("the bound that vector mathematics libraries state for one call: 4 ULP, 1 in 16 bits")
    def _(result: Rounded, x: np.ndarray) -> float:
        return elementary(result) / 2


for _basic in (negative, add, subtract, multiply, divide):

    @_basic.budget("IEEE 754: the basic operations are correctly rounded")
    def _(result: Rounded, *arguments: np.ndarray, **named: np.ndarray) -> float:
        return 0.5
