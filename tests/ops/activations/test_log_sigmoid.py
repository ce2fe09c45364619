"""Logarithm of the sigmoid against mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.ops.activations.log_sigmoid import softplus
from conformance.truth import balls

FLOATING = [d.numpy for d in DTYPES.values() if d.kind == "floating"]


def loops(x: Any) -> Any:
    result = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        result[index] = -mpmath.log1p(mpmath.exp(-x[index]))
    return result


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_usual_and_extreme_logits(check: Any, dtype: np.dtype) -> None:
    x = np.concatenate([np.linspace(-9, 9, 25), [-88, 88, -104, 104, -700, 700]])
    check.value("log_sigmoid", loops, x=x.astype(dtype))


def test_the_ends_of_float64(check: Any) -> None:
    result = check.value("log_sigmoid", loops, x=np.array([-1.7e308, -(2.0**21), 2.0**21, 1.7e308]))
    assert result.value.tolist() == [-1.7e308, -(2.0**21), 0.0, 0.0]


def test_gradient(check: Any) -> None:
    check.gradient("log_sigmoid", "x", loops, x=np.array([-30.0, -2.5, 0.0, 0.75, 40.0]))


def test_both_forms_of_softplus_agree_where_both_hold() -> None:
    """x + softplus(-x) is used far above zero only; at 3 million both forms are still representable."""
    balls.working_precision(200)
    x = balls.exact(np.array([float(3 << 20), 2.0]))
    both, plain = softplus(x), np.log1p(np.exp(x))
    for a, b in zip(both, plain, strict=True):
        assert a.overlaps(b)
        assert float(abs(a - b).abs_upper()) < 1e-40


def test_the_composed_formula_is_not_within_the_budget(check: Any) -> None:
    arguments = {"x": np.array([-110.0, 20.0], dtype=np.float32)}
    result = check.answer("log_sigmoid", arguments)
    with np.errstate(all="ignore"):
        composed = np.log(1 / (1 + np.exp(-arguments["x"])))
    assert not np.any(result.distance(composed) <= check.allowed("log_sigmoid", result, arguments))
