"""Files for machines, written about made-up runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.ground.verdicts import VERDICTS
from conformance.reports import machines
from conformance.runfile import CaseLine, FindingLine, Record, Run, VariantLine

HOSTILE = (
    "<script>alert(1)</script>",
    '"]]>',
    "| `code` | @everyone",
    "=1+2",
    "\x1b[31mred\x00\x08",
    "\u202egnitset",
    "two\nlines\r\n| and | more",
    "https://example.org www.example.org a@example.org #1 GH-2",
    "```\n# heading",
    "&#64;nobody <!-- -->",
)
"""Names and texts as a run file from elsewhere may hold them."""


@pytest.fixture(params=HOSTILE)
def bad(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """The folder of the files about some runs."""

    def write(*runs: Run, problems: Sequence[str] = (), cases: Path | None = None) -> Path:
        folder = tmp_path / "some" / "reports"
        written = machines.write(runs, folder, problems, cases)
        assert [path.name for path in written] == list(machines.NAMES)
        assert all(path.is_file() for path in written)
        return folder

    return write


@pytest.fixture
def failing() -> Callable[..., Record]:
    """A record that failed in a channel."""

    def make(variant: str, mode: str = "eager", channel: str = "value") -> Record:
        found = [FindingLine(channel, "0.5", "0.75", "exact 0.5…; 3 ULP away")]
        return Record(variant, mode, "failed", f"{channel}: expected 0.5, got 0.75", found, ulp=3.0, budget=2.0)

    return make


@pytest.fixture
def every_verdict(make_run: Any, failing: Callable[..., Record]) -> Run:
    """A run with a record of each verdict, each of a case of its own."""
    records = [
        failing("ops/softmax/failed[float32]")
        if verdict == "failed"
        else Record(
            f"ops/softmax/{verdict}[float32]", "eager", verdict, "" if verdict == "passed" else f"why {verdict}"
        )
        for verdict in VERDICTS[:-1]
    ]
    return make_run("numpy", records)  # type: ignore[no-any-return]


@pytest.fixture
def hostile_run(make_run: Any) -> Callable[[str], Run]:
    """A run in which a text stands wherever a text may stand."""

    def make(bad: str) -> Run:
        case = CaseLine(f"ops/{bad}/{bad}", bad, bad, bad, bad, bad, False)
        failed, other = f"{case.id}[{bad}]", f"{case.id}[{bad}2]"
        lines = {name: VariantLine(name, case.id, bad, {}, None, [], bad, bad) for name in (failed, other)}
        records = [
            Record(failed, "eager", "failed", bad, [FindingLine(bad, bad, bad, bad)], raised=bad, step=bad),
            Record(other, "eager", "divergent", bad, link=bad),
            Record(other, "idioms", "unsupported", bad, idiom=bad),
        ]
        changes = {
            "versions": {bad: bad},
            "environment": {bad: bad, "python": bad},
            "selection": bad,
            "cases_digest": bad,
            "suite": bad,
        }
        return make_run("numpy", records, variants=lines, cases={case.id: case}, **changes)  # type: ignore[no-any-return]

    return make
