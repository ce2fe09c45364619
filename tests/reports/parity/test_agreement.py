from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from conformance.reports.parity.agreement import Agreement, compare
from conformance.reports.parity.view import page
from conformance.reports.shared.material import gather
from conformance.runfile import Record, Stored
from conformance.runfile.arrays import Distance, distance

FLOATING = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


def steps(left: Any, right: Any, dtype: Any) -> int:
    found = distance(np.array(left, dtype), np.array(right, dtype))
    assert found is not None
    return found.steps


@pytest.mark.parametrize("dtype", FLOATING)
def test_neighbours_are_one_step_apart_on_both_sides_of_a_power_of_two(dtype: Any) -> None:
    eps = ml_dtypes.finfo(dtype).eps
    assert steps(1, 1 + float(eps), dtype) == 1
    assert steps(1, 1 - float(eps) / 2, dtype) == 1
    assert steps(-1, -1 - float(eps), dtype) == 1


@pytest.mark.parametrize("dtype", FLOATING)
def test_the_way_across_zero_counts_each_subnormal_once_and_the_two_zeros_as_one(dtype: Any) -> None:
    smallest = float(ml_dtypes.finfo(dtype).smallest_subnormal)
    assert steps(-smallest, smallest, dtype) == 2
    assert steps(-0.0, 0.0, dtype) == 0
    assert steps(0.0, -smallest, dtype) == 1


@pytest.mark.parametrize("dtype", FLOATING)
def test_the_ends_of_a_dtype_are_as_far_apart_as_it_has_values(dtype: Any) -> None:
    bits = np.dtype(dtype).itemsize * 8
    fraction = ml_dtypes.finfo(dtype).nmant
    assert steps(-np.inf, np.inf, dtype) == 2**bits - 2 ** (fraction + 1)


def test_integers_are_as_far_apart_as_their_difference() -> None:
    low, high = -(2**63), 2**63 - 1
    assert steps(low, high, np.int64) == 2**64 - 1
    assert steps(0, 2**64 - 1, np.uint64) == 2**64 - 1
    assert steps(True, False, np.bool_) == 1


def test_a_nan_is_no_distance_from_a_nan_and_infinitely_far_from_a_number() -> None:
    nan = np.array([np.nan, 1], np.float32)
    other = np.frombuffer(np.array([0x7FC00123, 0x3F800000], np.uint32).tobytes(), np.float32)
    assert distance(nan, other) == Distance(0, False)
    assert distance(nan, np.array([2, 1], np.float32)) == Distance(0, True)


def test_different_dtypes_and_shapes_have_no_distance() -> None:
    one = np.ones(2, np.float32)
    assert distance(one, one.astype(np.float64)) is None
    assert distance(one, one.reshape(1, 2)) is None


def test_the_largest_of_several_distances_is_told() -> None:
    left = np.ones(4, np.float32)
    right = left.copy()
    right[2] = np.float32(1 + 5 * 2.0**-23)
    right[3] = np.float32(1 + 2.0**-23)
    assert distance(left, right) == Distance(5, False)


@pytest.fixture
def pair(make_run: Any) -> Agreement:
    runs = [make_run(name, [Record("ops/a/b[float32]", "eager", "passed")]) for name in ("left", "right")]
    columns = gather(runs).columns
    return Agreement(columns[0], columns[1], "backends")


def add(pair: Agreement, variant: str, left: np.ndarray, right: np.ndarray) -> None:
    compare(pair, variant, [Stored.of(left)], [Stored.of(right)])


def test_zeros_of_different_sign_are_close_but_not_bit_identical(pair: Agreement) -> None:
    add(pair, "v", np.array([0.0], np.float32), np.array([-0.0], np.float32))
    assert (pair.compared, pair.identical, pair.within_one, pair.largest) == (1, 0, 1, 0)


def test_nans_of_different_payload_count_as_the_same(pair: Agreement) -> None:
    add(pair, "v", np.array([np.nan], np.float32), np.array([0x7FC00123], np.uint32).view(np.float32))
    assert (pair.compared, pair.identical) == (1, 1)


def test_a_nan_against_a_number_is_neither_close_nor_hidden(pair: Agreement) -> None:
    add(pair, "v", np.array([np.nan], np.float32), np.array([1], np.float32))
    assert (pair.compared, pair.identical, pair.within_one, pair.nan_apart) == (1, 0, 0, 1)


def test_another_dtype_is_counted_apart_and_not_as_a_difference(pair: Agreement) -> None:
    add(pair, "v", np.ones(2, np.float32), np.ones(2, np.float64))
    assert (pair.compared, pair.incomparable, pair.share) == (0, 1, None)


def test_another_number_of_results_is_not_comparable(pair: Agreement) -> None:
    one = Stored.of(np.ones(2, np.float32))
    compare(pair, "v", [one, one], [one])
    assert (pair.compared, pair.incomparable) == (0, 1)


def test_data_that_can_not_be_read_is_not_comparable(pair: Agreement) -> None:
    compare(pair, "v", [Stored("float32", [2], "AAAA")], [Stored.of(np.ones(2, np.float32))])
    compare(pair, "w", [Stored("complex64", [1], "AAAA")], [Stored("complex64", [1], "AAAB")])
    assert (pair.compared, pair.incomparable) == (0, 2)


def test_large_arrays_are_identical_by_their_digest_alone(pair: Agreement) -> None:
    left = np.zeros(5000, np.float32)
    right = left.copy()
    right[4999] = 1  # past the elements that a run file stores
    add(pair, "same", left, left)
    add(pair, "other", left, right)
    assert (pair.compared, pair.identical, pair.within_one, pair.partly) == (2, 1, 1, 1)


def test_backends_meet_in_their_first_modes_and_modes_only_at_home(make_run: Any) -> None:
    got = [Stored.of(np.ones(1, np.float32))]
    runs = [
        make_run("a", [Record("o/p/v[float32]", mode, "passed", got=got) for mode in ("eager", "jit")]),
        make_run("b", [Record("o/p/v[float32]", mode, "passed", got=got) for mode in ("eager", "jit")]),
    ]
    pairs = [(p.left.label, p.right.label, p.between, p.identical) for p in page(runs).agreements]
    assert pairs == [
        ("a eager", "b eager", "backends", 1),
        ("a eager", "a jit", "modes", 1),
        ("b eager", "b jit", "modes", 1),
    ]


def test_variants_without_a_result_on_one_side_are_left_out(make_run: Any) -> None:
    got = [Stored.of(np.ones(1, np.float32))]
    runs = [
        make_run("a", [Record("o/p/v[float32]", "eager", "passed", got=got)]),
        make_run("b", [Record("o/p/v[float32]", "eager", "unsupported", "no such dtype")]),
    ]
    (pair,) = page(runs).agreements
    assert (pair.compared, pair.incomparable) == (0, 0)


def test_the_variant_of_the_largest_distance_is_named(make_run: Any, tmp_path: Path) -> None:
    values = {"near": 1 + 2.0**-23, "far": 1 + 9 * 2.0**-23, "same": 1.0}

    def records(different: bool) -> list[Record]:
        return [
            Record(
                f"o/p/{k}[float32]", "eager", "passed", got=[Stored.of(np.array([v if different else 1], np.float32))]
            )
            for k, v in values.items()
        ]

    (pair,) = page([make_run("a", records(True)), make_run("b", records(False))]).agreements
    assert (pair.compared, pair.identical, pair.within_one) == (3, 1, 2)
    assert (pair.largest, pair.largest_at) == (9, "o/p/far[float32]")


def test_the_histogram_holds_every_comparison_by_its_largest_distance(pair: Agreement) -> None:
    one = np.ones(2, np.float32)
    for steps in (0, 1, 2, 3, 4, 5, 16, 17, 256, 257, 65536, 65537):
        add(pair, f"v{steps}", one, (one.view(np.int32) + np.array([0, steps], np.int32)).view(np.float32))
    assert pair.bins == [1, 1, 1, 2, 2, 2, 2, 1]
    add(pair, "nan", one, np.array([1, np.nan], np.float32))
    assert (sum(pair.bins), pair.nan_apart, pair.compared) == (12, 1, 13)
