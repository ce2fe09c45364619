"""What the tests of operations share: exact answers, and checks of them against loops in mpmath."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground import dtypes
from conformance.ground.dtypes import DType
from conformance.ops import OPERATIONS
from conformance.ops.bounds import half_significand
from conformance.truth import balls, gradient
from conformance.truth.rounding import Rounded
from conformance.truth.settling import settle

Arguments = Mapping[str, Any]


def mapped(arguments: Arguments, function: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    return {name: function(value) if isinstance(value, np.ndarray) else value for name, value in arguments.items()}


def in_mpmath(array: np.ndarray) -> np.ndarray:
    flat = [mpmath.mpf(float(v)) for v in array.ravel()]
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(array.shape)


class Checks:
    """Compares an operation's definition, rounding and budget with an independent implementation."""

    def answer(self, operation: str, arguments: Arguments, dtype: DType | None = None) -> Rounded:
        """The correctly rounded result of the operation's own definition."""
        exact = mapped(arguments, balls.exact)
        first = next(value for value in arguments.values() if isinstance(value, np.ndarray))
        return settle(lambda: balls.as_balls(OPERATIONS[operation].exact(**exact)), dtype or dtypes.of(first))

    def allowed(self, operation: str, result: Rounded, arguments: Arguments) -> np.ndarray:
        """The operation's budget."""
        return OPERATIONS[operation].allowed(result, **mapped(arguments, lambda a: a.astype(np.float64)))

    def value(self, operation: str, reference: Callable[..., Any], /, **arguments: Any) -> Rounded:
        """The definition gives what loops in mpmath give, and its budget is neither empty nor without bounds."""
        result = self.answer(operation, arguments)
        expected = np.asarray(reference(**mapped(arguments, in_mpmath)), dtype=object)
        assert result.value.shape == expected.shape
        for index in np.ndindex(expected.shape):
            assert_nearest(np.asarray(result.value[index]), expected[index])
        self.budget(operation, result, arguments)
        return result

    def budget(self, operation: str, result: Rounded, arguments: Arguments) -> None:
        """The right result passes, one with half its digits wrong does not, nor does NaN."""
        allowed = self.allowed(operation, result, arguments)
        assert allowed.shape == result.value.shape
        assert np.all(allowed >= 0.5)
        assert np.all(allowed <= half_significand(result))
        assert np.all(result.distance(result.value) <= allowed)
        bits = np.frexp(result.units)[1]
        normal = (bits == dtypes.of(result.value).precision) & np.isfinite(result.value.astype(np.float64))
        wrong = np.ldexp(result.units - np.copysign(np.exp2(np.ceil(bits / 2)) + 1, result.units), result.quantum)
        wrong = wrong.astype(result.value.dtype)
        assert np.all((result.distance(wrong) > allowed) | ~normal)
        assert not np.any(result.distance(np.full_like(result.value, np.nan)) <= allowed)

    def gradient(self, operation: str, wrt: str, reference: Callable[..., Any], /, **arguments: Any) -> None:
        """The traced gradient is the numerical derivative of the loops in mpmath."""
        balls.working_precision(400)
        exact = mapped(arguments, balls.exact)
        traced = exact[wrt] = gradient.trace(exact[wrt])
        output = balls.as_balls(OPERATIONS[operation].exact(**exact))
        weights = gradient.default_cotangent(output.shape)
        gradient.backward(output, balls.exact(weights))
        slopes, _ = gradient.slopes(traced)

        wide = mapped(arguments, in_mpmath)
        point = wide[wrt]

        def weighted(index: tuple[int, ...]) -> Callable[[Any], Any]:
            def scalar(value: Any) -> Any:
                moved = point.copy()
                moved[index] = value
                result = np.asarray(reference(**{**wide, wrt: moved}), dtype=object)
                return mpmath.fsum(
                    mpmath.mpf(float(w)) * r for w, r in zip(weights.ravel(), result.ravel(), strict=True)
                )

            return scalar

        for index in np.ndindex(point.shape):
            expected = mpmath.diff(weighted(index), point[index])
            got = mpmath.mpf(slopes[index].mid().str(60, radius=False))
            assert abs(got - expected) <= mpmath.mpf(10) ** -30 * (1 + abs(expected)), (index, got, expected)


def assert_nearest(got: np.ndarray, exact: Any) -> None:
    """No neighbour of `got` in its dtype is nearer to the number; of two that are equally near it is the even one."""
    dtype = dtypes.of(got)
    distances = [abs(_finite(v, dtype) - exact) for v in (got, *_neighbours(got))]
    bits = int(got.reshape(1).view(f"u{got.dtype.itemsize}")[0])
    assert distances[0] < min(distances[1:]) or (distances[0] == min(distances[1:]) and bits % 2 == 0), (got, exact)


def _neighbours(value: np.ndarray) -> Sequence[np.ndarray]:
    with np.errstate(over="ignore"):
        return [np.nextafter(value, value.dtype.type(direction)) for direction in (-np.inf, np.inf)]


def _finite(value: np.ndarray, dtype: DType) -> Any:
    if np.isinf(value.astype(np.float64)):
        return mpmath.mpf(2) ** (dtype.max_exponent + 1) * int(np.sign(value.astype(np.float64)))
    return mpmath.mpf(float(value))


@pytest.fixture
def check() -> Iterator[Checks]:
    with mpmath.workdps(400):
        yield Checks()
