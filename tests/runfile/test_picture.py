"""Pictures of errors: a wrong element shows, where it is and how far off."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from conformance.runfile.picture import FEW, MOST_CELLS, picture

EXACT = np.full((4, 8), 1.5, np.float32)


def drawn(exact: np.ndarray, got: np.ndarray) -> tuple[int, int, int, str]:
    across, rows, run, cells = picture(exact, got).split(" ")
    assert len(cells) == int(across) * int(rows)
    return int(across), int(rows), int(run), cells


def with_(exact: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    got = exact.copy()
    got[place] = value
    return got


@pytest.mark.parametrize(
    ("steps", "letter"),
    [(0, "0"), (1, "a"), (-1, "A"), (2, "b"), (-3, "C"), (16, "d"), (17, "e"), (-256, "E"), (257, "f"), (-9999, "F")],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_element_has_the_letter_of_its_error_and_capitals_where_it_is_too_small(
    steps: int, letter: str, dtype: Any
) -> None:
    exact = EXACT.astype(dtype)
    got = with_(exact, (2, 3), 1.5 + steps * float(np.finfo(dtype).eps))
    across, rows, run, cells = drawn(exact, got)
    assert (across, rows, run) == (8, 4, 1)
    assert cells == "0" * 19 + letter + "0" * 12


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_marked_unless_it_must_be(value: float) -> None:
    assert drawn(EXACT, with_(EXACT, (0, 0), value))[3][0] == "!"
    assert drawn(with_(EXACT, (0, 0), value), with_(EXACT, (0, 0), value))[3][0] == "0"
    assert drawn(with_(EXACT, (0, 0), value), EXACT)[3][0] == "!"


def test_a_cell_of_several_elements_shows_the_worst_of_them() -> None:
    exact = np.full(5 * MOST_CELLS, 1.5, np.float32)
    got = with_(with_(exact, (7,), 1.5 + 2.0**-22), (8,), np.nan)
    across, rows, run, cells = drawn(exact, got)
    assert rows == 1 and across <= MOST_CELLS and run * across >= exact.size
    place = 7 // run
    assert cells[place] == "!" and set(cells) == {"0", "!"}


@pytest.mark.parametrize("shape", [(64, 64), (1000, 3), (3, 1000), (2, 2, 2, 40), (9,)])
def test_no_picture_is_larger_than_it_may_be(shape: tuple[int, ...]) -> None:
    exact = np.ones(shape, np.float32)
    got = exact.copy()
    got.flat[-1] = 2
    across, rows, _, cells = drawn(exact, got)
    assert across * rows <= MOST_CELLS
    assert "f" in cells


def test_few_elements_other_dtypes_and_other_shapes_are_not_drawn() -> None:
    few, more = np.ones(FEW, np.float32), np.ones(FEW + 1, np.float32)
    for exact, got in [
        (few, few),
        (more, more.astype(np.float64)),
        (more, more.reshape(-1, 1)),
        (more.astype(np.int64), more.astype(np.int64)),
    ]:
        assert picture(exact, got) == ""
    assert picture(more.astype(ml_dtypes.bfloat16), more.astype(ml_dtypes.bfloat16))
