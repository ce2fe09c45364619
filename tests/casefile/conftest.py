"""What the tests of case files share: loading from text, and the problems found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.casefile.errors import CaseFileError
from conformance.casefile.loader import Corpus, load
from conformance.casefile.variants import Variant


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[..., Corpus]:
    """Load a folder of case files: `cases.yaml` with the given text, or the files given by path."""

    def loaded(text: str | None = None, **files: str) -> Corpus:
        for name, content in {**({"cases.yaml": text} if text is not None else {}), **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        return load(tmp_path)

    return loaded


@pytest.fixture
def problems(load_text: Callable[..., Corpus]) -> Callable[..., list[str]]:
    """Every problem of a file, as ``line:column: message``; none where it loads."""

    def found(text: str | None = None, **files: str) -> list[str]:
        try:
            load_text(text, **files)
        except CaseFileError as error:
            return [f"{p.line}:{p.column}: {p.message}" for p in error.problems]
        return []

    return found


@pytest.fixture
def variants(load_text: Callable[..., Corpus]) -> Callable[..., dict[str, Variant]]:
    """The variants of a file by ID, without the file's own part."""

    def expanded(text: str) -> dict[str, Variant]:
        return {v.id.removeprefix("cases/"): v for v in load_text(text).variants()}

    return expanded
