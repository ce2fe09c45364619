"""On a real GPU: the document's cases conform there, in both precisions, and what was switched off is recorded.

Skipped where no GPU is visible to the framework. What can be seen without one is in `test_placement`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance import backends, runfile
from conformance.backends.base import GPU_FAST

FRAMEWORKS = ["torch", "tensorflow", "jax"]


@cache
def without(name: str) -> str:
    """Why a backend has no GPU here; empty where it has one. Found out in a process of its own, which lets go of it."""
    kind = backends.load(name)
    if missing := kind.not_installed():
        return missing
    code = f"from conformance import backends; print(*backends.load({name!r})().devices())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    seen = done.stdout.split()
    return "" if "gpu" in seen else f"{kind.package} sees no GPU here, but {', '.join(seen)}"


@pytest.fixture(params=FRAMEWORKS)
def on_gpu(request: pytest.FixtureRequest) -> str:
    """The name of a backend whose framework sees a GPU."""
    name = str(request.param)
    if reason := without(name):
        pytest.skip(reason)
    return name


def run(python: Callable[..., Any], tmp_path: Path, name: str, *more: str) -> runfile.Run:
    done = python("-m", "conformance", "run", "-b", name, "--device", "gpu", "-o", str(tmp_path), "--no-report", *more)
    path = next(tmp_path.rglob(f"{name}-gpu.jsonl"), None)
    assert path is not None, done.stdout + done.stderr
    return runfile.read(path)


def test_the_document_holds_on_a_gpu_in_every_mode(on_gpu: str, python: Callable[..., Any], tmp_path: Path) -> None:
    made = run(python, tmp_path, on_gpu, "--variant", "document/*", "--timeout", "100")
    assert made.complete
    wrong = {(r.variant, r.mode, r.idiom): r.reason for r in made.records if r.verdict not in ("passed", "divergent")}
    assert wrong == {}
    assert GPU_FAST in {r.mode for r in made.records}
    environment = made.header.environment
    assert environment["gpu"]
    switched = [value for value in environment.values() if f"in {GPU_FAST}: " in value]
    assert switched, environment
    assert all(value.startswith(("off;", "highest;")) for value in switched)


def test_every_result_lives_on_the_gpu(on_gpu: str, python: Callable[..., Any], tmp_path: Path) -> None:
    made = run(python, tmp_path, on_gpu, "--variant", "ops/asarray/*", "--variant", "ops/stack/*", "-m", "eager")
    assert made.complete
    channels = [(r.variant, f.got) for r in made.records for f in r.findings if f.channel == "device"]
    assert channels == []
    assert any(r.verdict == "passed" for r in made.records)


def test_what_is_out_of_range_costs_no_other_variant(on_gpu: str, python: Callable[..., Any], tmp_path: Path) -> None:
    """In CUDA an assertion within a kernel leaves a process in which every later call fails."""
    made = run(python, tmp_path, on_gpu, "--variant", "ops/binary_cross_entropy/predictions-outside*",
               "--variant", "document/sigmoid/*", "-m", "eager")  # fmt: skip
    assert made.complete
    others = {r.verdict for r in made.records if r.variant.startswith("document/")}
    assert others <= {"passed", "divergent"}


def test_a_script_of_a_gpu_gives_the_recorded_bits(on_gpu: str, python: Callable[..., Any], tmp_path: Path) -> None:
    made = run(python, tmp_path, on_gpu, "--variant", "document/softmax/*", "-m", "eager")
    record = next(r for r in made.records if r.verdict == "passed" and r.got and r.at)
    path = next(tmp_path.rglob(f"{on_gpu}-gpu.jsonl"))
    done = python("-m", "conformance", "repro", record.variant, "-m", "eager", "--run-file", str(path))
    assert done.returncode == 0, done.stderr
    again = python("-c", done.stdout)
    assert again.returncode == 0, again.stderr
    assert float(record.got[-1].array()[tuple(record.at)]).hex() in again.stdout
