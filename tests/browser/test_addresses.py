"""Addresses: whatever is shown can be sent to somebody, and the browser's own buttons lead back and forth."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from .runs import Seen
from .screen import Screen

VARIANT = "ops/softmax/wide-range[float64,axis=31]"  # not among the rows that its case shows at first


def opened(screen: Screen) -> str:
    """The ID of the variant that is open, and whose account is in view."""
    account = screen.until(lambda: screen.all(".variant h4"), "a variant is open")
    assert len(account) == 1
    screen.until(lambda: screen.in_view(account[0]), "it is in view")
    return str(account[0].find_element("css selector", ".id").text)


def test_a_copied_link_opens_the_variant_in_another_tab(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    assert screen.search("float64 axis=31]") == 1
    screen.until(lambda: screen.all(".rows th button"), "the only case is open")
    screen.click(".rows th button")
    assert opened(screen) == VARIANT
    screen.click(".variant h4 button")
    link = screen.clipboard()
    assert link == f"{parity.as_uri()}#v={quote(VARIANT, safe='')}"
    with screen.tab():
        screen.driver.get(link)
        screen.ready()
        assert opened(screen) == VARIANT
        assert screen.focused.text.endswith("float64,axis=31")
        assert screen.one(".rows button[aria-expanded=true]").text.endswith("float64,axis=31")


def test_every_variant_has_an_address_that_opens_it(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    for name in [*variants][::40]:
        screen.run("location.hash = `#v=${encodeURIComponent(arguments[0])}`", name)
        screen.until(lambda name=name: screen.texts(".variant h4 .id") == [name], name)
        assert opened(screen) == name


def test_an_unknown_variant_is_said_to_be_unknown(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity, "#v=ops/softmax/gone")
    assert screen.text("#found").startswith("No variant is called ops/softmax/gone. ")
    assert screen.text("#found").endswith(f"{len(variants)} of {len(variants)} variants in 75 cases")
    assert not screen.all(".variant")


def test_a_link_to_a_variant_wins_over_a_query_that_hides_it(screen: Screen, parity: Path) -> None:
    screen.open(parity, f"#q=op:stack&v={quote(VARIANT)}")
    assert opened(screen) == VARIANT
    assert screen.one("#query").get_attribute("value") == ""
    screen.open(parity, f"#q=op:softmax&v={quote(VARIANT)}")
    assert opened(screen) == VARIANT
    assert screen.one("#query").get_attribute("value") == "op:softmax"
    assert screen.hash == f"q=op:softmax&v={VARIANT}"


@pytest.mark.parametrize(
    "query",
    [
        "op:softmax ulp>4",
        'why:"100 % & #1 = ?"',
        'why:"say \\"no\\" \\\\ "',
        "é ∑ 😀 \u202e",
        "<script>alert(1)</script>",
        "%41 %zz &v=x",
        "a+b",
    ],
)
def test_what_was_typed_survives_a_reload(query: str, screen: Screen, parity: Path) -> None:
    screen.open(parity)
    screen.run("arguments[0].value = arguments[1]", screen.one("#query"), query)  # chromedriver types no 😀
    screen.one("#query").send_keys(" \b")
    screen.until(lambda: screen.hash == f"q={query}", query)
    found = screen.text("#found")
    screen.driver.refresh()
    screen.ready()
    assert screen.one("#query").get_attribute("value") == query
    assert screen.text("#found") == found
    assert screen.hash == f"q={query}"


def test_the_page_opens_at_the_part_that_the_address_names(screen: Screen, parity: Path) -> None:
    screen.open(parity, "#legend")
    assert screen.in_view(screen.one("#legend"))
    screen.open(parity, "#port-softmax")
    assert screen.one("#port-softmax").get_attribute("open")
    assert screen.in_view(screen.one("#port-softmax"))
    screen.open(parity)
    assert screen.run("return scrollY") == 0
    assert screen.run("return location.hash") == ""


def test_a_cell_of_the_matrix_opens_its_cases(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    cell = screen.one("#matrix a[aria-label^='softmax, jax jit']")
    screen.click(cell)
    wanted = [v for v in variants.values() if v.case.operation == "softmax" and v.any(lambda _, r: r.mode == "jit")]
    screen.until(lambda: screen.found == len(wanted), "its cases are listed")
    assert screen.hash == "q=op=softmax backend=jax mode=jit"
    screen.until(lambda: screen.in_view(screen.one("#query")), "the list is in view")


def test_back_and_forward_lead_through_what_was_shown(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    screen.click("#matrix a[aria-label^='softmax, jax jit']")
    screen.until(lambda: screen.found < len(variants), "its cases are listed")
    softmax = screen.found
    screen.click("#quick button:nth-of-type(3)")
    screen.until(lambda: screen.found < softmax, "only those that diverge")
    divergent = screen.found
    assert divergent < softmax < len(variants)
    back, forward = screen.driver.back, screen.driver.forward
    for go, number, query in (
        (back, softmax, "op=softmax backend=jax mode=jit"),
        (back, len(variants), ""),
        (forward, softmax, "op=softmax backend=jax mode=jit"),
        (forward, divergent, "op=softmax backend=jax mode=jit verdict:divergent"),
    ):
        go()
        box = screen.one("#query")
        screen.until(lambda box=box, query=query: box.get_attribute("value") == query, query)
        screen.until(lambda number=number: screen.found == number, query)


def test_leaving_the_list_and_coming_back_keeps_the_query(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    number = screen.search("dtype:float16")
    screen.click("nav a[href='#legend']")
    screen.until(lambda: screen.in_view(screen.one("#legend")), "the legend is in view")
    assert screen.found == number
    screen.driver.back()
    screen.until(lambda: screen.hash == "q=dtype:float16", "back at the list")
    assert screen.found == number


def test_a_variant_that_is_opened_stands_in_the_address_and_goes_with_it(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    screen.search("slope")
    screen.until(lambda: screen.all(".rows th button"), "the only case is open")
    row = screen.all(".rows th button")[0]
    screen.click(row)
    assert opened(screen) == "ops/softmax/slope[float16,gradient]"
    assert screen.hash == "q=slope&v=ops/softmax/slope[float16,gradient]"
    screen.click(row)
    assert not screen.all(".variant")
    assert screen.hash == "q=slope"
