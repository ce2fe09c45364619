"""Runs made up for the tests of reports: no framework, no case files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from conformance.runfile import (
    FORMAT,
    CaseLine,
    Header,
    IdiomSource,
    ModeSummary,
    Record,
    Run,
    Stored,
    VariantLine,
    Writer,
    read,
)


class MakeRun(Protocol):
    """What the fixture `make_run` gives."""

    def __call__(self, backend: str, records: Sequence[Record], **changes: Any) -> Run: ...


def _case_of(variant: str) -> str:
    return variant.partition("[")[0]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A run of a backend from its records; cases, variants and manifest follow from them.

    Changes: `variants` (lines that stand for the made-up ones), `cases` (likewise), `lacking` (records that each mode
    lacks), `finished` (False: no footer), and any field of the header.
    """

    made = 0

    def make(backend: str, records: Sequence[Record], **changes: Any) -> Run:
        lines: Mapping[str, VariantLine] = changes.pop("variants", {})
        cases: Mapping[str, CaseLine] = changes.pop("cases", {})
        lacking, finished = changes.pop("lacking", 0), changes.pop("finished", True)
        modes = list(dict.fromkeys(record.mode for record in records)) or ["eager"]
        counted = {mode: sum(record.mode == mode for record in records) for mode in modes}
        fields: dict[str, Any] = {
            "format": FORMAT,
            "suite": "0.1.0",
            "backend": backend,
            "device": "cpu",
            "versions": {backend: "1.2.3"},
            "environment": {"python": "3.11.7", "system": "Linux x86_64", "processor": "a processor", "cores": "2"},
            "cases_digest": "ab" * 32,
            "manifest_digest": "cd" * 32,
            "modes": [ModeSummary(mode, counted[mode] + lacking, flushes_subnormals=False) for mode in modes],
            "operations": {"sigmoid": {"document": "torch.nn.Sigmoid()(x)", "summary": "1 / (1 + exp(-x))"}},
            "idioms": [IdiomSource("sigmoid", f"def sigmoid(x):\n    return {backend}.sigmoid(x)")],
            "started": "2030-01-02T03:04:05+00:00",
        }
        nonlocal made
        made += 1
        writer = Writer(tmp_path / f"{made}" / f"{backend}.jsonl", Header(**fields | changes))
        for record in records:
            name = lines[record.variant].case if record.variant in lines else _case_of(record.variant)
            case = cases.get(name) or CaseLine(
                name, name.split("/")[-2], f"{name}.yaml", f"  - name: {name}", "", "sigmoid(x)", False
            )
            line = lines.get(record.variant) or VariantLine(record.variant, name, "float32", {})
            writer.case(lambda case=case: case, name)
            writer.variant(lambda line=line: line, record.variant)
            writer.record(record)
        if finished:
            writer.finish("2030-01-02T03:05:00+00:00")
        else:
            writer.close()
        return read(writer.path)

    return make


@pytest.fixture
def curve_runs(make_run: MakeRun) -> list[Run]:
    """The sigmoid at 161 points, by a backend that is right, one that errs, and one that returns another dtype."""
    x = np.linspace(-8, 8, 161).astype(np.float32)
    exact = (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)
    off = exact.copy()
    off[80] = np.nextafter(off[80], np.float32(1))  # x = 0, half: the step above it is one ULP
    variant = "document/sigmoid/curve[float32]"
    line = VariantLine(variant, "document/sigmoid/curve", "float32", {"x": Stored.of(x)}, Stored.of(exact), [0.0])
    case = CaseLine(line.case, "sigmoid", "document/sigmoid.yaml", "- name: curve", "", "sigmoid(x)", False, "curve")
    shared: dict[str, Any] = {"variants": {variant: line}, "cases": {line.case: case}}

    def record(got: np.ndarray, mode: str = "eager", ulp: float = 0.5) -> Record:
        return Record(variant, mode, "passed", got=[Stored.of(got)], ulp=ulp, budget=10.0, at=[80])

    return [
        make_run("right", [record(exact), record(exact, "compile")], **shared),
        make_run("errs", [record(off, ulp=1.0)], **shared),
        make_run("wide", [record(exact.astype(np.float64))], **shared),
    ]
