"""Gradients of several steps, each judged on the weights that it really received, and what is recorded beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from conformance.judging.findings import Finding

CHAIN = """
  - name: chain
    given: {x: [0.5, -1.25], w: [2.0, 3.0]}
    call: exp(x * w)
    check: [gradient]
"""
ONE = """
  - {name: one, given: {x: [0.5, -1.25]}, call: exp(x), check: [gradient]}
"""

Results, Gradients = list[np.ndarray], list[np.ndarray]
Change = Callable[[Results, Gradients], None]


@pytest.fixture
def chained(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> Callable[..., Any]:
    """The verdict on exp(x * w), whose steps are a product, an addition of nothing and an exponential.

    Results and gradients (by x, by w, by the product) are those of float32 arithmetic; a function may change them.
    """

    def judged(change: Change = lambda results, gradients: None, text: str = CHAIN) -> Any:
        def recorded(
            self: Any, function: Callable[..., Any], inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any
        ) -> tuple[Results, Gradients]:
            results = [np.array(result) for result in function(*inputs)]
            by_product = cotangent * results[-1]
            x, w = (inputs[0], inputs[1]) if len(inputs) == 3 else (inputs[0], np.float32(1))
            gradients = [by_product * w, by_product * x, by_product][: len(wrt)]
            change(results, gradients)
            return results, gradients

        backend = numpy_with({"gradient": lambda self, *arguments: recorded(self, *arguments)[1], "recorded": recorded})
        return on_cases(text, backend)

    return judged


def only(verdicts: Any) -> Finding:
    (judgement,) = verdicts.judgements.values()
    assert judgement.verdict == "failed"
    (finding,) = judgement.findings
    return finding


def test_right_gradients_of_two_steps_pass_and_what_rounding_costs_from_end_to_end_is_told(
    chained: Callable[..., Any],
) -> None:
    (judgement,) = chained().judgements.values()
    assert (judgement.verdict, judgement.findings) == ("passed", [])
    assert 0 < judgement.end_to_end < 10
    (single,) = chained(text=ONE).judgements.values()
    assert (single.verdict, single.end_to_end) == ("passed", None)


@pytest.mark.parametrize(
    ("place", "by"), [(0, "with respect to x"), (1, "with respect to w"), (2, "with respect to step 1, multiply")]
)
def test_a_wrong_gradient_is_told_where_it_arose(place: int, by: str, chained: Callable[..., Any]) -> None:
    def doubled(results: Results, gradients: Gradients) -> None:
        gradients[place][0] *= 2
        for other in range(place) if place == 2 else ():  # and those before it follow from it
            gradients[other][0] *= 2

    finding = only(chained(doubled))
    assert finding.channel == "gradient"
    assert finding.detail.startswith(by)
    assert finding.detail.endswith("1 of 2 elements; at [0]")


def test_gradients_that_don_t_follow_from_the_weights_that_came_are_caught_though_each_is_near(
    chained: Callable[..., Any],
) -> None:
    """A tenth more on the way, and a tenth less at the end: from end to end nothing is to be seen."""

    def off(results: Results, gradients: Gradients) -> None:
        gradients[2][:] *= np.float32(1.1)

    details = [finding.detail for finding in next(iter(chained(off).judgements.values())).findings]
    assert [detail.partition(";")[0].partition(":")[0] for detail in details] == [
        "with respect to step 1, multiply",
        "with respect to x",
        "with respect to w",
    ]


@pytest.mark.parametrize("text", [CHAIN, ONE])
def test_a_value_that_is_wrong_only_while_gradients_are_recorded_fails(text: str, chained: Callable[..., Any]) -> None:
    def bent(results: Results, gradients: Gradients) -> None:
        results[-1][1] += np.float32(0.01)

    finding = only(chained(bent, text))
    assert finding.channel == "value"
    assert "while gradients are recorded; step" in finding.detail


def test_one_rounding_more_while_gradients_are_recorded_is_within_the_budget(chained: Callable[..., Any]) -> None:
    def another(results: Results, gradients: Gradients) -> None:
        results[-1][:] = np.nextafter(results[-1], np.float32(9))

    assert chained(another).ids("failed") == []


@pytest.mark.parametrize(
    ("changed", "channel"), [(lambda y: y.astype(np.float64), "dtype"), (lambda y: y[:1], "shape")]
)
def test_a_recorded_value_of_another_dtype_or_shape_fails_by_that(
    changed: Callable[[np.ndarray], np.ndarray], channel: str, chained: Callable[..., Any]
) -> None:
    def other(results: Results, gradients: Gradients) -> None:
        results[-1] = changed(results[-1])

    assert only(chained(other)).channel == channel


def test_a_finite_gradient_behind_a_weight_that_is_not_finite_fails(chained: Callable[..., Any]) -> None:
    def infinite(results: Results, gradients: Gradients) -> None:
        gradients[2][0] = np.inf
        gradients[0][0] = 7

    details = [f.detail for f in next(iter(chained(infinite).judgements.values())).findings]
    assert any("behind weights that are not finite" in detail for detail in details)


def test_what_cancels_in_the_formula_of_a_gradient_is_divergent_and_more_is_a_failure(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """The sigmoid of 17 rounds to 1, and y (1 - y) to nothing: the slope is 4e-8. One of 1e-3 nothing explains."""

    def judged(slope: float) -> Any:
        def gradient(self: Any, function: Any, inputs: Any, wrt: Any, cotangent: Any) -> Gradients:
            function(*inputs)
            return [np.array([slope], dtype=np.float32)]

        text = "  - {name: one, given: {x: [17.0]}, call: sigmoid(x), check: [gradient]}"
        (judgement,) = on_cases(text, numpy_with({"gradient": gradient})).judgements.values()
        return judgement

    lost = judged(0.0)
    assert lost.verdict == "divergent"
    assert lost.reason.startswith("terms of the gradient's formula cancel")
    assert lost.findings[0].cancelled
    assert judged(1e-3).verdict == "failed"
    assert judged(float("nan")).verdict == "failed"
