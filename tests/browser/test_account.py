"""What a variant's account says of what runs recorded, and what folds hold."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from .runs import Seen
from .screen import Screen

DIVERGES = "ops/softmax/wide-range[float16,axis=2]"  # jax, in both modes
FAILS = "ops/softmax/wide-range[float16,axis=4]"  # jax jit: a NaN


def account(screen: Screen, page: Path, name: str) -> str:
    """Open a page at a variant; its account as it is seen."""
    screen.open(page, f"#v={quote(name, safe='')}")
    variant = screen.until(lambda: screen.all(".variant"), name)[0]
    screen.run("for (const fold of arguments[0].querySelectorAll('details')) fold.open = true", variant)
    return str(variant.text)


def test_an_account_tells_call_inputs_answer_and_budget(
    screen: Screen, parity: Path, variants: dict[str, Seen]
) -> None:
    told = account(screen, parity, DIVERGES)
    assert "softmax(x, axis=axis)" in told
    first = variants[DIVERGES].line.inputs["x"].array().ravel()[0]
    assert f"x = float16[3, 5]: {_shortest(first)}" in told
    assert "before rounding" in told
    assert "Higham 2002" in told
    assert "exact arithmetic" in told


def _shortest(value: np.floating) -> str:
    return np.format_float_positional(value, unique=True, trim="0")


def test_columns_with_the_same_outcome_share_a_row(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    account(screen, parity, DIVERGES)
    rows = [row.text for row in screen.all(".variant table tbody tr") if "formula" not in row.text]
    assert any(row.startswith("numpy eager") and "passed" in row for row in rows)
    (off,) = (row for row in rows if row.startswith("jax eager, jit"))
    record = next(r for run, r in variants[DIVERGES].primary if r.verdict == "divergent")
    assert f"{record.ulp} of {record.budget:g}".replace("\n", " ") in " ".join(off.split())
    assert record.reason in off
    assert record.link in off
    link = screen.one(f".variant a[href='{record.link}']")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_findings_are_told_with_what_was_expected_and_what_came(screen: Screen, parity: Path) -> None:
    told = account(screen, parity, FAILS)
    assert "nan-inf: expected 0.25, got nan" in told
    assert "jax is off" not in told, "its plain mode is right"


def test_arrays_of_more_than_a_few_numbers_are_drawn_and_put_into_words(screen: Screen, parity: Path) -> None:
    account(screen, parity, DIVERGES)
    words = [picture.get_attribute("aria-label") for picture in screen.all(".variant svg[role=img]")]
    assert any(w.startswith("Errors of jax eager, jit: 14 elements correctly rounded, 1 element off by") for w in words)


def test_a_column_without_a_record_says_why(screen: Screen, parity: Path) -> None:
    told = account(screen, parity, "ops/softmax/wide-range[float16,axis=1]")
    assert "torch compile (not in this mode’s subset, because each shape is compiled anew)" in told


def test_two_variants_can_be_open_beside_each_other(screen: Screen, parity: Path) -> None:
    screen.open(parity, "#q=slope")
    screen.until(lambda: screen.all(".rows th button"), "the only case is open")
    for button in screen.all(".rows th button")[:2]:
        screen.click(button)
    screen.until(lambda: len(screen.all(".variant")) == 2, "both are open")
    ids = screen.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_a_case_shows_its_text_and_what_it_is_about(screen: Screen, parity: Path) -> None:
    screen.open(parity, "#q=slope")
    screen.until(lambda: screen.all(".rows"), "the only case is open")
    screen.click("#cases details details summary")
    assert "  - name: slope\n    call: softmax(x)" in screen.text("#cases pre code")
    assert "What softmax does." in screen.seen("#cases details p")


def test_folds_are_empty_until_they_are_opened_or_the_browser_has_time(screen: Screen, parity: Path) -> None:
    with screen.before_every_page("window.requestIdleCallback = () => 0"):
        screen.driver.get(parity.as_uri())
        screen.until(lambda: screen.run("return document.documentElement.dataset.ready"), "it is ready")
        waiting = len(screen.all("[data-fold]"))
        assert waiting > 5
        screen.click("#port-softmax > summary")
        screen.until(lambda: screen.all("#port-softmax table"), "it is unpacked")
        assert len(screen.all("[data-fold]")) == waiting - 1
        assert screen.all("#port-softmax button.copy")


@pytest.mark.parametrize("column", range(3))
def test_a_table_is_sorted_by_numbers_as_numbers(column: int, screen: Screen, parity: Path) -> None:
    screen.open(parity)
    table = screen.all("#agreement table")[0]
    screen.click(table.find_elements(By.CSS_SELECTOR, "thead button")[column])
    heading, *rows = table.find_elements(By.CSS_SELECTOR, "tbody:nth-of-type(1) tr")
    cells = [row.find_elements(By.CSS_SELECTOR, "th, td")[column].text for row in rows]
    values = [cell.split("\n")[0].rstrip("%") for cell in cells]
    assert heading.text == "Between backends", "it stays above"
    assert len(values) == 3
    assert values == sorted(values, key=float if column else str)
