"""Every file and name on the tour for newcomers is there, and every room is met on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`((?:conformance|cases|tests)/[\w/.-]+?)(?::([\w.]+))?`", TOUR)))


def defined(path: Path, name: str) -> bool:
    """Whether a file defines a function or a class of that name; ``Class.method`` for one within a class."""
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = [
            node
            for node in body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.rstrip("_") == part.rstrip("_")
        ]
        if not found:
            return False
        body = found[0].body
    return True


@pytest.mark.parametrize(("path", "name"), PLACES, ids=lambda part: part or "file")
def test_every_name_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    assert not name or defined(ROOT / path, name)


def test_every_room_is_met() -> None:
    rooms = {path.parent.name for path in (ROOT / "conformance").glob("*/__init__.py")}
    assert len(PLACES) > 50
    assert rooms - {path.split("/")[1] for path, _ in PLACES} == set()


def test_a_name_that_is_not_there_is_seen() -> None:
    here = Path(__file__)
    assert defined(here, "defined") and not defined(here, "defind")
    assert not defined(here, "defined.further")
    assert defined(ROOT / "conformance" / "judging" / "judge.py", "Judge.judge")
    assert not defined(ROOT / "conformance" / "judging" / "judge.py", "Judge.jury")


def test_its_case_is_that_of_the_corpus() -> None:
    block = re.search(r"```yaml\n# (\S+)\n(.*?)```", TOUR, re.DOTALL)
    assert block is not None
    text = (ROOT / block[1]).read_text(encoding="utf-8")
    assert all(line in text for line in block[2].splitlines())
