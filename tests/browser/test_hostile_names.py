"""Names that try to be something else stay names: on the page, in the query, in the address, in the clipboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from conformance.words.visible import visible

from .runs import HOSTILE
from .screen import Screen


@pytest.fixture
def odd(page: Callable[[str], Path]) -> Path:
    """The page of runs in which every text is hostile."""
    return page("parity with hostile names")


def _variant(bad: str) -> str:
    return f"ops/{bad}/{bad}[{bad},0]"


def test_nothing_in_a_name_becomes_a_part_of_the_page(screen: Screen, odd: Path) -> None:
    screen.open(odd)
    screen.run("for (const fold of document.querySelectorAll('details')) fold.open = true")
    screen.until(lambda: len(screen.all("#cases .rows")) == len(HOSTILE), "every case is open")
    assert not screen.all(
        "img, iframe, object, embed, [onclick], [onerror], body script:not([type='text/plain']) ~ script"
    )
    assert len(screen.all("script")) == len(screen.all("script[type='text/plain']")) + 1
    assert not screen.all("a[href^='javascript'], a[href^='data']")


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_hostile_name_can_be_found_opened_linked_and_copied(bad: str, screen: Screen, odd: Path) -> None:
    screen.open(odd, f"#v={quote(_variant(bad), safe='')}")
    told = screen.until(lambda: screen.texts(".variant h4 .id"), "it is open")
    assert told == [visible(_variant(bad))], "what would act on the text around it is shown as an escape"
    screen.click(".variant h4 button")
    assert screen.clipboard() == f"{odd.as_uri()}#v={_encoded(_variant(bad))}"
    with screen.tab():
        screen.driver.get(f"{odd.as_uri()}#v={_encoded(_variant(bad))}")
        screen.ready()
        screen.until(lambda: screen.texts(".variant h4 .id") == told, "the link opens it")


def _encoded(text: str) -> str:
    return quote(text, safe="!'()*-._~")


def test_every_link_into_the_list_finds_something(screen: Screen, odd: Path) -> None:
    screen.open(odd)
    links = screen.run(
        "return [...document.querySelectorAll('a[href^=\"#q=\"]')].filter(a => !a.closest('.help')).map(a => a.hash)"
    )
    queries = {unquote(link.removeprefix("#q=")) for link in links}
    assert len(queries) > 2 * len(HOSTILE)
    told = {query: screen.follow(query) for query in queries}
    assert {query: words for query, words in told.items() if not re.match(r"[1-9]\d* of ", words)} == {}
