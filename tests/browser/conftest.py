"""One browser for all tests, and pages that are written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.runfile import Run

from .pages import PAGES
from .runs import Seen, made_up, seen
from .screen import NoBrowserError, Screen, browser, engine, programs


def pytest_configure() -> None:
    """Without a browser there is nothing to test: say so once, and not for every test."""
    try:
        programs()
        engine()
    except NoBrowserError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    """The browser."""
    with browser(tmp_path_factory.mktemp("profile")) as screen:
        yield screen


@pytest.fixture
def screen(window: Screen) -> Iterator[Screen]:
    """The browser, wide and light, with nothing in it. After each test it must have nothing to complain of."""
    window.show()
    window.cdp("Emulation.setScriptExecutionDisabled", value=False)
    window.driver.get("about:blank")
    window.complaints()
    yield window
    assert window.complaints() == []


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory, run_maker: Any) -> Callable[[str], Path]:
    """The path of a page by its name in `PAGES`, written when it is first asked for."""
    written: dict[str, Path] = {}

    def path(name: str) -> Path:
        if name not in written:
            folder = tmp_path_factory.mktemp("page")
            PAGES[name].write(run_maker(tmp_path_factory.mktemp("runs")), folder / "page.html")
            written[name] = folder / "page.html"
        return written[name]

    return path


@pytest.fixture(scope="session")
def parity(page: Callable[[str], Path]) -> Path:
    """The parity page of the made-up runs."""
    return page("parity")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, run_maker: Any) -> list[Run]:
    """The made-up runs, as the parity page has them."""
    return made_up(run_maker(tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="session")
def variants(runs: list[Run]) -> dict[str, Seen]:
    """Every variant of the made-up runs with what came of it, to count in."""
    return seen(runs)
