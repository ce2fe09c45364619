"""What scripts print: elements, and errors in ULP, as the suite has them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from conformance.backends.scripts import numpy as pieces
from conformance.casefile.generators import binades
from conformance.ground.dtypes import DTYPES
from conformance.reproduction import helpers
from conformance.truth.gradient import default_cotangent
from conformance.truth.rounding import assemble, round_floats, round_fraction
from conformance.words.wording import exact_digits


@pytest.fixture(autouse=True)
def numpy_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a backend gives to scripts: here NumPy's."""
    for name in ("native", "numbers_of", "fill"):
        monkeypatch.setattr(helpers, name, getattr(pieces, name), raising=False)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> list[str]:
        function(*arguments, **named)
        return capsys.readouterr().out.splitlines()

    return call


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_errors_are_those_that_the_suite_measures(dtype: str, printed: Callable[..., list[str]]) -> None:
    """Of thirds of numbers of every magnitude, off by up to some ULP; subnormals and results that became 0 among them."""
    kind = DTYPES[dtype]
    low = kind.smallest_quantum - 2
    exact = [Fraction(x) / 3 for x in binades(40, 1, low, kind.max_exponent, "both").tolist()]
    rounded = assemble([round_fraction(x, kind) for x in exact], (40,), kind)
    got = round_floats(rounded.value.astype(np.float64) * (1 + np.linspace(-2, 2, 40) * 2.0**-kind.precision), kind)
    due, digits = rounded.distance(got), exact_digits(rounded.value, rounded.residual)
    for i in range(40):
        if not np.isfinite(got[i].astype(np.float64)):
            continue
        lines = printed(helpers.measure, got, (i,), digits[i], 2.0 ** int(rounded.quantum[i]), 3.0)
        assert float(lines[1].split()[0]) == pytest.approx(due[i], rel=6e-3, abs=6e-3)


def test_an_error_beyond_what_a_float_holds_is_printed_all_the_same(printed: Callable[..., list[str]]) -> None:
    lines = printed(helpers.measure, np.array([1.0]), (0,), "5e-324", 5e-324, 3.0)
    assert lines[1] == "  2.02e+323 ULP away, 3.0 allowed"


def test_of_a_nan_no_error_is_printed(printed: Callable[..., list[str]]) -> None:
    assert printed(helpers.measure, np.array([np.nan]), (0,), "1", 2.0**-52, 3.0) == [
        "nearest its budget: [0] nan (7ff8000000000000)  exact 1"
    ]


def test_floats_are_shown_with_their_bits() -> None:
    assert helpers.in_words(np.float32(0.1)) == "0.1 (0x1.99999a0000000p-4)"
    assert helpers.in_words(np.float32(-0.0)) == "-0.0 (-0x0.0p+0)"
    assert helpers.in_words(np.array([1.5], DTYPES["bfloat16"].numpy)[0]) == "1.5 (0x1.8000000000000p+0)"
    assert helpers.in_words(np.array([0x7E01], np.uint16).view(np.float16)[0]) == "nan (7e01)"
    assert [helpers.in_words(x) for x in (np.int64(-3), np.bool_(True), np.complex64(1j))] == ["-3", "True", "1j"]
    assert helpers.in_words(2**70) == str(2**70)  # of an array of Python's objects


def test_first_elements_stand_beside_the_exact_ones(printed: Callable[..., list[str]]) -> None:
    lines = printed(helpers.show, "result", np.arange(10.0), exact=("float64", (10,), "0.0 1.0"))
    assert lines[0].startswith("result: float64[10], SHA-256 ")
    assert lines[1] == "exact, correctly rounded: float64[10]"
    assert lines[3].split() == ["[1]", "1.0", "(0x1.0000000000000p+0)", "exact", "1.0", "(0x1.0000000000000p+0)"]
    assert len(lines) == 10 and "exact" not in lines[4]


@pytest.mark.parametrize(
    ("got", "what"), [(np.zeros(2), "float64[2]"), (np.zeros((2, 1), np.float32), "float32[2, 1]")]
)
def test_another_dtype_or_shape_is_said_beside_what_is_due(
    got: np.ndarray, what: str, printed: Callable[..., list[str]]
) -> None:
    lines = printed(helpers.show, "result", got, exact=("float32", (2,), "0.0 0.0"))
    assert lines[1:3] == ["exact, correctly rounded: float32[2]", f"another dtype or shape than is due: {what}"]
    assert not any(
        "another" in line for line in printed(helpers.show, "r", got, exact=(got.dtype.name, got.shape, "0 0"))
    )


def test_a_scalar_and_an_empty_result_are_shown(printed: Callable[..., list[str]]) -> None:
    assert printed(helpers.show, "result", np.float32(1))[1] == "  [] 1.0 (0x1.0000000000000p+0)"
    assert len(printed(helpers.show, "result", np.zeros((0, 2)), exact=("float64", (0, 2), ""))) == 2


def test_the_largest_difference_of_a_claim(printed: Callable[..., list[str]]) -> None:
    assert printed(helpers.apart, np.array([1.0, 2.0]), 1.5) == ["largest difference: 0.5"]
    assert printed(helpers.apart, np.zeros((2, 0)), np.zeros((2, 0))) == ["largest difference: 0.0"]
    assert printed(helpers.apart, np.zeros(2), np.zeros(3)) == []


def test_whether_a_write_shows() -> None:
    array = np.arange(4.0)
    assert helpers.shows(array, array.reshape(2, 2))
    assert not helpers.shows(array, array.copy())


def test_numbers_that_were_made_anew_must_be_those_of_the_run() -> None:
    with pytest.raises(SystemExit, match="not the numbers"):
        helpers.checked("ab" * 32, np.zeros(3))


def test_what_is_added_to_a_result_leaves_it_as_it_is() -> None:
    result = np.array([0.0, -0.0, 1e-45, np.nan, np.inf], dtype=np.float32)
    nothing = helpers.nothing(result)
    assert (nothing.dtype, nothing.shape) == (result.dtype, result.shape)
    assert (result + nothing).tobytes() == result.tobytes()


def test_the_weights_of_a_gradient_are_those_of_the_suite() -> None:
    result = np.zeros((3, 4), DTYPES["bfloat16"].numpy)
    got = helpers.weights(result)
    assert got.dtype == result.dtype
    np.testing.assert_array_equal(got.astype(np.float64), default_cotangent((3, 4)))
