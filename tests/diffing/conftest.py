"""Pairs of made-up runs: one variant a record, both sides of one question unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import diffing
from conformance.diffing import Comparison
from conformance.runfile import (
    FORMAT,
    CaseLine,
    FindingLine,
    Header,
    IdiomSource,
    ModeSummary,
    Record,
    Stored,
    VariantLine,
    Writer,
)

X = Stored.of(np.array([0.5, 1.5], np.float32))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a run file.

    Changes: `cases` and `lines` (by ID, that stand for the made-up ones), `lacking` (records that each mode lacks),
    `finished` (False: no footer), `name` (of the file), and any field of the header.
    """

    def make(side: str, records: Sequence[Record], backend: str = "torch", **changes: Any) -> Path:
        cases, lines = changes.pop("cases", {}), changes.pop("lines", {})
        lacking, finished = changes.pop("lacking", 0), changes.pop("finished", True)
        path = tmp_path / side / changes.pop("name", f"{backend}-{changes.get('device', 'cpu')}.jsonl")
        modes = list(dict.fromkeys(record.mode for record in records)) or ["eager"]
        fields: dict[str, Any] = {
            "format": FORMAT,
            "suite": "0.1.0",
            "backend": backend,
            "device": "cpu",
            "versions": {backend: "1.0"},
            "environment": {"python": "3.11.7", "processor": "a processor"},
            "cases_digest": "ab" * 32,
            "manifest_digest": "cd" * 32,
            "modes": [ModeSummary(m, sum(r.mode == m for r in records) + lacking) for m in modes],
            "operations": {},
            "idioms": [IdiomSource("exp", "def exp(x):\n    return torch.exp(x)")],
            "started": "2030-01-02T03:04:05+00:00",
        }
        writer = Writer(path, Header(**fields | changes))
        for record in records:
            name = record.variant.partition("[")[0]
            case = cases.get(name) or CaseLine(name, "exp", "exp.yaml", f"- name: {name}", "", "exp(x)", False)
            line = lines.get(record.variant) or VariantLine(record.variant, name, "float32", {"x": X}, X, [0.0])
            writer.case(lambda case=case: case, name)
            writer.variant(lambda line=line: line, record.variant)
            writer.record(record)
        if finished:
            writer.finish("2030-01-02T03:05:00+00:00")
        else:
            writer.close()
        return path

    return make


@pytest.fixture
def compared(write: Callable[..., Path]) -> Callable[..., Comparison]:
    """What comes of comparing two lists of records (`a`, `b`: changes of each side, as `write` takes them)."""

    def compare(
        left: Sequence[Record], right: Sequence[Record], a: Any = None, b: Any = None, pair: Sequence[str] = ()
    ) -> Comparison:
        paths = write("a", left, **a or {}), write("b", right, **b or {})
        sides = [diffing.load(name, path) for name, path in zip("AB", paths, strict=True)]
        return diffing.compare(diffing.pair(sides[0], sides[1], pair))

    return compare


@pytest.fixture
def record() -> Callable[..., Record]:
    """A record of a variant of one case: what passed has a small error, what failed a finding."""

    def make(verdict: str = "passed", name: str = "n=1", got: Any = (0.5, 1.5), **fields: Any) -> Record:
        values = {
            "mode": "eager",
            "reason": "" if verdict == "passed" else f"why {verdict}",
            "ulp": 0.5,
            "budget": 10.0,
        }
        values["got"] = [Stored.of(np.asarray(got, np.float32))] if got is not None else []
        values["at"] = [0]
        if verdict == "failed":
            values["findings"] = [FindingLine("value", "0.5", "0.75", "exact 0.5…")]
        return Record(f"ops/exp/one[{name}]", verdict=verdict, **values | fields)

    return make
