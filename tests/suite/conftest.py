"""What the tests of the suite share: a backend of the test's own making under a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance import backends
from conformance.backends.base import Backend
from conformance.suite.selection import select
from conformance.suite.session import BackendSession


class _Point:
    def __init__(self, kind: type[Backend]) -> None:
        self._kind = kind

    def load(self) -> type[Backend]:
        return self._kind


@pytest.fixture
def session(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., BackendSession]:
    """A session of a backend over cases given as text."""

    def made(
        text: str,
        backend: Backend | type[Backend] | None = None,
        device: str = "cpu",
        modes: Sequence[str] = (),
        patterns: Sequence[str] = (),
        **files: Any,
    ) -> BackendSession:
        name = "numpy"
        if backend is not None:
            kind = backend if isinstance(backend, type) else type(backend)
            name = kind.name
            monkeypatch.setattr(backends, "entry_points", lambda: {name: _Point(kind)})
        root = folder(text, **files)
        return BackendSession(name, select(root, patterns), device, modes)

    return made
