"""What every operation has: a signature that says what it takes, a dtype rule, a budget with a source, and its cap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.ground.dtypes import DTYPES
from conformance.ops import OPERATIONS, base
from conformance.ops.base import Array, Axis, DefinitionError, operation
from conformance.ops.bounds import half_significand
from conformance.truth.rounding import Rounded, from_array

COMPUTING = [name for name, o in OPERATIONS.items() if not o.moves]
FLOATING = [d for d in DTYPES.values() if d.kind == "floating"]
P = {"p": np.array([0.25, 0.5]), "target": np.array([1.0, 0.0])}
X = {"x": np.array([0.5, 2.0])}
AB = {"a": np.array([0.5, 2.0]), "b": np.array([3.0, -1.0])}
SAMPLES: dict[str, dict[str, Any]] = {
    "binary_cross_entropy": P,
    "binary_cross_entropy_with_logits": {"x": P["p"], "target": P["target"]},
    "softmax": {**X, "axis": 0},
    "log_softmax": {**X, "axis": 0},
    **dict.fromkeys(("sigmoid", "log_sigmoid", "exp", "log", "negative", "sum", "mean"), X),
    **dict.fromkeys(("add", "subtract", "multiply", "divide"), AB),
}


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    registry: dict[str, Any] = {}
    monkeypatch.setattr(base, "_REGISTRY", registry)
    return registry


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_is_where_it_comes_from_and_what_bounds_its_error(name: str) -> None:
    made = OPERATIONS[name]
    assert made.summary.endswith(".")
    assert made.document
    assert len(made.budget_source) > 20
    assert made.name == name
    assert all(p.expects for p in made.parameters.values())


def test_every_computing_operation_is_sampled_below() -> None:
    assert set(SAMPLES) == set(COMPUTING)


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda d: d.name)
@pytest.mark.parametrize("name", COMPUTING)
def test_budgets_lie_between_half_an_ulp_and_half_the_significand(check: Any, name: str, dtype: Any) -> None:
    arguments = {n: v.astype(dtype.numpy) if isinstance(v, np.ndarray) else v for n, v in SAMPLES[name].items()}
    check.budget(name, check.answer(name, arguments), arguments)


@pytest.mark.parametrize("name", COMPUTING)
def test_a_computing_operation_has_the_dtype_of_its_inputs_if_they_have_one_floating_dtype(name: str) -> None:
    rule, arguments = OPERATIONS[name].result_dtype, SAMPLES[name]
    assert rule(**arguments) is DTYPES["float64"]
    single = {n: v.astype(np.float32) if isinstance(v, np.ndarray) else v for n, v in arguments.items()}
    assert rule(**single) is DTYPES["float32"]
    whole = {n: v.astype(np.int32) if isinstance(v, np.ndarray) else v for n, v in arguments.items()}
    in_integers = {"sum": "int64", **dict.fromkeys(("add", "subtract", "multiply", "negative"), "int32")}
    assert rule(**whole) is (DTYPES[in_integers[name]] if name in in_integers else None)


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda d: d.name)
def test_half_the_significand_is_two_to_the_half_of_its_length(dtype: Any) -> None:
    values = from_array(np.array([1.0, 1.5, 1000.0], dtype=dtype.numpy))
    np.testing.assert_array_equal(half_significand(values), 2.0 ** (dtype.precision / 2))


def test_half_the_significand_of_a_subnormal_is_that_of_the_bits_it_has() -> None:
    smallest = np.finfo(np.float32).smallest_subnormal
    values = from_array(np.array([smallest, 4 * smallest, 1023 * smallest, 0.0], dtype=np.float32))
    np.testing.assert_array_equal(half_significand(values), [2**0.5, 2**1.5, 2**5, 1.0])


def test_no_analysis_allows_more_than_half_the_significand(empty_registry: dict[str, Any]) -> None:
    @operation(document="nothing")
    def generous(x: Array) -> Any:
        """Allows anything."""
        return x

    @generous.budget("no analysis at all")
    def _(result: Rounded, x: np.ndarray) -> float:
        return 1e30

    result = from_array(np.ones((2, 3), dtype=np.float32))
    np.testing.assert_array_equal(generous.allowed(result, np.ones((2, 3))), np.full((2, 3), 2.0**12))
    assert list(empty_registry) == ["generous"]
    assert "generous" not in OPERATIONS


def test_a_budget_that_is_no_number_is_a_fault_of_the_suites_own_with_its_place(empty_registry: dict[str, Any]) -> None:
    @operation(document="nothing")
    def muddled(x: Array) -> Any:
        """A budget of 0 / 0, and a gradient that inherits 0 * infinity."""
        return x

    @muddled.budget("nowhere")
    def _(result: Any, x: np.ndarray) -> Any:
        return x / x

    @muddled.inherits("nowhere")
    def _(wrt: str, result: Any, error: Any, cotangent: Any, *, x: np.ndarray) -> Any:
        return x * np.inf

    result, nothing = from_array(np.ones(2, dtype=np.float32)), np.array([1.0, 0.0])
    with pytest.raises(DefinitionError, match=r"the budget of operation 'muddled' is NaN: .*test_base\.py, line \d+"):
        muddled.allowed(result, nothing)
    with pytest.raises(DefinitionError, match=r"the inherited error of operation 'muddled' is NaN"):
        muddled.inherited("x", result, nothing, nothing, x=nothing)
    assert muddled.allowed(result, np.ones(2)).tolist() == [1.0, 1.0]


def test_an_operation_without_a_budget_says_so(empty_registry: dict[str, Any]) -> None:
    @operation(document="nothing")
    def careless(x: Array) -> Any:
        """States no budget."""
        return x

    with pytest.raises(LookupError, match="'careless' states no error budget"):
        careless.allowed(from_array(np.ones(1)), np.ones(1))


def test_a_name_is_taken_once(empty_registry: dict[str, Any]) -> None:
    def twice(x: Array) -> Any:
        """The same name."""
        return x

    operation(document="nothing")(twice)
    with pytest.raises(ValueError, match="'twice' is defined twice"):
        operation(document="nothing")(twice)


def test_an_operation_that_only_moves_needs_no_budget(empty_registry: dict[str, Any]) -> None:
    @operation(document="nothing", moves=True)
    def moved(x: Array, *, axis: Axis = 0) -> Any:
        """Moves."""
        return x

    assert "every bit" in moved.budget_source
    assert moved.parameters["axis"].keyword_only
    assert not moved.parameters["axis"].required
    assert moved.parameters["x"].required
    assert not moved.parameters["x"].keyword_only


@pytest.mark.parametrize(
    ("operation_name", "parameter", "fits", "does_not"),
    [
        ("softmax", "axis", [0, -3], [None, True, 1.0, "0", [0]]),
        ("log_softmax", "axis", [1, -1], [None, False, 0.5]),  # left out, or a number
        ("sum", "axis", [None, 1, [], [0], [0, -2], [0, 0]], [False, 0.5, [None], [0.5], [True], "0", [[0]]]),
        ("mean", "axis", [None, -1, [], [2, 1]], [True, 1.0, ["0"]]),
        ("sum", "keepdims", [True, False], [0, 1, None, "true"]),
        ("reshape", "shape", [[2, -1], [], [0]], [3, "23", [1.0], [True], None, [[1]]]),
        ("asarray", "dtype", [None, "int8", "bfloat16"], ["floating", "half", 32, ["int8"]]),
        ("binary_cross_entropy", "reduction", ["none", "mean", "sum"], ["batchmean", None, 0, ["sum"]]),
        ("binary_cross_entropy", "weight", [None], [1.0, "x", [1.0]]),
        ("softmax", "x", [], [None, 1.0, "x", [1.0]]),
    ],
)
def test_parameters_accept_what_their_kind_says_and_nothing_else(
    operation_name: str, parameter: str, fits: list[Any], does_not: list[Any]
) -> None:
    chosen = OPERATIONS[operation_name].parameters[parameter]
    assert [value for value in fits if not chosen.accepts(value)] == []
    assert [value for value in does_not if chosen.accepts(value)] == []


def test_gradients_are_taken_of_predictions_and_weights_but_not_of_targets() -> None:
    parameters = OPERATIONS["binary_cross_entropy_with_logits"].parameters
    assert [n for n, p in parameters.items() if p.differentiable] == ["x", "weight", "pos_weight"]
    assert [n for n, p in parameters.items() if p.holds_arrays] == ["x", "target", "weight", "pos_weight"]


def test_what_works_along_an_axis_or_reduces_or_moves_is_not_elementwise() -> None:
    found = {name for name, one in OPERATIONS.items() if one.elementwise}
    assert found == {"sigmoid", "log_sigmoid", "exp", "log", "negative", "add", "subtract", "multiply", "divide"}
