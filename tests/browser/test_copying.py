"""Copy buttons: what is in the clipboard afterwards, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from .pages import open_variant
from .screen import Screen


def copies(screen: Screen, button: WebElement, said: str) -> str:
    """What a button copies; it has to say so in a word, and to the screen reader."""
    label = button.text
    screen.click(button)
    screen.until(lambda: button.text == "Copied", "it says that it did")
    assert screen.said[-1] == said
    screen.until(lambda: button.text == label, "and can be used again")
    return screen.clipboard()


def test_source_code_is_copied_as_it_is_written(screen: Screen, parity: Path) -> None:
    screen.open(parity, "#port-softmax")
    button = screen.one("#port-softmax button[aria-label='Copy torch of softmax']")
    assert copies(screen, button, "Code copied") == "def softmax(x, axis):\n    return torch.softmax(x, axis)\n"


def test_every_piece_of_source_has_one_button_with_a_name_of_its_own(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    sources = screen.all("pre[data-copy]")
    labels = [button.get_attribute("aria-label") for button in screen.all("pre[data-copy] + button.copy")]
    assert len(sources) == len(labels) > 8
    assert len(set(labels)) == len(labels)


def test_the_command_that_repeats_a_variant_is_copied(screen: Screen, parity: Path) -> None:
    screen.open(parity, f"#v={quote('ops/softmax/wide-range[float16,axis=12]')}")  # torch compile failed it
    variant = screen.until(lambda: screen.all(".variant"), "it is open")[0]
    choice = Select(variant.find_element(By.CSS_SELECTOR, ".repeat select"))
    assert choice.first_selected_option.text == "torch compile", "the worst comes first"
    choice.select_by_visible_text("jax eager")
    button = variant.find_element(By.CSS_SELECTOR, ".repeat button")
    assert copies(screen, button, "Command copied") == (
        "conformance run --variant 'ops/softmax/wide-range[float16,axis=12]' --backend jax --mode eager"
    )
    choice.select_by_visible_text("torch compile")
    assert copies(screen, button, "Command copied").endswith("--backend torch --mode compile --device gpu")


def test_the_script_that_repeats_a_result_is_copied_whole(screen: Screen, page: Callable[[str], Path]) -> None:
    screen.open(page("parity of a real run"))
    open_variant(screen)
    script = copies(screen, screen.one(".variant .repeat button:last-child"), "Script copied")
    assert script == screen.text(".variant .script code")
    assert "import numpy" in script
    compile(script, "script.py", "exec")


def test_copying_works_where_a_page_may_not_write_to_the_clipboard(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    open_variant(screen)
    screen.run("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    copied = copies(screen, screen.one(".variant h4 button"), "Link copied")
    assert copied.startswith(f"{parity.as_uri()}#v=document%2F")
    assert not screen.all("textarea"), "nothing is left behind"
    assert screen.focused.text == "Copy link", "the keyboard stays where it was"
