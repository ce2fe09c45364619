"""Pairs of made-up runs: one variant a record, both sides of one question unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import diffing
from conformance.diffing import Comparison
from conformance.runfile import FindingLine, IdiomSource, Record, Stored, VariantLine

X = Stored.of(np.array([0.5, 1.5], np.float32))


@pytest.fixture
def write(write_run: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Write a run file of a side.

    Changes: `name` (of the file), and all that `write_run` takes.
    """

    def make(side: str, records: Sequence[Record], backend: str = "torch", **changes: Any) -> Path:
        path = tmp_path / side / changes.pop("name", f"{backend}-{changes.get('device', 'cpu')}.jsonl")
        lines = {
            one.variant: VariantLine(one.variant, one.variant.partition("[")[0], "float32", {"x": X}, X, [0.0])
            for one in records
        }
        told: dict[str, Any] = {
            "versions": {backend: "1.0"},
            "environment": {"python": "3.11.7", "processor": "a processor"},
            "idioms": [IdiomSource("exp", "def exp(x):\n    return torch.exp(x)")],
            "variants": lines | changes.pop("variants", {}),
        }
        return write_run(path, backend, records, **told | changes)

    return make


@pytest.fixture
def compared(write: Callable[..., Path]) -> Callable[..., Comparison]:
    """What comes of comparing two lists of records (`a`, `b`: changes of each side, as `write` takes them)."""

    def compare(
        left: Sequence[Record], right: Sequence[Record], a: Any = None, b: Any = None, pair: Sequence[str] = ()
    ) -> Comparison:
        paths = write("a", left, **a or {}), write("b", right, **b or {})
        with diffing.load("A", paths[0]) as one, diffing.load("B", paths[1]) as other:
            return diffing.compare(diffing.pair(one, other, pair))

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
        if verdict == "unsupported":
            values["got"] = []
        values["at"] = [0]
        if verdict == "failed":
            values["findings"] = [FindingLine("value", "0.5", "0.75", "exact 0.5…")]
        return Record(f"ops/exp/one[{name}]", verdict=verdict, **values | fields)

    return make
