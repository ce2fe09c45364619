from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.reports import machines
from conformance.runfile import Record, Run


def test_equal_runs_give_equal_files(files: Callable[..., Path], every_verdict: Run) -> None:
    first = {path.name: path.read_bytes() for path in files(every_verdict).iterdir()}
    assert set(first) == set(machines.NAMES)
    assert {path.name: path.read_bytes() for path in files(every_verdict).iterdir()} == first


def test_without_runs_there_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no runs"):
        machines.write([], tmp_path)


def test_two_runs_of_one_backend_are_told_apart(files: Callable[..., Path], make_run: Any) -> None:
    record = Record("ops/exp/a[float32]", "eager", "passed")
    runs = [make_run("torch", [record], versions={"torch": version}) for version in ("2.12.0", "2.13.0")]
    folder = files(*runs)
    for name in ("junit.xml", "summary.md", "summary.json", "records.csv"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "torch 2.12.0" in text and "torch 2.13.0" in text
