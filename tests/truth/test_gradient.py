"""Slopes found by power series, held against mpmath's numerical derivatives at 60 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb

from conformance.ground.dtypes import DTYPES
from conformance.truth import balls, gradient
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.truth.gradient import Traced
from conformance.truth.settling import settle


@pytest.fixture(autouse=True)
def precision() -> Any:
    balls.working_precision(300)
    with mpmath.workdps(60):
        yield


def slope(function: Callable[..., Any], *values: float) -> list[float]:
    """The partial derivatives of a scalar function, by tracing."""
    inputs = [Traced(arb(v)) for v in values]
    gradient.backward(balls.as_balls(function(*inputs)), balls.as_balls(arb(1)))
    return [float(i.sensitivity) for i in inputs]


def numerical(function: Callable[..., Any], *values: float) -> list[float]:
    """The same by mpmath."""
    orders = [tuple(int(i == j) for j in range(len(values))) for i in range(len(values))]
    return [float(mpmath.diff(function, values, order)) for order in orders]


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a / b": lambda a, b: a / b,
    "a * a / (a + b)": lambda a, b: a * a / (a + b),
    "(a - b) * (a - b) * b": lambda a, b: (a - b) * (a - b) * b,
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(("a", "b"), [(0.5, 3.0), (-2.0, 0.125), (1e-3, -7.0)])
def test_slopes_of_arithmetic_are_right_with_respect_to_both_sides(name: str, a: float, b: float) -> None:
    assert slope(BINARY[name], a, b) == pytest.approx(numerical(BINARY[name], a, b), rel=1e-14)


PLAIN_SIDE: dict[str, Callable[[Any], Any]] = {
    "x + 2": lambda x: x + 2,
    "2 + x": lambda x: 2 + x,
    "x - 2": lambda x: x - 2,
    "2 - x": lambda x: 2 - x,
    "x * 3": lambda x: x * 3,
    "3 * x": lambda x: 3 * x,
    "x / 4": lambda x: x / 4,
    "4 / x": lambda x: 4 / x,
    "-x": lambda x: -x,
    "0.5 * x * x": lambda x: 0.5 * x * x,
}


@pytest.mark.parametrize("name", PLAIN_SIDE)
@pytest.mark.parametrize("x", [0.75, -3.0])
def test_slopes_beside_plain_numbers_are_right_on_either_side(name: str, x: float) -> None:
    assert slope(PLAIN_SIDE[name], x) == pytest.approx(numerical(PLAIN_SIDE[name], x), rel=1e-14)


@pytest.mark.parametrize("x", [0.75, 1e-8, 30.0])
def test_slopes_of_exponentials_and_logarithms_are_right(x: float) -> None:
    assert slope(lambda v: v.exp(), x) == pytest.approx(numerical(mpmath.exp, x), rel=1e-14)
    assert slope(lambda v: v.log(), x) == pytest.approx(numerical(mpmath.log, x), rel=1e-14)
    assert slope(lambda v: v.log1p(), x) == pytest.approx(numerical(lambda v: mpmath.log(1 + v), x), rel=1e-14)


def test_an_element_beside_a_ball_is_differentiated_and_the_ball_is_not() -> None:
    assert slope(lambda v: arb(3) * v - arb(1) / v, 2.0) == [3.25]


def test_every_path_from_an_input_to_the_result_is_counted_once() -> None:
    """x reaches the result by four paths, two of them through a shared part."""

    def function(x: Any) -> Any:
        shared = x * x
        return shared * shared + shared

    assert slope(function, 3.0) == [4 * 27 + 6]


def test_each_output_is_weighted_by_its_cotangent() -> None:
    x = gradient.trace(balls.exact(np.array([1.0, 2.0])))
    gradient.backward(x * x, balls.exact(np.array([1.0, -0.5])))
    slopes, _ = gradient.slopes(x)
    assert [float(s) for s in slopes] == [2.0, -2.0]


def test_a_slope_and_its_spread_tell_how_much_cancelled() -> None:
    x = gradient.trace(balls.exact(np.array([1.0])))
    gradient.backward(x * 1000 - x * 999, balls.exact(np.array([1.0])))
    slopes, spreads = gradient.slopes(x)
    assert float(slopes[0]) == 1.0
    assert float(spreads[0]) == 1999.0


def test_an_input_that_the_result_does_not_depend_on_has_slope_zero() -> None:
    x = gradient.trace(balls.exact(np.array([1.0, 2.0])))
    gradient.backward(balls.as_balls(x[0] * 2), balls.as_balls(arb(1)))
    slopes, spreads = gradient.slopes(x)
    assert [float(s) for s in slopes] == [2.0, 0.0]
    assert float(spreads[1]) == 0.0


def test_a_constant_result_has_slopes_zero() -> None:
    x = gradient.trace(balls.exact(np.array([1.0])))
    gradient.backward(balls.exact(np.array([5.0])), balls.exact(np.array([1.0])))
    assert float(gradient.slopes(x)[0][0]) == 0.0


def test_a_sum_of_thousands_of_terms_is_no_recursion() -> None:
    x = gradient.trace(balls.exact(np.ones(5000)))
    gradient.backward(balls.as_balls(x.sum()), balls.as_balls(arb(2)))
    assert {float(s) for s in gradient.slopes(x)[0]} == {2.0}


def test_output_and_cotangent_must_fit_each_other() -> None:
    x = gradient.trace(balls.exact(np.array([1.0, 2.0])))
    with pytest.raises(ValueError):
        gradient.backward(x * 2, balls.exact(np.array([1.0])))


def derivative_at(function: Callable[[Any], Any], x: float) -> Callable[[], balls.Balls]:
    def compute() -> balls.Balls:
        traced = gradient.trace(balls.exact(np.array([x])))
        gradient.backward(function(traced), balls.exact(np.array([1.0])))
        return gradient.slopes(traced)[0]

    return compute


def test_a_kink_has_no_derivative_and_both_sides_of_it_have() -> None:
    def lifted(x: Any) -> Any:
        return balls.at_least(x, -100) * 3

    dtype = DTYPES["float32"]
    assert settle(derivative_at(lifted, -99.5), dtype).value[0] == 3
    assert settle(derivative_at(lifted, -100.5), dtype).value[0] == 0
    with pytest.raises(UndecidedError):
        settle(derivative_at(lifted, -100.0), dtype)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (balls.log, 0.0),
        (balls.log, -1.0),
        (balls.log1p, -1.0),
        (lambda x: 1 / x, 0.0),
        (lambda x: x / x, 0.0),
        (lambda x: x / 0, 1.0),
    ],
    ids=["log at 0", "log below 0", "log1p at -1", "1 / x at 0", "x / x at 0", "x / 0"],
)
def test_where_a_definition_is_not_finite_its_gradient_is_not_either(function: Any, x: float) -> None:
    with pytest.raises(UndefinedError):
        settle(derivative_at(function, x), DTYPES["float32"])


def test_an_infinite_logarithm_that_is_cut_off_afterwards_has_slope_zero() -> None:
    got = settle(derivative_at(lambda x: balls.at_least(balls.log(x), -100), 0.0), DTYPES["float32"])
    assert got.value[0] == 0


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3, 4)])
def test_the_default_cotangent_is_exact_in_every_dtype_and_never_zero(shape: tuple[int, ...]) -> None:
    weights = gradient.default_cotangent(shape)
    assert weights.shape == shape
    assert np.all(weights != 0)
    assert np.all(np.abs(weights) <= 1)
    for dtype in (d.numpy for d in DTYPES.values() if d.kind == "floating"):
        np.testing.assert_array_equal(weights.astype(dtype).astype(np.float64), weights)
    if weights.size > 1:
        assert len(set(weights.ravel().tolist())) > 1
