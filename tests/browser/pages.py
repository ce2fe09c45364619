"""The pages that the tests look at. A new page is a line in `PAGES`, and is in all tests of what every page must do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from conformance import diffing, runfile
from conformance.diffing import Side
from conformance.reports import diff, parity, timing

from .runs import MakeRun, hostile, made_up
from .screen import Screen
from .timings import timed

Action = Callable[[Screen], object]


@dataclass(frozen=True)
class PageKind:
    """A page and the states that somebody may see it in.

    Attributes:
        write: makes it, at a path, with the help of what makes up runs in a folder.
        states: what is done to it after it was opened, by a name; beside them every page is seen as it opens, and with
            all of its folds open.
    """

    write: Callable[[MakeRun, Path], None]
    states: dict[str, Action] = field(default_factory=dict)


def _made_up(make_run: MakeRun, path: Path) -> None:
    parity.write(made_up(make_run), path)


def _hostile(make_run: MakeRun, path: Path) -> None:
    parity.write(hostile(make_run), path)


def _incomplete(make_run: MakeRun, path: Path) -> None:
    """Of a run that was cut short and one of other cases, so that the page warns."""
    whole, other = made_up(make_run)[:2]
    cut = make_run("numpy", whole.records[:9], variants=whole.variants, lacking=5, finished=False)
    parity.write([cut, make_run("torch", other.records, variants=other.variants, cases_digest="ef" * 32)], path)


def _compared(make_run: MakeRun, path: Path) -> None:
    """Of runs in which other variants are wrong and one is gone, and of timings half of which are slower."""
    a = Side("A", path.parent / "a", made_up(make_run), timed())
    first, *others = made_up(make_run, 1)
    less = make_run(first.header.backend, list(first.records)[:-1], variants=first.variants)
    b = Side("B", path.parent / "b", [less, *others], timed(1.5))
    diff.write(diffing.compare(diffing.pair(a, b)), "before", "after", ["verdict"], path)


def _real(_: MakeRun, path: Path) -> None:
    """Of NumPy as it is installed here, on the document's cases and some of the corpus."""
    command = [sys.executable, "-m", "conformance", "run", "--backend", "numpy", "--no-report", "--output", path.parent]
    command += ["--variant", "document/*", "--variant", "ops/softmax/*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=path.parent)
    found = sorted(path.parent.rglob("*.jsonl"))
    assert len(found) == 1, done.stdout + done.stderr
    parity.write([runfile.read(found[0])], path)


def open_case(screen: Screen) -> None:
    """Open the first case that is listed."""
    screen.click(screen.all("#cases details.case > summary")[0])
    screen.until(lambda: screen.all("#cases .rows button"), "a case is open")


def open_variant(screen: Screen) -> None:
    """Open the first case that is listed, and its first variant."""
    open_case(screen)
    screen.click(screen.all("#cases .rows button")[0])
    screen.until(lambda: screen.all(".variant"), "a variant is open")


_LIST: dict[str, Action] = {
    "a case open": open_case,
    "a variant open": open_variant,
    "a variant off": lambda screen: (screen.search("verdict:divergent|failed"), open_variant(screen)),
    "nothing found": lambda screen: screen.search("no-variant-is-called-so"),
    "an error in the query": lambda screen: screen.type("dtpye:float16", "did you mean"),
    "help open": lambda screen: screen.click("details.help > summary"),
    "a button pressed": lambda screen: screen.click("#quick button:nth-of-type(2)"),
}

PAGES = {
    "parity": PageKind(_made_up, _LIST),
    "parity of a real run": PageKind(_real, {"a variant open": open_variant}),
    "parity of incomplete runs": PageKind(_incomplete),
    "diff": PageKind(_compared),
    "timing": PageKind(lambda _, path: timing.write(timed(), path)),
    "parity with hostile names": PageKind(_hostile, {"a variant open": open_variant}),
}
"""By name."""
