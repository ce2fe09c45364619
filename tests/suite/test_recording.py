"""The environment, as run files hold it."""

from __future__ import annotations

import getpass
import platform

import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.suite.recording import environment, now


@pytest.mark.parametrize("backend", [None, NumpyBackend()])
def test_the_environment_names_the_platform_and_no_person_or_machine(backend: NumpyBackend | None) -> None:
    found = environment(backend)
    assert found["python"] == platform.python_version()
    assert found["system"] == f"{platform.system()} {platform.machine()}"
    assert found["processor"]
    shown = " ".join(found.values()).split()
    assert platform.node() not in shown and getpass.getuser() not in shown


def test_the_time_is_utc_and_iso_8601() -> None:
    assert now().endswith("+00:00")
    assert now()[10] == "T"
