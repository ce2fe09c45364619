"""What every page must do, in every state that somebody may see it in."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest

from .pages import PAGES, Action
from .screen import NARROW, WIDE, Screen

Pages = Callable[[str], Path]


def _as_it_opens(_: Screen) -> None:
    pass


def _all_open(screen: Screen) -> None:
    screen.run("for (const fold of document.querySelectorAll('details')) fold.open = true")
    screen.until(lambda: screen.run(_BUILT), "every fold has its content")


_BUILT = "return [...document.querySelectorAll('details[open]')].every(fold => fold.children.length > 1)"

STATES: list[tuple[str, str, Action]] = [
    (name, state, action)
    for name, kind in PAGES.items()
    for state, action in {"as it opens": _as_it_opens, "all folds open": _all_open, **kind.states}.items()
]
every_state = pytest.mark.parametrize(("name", "state", "action"), STATES, ids=[f"{n}, {s}" for n, s, _ in STATES])
every_page = pytest.mark.parametrize("name", PAGES)


@every_state
def test_no_rule_of_accessibility_is_broken_in_any_size_and_scheme(
    name: str, state: str, action: Action, screen: Screen, page: Pages
) -> None:
    screen.open(page(name))
    action(screen)
    for size in (WIDE, NARROW):
        screen.show(size)
        assert screen.violations() == [], size
        screen.show(size, dark=True)  # which changes colours alone
        assert screen.violations("color-contrast", "link-in-text-block") == [], (size, "dark")


@every_state
def test_on_a_phone_nothing_sticks_out_and_everything_can_be_reached(
    name: str, state: str, action: Action, screen: Screen, page: Pages
) -> None:
    screen.show(NARROW)
    screen.open(page(name))
    action(screen)
    assert screen.run("return document.documentElement.scrollWidth") <= NARROW[0]
    assert screen.run(_UNREACHABLE) == []


# What can be clicked has to be what is hit at its place once it was scrolled to, and the keyboard has to get there.
_UNREACHABLE = """
const wanted = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter(one => one.checkVisibility({visibilityProperty: true}));
const lost = [];
for (const one of wanted) {
  if (one.matches(".skip")) continue;  // shown by the keyboard only
  one.scrollIntoView({block: "center", inline: "center"});
  const box = one.getClientRects()[0], hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const hidden = !one.matches("[tabindex='0']") && !(hit && (one === hit || one.contains(hit) || hit.contains(one) && getComputedStyle(one).display === "inline"));
  if (hidden || one.tabIndex < 0) lost.push(`${one.outerHTML.slice(0, 120)} ${hidden ? "is covered by " + (hit ? hit.outerHTML.slice(0, 120) : "nothing") : "is left out by the keyboard"}`);
}
return lost;
"""


@every_page
def test_light_and_dark_differ_and_each_is_declared(name: str, screen: Screen, page: Pages) -> None:
    backgrounds = []
    for dark in (False, True):
        screen.show(dark=dark)
        screen.open(page(name))
        backgrounds.append(screen.run("return getComputedStyle(document.body).backgroundColor"))
    light, dark_ = (sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) for colour in backgrounds)
    assert light > 700
    assert dark_ < 150
    assert screen.run("return getComputedStyle(document.documentElement).colorScheme") == "light dark"


@every_page
@pytest.mark.parametrize("hash_", ["#", "#q=%zz", "#v=%", "#q=%22", "#&&&", "#%", "#nowhere", "#x=1", "#said"])
def test_an_odd_address_breaks_nothing(hash_: str, name: str, screen: Screen, page: Pages) -> None:
    screen.open(page(name), hash_)
    assert screen.in_view(screen.one("main"))


@every_page
def test_headings_begin_with_one_and_skip_no_level(name: str, screen: Screen, page: Pages) -> None:
    screen.open(page(name))
    levels = screen.run("return [...document.querySelectorAll('h1, h2, h3, h4, h5')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@every_page
def test_the_skip_link_comes_first_and_leads_somewhere(name: str, screen: Screen, page: Pages) -> None:
    screen.open(page(name))
    screen.press("\ue004")  # Tab
    assert screen.focused.get_attribute("class") == "skip"
    assert screen.in_view(screen.focused)
    assert screen.all(screen.focused.get_dom_attribute("href") or "nowhere")


@every_page
def test_sortable_tables_say_how_they_are_sorted(name: str, screen: Screen, page: Pages) -> None:
    screen.open(page(name))
    _all_open(screen)
    for table in screen.all("table.sortable"):
        heads = table.find_elements("css selector", "thead th")
        for head, order in ((heads[0], "ascending"), (heads[0], "descending"), (heads[-1], "ascending")):
            screen.click(head.find_element("css selector", "button"))
            assert [h.get_attribute("aria-sort") for h in heads] == [order if h == head else None for h in heads]
            assert screen.said[-1] == f"Sorted by {head.text.rstrip(' ↑↓↕')}, {order}"


@every_page
def test_on_paper_folds_are_open_and_controls_are_gone(name: str, screen: Screen, page: Pages) -> None:
    screen.open(page(name))
    shut = len(screen.all("details.still:not([open])"))
    assert shut
    printed = _letters("".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(screen.pdf())).pages))
    assert shut == len(screen.all("details.still:not([open])")), "what was shut is shut again"
    screen.show(media="print")
    screen.run("dispatchEvent(new Event('beforeprint'))")
    controls = "nav, .controls, .skip, button.copy, select, input"
    assert [element.tag_name for element in screen.all(controls) if element.is_displayed()] == []
    folded = screen.run(_FOLDED)
    assert len(folded) > shut
    assert [text for text in folded if not _is_printed(_letters(text), printed)] == []


_FOLDED = """
// What runs from right to left comes out of a PDF in the order of its letters on the paper.
for (const one of document.querySelectorAll(".unseen")) one.remove();
return [...document.querySelectorAll("details.still :is(p, th, td, caption, li)")]
  .filter(one => one.checkVisibility()).flatMap(one => one.innerText.split("\\n")).filter(line => !/[\\u202a-\\u202e]/.test(line));
"""


def _is_printed(text: str, printed: str) -> bool:
    """Whether a text is there, perhaps in two parts: between them a page may end, and the table's head stand again."""
    return any(text[:cut] in printed and text[cut:] in printed for cut in range(len(text), -1, -1))


def _letters(text: str) -> str:
    """Letters and digits alone: where lines break, and which hyphens are put in, is the printer's business."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isascii() and c.isalnum())


@every_page
def test_without_script_tables_are_there_and_what_is_missing_is_said(name: str, screen: Screen, page: Pages) -> None:
    screen.open(page(name))
    tables = len(screen.all("main > section > .scroll table"))
    screen.open(page(name), scripted=False)
    assert not screen.run("return document.documentElement.dataset.ready")
    assert len(screen.all("main > section > .scroll table")) == tables
    assert not [element for element in screen.all("#explorer, .copy, .sort") if element.is_displayed()]
    folds = screen.all("details:has(> [data-fold])")
    for fold in folds:
        screen.click(fold.find_element("css selector", "summary"))
        assert "JavaScript" in fold.find_element("css selector", "[data-fold]").text
    if screen.all("#variants"):
        assert any("JavaScript" in text for text in screen.seen("#variants .warnings"))
