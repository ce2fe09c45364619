"""A device that a backend lacks is told before anything is run, and spoils nothing that is there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance import runfile
from conformance.cli import arguments
from conformance.running import probing

CARD = """
from conformance.backends.numpy import NumpyBackend
class Mine(NumpyBackend):
    name = "mine"
    def devices(self): return ["cpu", "gpu"]
    def device_of(self, array):
        super().device_of(array)
        return self.device
"""
CASES = "cases: [{name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}]"


@pytest.fixture
def run(brought: Callable[..., Path], with_path: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Run cases where NumPy and, if it is one, a plug-in are all there is."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "things.yaml").write_text(CASES)

    def call(text: str, *options: str, backends: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        hide = "import importlib.util as u; f = u.find_spec\n"
        hide += "u.find_spec = lambda n, *a: None if n in ('torch', 'jax', 'tensorflow') else f(n, *a)\n"
        folder = tmp_path / "installed"
        folder = folder if folder.exists() else brought(text)
        (folder / "sitecustomize.py").write_text(hide)
        chosen = [part for name in backends for part in ("-b", name)]
        where = ["--cases", str(tmp_path / "cases"), "-o", str(tmp_path / "reports")]
        return with_path(folder, "-m", "conformance", "run", *chosen, *where, *options)  # type: ignore[no-any-return]

    return call


def test_backends_without_the_device_are_left_out_with_a_line_and_the_others_run(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    done = run(CARD, "--device", "gpu")
    assert done.returncode == 0, done.stderr
    assert "note: numpy is left out: no gpu here; numpy sees cpu" in done.stderr
    assert [path.name for path in (tmp_path / "reports").glob("*.jsonl")] == ["mine-gpu.jsonl"]
    assert runfile.read(tmp_path / "reports" / "mine-gpu.jsonl").counts()["eager"]["passed"] == 2


def test_one_that_was_asked_for_by_name_is_run_and_unsupported(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run(CARD, "--device", "gpu", backends=("numpy", "mine"))
    assert done.returncode == 3
    assert "left out" not in done.stderr
    assert "error: numpy: nothing could run: no gpu here; numpy sees cpu" in done.stderr
    assert runfile.read(tmp_path / "reports" / "numpy-gpu.jsonl").counts()["eager"]["unsupported"] == 2
    assert runfile.read(tmp_path / "reports" / "mine-gpu.jsonl").counts()["eager"]["passed"] == 2


@pytest.mark.parametrize("backends", [(), ("numpy",)])
def test_where_nobody_has_the_device_older_results_and_reports_stay_as_they_are(
    backends: tuple[str, ...], run: Callable[..., Any], tmp_path: Path
) -> None:
    assert run(CARD.replace(', "gpu"', ""), backends=("numpy",)).returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "reports").iterdir()}
    done = run(CARD, "--device", "gpu", backends=backends)
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: numpy: nothing can run: no gpu here; numpy sees cpu" in done.stderr
    assert {path: path.read_bytes() for path in (tmp_path / "reports").iterdir()} == before


def test_a_backend_that_can_not_be_asked_is_left_to_its_run(
    brought: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that dies, one that hangs, and one whose framework raises; and what it prints is no answer."""
    folder = brought(CARD)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(probing, "_ANSWERS_WITHIN", 4.0)
    began = time.monotonic()
    for body in ("os.kill(os.getpid(), 9)", "time.sleep(600)", "raise OSError('no driver')", "print('no gpu')"):
        lines = f"import os, time\n{CARD}    def start(self): {body}\n"
        (folder / "brought.py").write_text(lines)
        assert probing.lacking(["mine"], "gpu") == {}
    assert time.monotonic() - began < 60
    (folder / "brought.py").write_text(CARD.replace(', "gpu"', ""))
    assert probing.lacking(["mine", "numpy"], "gpu") == {
        "mine": "no gpu here; mine sees cpu",
        "numpy": "no gpu here; numpy sees cpu",
    }


def test_on_the_cpu_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "lacking", lambda names, device: dict.fromkeys(names, "asked"))
    assert arguments.able(["numpy"], "cpu", by_name=False) == ["numpy"]
