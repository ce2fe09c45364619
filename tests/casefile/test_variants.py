"""Variants: a case for each combination of its grid, with IDs that stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.casefile.errors import Mistake
from conformance.casefile.loader import load
from conformance.casefile.variants import Variant, label_of
from conformance.ground import limits

Variants = Callable[[str], dict[str, Variant]]


def case(grid: str, call: str = "softmax(x, axis=axis)", given: str = "{x: [[1.0]]}", more: str = "") -> str:
    return f"cases:\n  - name: a\n    given: {given}\n    for: {grid}\n    call: {call}\n{more}"


def test_a_grid_gives_a_variant_for_each_combination(variants: Variants) -> None:
    got = variants(case("{axis: [0, -1], dtype: [float32, float64]}"))
    assert list(got) == ["a[float32,axis=0]", "a[float32,axis=-1]", "a[float64,axis=0]", "a[float64,axis=-1]"]
    last = got["a[float64,axis=-1]"]
    assert dict(last.bindings) == {"axis": -1, "dtype": "float64"}
    assert last.dtype.name == "float64"
    assert last.check == "value"


def test_ids_do_not_depend_on_the_order_of_keys_in_the_file(variants: Variants) -> None:
    call = "sum(softmax(x, axis=axis), axis=b, keepdims=k)"
    one = variants(case("{axis: [0], b: [1, null], k: [true], dtype: float32}", call))
    other = variants(case("{k: [true], dtype: float32, b: [1, null], axis: [0]}", call))
    assert list(one) == list(other) == ["a[float32,axis=0,b=1,k=true]", "a[float32,axis=0,b=none,k=true]"]


def test_an_id_begins_with_the_place_of_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "ops" / "deep"
    folder.mkdir(parents=True)
    (folder / "softmax.yaml").write_text(case("{axis: [0]}"))
    assert [v.id for v in load(tmp_path).variants()] == ["ops/deep/softmax/a[float32,axis=0]"]
    assert [v.id for v in load(folder / "softmax.yaml").variants()] == ["softmax/a[float32,axis=0]"]


def test_ids_do_not_change_when_other_cases_are_added_or_moved(variants: Variants) -> None:
    first, second = (f"  - {{name: {n}, given: {{x: 1.0}}, call: exp(x)}}\n" for n in ("a", "b"))
    assert set(variants("cases:\n" + first + second)) == set(variants("cases:\n" + second + first))


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (3, "3"),
        (-1, "-1"),
        (0.5, "0.5"),
        (1e-05, "1e-05"),
        (True, "true"),
        (False, "false"),
        (None, "none"),
        ("mean", "mean"),
        ([2, 3], "2x3"),
        ([], "scalar"),
        ([5], "5"),
        ([-1], "-1"),
        ([[1], [2, 3]], "1x2x3"),
        ("a b,c[d]", "a_b_c_d_"),
        ([None, True], "nonextrue"),
    ],
)
def test_labels_are_short_and_never_break_an_id(value: Any, label: str) -> None:
    assert label_of(value) == label


def test_an_empty_list_is_a_scalars_shape_or_no_axis() -> None:
    assert [label_of([], name) for name in ("shape", "s", "axis", "axes")] == ["scalar", "scalar", "no-axis", "no-axis"]
    assert label_of([0, -1], "axis") == "0x-1"


def test_what_has_no_label_is_refused() -> None:
    with pytest.raises(Mistake, match="found dict"):
        label_of({"a": 1})


@pytest.mark.parametrize(
    ("dtypes", "names"),
    [
        ("floating", ["float16", "bfloat16", "float32", "float64"]),
        ("[float32, floating]", ["float32", "float16", "bfloat16", "float64"]),
        ("int8", ["int8"]),
        ("[integer]", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]),
    ],
)
def test_groups_of_dtypes_are_spread_out_and_no_dtype_comes_twice(
    variants: Variants, dtypes: str, names: list[str]
) -> None:
    assert list(variants(case(f"{{dtype: {dtypes}}}", "sum(x)", "{x: [1, 2]}"))) == [f"a[{name}]" for name in names]


def test_all_names_every_dtype(variants: Variants) -> None:
    assert len(variants(case("{dtype: all}", "reshape(x, [1])", "{x: [1]}"))) == 13


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ("{x: [1.0]}", "float32"),
        ("{x: [1, 2]}", "int64"),
        ("{x: [true]}", "bool"),
        ("{x: [1, 2.0]}", "float32"),
        ("{x: [max]}", "float32"),
        ("{x: {array: [1, 2]}}", "int64"),
        ("{x: {integers: {shape: [2], low: 0, high: 5, seed: 1}}}", "int64"),
        ("{x: {bernoulli: {shape: [2], seed: 1}}}", "float32"),
        ("{x: {normal: {shape: [2], seed: 1}}}", "float32"),
        ("{x: {array: [1], dtype: int8}}", "float32"),
    ],
)
def test_a_case_that_names_no_dtype_has_that_of_its_inputs(variants: Variants, given: str, dtype: str) -> None:
    assert list(variants(case("{}", "sum(x)", given))) == [f"a[{dtype}]"]


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ("{x: [1], y: [2]}", "int64"),
        ("{x: [1], y: [2.0]}", "float32"),
        ("{x: [1], y: [true]}", "int64"),
        ("{x: {array: [1], dtype: int8}, y: [2]}", "int64"),
    ],
)
def test_several_inputs_have_one_dtype(variants: Variants, given: str, dtype: str) -> None:
    stated = "    expect: {dtype: int64}\n"  # arrays of two dtypes have none of their own
    assert list(variants(case("{}", "stack([x, y])", given, more=stated))) == [f"a[{dtype}]"]


def test_a_gradient_is_a_variant_of_its_own_after_all_values(variants: Variants) -> None:
    got = variants(case("{dtype: [float32, float64]}", "exp(x)", more="    check: [gradient, value]\n"))
    assert list(got) == ["a[float32]", "a[float64]", "a[float32,gradient]", "a[float64,gradient]"]
    assert [v.check for v in got.values()] == ["value", "value", "gradient", "gradient"]
    only = variants(case("{}", "exp(x)", more="    check: [gradient, gradient]\n"))
    assert list(only) == ["a[float32,gradient]"]


@pytest.mark.parametrize(
    ("grid", "problem"),
    [
        ("{axis: []}", "4:17: expected a list of one value or more"),
        ("{axis: 0}", "4:17: expected a list of one value or more"),
        ("{axis: [0, 1, 0]}", "4:24: the value 0 a second time"),
        (
            "{axis: [[2, 3], 2x3]}",
            "4:26: the value 2x3 a second time: [2, 3] and '2x3' look alike in IDs; put one into another case",
        ),
        ("{axis: [0, [0]]}", "4:21: the value 0 a second time: 0 and [0] look alike in IDs; put one into another case"),
        ("{axis: [{a: 1}]}", "4:10: expected a number, a string, a list or null, found dict"),
        ("{axis: [0], x: [1]}", "4:25: 'x' is under 'given' too"),
        ("{axis: [0], dtype: flot32}", "4:29: unknown dtype 'flot32'; did you mean 'float32'?"),
        ("{axis: [0], dtype: [float32, half]}", "4:39: unknown dtype 'half'"),
        ("{axis: [0], dtype: []}", "4:29: expected a dtype, a group of them, or a list"),
        ("{axis: [0], dtype: {a: b}}", "4:29: expected a dtype, a group of them, or a list"),
        ("{axis: [0], dtype: [[float32]]}", "4:30: unknown dtype '['float32']'"),
        ("{axis: [0], Dtype: [float32]}", "4:22: expected a name of lower-case letters, digits and underscores"),
    ],
)
def test_what_is_no_grid_is_refused(problems: Callable[[str], list[str]], grid: str, problem: str) -> None:
    (found,) = problems(case(grid))
    assert found.startswith(problem)


def test_a_grid_has_an_end(problems: Callable[[str], list[str]]) -> None:
    numbers = list(range(150))
    (found,) = problems(case(f"{{axis: {numbers}, b: {numbers}}}", "sum(softmax(x, axis=axis), axis=b)"))
    assert f"a grid of 22,500 variants; {limits.CASE_VARIANTS:,} are allowed" in found


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("call: softmax(x, axis=0)", "softmax"),
        ("call: sum(softmax(x, axis=0))", "softmax"),
        ("call: sum(x)", "sum"),
        ("call: binary_cross_entropy(sigmoid(x), x)", "binary_cross_entropy"),
        ("claim: sum(softmax(x, axis=0)) == 1", "softmax"),
        ("claim: exp(x) / (1 + exp(x)) == sigmoid(x)", "exp"),
        ("claim: 0 <= sigmoid(x) <= 1", "sigmoid"),
        ("claim: shape(exp(x)) == [1]", "exp"),
        ("claim: x + x == 2 * x", "add"),
        ("claim: shape(x) == [1]", "asarray"),
    ],
)
def test_a_case_is_about_its_outermost_telling_operation(tmp_path: Path, text: str, headline: str) -> None:
    (tmp_path / "f.yaml").write_text(f"cases:\n  - name: a\n    given: {{x: [1.0]}}\n    {text}\n")
    (loaded,) = load(tmp_path).cases
    assert loaded.headline == headline
    assert loaded.operations >= ({headline} - {"asarray"})
