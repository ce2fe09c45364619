"""What all pages have in common: one file each, no network, and nothing from outside that is not escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.ground.files import replacing
from conformance.words.visible import SCRIPT_PATTERN, visible

SHARED = Path(__file__).parent
"""The folder of the templates, styles and scripts that pages share."""

GLYPHS = {
    "passed": "✓",
    "failed": "✗",
    "divergent": "≠",
    "unsupported": "–",
    "crashed": "‼",
    "timed-out": "⋯",
    "not-run": "○",
}
"""A sign for each verdict, beside its word and its colour."""


_READY = 'document.documentElement.dataset.ready = "true";\n'
"""How a page says that its scripts have done what they do at first."""


_PIECE = 1 << 20
"""Characters that are encoded at once: a page of a million records is not to be there a second time."""


class Folds:
    """Parts of a page that are there only when somebody opens them: HTML, kept compressed until then.

    In a template, ``{% call folded() %}…{% endcall %}`` of `fold.html.j2` puts its content here; a page's last element
    holds all of them. Their content was escaped like that of the rest of the page.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []

    def keep(self, part: str) -> int:
        """Keep a part; gives its number."""
        self._parts.append(str(part))
        return len(self._parts) - 1

    def packed(self) -> Markup:
        """All parts, packed."""
        return packed(self._parts)


class Page:
    """What a page is made of: templates, styles and scripts, its own and those that pages share, inlined in one file.

    Args:
        folder: of its own.
        name: of its template, its first style and its last script, such as 'parity' of ``parity.html.j2``.
        styles: more of its own styles, joined in this order.
        scripts: likewise; all run in one scope, as a module would.
    """

    def __init__(self, folder: Path, name: str, styles: Sequence[str] = (), scripts: Sequence[str] = ()) -> None:
        self._folder = folder
        self._template = f"{name}.html.j2"
        self._styles = ["base.css", f"{name}.css", *styles]
        self._scripts = ["base.js", "sorting.js", *scripts, f"{name}.js"]

    def render(self, **values: Any) -> str:
        """The page as HTML, its styles and scripts allowed by their hashes only. Equal values give equal text.

        Args:
            **values: for the template; `style`, `script`, `policy`, `glyphs` and `folds` are given beside them.
        """
        style = "".join(map(self._read, self._styles))
        # Unpacking takes a moment, and nothing else waits for it.
        acting = f'"use strict";\nconst acting = {SCRIPT_PATTERN};'
        script = "(async () => {\n" + "\n".join([acting, *map(self._read, self._scripts)]) + _READY + "})();"
        policy = (
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        template = _environment(self._folder).get_template(self._template)
        return template.render(
            style=Markup(style),  # ours, and without '</style'
            script=Markup(script),  # likewise
            policy=Markup(policy),
            glyphs=GLYPHS,
            folds=Folds(),
            **values,
        )

    def _read(self, name: str) -> str:
        own = self._folder / name
        return (own if own.exists() else SHARED / name).read_text(encoding="utf-8")


def write(text: str, path: Path) -> None:
    """Write a page; folders that its path needs are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        for start in range(0, len(text), _PIECE):
            file.write(text[start : start + _PIECE])


_HARMLESS = str.maketrans("<>&", ",.:")
"""Base 85 has these three, which mean something in HTML, and lacks those three, which don't."""


def packed(data: Any) -> Markup:
    """JSON, compressed, in base 85: a quarter of its size, and nothing in it can end the element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    letters = base64.b85encode(zlib.compress(text.encode("utf-8", "replace"), level=9)).decode("ascii")
    return Markup(letters.translate(_HARMLESS))  # which needs no escaping, and that would copy it


def unpacked(text: str) -> Any:
    """What was packed."""
    back = {value: key for key, value in _HARMLESS.items()}
    return json.loads(zlib.decompress(base64.b85decode(text.translate(back))))


def _hash(text: str) -> str:
    """A source expression of a content security policy that allows just this text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "thousands": lambda number: f"{number:,}",
        "part": lambda text: quote(text, safe="/,=:*"),  # of a page's address, after its '#'
        "ulp": _ulp,
        "percent": _percent,
        "moment": lambda text: text.replace("T", " ").removesuffix("+00:00"),
        "steps": lambda number: f"{number:,}" if number < 10**6 else f"{number:.1e}",
    }
    environment.filters.update(filters)
    return environment


def _ulp(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:.3g}" if number < 1e6 else f"{number:.1e}"


def _percent(share: float | None) -> str:
    """Rounded, but never to 0 or 100 unless that is what it is."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share * 100, 0.1), 99.9):.1f}%"
