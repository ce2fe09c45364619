"""Made-up valid cases against the oracle in `fuzz/`, and whether it catches what is wrong.

2,000 cases take about 25 seconds on an idle core, which is what a run of all tests bears; each operation comes dozens of
times, with every dtype and every special number. By hand, `python fuzz/answers.py` tries 100,000.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import mpmath
import numpy as np
import pytest

from conformance.judging import answers as suite
from conformance.judging.judge import Judge
from conformance.ops import OPERATIONS

pytestmark = pytest.mark.filterwarnings(
    "ignore::RuntimeWarning",  # budgets of gradients overflow where a result does
    "ignore:Casting complex values",  # claims compare the real parts
)

FUZZ = Path(__file__).parents[2] / "fuzz"


@pytest.fixture(scope="module")
def answers() -> Iterator[Any]:
    """The fuzzer, whose files are scripts beside each other."""
    sys.path.insert(0, str(FUZZ))
    try:
        import answers as module  # noqa: PLC0415

        yield module
    finally:
        sys.path.remove(str(FUZZ))


@pytest.fixture
def look(answers: Any, tmp_path: Path) -> Callable[..., Any]:
    """What is found in a case of these inputs and this call."""

    def of(call: str, dtype: str = "float32", **given: Any) -> Any:
        return answers.Fuzzer(tmp_path).look(case(call, dtype, **given))

    return of


def case(call: str, dtype: str = "float32", **given: Any) -> dict[str, Any]:
    arrays = {name: {"array": values} for name, values in given.items()}
    return {"name": "made", "given": arrays, "for": {"dtype": [dtype]}, "call": call}


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_found_in_made_up_cases(seed: int, answers: Any) -> None:
    tally, found = answers.fuzz(1000, seed)
    assert not found, "\n".join(f"# {came}\n{answers.made.text(one)}" for one, came in found.values())
    assert tally.cases == 1000
    assert tally.refused < 150, "most of what is made must be a valid case"
    assert tally.elements > 1000
    assert tally.slopes > 150


def test_a_seed_makes_the_same_cases(answers: Any) -> None:
    made = [[answers.made.text(answers.made.Maker(Random(f"{s} {i}")).case()) for i in range(9)] for s in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize("name", ["exp", "log", "sigmoid", "log_sigmoid", "softmax", "log_softmax", "sum", "mean"])
def test_a_wrong_definition_is_found(name: str, look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(f"{name}(x)", x=[0.5, 2.0]) is None
    right = OPERATIONS[name].exact
    monkeypatch.setattr(OPERATIONS[name], "exact", lambda x, **parameters: right(x, **parameters) * (1 + 2**-30))
    assert look(f"{name}(x)", x=[0.5, 2.0]).kind in ("wrong residual", "wrong rounding")


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_a_definition_that_goes_along_other_axes_is_found(
    name: str, look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, x = OPERATIONS[name].exact, [[[0.5, 2.0], [3.0, -1.0]], [[7.0, 0.25], [1.0, 4.0]]]
    for wrong, call, kind in (
        (lambda axis: axis[:-1], f"{name}(x, axis=[0, 2])", "wrong shape or dtype"),
        (lambda axis: axis or None, f"{name}(x, axis=[])", "wrong shape or dtype"),
        (lambda axis: [0, 1], f"{name}(x, axis=[-1, 0])", "wrong rounding"),
    ):
        assert look(call, x=x) is None
        with monkeypatch.context() as patch:
            patch.setattr(
                OPERATIONS[name], "exact", lambda x, axis=None, change=wrong, **p: right(x, axis=change(axis), **p)
            )
            assert look(call, x=x).kind == kind


def test_several_axes_and_none_are_made(answers: Any) -> None:
    calls = [answers.made.Maker(Random(f"1 {i}")).case().get("call", "") for i in range(2000)]
    for operation in ("sum", "mean"):
        for axes in ("[]", "[0, ", "[-"):
            assert any(call.startswith(operation) and f"axis={axes}" in call for call in calls), (operation, axes)


def test_a_rounding_that_is_one_ulp_off_is_found(look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settle = suite.settle

    def off(*arguments: Any) -> Any:
        found = settle(*arguments)
        return dataclasses.replace(found, value=np.nextafter(found.value, found.value.dtype.type(9)))

    monkeypatch.setattr(suite, "settle", off)
    assert look("exp(x)", x=[0.5]).kind == "wrong rounding"


def test_a_residual_that_is_off_is_found(look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settle = suite.settle

    def off(*arguments: Any) -> Any:
        found = settle(*arguments)
        return dataclasses.replace(found, residual=found.residual + 1e-9)

    monkeypatch.setattr(suite, "settle", off)
    assert look("exp(x)", x=[0.5]).kind == "wrong residual"


def test_a_wrong_convention_a_missing_answer_and_a_wrong_budget_are_found(
    look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            OPERATIONS["exp"], "convention", lambda x: ({"x": np.ones_like(x)}, ~np.isfinite(x), np.full(x.shape, 7.0))
        )
        assert look("exp(x)", x=[float("-inf")]).kind == "wrong special"
    with monkeypatch.context() as patch:
        patch.setattr(OPERATIONS["exp"], "convention", None)
        assert look("exp(x)", x=[float("-inf")]).kind == "missing"
    monkeypatch.setattr(OPERATIONS["exp"], "_budget", lambda result, x: float("nan"))
    assert look("exp(x)", x=[1.0]).kind.startswith("exception DefinitionError")


def test_an_exception_and_a_verdict_on_the_right_result_are_found(
    look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge.judge

    def failing(*arguments: Any) -> Any:
        judged = judge(*arguments)
        judged.verdict = "failed"
        return judged

    def broken(x: Any) -> Any:
        raise KeyError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Judge, "judge", failing)
        assert look("exp(x)", x=[1.0]).kind == "verdict"
    monkeypatch.setattr(OPERATIONS["exp"], "exact", broken)
    assert look("exp(x)", x=[1.0]).kind == "exception KeyError broken"


def test_what_is_found_is_made_small(answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = OPERATIONS["sum"].exact
    monkeypatch.setattr(
        OPERATIONS["sum"], "exact", lambda x, **p: right(x, **p) + (1 if np.asarray(x).size >= 2 else 0)
    )
    fuzzer = answers.Fuzzer(tmp_path)
    large = case("sum(x, axis=0)", "float64", x=[[3.25, -7.5, 0.1], [1e30, 2.0, 4.0], [5.0, 6.0, 7.0]])
    small, found = answers.shrunk(fuzzer, large, fuzzer.look(large))
    assert found.kind == "wrong rounding"
    assert small["given"] == {"x": {"array": [[0.0, 0.0]]}}
    assert small["for"] == {"dtype": ["float32"]}
    assert answers.made.text(small).startswith("  - name: made\n    given: {x: {array: [[0.0, 0.0]]}}\n")


@pytest.mark.parametrize(
    ("exact", "dtype", "due"),
    [
        (Fraction(2049), "float16", 2048.0),
        (Fraction(2051), "float16", 2052.0),
        (Fraction(1, 2**150), "float32", 0.0),
        (Fraction(3, 2**150), "float32", 2.0**-148),
        (Fraction(257), "bfloat16", 256.0),
        (-(Fraction(2) ** 1024), "float64", -(2.0**1023) * 2),
    ],
)
def test_the_oracle_rounds_ties_to_even(exact: Fraction, dtype: str, due: float, answers: Any) -> None:
    units, exponent, lost = answers.oracle.rounded(exact, dtype)
    assert answers.float_of(units * Fraction(2) ** exponent) == due
    assert exact == (units + lost) * Fraction(2) ** exponent


def test_the_oracle_keeps_what_cancels(answers: Any) -> None:
    with mpmath.workprec(3000):
        due = mpmath.log1p(mpmath.exp(mpmath.mpf(-700))) - 0
    got = answers.oracle.answer("log_softmax", {"x": np.array([0.0, -700.0]), "axis": 0})[0]
    assert abs(float(got) + float(due)) <= 1e-12 * float(due)


def test_a_mean_of_no_losses_with_a_weight_is_nan(answers: Any, tmp_path: Path) -> None:
    """It recursed without end: the weight has an element, the losses have none."""
    empty = {"full": {"shape": [3, 0], "value": 0.5}}
    given = {"x": empty, "t": empty, "w": {"full": {"shape": [], "value": 0.5}}}
    for reduction in ("mean", "sum", "none"):
        call = f"binary_cross_entropy_with_logits(x, t, weight=w, reduction='{reduction}')"
        assert answers.Fuzzer(tmp_path).look(case(call) | {"given": given}) is None


def test_complex_numbers_that_are_moved_are_judged(look: Callable[..., Any]) -> None:
    """Their bits are known, and a right backend failed with "values stated by the case"."""
    assert look("reshape(x, [2, 1])", "complex64", x=[1.5, 2.0]) is None


@pytest.mark.parametrize("name", ["w", "q"])
def test_an_infinite_weight_of_a_loss_that_underflows_is_infinite(
    name: str, look: Callable[..., Any], answers: Any
) -> None:
    """It was NaN: float64, in which the convention is worked out, took exp(-3804) for 0."""
    parameter = {"w": "weight", "q": "pos_weight"}[name]
    given = {"x": [3804.0], "t": [1.0], name: [float("inf")]}
    call = f"binary_cross_entropy_with_logits(x, t, {parameter}={name}, reduction='none')"
    for dtype in ("float16", "float64"):
        assert look(call, dtype, **given) is None
    exact = answers.oracle.with_logits(
        Fraction(3804), Fraction(1), *(Fraction(1), float("inf"))[:: -1 if name == "w" else 1]
    )
    assert exact == float("inf")
