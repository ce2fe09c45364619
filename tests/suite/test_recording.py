"""The environment, as run files hold it."""

from __future__ import annotations

import platform

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.suite.recording import environment, now


@pytest.mark.parametrize("backend", [None, NumpyBackend()])
def test_the_environment_names_the_platform_and_nothing_that_tells_persons_or_machines_apart(
    backend: NumpyBackend | None,
) -> None:
    found = environment(backend)
    assert found["python"] == platform.python_version()
    assert found["system"] == f"{platform.system()} {platform.machine()}"
    assert found["processor"]
    assert f"numpy {np.__version__}" in found["libraries"]
    assert set(found) == {"python", "system", "processor", "cores", "libraries"}


def test_the_time_is_utc_and_iso_8601() -> None:
    assert now().endswith("+00:00")
    assert now()[10] == "T"
