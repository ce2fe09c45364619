"""What pages cost at scale: to write, and to use in a browser. See README.md beside this file."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from scale import write_runs

from conformance import runfile
from conformance.reports import parity

if TYPE_CHECKING:
    from browser.screen import Screen

RECORDS_A_VARIANT = 5
"""What `scale.write_runs` makes: three backends in five modes."""

WRITTEN = (10_000, 100_000, 1_000_000)
"""Records of the pages that are written."""

USED = 100_000
"""Variants of the page that is used."""

LOADS, PAUSE = 5, 120
"""How often the page is opened; milliseconds that the page waits for the next letter before it searches."""

QUERIES = (
    "softmax", "float16,n=3", "case-77", "op:softmax", "dtype:float16", "-dtype:float16", "verdict:failed",
    "verdict:divergent backend:jax", "is:different", "is:bits -is:different", "backend:torch mode:compile ulp>3",
    "ulp>4", "ulp<0.5 backend:numpy", "off:jax", 'why:"reason 7"', "channel:value", "op:log* dtype:float64 ulp>1",
    "case:*case-8*", "no-such-variant", "",
)  # fmt: skip

_READY = """
new MutationObserver(() => { window.readyAt ??= performance.now(); })
  .observe(document, {attributes: true, subtree: true, attributeFilter: ["data-ready"]});
"""

# From an event to the frame that shows what comes of it.
_UNTIL_SHOWN = """
const [act, watched, done] = arguments, started = performance.now();
const watch = new MutationObserver(() => {
  if (!document.querySelector(watched)) return;
  watch.disconnect();
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now() - started);
    channel.port2.postMessage(0);
  });
});
watch.observe(document.getElementById("explorer"), {childList: true, subtree: true});
Function("text", act.code)(act.text);
"""

_TYPE = 'const box = document.getElementById("query"); box.value = text; box.dispatchEvent(new Event("input"))'
_CLICK = "document.querySelector(text).click()"


def writing(records: int) -> None:
    """Write a page of so many records in a process of its own, and print what it cost."""
    with tempfile.TemporaryDirectory() as name:
        write_runs(Path(name), records)
        print(f"writing  {records:>9,} records  {_cost('write', name, f'{name}/parity.html')}", flush=True)


def _cost(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def write(folder: Path, page: Path) -> None:
    """Read the run files of a folder and write their page; print seconds, peak memory and the page's size."""
    started = time.perf_counter()
    runs = [runfile.read(path) for path in sorted(folder.glob("*.jsonl"))]
    read = time.perf_counter()
    parity.write(runs, page)
    written = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    records = sum(run.size for run in runs)
    print(
        f"{read - started:5.1f} s read  {written - read:6.1f} s written ({1e6 * (written - read) / records:4.0f} µs a "
        f"record)  {peak:4.0f} MiB  page {page.stat().st_size / 1e6:.2f} MB"
    )


def using(variants: int) -> None:
    """Open a page of so many variants in Chromium, search it, open cases and variants; print how long each takes."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from browser.screen import browser  # noqa: PLC0415 - what drives the tests' browser drives this one

    with tempfile.TemporaryDirectory() as name:
        folder, page = Path(name), Path(name) / "parity.html"
        write_runs(folder, RECORDS_A_VARIANT * variants)
        _cost("write", name, str(page))
        size = page.stat().st_size
        with browser(folder / "profile") as screen, screen.before_every_page(_READY):
            opening = [_opening(screen, page) for _ in range(LOADS)]
            filters = {query: _shown(screen, _TYPE, query) - PAUSE for query in QUERIES}
            case, variant = zip(*(_unfolding(screen, f"case-{number}7*") for number in range(1, 9)), strict=True)
    print(f"using    {variants:>9,} variants  page {size / 1e6:.2f} MB")
    _tell("first contentful paint", [paint for paint, _ in opening])
    _tell("until it can be used", [ready for _, ready in opening])
    _tell("filter, input to list", list(filters.values()), max(filters, key=lambda query: filters[query]))
    _tell("opening a case", list(case))
    _tell("opening a variant", list(variant))


def _opening(screen: Screen, page: Path) -> tuple[float, float]:
    screen.open(page)
    screen.until(lambda: screen.run("return performance.getEntriesByType('paint').length > 1"), "it was painted")
    paint = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
    return screen.run(paint), screen.run("return readyAt")


def _shown(screen: Screen, code: str, text: str, watched: str = "#found") -> float:
    return float(screen.driver.execute_async_script(_UNTIL_SHOWN, {"code": code, "text": text}, watched))


def _unfolding(screen: Screen, case: str) -> tuple[float, float]:
    _shown(screen, _TYPE, f"case:*{case}")
    opened = _shown(screen, _CLICK, "#cases details.case:nth-of-type(2) > summary", "#cases .rows")
    return opened, _shown(screen, _CLICK, "#cases .rows th button", "#cases .variant")


def _tell(what: str, milliseconds: list[float], worst: str = "") -> None:
    of = f"{len(milliseconds)}: {worst}" if worst else len(milliseconds)
    print(f"  {what:<24} {median(milliseconds):7.0f} ms median {max(milliseconds):7.0f} ms worst of {of}")


def main() -> None:
    """Run the sections named on the command line, or both, at the sizes named there, or at those above."""
    sections = [word for word in sys.argv[1:] if not word.isdigit()] or ["writing", "using"]
    sizes = [int(word) for word in sys.argv[1:] if word.isdigit()]
    for section in sections:
        run, usual = {"writing": (writing, WRITTEN), "using": (using, (USED,))}[section]
        for size in sizes or usual:
            run(size)


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
