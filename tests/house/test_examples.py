"""The example of an adapter by others: installed as a package of its own, found, smoked, run and reported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance import runfile

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "array-api-strict"
MODULE = EXAMPLE / "conformance_array_api_strict.py"
NAME = "array-api-strict"

pytest.importorskip("array_api_strict")
pytest.importorskip("hatchling")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the example into, without any network."""
    folder = tmp_path_factory.mktemp("example") / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(folder), str(EXAMPLE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def conformance(
    installed: Path, python: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call `conformance` where the example is installed."""
    return partial(python, "-m", "conformance", packages=installed, cwd=tmp_path, timeout=240)


def test_the_example_is_as_short_as_it_says() -> None:
    assert len(MODULE.read_text(encoding="utf-8").splitlines()) < 120
    assert sorted(path.name for path in EXAMPLE.iterdir() if path.suffix in (".py", ".toml")) == [
        MODULE.name,
        "pyproject.toml",
    ]


def test_it_is_listed_with_its_version_and_is_sound(conformance: Callable[..., Any]) -> None:
    done = conformance("backends")
    assert re.search(rf"^{NAME}\n  versions   {NAME} [\d.]+, numpy .*\n  devices    cpu$", done.stdout, re.MULTILINE)
    done = conformance("smoke", NAME)
    assert done.returncode == 0, done.stdout
    assert "it says that it has no float16, bfloat16" in done.stdout
    assert f"{NAME}: adapter and framework are sound" in done.stdout


def test_the_corpus_runs_on_it_and_the_report_lists_it(conformance: Callable[..., Any], tmp_path: Path) -> None:
    """Everything that it has an idiom for; what fails are deviations of the standard, which nobody registered yet."""
    done = conformance("run", "--backend", NAME, "--output", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    run = runfile.read(tmp_path / "out" / f"{NAME}-cpu.jsonl")
    assert run.complete
    verdicts = Counter(record.verdict for record in run.records)
    assert sum(verdicts.values()) == run.header.modes[0].variants
    assert set(verdicts) == {"passed", "failed", "unsupported"}  # it flushes nothing, and nothing of it is registered
    assert verdicts["passed"] > 1000 and verdicts["failed"] < verdicts["passed"] / 10
    reasons = {r.reason for r in run.records if r.verdict == "unsupported"}
    assert f"{NAME} has no idiom for binary_cross_entropy" in reasons
    assert "the array API standard has no bfloat16" in reasons
    channels = {finding.channel for record in run.records for finding in record.findings}
    assert not channels & {"state", "device"}
    passed = {r.variant.partition("/")[2].partition("/")[0] for r in run.records if r.verdict == "passed"}
    assert {"softmax", "log_softmax", "sigmoid", "stack", "reshape", "sum", "mean", "arithmetic", "asarray"} <= passed
    page = (tmp_path / "out" / "parity.html").read_text(encoding="utf-8")
    assert f"{NAME} {run.header.versions[NAME]}" in page
    (source,) = (idiom.source for idiom in run.header.idioms if idiom.operation == "softmax")
    assert "e / xp.sum(e, axis=axis, keepdims=True)" in source


def test_the_document_says_what_the_example_does() -> None:
    """Every piece of code that docs/backends.md shows of the example stands in it."""
    text = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    shown = re.findall(r"```(?:python|toml)\n(.*?)```", text, re.DOTALL)
    assert len(shown) >= 3
    there = MODULE.read_text(encoding="utf-8") + (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    for piece in shown:
        for line in piece.splitlines():
            assert line.strip() in there, line
