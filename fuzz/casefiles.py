"""Any bytes are a file of cases, or one or more mistakes with their places; the inputs of what loads can be made."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import atheris
from driving import CASES, drive

with atheris.instrument_imports(include=["conformance.casefile"]):
    from conformance.casefile import yaml_reader
    from conformance.casefile.errors import CaseFileError
    from conformance.casefile.inputs import materialise
    from conformance.casefile.loader import load

MOST_VARIANTS = 20
FILE = Path(tempfile.mkdtemp()) / "a.yaml"


def one_input(data: bytes) -> None:
    """Load a file, and make the inputs of its first variants."""
    FILE.write_bytes(data)
    try:
        corpus = load(FILE)
    except CaseFileError as error:
        for problem, line in zip(error.problems, str(error).splitlines(), strict=True):
            assert line.startswith(f"{FILE}:{problem.line}:{problem.column}: "), line
        return
    for variant in itertools.islice(corpus.variants(), MOST_VARIANTS):
        assert materialise(variant).keys() == variant.case.case.given.keys()


def entries(path: Path) -> list[bytes]:
    """A file of cases taken apart: each case as a file of its own."""
    text = path.read_text(encoding="utf-8")
    lines, starts = text.splitlines(keepends=True), yaml_reader.read(text)[1]
    ends = [*(start - 1 for start in starts[1:]), len(lines)]
    return [f"cases:\n{''.join(lines[a - 1 : b])}".encode() for a, b in zip(starts, ends, strict=True)]


if __name__ == "__main__":
    files = sorted(path for path in CASES.rglob("*.yaml") if path.parent.name in ("document", "ops"))
    drive(one_input, [entry for path in files for entry in entries(path)])
