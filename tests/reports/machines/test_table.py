from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.reports.machines.table import COLUMNS, LONGEST_CELL, cell, number
from conformance.runfile import Record, Run, Stored
from conformance.words.visible import on_one_line


def rows(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_there_is_a_row_a_record_and_the_header_is_the_documented_one(
    files: Callable[..., Path], make_run: Any, failing: Any
) -> None:
    got = [Stored.of(np.zeros((2, 3), np.float32)), Stored.of(np.zeros((), np.float64))]
    records = [
        Record("ops/exp/one[float32]", "eager", "passed", got=got, ulp=0.1, budget=2.0, at=[0, 1], end_to_end=1e-30),
        failing("ops/exp/one[float32]", "jit"),
        Record("ops/exp/one[float32]", "idioms", "unsupported", "not here", idiom="torch.exp"),
    ]
    first, second, third = rows(files(make_run("torch", records)) / "records.csv")
    assert list(first) == list(COLUMNS)
    assert {key: first[key] for key in ("run", "version", "mode", "verdict", "ulp", "budget", "at", "end to end")} == {
        "run": "torch", "version": "1.2.3", "mode": "eager", "verdict": "passed", "ulp": "0.1", "budget": "2.0",
        "at": "[0, 1]", "end to end": "1e-30",
    }  # fmt: skip
    assert first["results"] == "float32[2, 3] float64"
    assert (second["channels"], second["expected"], second["got"]) == ("value", "0.5", "0.75")
    assert (third["idiom"], third["reason"], third["ulp"]) == ("torch.exp", "not here", "")


def test_hostile_texts_stay_in_their_cells(
    bad: str, files: Callable[..., Path], hostile_run: Callable[[str], Run]
) -> None:
    found = rows(files(hostile_run(bad)) / "records.csv")
    assert [row["verdict"] for row in found] == ["failed", "divergent", "unsupported"]
    assert not any(value.startswith(("=", "+", "-", "@", "\t")) for row in found for value in row.values())


@pytest.mark.parametrize("text", ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1"])
def test_what_a_spreadsheet_would_take_for_a_formula_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == "'" + on_one_line(text)


@given(st.text(max_size=50))
def test_taking_the_apostrophe_away_gives_the_text_back(text: str) -> None:
    made = cell(text)
    assert made.removeprefix("'") == on_one_line(text)
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_long_text_is_cut() -> None:
    assert len(cell("x" * 100_000)) <= LONGEST_CELL + 10


@given(st.floats())
def test_numbers_stay_numbers_and_no_number_is_not_nan(value: float) -> None:
    assert number(None) == ""
    assert number(math.nan) == "NaN"
    assert float(number(value)) == value or math.isnan(value)


def test_a_negative_number_is_a_number_and_a_text_that_looks_like_one_is_not() -> None:
    assert (number(-1.5), cell("-1.5")) == ("-1.5", "'-1.5")


def test_the_documented_columns_are_those_of_the_file() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reports.md").read_text(encoding="utf-8")
    section = text.partition("### records.csv")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE) == list(COLUMNS.items())
