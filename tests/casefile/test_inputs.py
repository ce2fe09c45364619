"""A variant's inputs as arrays: every source, in every dtype."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from conformance.casefile.errors import Mistake
from conformance.casefile.generators import generate, last_below
from conformance.casefile.inputs import materialise, printed_array, printed_inputs, put, resolve_shape
from conformance.casefile.model import Binades, Normal, Put, Uniform
from conformance.casefile.printed import parse
from conformance.casefile.variants import Variant
from conformance.ground import limits
from conformance.ground.dtypes import DTYPES
from conformance.truth.rounding import round_floats

Variants = Callable[[str], dict[str, Variant]]


def case(given: str, grid: str = "{}", call: str = "sum(x)") -> str:
    return f"cases:\n  - name: a\n    given: {given}\n    for: {grid}\n    call: {call}\n"


def arrays(variants: Variants, *arguments: str) -> dict[str, np.ndarray]:
    return {name: materialise(v)["x"] for name, v in variants(case(*arguments)).items()}


def test_a_literal_takes_the_dtype_of_its_variant_and_cannot_be_written_to(variants: Variants) -> None:
    got = arrays(variants, "{x: [[1, 2.5]]}", "{dtype: [float16, bfloat16]}")
    for name in ("float16", "bfloat16"):
        x = got[f"a[{name}]"]
        assert x.dtype == DTYPES[name].numpy
        assert x.astype(float).tolist() == [[1.0, 2.5]]
        with pytest.raises(ValueError):
            x[0, 0] = 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{array: [1, -0.0, max], dtype: float16}", [1.0, -0.0, 65504.0]),
        ("{array: [1, 2], dtype: int8}", [1, 2]),
        ("{printed: 'tensor([0.1000, nan, -inf])'}", [np.float32(0.1), np.nan, -np.inf]),
        ("{printed: '[3 -7]', dtype: int64}", [3, -7]),
        ("{linspace: {start: 0, stop: 1, count: 3}}", [0.0, 0.5, 1.0]),
        ("{full: {shape: [2], value: eps}}", [2.0**-23] * 2),
        ("{full: {shape: [2], value: true}, dtype: bool}", [True, True]),
        ("{integers: {shape: [2], low: 4, high: 4, seed: 1}}", [4, 4]),
        ("{bernoulli: {shape: [2], probability: 1, seed: 1}, dtype: bool}", [True, True]),
        ("{bernoulli: {shape: [2], probability: 1, seed: 1}, dtype: uint8}", [1, 1]),
        ("{uniform: {shape: [2, 0], seed: 1}}", [[], []]),
        ("{array: [1.0, 2, 3], put: {at: [1], value: .nan}}", [1, np.nan, 3]),
        ("{array: [[1, 2], [3, 4]], put: {at: [-1, 0], value: max}, dtype: float16}", [[1, 2], [65504.0, 4]]),
        ("{full: {shape: [], value: 1}, put: {at: [], value: -0x1p-3}}", -0.125),
        ("{printed: '[0.2500, 1.0000]', put: {at: [0], value: -.inf}}", [-np.inf, 1]),
        ("{array: [1, 2], put: {at: [0], value: 127}, dtype: int8}", [127, 2]),
        ("{array: [true, true], put: {at: [1], value: false}}", [True, False]),
        ("{linspace: {start: 0, stop: 1, count: 3}, put: {at: [-3], value: 9}}", [9, 0.5, 1]),
    ],
)
def test_every_source_gives_its_numbers(variants: Variants, source: str, expected: list[Any]) -> None:
    (x,) = arrays(variants, f"{{x: {source}}}").values()
    np.testing.assert_array_equal(x.astype(np.float64) if x.dtype.kind == "f" else x, expected)
    assert not x.flags.writeable


def test_shapes_come_from_the_grid_by_name(variants: Variants) -> None:
    got = arrays(variants, "{x: {normal: {shape: s, seed: 1}}}", "{s: [[2, 3], [], [4]]}")
    assert {name: x.shape for name, x in got.items()} == {
        "a[float32,s=2x3]": (2, 3),
        "a[float32,s=scalar]": (),
        "a[float32,s=4]": (4,),
    }


def test_generated_numbers_are_rounded_once_to_the_dtype(variants: Variants) -> None:
    got = arrays(variants, "{x: {normal: {shape: [500], seed: 1, scale: 3}}}", "{dtype: floating}")
    wide = got["a[float64]"]
    for name in ("float16", "bfloat16", "float32"):
        narrow = got[f"a[{name}]"]
        below, above = (np.nextafter(narrow, narrow.dtype.type(d)).astype(np.float64) for d in (-np.inf, np.inf))
        mine = np.abs(narrow.astype(np.float64) - wide)
        assert np.all((mine <= np.abs(below - wide)) & (mine <= np.abs(above - wide)))


def test_the_same_input_twice_is_the_same_array_twice_and_not_shared(variants: Variants) -> None:
    text = case(
        "{x: {uniform: {shape: [3], seed: 1}}, y: {uniform: {shape: [3], seed: 1}}}", "{dtype: float64}", "add(x, y)"
    )
    (variant,) = variants(text).values()
    inputs = materialise(variant)
    np.testing.assert_array_equal(inputs["x"], inputs["y"])
    assert not np.shares_memory(inputs["x"], inputs["y"])


def test_only_printed_inputs_are_intervals(variants: Variants) -> None:
    text = case("{x: {printed: '[0.25, 1.]'}, y: [0.25, 1.0]}", "{}", "add(x, y)")
    (variant,) = variants(text).values()
    printed = printed_inputs(variant)
    assert list(printed) == ["x"]
    assert printed["x"].radii == (Fraction(1, 200), 0)


@pytest.mark.parametrize("shape", [[2, "3"], [-1], [1.0], [True], "s", None, {}, [1] * 9, 3])
def test_what_is_no_shape_is_refused(shape: Any) -> None:
    with pytest.raises(Mistake, match="expected a shape"):
        resolve_shape(shape, {}, ())


def test_a_shape_may_have_many_elements_but_not_without_end() -> None:
    assert resolve_shape([limits.ELEMENTS, 1], {}, ()) == (limits.ELEMENTS, 1)
    assert resolve_shape("n", {"n": [2, 0]}, ()) == (2, 0)
    with pytest.raises(Mistake, match="elements"):
        resolve_shape([limits.ELEMENTS, 2], {}, ())
    with pytest.raises(Mistake, match="elements"):
        resolve_shape([2**24] * 8, {}, ())


@pytest.mark.parametrize(
    ("text", "dtype", "message"),
    [
        ("[300]", "int8", "300 does not fit int8"),
        ("[1.5]", "int32", "printed with decimals"),
        ("[1.5, 7e4]", "float16", "does not fit float16"),
    ],
)
def test_printed_numbers_that_the_dtype_cannot_hold_are_refused(text: str, dtype: str, message: str) -> None:
    with pytest.raises(Mistake, match=message):
        printed_array(parse(text), DTYPES[dtype])


def test_what_is_put_comes_from_the_grid_by_name(variants: Variants) -> None:
    got = arrays(
        variants, "{x: {array: [1.0, 2, 3], put: {at: i, value: v}}}", "{i: [[0], [-1]], v: [.nan, smallest_subnormal]}"
    )
    assert [x.tolist()[1] for x in got.values()] == [2.0] * 4
    special = {name: (x[0], x[-1]) for name, x in got.items()}
    assert np.isnan(special["a[float32,i=0,v=nan]"][0]) and special["a[float32,i=0,v=nan]"][1] == 3
    assert np.isnan(special["a[float32,i=-1,v=nan]"][1]) and special["a[float32,i=-1,v=nan]"][0] == 1
    assert special["a[float32,i=0,v=smallest_subnormal]"] == (np.float32(2.0**-149), 3)
    assert special["a[float32,i=-1,v=smallest_subnormal]"] == (1, np.float32(2.0**-149))


def test_one_element_is_replaced_and_the_others_stay_as_they_were_generated(variants: Variants) -> None:
    (plain,) = arrays(variants, "{x: {normal: {shape: [3, 4], seed: 1}}}").values()
    (changed,) = arrays(variants, "{x: {normal: {shape: [3, 4], seed: 1}, put: {at: [1, -1], value: .inf}}}").values()
    differs = plain != changed
    assert differs.sum() == 1 and differs[1, 3] and np.isinf(changed[1, 3])
    assert not changed.flags.writeable
    np.testing.assert_array_equal(generate(Normal(shape="", seed=1), (3, 4)).astype(np.float32), plain)


@pytest.mark.parametrize("at", [[2], [-3], [0, 0], [], [0.0], [True], "i", 0, [[0]], None])
def test_an_index_that_an_array_of_rank_1_and_length_2_has_not_is_refused(at: Any) -> None:
    array = np.zeros(2, dtype=np.float32)
    with pytest.raises(Mistake, match=r"expected an index into an array of shape \[2\], found") as caught:
        put(array, Put(at=at, value=1.0), DTYPES["float32"], {}, ("put",))
    assert caught.value.keys == ("put", "at")
    assert not array.any()


def test_a_number_that_the_dtype_can_not_hold_is_not_put() -> None:
    for value, dtype in [(70000, "float16"), (300, "int8"), (1.5, "int32"), (float("nan"), "int64"), ("tiny", "int8")]:
        with pytest.raises(Mistake) as caught:
            put(np.zeros(2, dtype=DTYPES[dtype].numpy), Put(at=[0], value=value), DTYPES[dtype], {}, ("put",))
        assert caught.value.keys[:2] == ("put", "value")


@pytest.mark.parametrize("source", ["normal: {", "uniform: {", "bernoulli: {", "binades: {", "full: {value: 1, "])
def test_the_one_element_of_an_array_of_rank_0_is_replaced(variants: Variants, source: str) -> None:
    seed = "" if "full" in source else ", seed: 1"
    (variant,) = variants(
        f"cases:\n  - {{name: a, given: {{x: {{{source}shape: []{seed}}}, put: {{at: [], value: 5}}}}}}, call: exp(x)}}\n"
    ).values()
    (array,) = materialise(variant).values()
    assert isinstance(array, np.ndarray) and (array.shape, float(array)) == ((), 5.0)


def test_a_layout_is_taken_by_word_or_from_the_grid_and_leaves_the_numbers(variants: Variants) -> None:
    given = "{x: {normal: {shape: [2, 3], seed: 1}, put: {at: [0, 1], value: 9}, layout: %s}}"
    (plain,) = arrays(variants, given % "contiguous").values()
    assert plain[0, 1] == 9
    got = arrays(variants, given % "how", "{how: [contiguous, transposed, stepped, broadcast]}")
    strides = {name[len("a[float32,how=") : -1]: x.strides for name, x in got.items()}
    assert strides == {"contiguous": (12, 4), "transposed": (4, 8), "stepped": (56, 8), "broadcast": (0, 4)}
    for name, x in got.items():
        np.testing.assert_array_equal(x, plain[[0, 0]] if "broadcast" in name else plain)
        with pytest.raises(ValueError):
            x[0, 0] = 3
    (stepped,) = arrays(variants, given % "stepped").values()
    assert stepped.strides == (56, 8)


@pytest.mark.parametrize(
    "source", ["{array: [[1.0, 2.0]]", "{printed: '[[1.00, 2.00]]'", "{full: {shape: [1, 2], value: 1}"]
)
def test_every_source_can_be_laid_out(variants: Variants, source: str) -> None:
    (x,) = arrays(variants, f"{{x: {source}, layout: stepped}}}}").values()
    assert (x.shape, x.strides) == ((1, 2), (40, 8))


def test_numbers_of_generators_come_from_the_grid_by_name(variants: Variants) -> None:
    """The same bits as where they are written in their place."""
    for given, grid, plain in [
        (
            "normal: {shape: [3], seed: k, scale: a, mean: b}",
            "{k: [7], a: [2], b: [0.5]}",
            "seed: 7, scale: 2.0, mean: 0.5",
        ),
        ("uniform: {shape: [3], seed: k, low: a, high: b}", "{k: [7], a: [-1], b: [1]}", "seed: 7, low: -1, high: 1"),
        ("integers: {shape: [3], seed: k, low: a, high: b}", "{k: [7], a: [-5], b: [5]}", "seed: 7, low: -5, high: 5"),
        ("bernoulli: {shape: [3], seed: k, probability: a}", "{k: [7], a: [0.25]}", "seed: 7, probability: 0.25"),
        ("binades: {shape: [3], seed: k, low: a, high: b}", "{k: [7], a: [-2], b: [2]}", "seed: 7, low: -2, high: 2"),
    ]:
        kind = given.partition(":")[0]
        (named,) = arrays(variants, f"{{x: {{{given}}}}}", grid).values()
        (written,) = arrays(variants, f"{{x: {{{kind}: {{shape: [3], {plain}}}}}}}").values()
        assert named.tobytes() == written.tobytes()
    (spaced,) = arrays(variants, "{x: {linspace: {start: a, stop: b, count: 3}}}", "{a: [1], b: [2]}").values()
    assert spaced.tolist() == [1, 1.5, 2]
    (one,) = arrays(variants, "{x: {full: {shape: [1], value: a}}}", "{a: [-max]}").values()
    assert one.tolist() == [-np.finfo(np.float32).max]


def test_each_value_of_the_grid_gives_numbers_of_its_own(variants: Variants) -> None:
    got = arrays(variants, "{x: {normal: {shape: [9], seed: k, scale: a}}}", "{k: [1, 2], a: [1, 100]}")
    assert len({x.tobytes() for x in got.values()}) == len(got) == 4
    wide, narrow = (np.abs(got[f"a[float32,a={a},k=1]"]) for a in (100, 1))
    np.testing.assert_allclose(wide, 100 * narrow, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_numbers_of_every_magnitude_go_by_default_over_all_that_the_dtype_has(variants: Variants, dtype: str) -> None:
    (x,) = arrays(variants, "{x: {binades: {shape: [20000], seed: 1}}}", f"{{dtype: {dtype}}}").values()
    kind, wide = DTYPES[dtype], np.abs(x.astype(np.float64))
    assert x.dtype == kind.numpy
    assert np.isfinite(wide).all() and (wide > 0).all()
    assert wide.max() >= 2.0**kind.max_exponent
    # The lowest binade holds one number, of one significant bit; significands next to 2 round up to the next.
    assert wide.min() == 2.0**kind.smallest_quantum
    reached = set(np.frexp(wide)[1] - 1)
    assert len(reached) > 0.9 * min(20_000, kind.max_exponent - kind.smallest_quantum + 1)
    assert (wide < 2.0**kind.min_exponent).any()  # subnormals


def test_what_would_round_up_to_infinity_is_the_largest_number(variants: Variants) -> None:
    """Of the top binade of bfloat16, one in 512 does."""
    (x,) = arrays(
        variants, "{x: {binades: {shape: [20000], seed: 1, low: 127, high: 127}}}", "{dtype: bfloat16}"
    ).values()
    largest = 2.0**128 - 2.0**120
    raw = generate(Binades(shape="", seed=1, low=127, high=127), (20_000,))
    assert np.isinf(raw.astype(x.dtype).astype(np.float64)).sum() > 10
    wide = x.astype(np.float64)
    assert np.isfinite(wide).all()
    assert (wide.max(), wide.min()) == (largest, -largest)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "last"),
    [
        ("float16", 0.0, 1.0, 1 - 2.0**-11),
        ("bfloat16", 0.0, 1.0, 1 - 2.0**-8),
        ("bfloat16", -4.0, 4.0, 4 - 2.0**-6),
        ("bfloat16", -2.0, -1.0, -1 - 2.0**-7),
        ("bfloat16", -1.0, 0.0, -(2.0**-133)),
        ("bfloat16", 0.0, 0.1, 0.099609375),  # 0.1 itself would be 0.10009765625
        ("float16", 0.0, 0.1, 0.0999755859375),  # which is 0.1 in this dtype, and lies below it
    ],
)
def test_uniform_numbers_do_not_round_to_their_upper_end(
    variants: Variants, dtype: str, low: float, high: float, last: float
) -> None:
    count = 200_000
    source = f"{{x: {{uniform: {{shape: [{count}], seed: 1, low: {low}, high: {high}}}}}}}"
    (x,) = arrays(variants, source, f"{{dtype: {dtype}}}").values()
    raw = generate(Uniform(shape="", seed=1, low=low, high=high), (count,))
    rounded = round_floats(raw, DTYPES[dtype])
    over = rounded.astype(np.float64) >= high
    reaches = high != 0 and float(round_floats(np.array(high), DTYPES[dtype])) >= high
    assert bool(over.any()) == reaches, "whether anything would round there"
    assert x.dtype == rounded.dtype
    assert (x[over].astype(np.float64) == last).all()
    assert x[~over].tobytes() == rounded[~over].tobytes(), "all others stay as they are"
    assert x.astype(np.float64).max() <= last < high


def test_between_ends_that_are_one_number_nothing_is_cut() -> None:
    assert last_below(1.0, 1.0, DTYPES["float16"]) == np.inf
    assert last_below(1.0, 0.0, DTYPES["float16"]) == np.inf
    assert last_below(0.0, 1.0, DTYPES["float64"]) == 1 - 2.0**-53


def test_one_end_of_the_range_may_be_left_to_the_dtype(variants: Variants) -> None:
    got = arrays(
        variants, "{x: {binades: {shape: [2000], seed: 1, low: 0, sign: positive}}}", "{dtype: [float16, float32]}"
    )
    assert {name: (x.min() >= 1, np.log2(x.astype(np.float64).max()) // 1) for name, x in got.items()} == {
        "a[float16]": (True, 15), "a[float32]": (True, 127),
    }  # fmt: skip
    (low,) = arrays(variants, "{x: {binades: {shape: [2000], seed: 1, high: -127, sign: negative}}}").values()
    assert low.max() < 0 and low.min() >= -(2.0**-126) and low.max() == -(2.0**-149)
