"""Memory copies and the reference: that they are measured, for every size, and really copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.backends.numpy import NumpyBackend
from conformance.timing import copying


@pytest.mark.parametrize("threads", [1, 2])
def test_a_copy_of_each_size_is_measured_with_the_threads_that_are_allowed(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    copied: list[int] = []
    plain = np.copyto

    def watched(target: np.ndarray, source: np.ndarray) -> None:
        copied.append(source.nbytes)
        plain(target, source)
        assert (target == source).all()

    monkeypatch.setattr(copying.np, "copyto", watched)
    monkeypatch.setattr(copying, "SIZES", (256, 2**21))
    copies = copying.measure(NumpyBackend(), threads)
    assert [copy.bytes for copy in copies] == [256, 2**21]
    assert all(len(copy.seconds) == 7 and min(copy.seconds) > 0 for copy in copies)
    assert set(copied) == {128, 2**20 // threads}  # half of the bytes are read, and half are written


def test_on_a_device_with_its_own_memory_that_is_copied_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Device(NumpyBackend):
        """It has memory of its own."""

        def copier(self, array: Any) -> Any:
            return lambda: done.append("copied")

        def synchronise(self, result: Any) -> None:
            done.append("waited")

    monkeypatch.setattr(copying, "SIZES", (256,))
    copying.measure(Device("gpu"), 1)
    assert done[::2] == ["copied"] * (len(done) // 2) and done[1::2] == ["waited"] * (len(done) // 2)


def test_the_reference_takes_time() -> None:
    assert copying.reference() > 0
