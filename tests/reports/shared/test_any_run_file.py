"""Run files of every kind: one is refused with its line, or every reader makes something of it, and nothing else.

The files made here have right checksums: somebody who means harm can work them out, too.
"""

from __future__ import annotations

import copy
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from conformance import diffing, runfile
from conformance.backends.base import IDIOMS
from conformance.checking import proposing
from conformance.diffing import PairingError, Side, telling
from conformance.reports import diff, machines, parity
from conformance.runfile import (
    CaseLine,
    FindingLine,
    Header,
    IdiomSource,
    ModeSummary,
    Record,
    Run,
    RunFileError,
    Stored,
    VariantLine,
    Writer,
)
from conformance.runfile.failure import record_text
from conformance.runfile.sealing import seal
from conformance.running import running

X = np.linspace(-8, 8, 20).astype(np.float32)
Y = (1 / (1 + np.exp(-X.astype(np.float64)))).astype(np.float32)
LARGE = Stored.of(np.zeros(5000))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The lines of a run in which a bit of everything came."""
    modes = [ModeSummary("eager", 4, 1, "slow", subset=("*",)), ModeSummary("jit", 1), ModeSummary(IDIOMS, 2)]
    idioms = [
        IdiomSource("sigmoid", "def f(x):\n    return x"),
        IdiomSource("sigmoid", "def g(x): ...", "other", "lib 1"),
    ]
    told = {"sigmoid": {"document": "f", "summary": "s", "budget": "b", "slack": ""}}
    head = Header(
        2,
        "0",
        "numpy",
        "cpu",
        {"numpy": "2"},
        {"python": "3"},
        "c",
        "m",
        modes,
        told,
        idioms,
        "2030-01-02T03:04:05+00:00",
    )
    writer = Writer(tmp_path_factory.mktemp("run") / "run.jsonl", head)

    def write(name: str, record: Record, draw: str = "", large: bool = False) -> None:
        case = CaseLine(f"a/{name}", "sigmoid", "a.yaml", f"- name: {name}", "about", "sigmoid(x)", False, draw)
        inputs = {"x": LARGE if large else Stored.of(X)}
        check = "gradient" if record.variant.endswith("gradient]") else "value"
        line = VariantLine(
            record.variant, case.id, "float32", inputs, LARGE if large else Stored.of(Y), [0.25], "", "b", check
        )
        writer.case(lambda: case, case.id)
        writer.variant(lambda: line, line.id)
        writer.record(record)

    off = FindingLine("value", "1", "2", "exact 1; here")
    got = [Stored.of(Y)]
    write(
        "curve",
        Record("a/curve[float32]", "eager", "passed", got=got, ulp=0.5, budget=4.0, at=[3], end_to_end=0.6),
        "curve",
    )
    write(
        "curve",
        Record("a/curve[float32]", "jit", "failed", "off", [off], [Stored.of(Y + 1)], ulp=9.0, budget=4.0, at=[3]),
        "curve",
    )
    write(
        "curve",
        Record("a/curve[float32]", IDIOMS, "divergent", "why", [off], got, link="https://example.org", idiom="other"),
        "curve",
    )
    write("curve", Record("a/curve[float32]", IDIOMS, "passed", got=got, idiom="unnamed"), "curve")
    write(
        "slope",
        Record("a/slope[float32,gradient]", "eager", "failed", "g", [FindingLine("gradient", "1", "nan", "", 2)], got),
    )
    write(
        "raises",
        Record("a/raises[float32]", "eager", "failed", "r", [FindingLine("status", "a", "b")], raised="ValueError: no"),
    )
    write("large", Record("a/large[float32]", "eager", "unsupported", "no", step="2, sigmoid"), large=True)
    writer.finish("2030-01-02T03:05:05+00:00")
    found = [json.loads(line) for line in writer.path.read_bytes().splitlines()]
    for line in found:
        del line["crc32"]
    return found


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to each value within another."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield (*above, key)
        yield from places(part, (*above, key))


def at(value: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        value = value[key]
    return value


VALUES: list[Any] = [
    None, True, 0, -1, 1, 3, 2**40, 2**62, 10**30, 1e308, -1e308, 5e-324, 0.5, "", "x", "[2]", "[1, 2", "]", "\u202e", "\0",
    "<script>", "a/b[c]", "a/curve[float32]", "float16", "float64", "complex64", "int64", "bool", "passed", "crashed", "eager",
    "jit", IDIOMS, "other", "curve", "gradient", "shape", "dtype", "signed-zero", "aliasing", "softmax", "https://x", "AAAA",
    "A" * 3000, [], {}, [[]], [0], [5], [2**40], {"a": 1}, {"x": "y"},
]  # fmt: skip


def changed(lines: list[dict[str, Any]], data: st.DataObject) -> list[dict[str, Any]]:
    """The lines with a few values replaced, removed, doubled or moved, and a footer that counts right."""
    lines = copy.deepcopy(lines)
    for _ in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.sampled_from(lines))
        keys = data.draw(st.sampled_from([keys for keys in places(line) if keys != ("kind",)] or [()]))
        if not keys:
            continue
        inside, last = at(line, keys[:-1]), keys[-1]
        match data.draw(st.integers(0, 19)):
            case 0:
                del inside[last]
            case 1 if isinstance(inside, list):
                inside.append(copy.deepcopy(inside[last]))
            case 2 | 3:
                other = data.draw(st.sampled_from(lines))
                inside[last] = copy.deepcopy(at(other, data.draw(st.sampled_from(list(places(other))))))
            case _:
                alike = [value for value in VALUES if type(value) is type(inside[last])]
                inside[last] = copy.deepcopy(data.draw(st.sampled_from(alike or VALUES)))
    counts: dict[Any, Counter[Any]] = defaultdict(Counter)
    for line in lines:
        if line.get("kind") == "record":
            counts[str(line.get("mode"))][str(line.get("verdict"))] += 1
    if lines[-1].get("kind") == "footer" and data.draw(st.booleans()):
        lines[-1]["counts"] = {mode: dict(counts[mode]) for mode in counts}
    return lines


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_run_file_is_refused_with_its_line_or_every_reader_makes_something_of_it(
    data: st.DataObject, lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(b"".join(seal(json.dumps(line).encode()) for line in changed(lines, data)))
    try:
        run = runfile.read(path)
    except RunFileError as error:
        event("refused")
        assert str(error).startswith(f"{path}:")
        assert str(error).isprintable()
        return
    event("read")
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(b"".join(seal(json.dumps(line).encode()) for line in lines))
    original = runfile.read(whole)
    parity.write([run], tmp_path / "page.html")
    proposing.as_yaml(run.header, proposing.propose(run))
    list(running.summary([run]))
    running.shortcomings(run)
    for run_, case, record in running.failures([run]):
        record_text(run_.header, case, record)
    written = machines.write([run], tmp_path, running.shortcomings(run))
    ET.parse(written[0])
    against(run, original, tmp_path)
    against(original, run, tmp_path)


def against(a: Run, b: Run, folder: Path) -> None:
    """Compare two runs on the console and as a page; they may have nothing in common."""
    try:
        pairing = diffing.pair(Side("A", a.path, [a], []), Side("B", b.path, [b], []))
    except PairingError:
        event("nothing to compare")
        return
    comparison = diffing.compare(pairing)
    text = "\n".join(telling.lines(comparison, 100))
    assert all(line.isprintable() for line in text.split("\n"))
    diff.write(comparison, "A", "B", ["verdict"], folder / "diff.html")
