"""Runs made up for the tests of reports: no framework, no case files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.runfile import CaseLine, Record, Run, Stored, VariantLine


@pytest.fixture
def curve_runs(make_run: Any) -> list[Run]:
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
