"""The environment, as run files hold it."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.runfile import now
from conformance.suite.recording import commit, environment


@pytest.mark.parametrize("backend", [None, NumpyBackend()])
def test_the_environment_names_the_platform_and_nothing_that_tells_persons_or_machines_apart(
    backend: NumpyBackend | None,
) -> None:
    found = environment(backend)
    assert found["python"] == platform.python_version()
    assert found["system"] == f"{platform.system()} {platform.machine()}"
    assert found["processor"]
    assert f"numpy {np.__version__}" in found["libraries"]
    own = {"kernels"} if backend is not None else set()
    assert set(found) == {"python", "system", "processor", "cores", "libraries"} | own


def test_the_time_is_utc_and_iso_8601() -> None:
    assert now().endswith("+00:00")
    assert now()[10] == "T"


def test_the_commit_of_cases_is_told_with_a_mark_where_files_differ_from_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "things.yaml").write_text("cases: []\n", encoding="utf-8")
    assert commit(cases) == ""
    git("init", "-q")
    assert commit(cases) == "", "nothing of the cases is committed"
    git("add", ".")
    git("commit", "-q", "-m", "cases")
    head = git("rev-parse", "HEAD")
    assert commit(cases) == head[:12]
    (tmp_path / "elsewhere").write_text("x", encoding="utf-8")
    assert commit(cases) == head[:12], "other files don't matter"
    (cases / "things.yaml").write_text("cases: [] # changed\n", encoding="utf-8")
    assert commit(cases) == f"{head[:12]}+"
    assert commit(cases / "things.yaml") == f"{head[:12]}+"
