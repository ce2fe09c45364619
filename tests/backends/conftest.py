"""Adapters of other packages, as if they were installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., Path]:
    """A folder with an installed package whose module is `text`, and names its class as a backend."""

    def made(text: str, name: str = "mine", distribution: str = "brought-by-others", module: str = "brought") -> Path:
        folder = tmp_path / "installed"
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[conformance.backends]\n{name} = {module}:Mine\n")
        return folder

    return made


@pytest.fixture
def with_path(python: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Call Python with a folder's packages installed."""

    def call(folder: Path, *arguments: Any) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "COVERAGE"))}
        paths = [str(folder), *filter(None, [environment.get("PYTHONPATH")])]
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return call
