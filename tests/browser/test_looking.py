"""Whether the tests of this folder can fail at all: pages that are wrong on purpose, and what has to be said of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from .screen import NARROW, NoBrowserError, Screen, programs

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'{}">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>A page</h1>{}</main></body></html>"""


@pytest.fixture
def shown(window: Screen, tmp_path: Path):
    """Show a page with something in its middle. What the browser complains of is left to the test."""

    def show(middle: str, styled: bool = True) -> Screen:
        (tmp_path / "page.html").write_text(
            _PAGE.format("; style-src 'unsafe-inline'" if styled else "", middle), encoding="utf-8"
        )
        window.show()
        window.driver.get("about:blank")
        window.complaints()
        window.driver.get((tmp_path / "page.html").as_uri())
        return window

    return show


@pytest.mark.parametrize(
    ("middle", "rule"),
    [
        ('<p><img src="data:,"></p>', "image-alt"),
        ("<button></button>", "button-name"),
        ('<label>Text <input role="button" aria-pressed="perhaps"></label>', "aria-valid-attr-value"),
        ("<h4>A level left out</h4>", "heading-order"),
        (
            "<button style='width: 9px; height: 9px; padding: 0'>a</button><button style='width: 9px'>b</button>",
            "target-size",
        ),
        ('<div style="overflow: auto; height: 2em"><p>a<p>b<p>c<p>d</div>', "scrollable-region-focusable"),
    ],
)
def test_the_accessibility_engine_finds_what_is_wrong(middle: str, rule: str, shown) -> None:
    found = shown(middle).violations()
    assert any(words.startswith(f"{rule} ") for words in found), found
    assert not any(words.startswith(f"{rule} ") for words in shown("<p>Text</p>").violations())


def test_low_contrast_is_found_in_the_scheme_that_has_it(shown) -> None:
    screen = shown(
        "<style>p { color: #222; } @media (prefers-color-scheme: dark) { p { color: #ddd; } }</style><p>Text</p>"
    )
    assert not screen.violations()
    screen.show(dark=True)
    assert [words.split(" ")[0] for words in screen.violations()] == ["color-contrast"]


@pytest.mark.parametrize(
    ("middle", "complaint"),
    [
        ("<script>console.warn('careful')</script>", "careful"),
        ("<script>console.error('wrong')</script>", "wrong"),
        ("<script>nothing.at.all</script>", "nothing is not defined"),
        ("<script>Promise.reject(new Error('refused'))</script>", "refused"),
        ("<script>eval('1')</script>", "script-src"),
        ('<p style="color: red">Text</p>', "style-src"),
        ('<p><img alt="" src="http://localhost:9/x.png"></p>', "localhost:9"),
        ('<p><img alt="" src="x.png"></p>', "x.png"),
    ],
)
def test_what_the_browser_complains_of_is_seen(middle: str, complaint: str, shown) -> None:
    screen = shown(middle, styled=False)
    found = screen.complaints()
    assert any(complaint in words for words in found), found
    assert screen.complaints() == [], "it is told once"


def test_a_request_that_the_policy_does_not_stop_is_seen(window: Screen, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><title>A page</title><img src='x.png'>", encoding="utf-8")
    window.driver.get((tmp_path / "page.html").as_uri())
    assert any(words.startswith("asked the network: file:") for words in window.complaints())


def test_what_sticks_out_on_a_phone_is_seen(shown) -> None:
    screen = shown(f"<p>{'abcdefghijklmnopqrstuvwxyz' * 20}")
    screen.show(NARROW)
    assert screen.run("return document.documentElement.scrollWidth") > NARROW[0]


@pytest.mark.parametrize("variable", ["CHROMIUM", "CHROMEDRIVER"])
def test_a_browser_that_is_missing_is_said_with_what_to_do(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "no-such-program")
    with pytest.raises(NoBrowserError, match=f"{variable} is 'no-such-program'.*apt-get install chromium"):
        programs()


def test_without_any_browser_on_the_path_its_names_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CHROMIUM", "CHROMEDRIVER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoBrowserError, match="no chromium or chromium-browser or google-chrome on PATH: install"):
        programs()
