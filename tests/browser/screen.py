"""A browser with a page in it: what a person sees there, does there, and what the browser complains of."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 20
"""Seconds until what a test waits for has failed to come; on a machine with much to do everything takes longer."""

WIDE, NARROW = (1440, 900), (360, 740)
"""A desk's screen and a phone's, in CSS pixels."""

_AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # as root, as containers are, there is none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-ipc-flooding-protection",  # tests go to more addresses in a second than people do
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)

# Runs before any script of a page, and is no part of it: the page's policy neither allows nor forbids it.
_LISTENER = """
window.complaints = [];
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, event => complaints.push(`${kind}: ${event.message || event.reason}`), true);
}
addEventListener("securitypolicyviolation", event => complaints.push(`policy: ${event.violatedDirective}, ${event.blockedURI || event.sample}`), true);
window.heard = [];
addEventListener("DOMContentLoaded", () => {
  for (const region of document.querySelectorAll("[role=status]")) {
    new MutationObserver(() => { if (region.textContent) heard.push(region.textContent); }).observe(region, {childList: true, characterData: true, subtree: true});
  }
});
"""


class NoBrowserError(RuntimeError):
    """Something that the tests need is not installed: what, and how to get it."""


def programs() -> tuple[str, str]:
    """The browser and its driver: those on PATH, or those that CHROMIUM and CHROMEDRIVER name.

    Raises:
        NoBrowserError: one of them is missing.
    """
    wanted = (("CHROMIUM", ("chromium", "chromium-browser", "google-chrome")), ("CHROMEDRIVER", ("chromedriver",)))
    found = []
    for variable, names in wanted:
        named = os.environ.get(variable)
        path = shutil.which(named) if named else next(filter(None, map(shutil.which, names)), None)
        if path is None:
            looked = f"{variable} is '{named}', which is no program" if named else f"no {' or '.join(names)} on PATH"
            raise NoBrowserError(
                f"{looked}: install Chromium and its driver (on Debian: apt-get install chromium chromium-driver), "
                f"or name them in the variables CHROMIUM and CHROMEDRIVER"
            )
        found.append(path)
    return found[0], found[1]


def engine() -> str:
    """The accessibility engine's source.

    Raises:
        NoBrowserError: it is not there.
    """
    if not _AXE.is_file():
        raise NoBrowserError(f"no {_AXE}: run 'npm ci' in {_AXE.parents[2]}, which `tox -e browser` does")
    return _AXE.read_text(encoding="utf-8")


@contextmanager
def browser(profile: Path) -> Iterator[Screen]:
    """A Chromium of its own, closed at the end; its profile is a folder that is new."""
    chromium, driver = programs()
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.set_capability("goog:perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    chrome = Chrome(options, Service(driver))
    chrome.set_script_timeout(180)  # seconds: all rules of accessibility on a page with every fold open, beside others
    try:
        yield Screen(chrome)
    finally:
        chrome.quit()


class Screen:
    """A browser's window.

    Attributes:
        driver: of the browser.
    """

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._prepare()

    def _prepare(self) -> None:
        self.cdp("Page.enable")
        self.cdp("Emulation.setFocusEmulationEnabled", enabled=True)  # as if its window were in front
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=_LISTENER)

    def cdp(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Ask the browser for something of its DevTools protocol."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(command, arguments)
        return answer

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns, run from outside the page; a promise's value is waited for."""
        return self.driver.execute_script(script, *arguments)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until something holds, and give it."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.02).until(lambda _: holds(), what)

    # Where it stands

    def show(self, size: tuple[int, int] = WIDE, *, dark: bool = False, media: str = "") -> None:
        """Make the window a size, in CSS pixels, and the scheme light or dark; `media` 'print': as if on paper."""
        width, height = size
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, page: Path, hash_: str = "", *, scripted: bool = True) -> None:
        """Open a page anew, at a part of its address, and wait until it is ready."""
        self.driver.get("about:blank")
        self.complaints()
        self.cdp("Emulation.setScriptExecutionDisabled", value=not scripted)
        self.driver.get(page.as_uri() + hash_)
        if scripted:
            self.ready()

    def ready(self) -> None:
        """Wait until the page's script has done its first work, and unpacked what is folded."""
        done = "return document.documentElement.dataset.ready === 'true'"
        self.until(lambda: self.run(done), "the page is ready")
        self.until(lambda: not self.run("return document.querySelectorAll('[data-fold]').length"), "folds are unpacked")

    @property
    def hash(self) -> str:
        """The part of the address after '#', decoded."""
        return unquote(self.run("return location.hash")[1:])

    # What is seen

    def all(self, css: str) -> list[WebElement]:
        """The elements that a selector finds, shown or not."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        """The only element that a selector finds."""
        (found,) = self.all(css)
        return found

    def texts(self, css: str) -> list[str]:
        """What the elements that a selector finds hold, shown or not."""
        found: list[str] = self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", css)
        return found

    def text(self, css: str) -> str:
        """What the only element that a selector finds holds."""
        (found,) = self.texts(css)
        return found

    def seen(self, css: str) -> list[str]:
        """The texts of the elements that a selector finds and that are shown, as they are seen."""
        return [element.text for element in self.all(css) if element.is_displayed()]

    def in_view(self, element: WebElement) -> bool:
        """Whether some of an element lies within the window."""
        within = """const box = arguments[0].getBoundingClientRect();
        return box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth"""
        return bool(self.run(within, element))

    @property
    def focused(self) -> WebElement:
        """The element that the keyboard acts on."""
        return self.driver.switch_to.active_element

    @property
    def said(self) -> list[str]:
        """What live regions have said since the page was opened, one after the other."""
        return list(self.run("return heard"))

    # What is done

    def click(self, where: str | WebElement) -> None:
        """Click on an element, brought into the window's middle."""
        element = self.one(where) if isinstance(where, str) else where
        self.run("arguments[0].scrollIntoView({block: 'center', inline: 'nearest'})", element)
        element.click()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, on what has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, modifier: str, key: str) -> None:
        """Press a key while a modifier is held."""
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def type(self, query: str, told: str = "variants in") -> str:
        """Type a query, and wait until the page tells something of it; gives what it tells."""
        box = self.one("#query")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(query or Keys.DELETE)
        self.until(lambda: self.run("return location.hash") == f"#q={quote(query, safe=_UNQUOTED)}", f"found: {query}")
        words = self.text("#found")
        assert told in words
        return words

    def search(self, query: str) -> int:
        """Type a query; gives how many variants are found, as the page says it."""
        self.type(query)
        return self.found

    def follow(self, query: str) -> str:
        """Go to the address of a query; gives what the page tells of it."""
        self.run("location.hash = `#q=${encodeURIComponent(arguments[0])}`", query)
        there = "return document.getElementById('query').value === arguments[0]"
        self.until(lambda: self.run(there, query), f"followed: {query}")
        return self.text("#found")

    @property
    def found(self) -> int:
        """How many variants are found, as the page says it."""
        number, of, *_ = self.text("#found").split(" ")
        assert of == "of", self.text("#found")
        return int(number.replace(",", ""))

    def clipboard(self) -> str:
        """What was copied last."""
        self.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite"])
        return str(
            self.driver.execute_async_script(
                "navigator.clipboard.readText().then(arguments[0], error => arguments[0](String(error)))"
            )
        )

    @contextmanager
    def before_every_page(self, script: str) -> Iterator[None]:
        """Within it, a script runs before those of every page that is opened."""
        name = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
        try:
            yield
        finally:
            self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=name)

    @contextmanager
    def tab(self) -> Iterator[None]:
        """A new tab, closed at the end."""
        before = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        try:
            self._prepare()
            yield
        finally:
            self.driver.close()
            self.driver.switch_to.window(before)

    def pdf(self) -> bytes:
        """The page on paper."""
        return base64.b64decode(self.cdp("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    # What is wrong

    def complaints(self) -> list[str]:
        """What the console, the page's policy and the network told since this was last asked: it should be nothing."""
        found = [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]
        found += self.run("const all = window.complaints || []; window.complaints = []; return all")
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                params = message["params"]
                address = params["request"]["url"] if "request" in params else params["url"]
                itself = address.partition("#")[0] == params.get("documentURL", "").partition("#")[0]
                if not itself and not address.startswith("data:"):
                    found.append(f"asked the network: {address}")
        return found

    def violations(self, *rules: str) -> list[str]:
        """What the accessibility engine objects to in the page as it stands, by some of its rules or by all."""
        if not self.run("return 'axe' in window"):
            self.run(engine())
        results = self.driver.execute_async_script(_EXAMINE, _STANDARDS, rules)
        return [
            f"{found['id']} ({found['impact']}): {found['help']}: {node['target']} {node['html'][:200]} {node['why']}"
            for found in results
            for node in found["nodes"]
        ]


_UNQUOTED = "!'()*-._~"  # what encodeURIComponent leaves as it is

_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]

# All rules of the standards are named, because tags alone leave out those that the engine has switched off.
_EXAMINE = """
const [standards, chosen, done] = arguments;
const values = chosen.length ? chosen : axe.getRules(standards).map(rule => rule.ruleId);
axe.run(document, {runOnly: {type: "rule", values}, resultTypes: ["violations"]}).then(
  results => done(results.violations.map(found => ({id: found.id, impact: found.impact, help: found.help,
    nodes: found.nodes.map(node => ({target: node.target.join(" "), html: node.html, why: node.failureSummary}))}))),
  error => done([{id: "the engine", impact: "itself", help: String(error), nodes: [{target: "", html: "", why: ""}]}]));
"""
