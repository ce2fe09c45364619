"""Everything without a mouse."""

from __future__ import annotations

from pathlib import Path

from selenium.webdriver.common.keys import Keys

from .runs import Seen
from .screen import Screen


def at(screen: Screen) -> str:
    """What the keyboard is at, in short."""
    focused = screen.focused
    return focused.get_attribute("id") or focused.text.split("\n")[0]


def test_a_slash_leads_to_the_query_from_anywhere_but_a_box(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    screen.press("/")
    assert at(screen) == "query"
    assert screen.in_view(screen.focused)
    screen.press("/")
    assert screen.focused.get_attribute("value") == "/", "in the box it is a letter"
    screen.press(Keys.BACK_SPACE, "a", "b")
    screen.focused.send_keys(Keys.TAB)
    screen.press("/", "c")
    assert screen.focused.get_attribute("value") == "c", "what was there is marked, and gives way"


def test_a_slash_with_a_modifier_is_left_to_the_browser(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    screen.chord(Keys.CONTROL, "/")
    assert at(screen) != "query"


def test_arrows_lead_through_what_is_listed_and_enter_opens_and_closes(
    screen: Screen, parity: Path, variants: dict[str, Seen]
) -> None:
    screen.open(parity)
    screen.press("/", *"op:softmax", Keys.ENTER)
    names = list(dict.fromkeys(v.case.id for v in variants.values() if v.case.operation == "softmax"))
    screen.until(lambda: at(screen).startswith(names[0]), "the first case")
    screen.press(Keys.ARROW_DOWN)
    assert at(screen).startswith(names[1])
    screen.press(Keys.ARROW_UP, Keys.ARROW_UP)
    assert at(screen) == "query"
    screen.press(Keys.ARROW_UP)
    assert at(screen) == "query", "there is nothing above"
    screen.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    screen.until(lambda: screen.all(".rows th button"), "the second case is open")
    screen.press(Keys.ARROW_DOWN)
    assert at(screen) == "float16,gradient"
    screen.press(Keys.ENTER)
    screen.until(lambda: screen.all(".variant"), "its first variant is open")
    assert screen.focused.get_attribute("aria-expanded") == "true"
    screen.press(Keys.ARROW_DOWN)
    assert at(screen) == "float32,gradient"
    screen.press(Keys.ARROW_UP, Keys.ENTER)
    screen.until(lambda: not screen.all(".variant"), "it is closed again")
    screen.press(Keys.ARROW_UP, Keys.ENTER)
    screen.until(lambda: not screen.one("#cases details.case:nth-of-type(2)").get_attribute("open"), "so is the case")
    screen.press(Keys.ARROW_DOWN)
    assert at(screen).startswith(names[2]), "what is folded is passed over"


def test_escape_leaves_the_variant_first_and_then_the_list(screen: Screen, parity: Path) -> None:
    screen.open(parity, "#q=slope")
    screen.until(lambda: screen.all(".rows th button"), "the only case is open")
    screen.press("/", Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    screen.until(lambda: screen.all(".variant"), "its first variant is open")
    screen.press(Keys.TAB, Keys.TAB)
    assert screen.run("return Boolean(document.activeElement.closest('.variant'))")
    screen.press(Keys.ESCAPE)
    assert not screen.all(".variant")
    assert at(screen) == "float16,gradient"
    screen.press(Keys.ESCAPE)
    assert at(screen) == "query"


def test_enter_in_the_query_does_not_wait(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    screen.press("/", *"slope", Keys.ENTER)
    screen.until(lambda: at(screen).startswith("ops/softmax/slope"), "the first case")
    assert screen.found == 3


def test_the_tab_key_passes_through_the_list_in_reading_order(screen: Screen, parity: Path) -> None:
    screen.open(parity, "#q=slope")
    screen.until(lambda: screen.all(".rows th button"), "the only case is open")
    screen.press("/")
    seen = []
    for _ in range(20):
        screen.press(Keys.TAB)
        seen.append(at(screen))
    order = ["All", "Failed", "What a query can say", "ops/softmax/slope", "YAML ops/softmax.yaml", "float16,gradient"]
    places = [next(i for i, text in enumerate(seen) if text.startswith(wanted)) for wanted in order]
    assert places == sorted(places)
    assert screen.run("return [...document.querySelectorAll('[tabindex]')].every(e => e.tabIndex <= 0)")


def test_the_focus_is_seen(screen: Screen, parity: Path) -> None:
    for dark in (False, True):
        screen.show(dark=dark)
        screen.open(parity)
        for _ in range(6):
            screen.press(Keys.TAB)
            outline = "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]"
            style, width = screen.run(outline)
            assert style == "solid"
            assert width >= 2


def test_tables_wider_than_the_window_are_scrolled_by_the_keyboard(screen: Screen, parity: Path) -> None:
    screen.show((360, 740))
    screen.open(parity)
    table = screen.one("[aria-label='Table: operations by backend and mode']")
    screen.run("arguments[0].focus()", table)
    screen.press(*[Keys.ARROW_RIGHT] * 6)
    screen.until(lambda: screen.run("return arguments[0].scrollLeft", table) > 0, "it moved")
