"""`parity.html`: what differs between backends, how much, why, and what to write instead. One file, no network."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.judging import VERDICTS
from conformance.reports import plot, view
from conformance.runfile import Run

TEMPLATES = Path(__file__).with_name("templates")

GLYPHS = {
    "passed": "✓",
    "failed": "✗",
    "divergent": "≠",
    "unsupported": "–",
    "crashed": "‼",
    "timed-out": "⋯",
    "not-run": "○",
}


def write(runs: Sequence[Run], path: Path) -> None:
    """Write the parity page of some runs; folders that its path needs are made.

    Args:
        runs: one or more, as `conformance.runfile.read` gives them; their columns stand in this order.
        path: of the page.

    Raises:
        ValueError: there are no runs.
    """
    text = render(view.page(runs))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def render(page: view.Page) -> str:
    """The page as HTML. Equal pages give equal text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["part"] = lambda text: quote(text, safe="/,=:*")  # of a page's address, after its '#'
    environment.filters["ulp"] = _ulp
    environment.filters["percent"] = _percent
    environment.filters["moment"] = lambda text: text.replace("T", " ").removesuffix("+00:00")
    environment.filters["steps"] = lambda number: f"{number:,}" if number < 10**6 else f"{number:.1e}"
    style = (TEMPLATES / "parity.css").read_text(encoding="utf-8")
    parts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in ("variant.js", "parity.js")]
    script = "(async () => {\n" + "\n".join(parts) + "})();"  # unpacking takes a moment, and nothing else waits for it
    return environment.get_template("parity.html.j2").render(
        page=page,
        plots=[plot.plot(figure) for figure in page.figures],
        plot_edges={"width": plot.WIDTH, "left": plot.LEFT, "right": plot.WIDTH - plot.RIGHT},
        verdicts=VERDICTS,
        glyphs=GLYPHS,
        style=Markup(style),  # ours, and without '</style'
        script=Markup(script),  # likewise
        style_hash=_content_hash(style),
        script_hash=_content_hash(script),
        data=packed(page.explorer),
    )


def packed(data: Any) -> str:
    """JSON, compressed, in base64: a quarter of its size, and nothing in it can end the element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), level=9)).decode("ascii")


def _content_hash(text: str) -> str:
    """A source expression of a content security policy that allows just this text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


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
