"""Under pytest-xdist: the process that runs no test joins what the others recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.runfile import RunFileError, UnwritableError
from conformance.suite.filing import absorb_parts, drop_parts


class Joining:
    """A plug-in of pytest-xdist's controlling process.

    Args:
        path: of the run file. The first of the other processes writes it, the others a part each.
        resume: whether to go on with what is in it, and in parts that an earlier run left.
    """

    def __init__(self, path: Path, resume: bool) -> None:
        self._path = path
        # Kept open, so that no new file is given its number.
        self._old = path.open("rb") if path.is_file() and not resume else None
        if resume:
            absorb_parts(path)
        else:
            drop_parts(path)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Join the parts to the run file, unless that is still an older run's."""
        try:
            absorb_parts(self._path, alone=self._is_old())
        except (RunFileError, UnwritableError) as error:
            pytest.exit(f"{error}; what was recorded is in parts beside it", returncode=pytest.ExitCode.INTERNAL_ERROR)

    def _is_old(self) -> bool:
        if self._old is None:
            return False
        with self._old:
            return self._path.exists() and os.path.samestat(os.fstat(self._old.fileno()), self._path.stat())
