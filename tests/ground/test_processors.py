"""What is read of /proc/cpuinfo."""

from __future__ import annotations

import builtins
import io
from typing import Any

import pytest

from conformance.ground.processors import cpuinfo

LINUX = (
    "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC: 7B13\nflags\t\t: fpu avx2\n\nprocessor\t: 1\n"
)


@pytest.mark.parametrize(
    ("fact", "told"),
    [("vendor_id", "AuthenticAMD"), ("model name", "AMD EPYC: 7B13"), ("flags", "fpu avx2"), ("bogomips", "")],
)
def test_a_fact_is_that_of_the_first_processor(fact: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "open", lambda *_, **__: io.StringIO(LINUX))
    assert cpuinfo(fact) == told


def test_where_there_is_no_such_file_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(builtins, "open", missing)
    assert cpuinfo("flags") == ""
