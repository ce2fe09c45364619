"""Arguments that were made to do harm end with one error and status 2, before anything is run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conformance.cli import app
from conformance.ground import limits
from conformance.runfile.sealing import seal
from conformance.suite.selection import SelectionError, check_keyword

GOOD = "  - {name: one, given: {x: [1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}\n"


@pytest.fixture
def refusal(folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command says that ends with status 2, writes one line, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    folder(GOOD)
    os.mkfifo("fifo")

    def run(*arguments: Any) -> str:
        before = sorted(tmp_path.rglob("*"))
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert done.exit_code == 2, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert done.stdout == ""
        assert sorted(tmp_path.rglob("*")) == before
        line = done.stderr.removesuffix("\n")
        assert line.startswith("error: ")
        assert line.isprintable() and len(line) < 1400
        return line.removeprefix("error: ")

    return run


@pytest.mark.parametrize("name", ["run", "list", "check", "explain", "divergences", "audit"])
def test_what_is_no_file_can_not_be_a_case_file(name: str, refusal: Callable[..., str]) -> None:
    more = {"explain": ["one"], "audit": ["--backend", "numpy"]}.get(name, [])
    for path, kind in [("/dev/zero", "device"), ("fifo", "FIFO")]:
        assert refusal(name, *more, "--cases", path) == f"{path}:1:1: can't be read: expected a file, found a {kind}"
    for path in ("x" * 300, "\x1b[31m", "cases\udcff"):
        assert refusal(name, *more, "--cases", path).endswith(": no such file or folder")


def test_what_is_no_file_can_be_neither_a_run_file_nor_a_document(refusal: Callable[..., str]) -> None:
    for path, kind in [("/dev/zero", "device"), ("fifo", "FIFO"), ("cases", "folder")]:
        why = f"{path}: can't be read: expected a file, found a {kind}"
        assert refusal("report", path) == why
        assert refusal("divergences", "--propose", path) == why
        assert refusal("check", "--cases", "cases", "--document", path) == why
    assert refusal("report", "x" * 300).endswith(": can't be read: File name too long")


def test_a_document_without_end_is_not_read(refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("document").open("wb") as file:
        file.truncate(2**40)
    told = refusal("check", "--cases", "cases", "--document", "document")
    assert told == "document: can't be read: it has more than 16,777,216 bytes"


@pytest.mark.parametrize("name", ["run", "list", "explain"])
def test_patterns_without_end_and_patterns_that_would_explode(name: str, refusal: Callable[..., str]) -> None:
    def asked(pattern: str) -> str:
        return refusal(name, "--cases", "cases", *([pattern] if name == "explain" else ["--variant", pattern]))

    assert asked("*a" * 400 + "b").startswith("no variant '*a*a*a")
    assert asked("*a" * 4000).endswith("' has more than 1,000 characters")
    assert asked("\x1b[31m\u202e") == r"no variant '\x1b[31m\u202e'; 'conformance list' shows all of cases"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(" * 400 + "x" + ")" * 400, "has more than 100 operators and brackets"),
        ("not " * 200 + "x", "has more than 100 operators and brackets"),
        (" and ".join(["x"] * 150), "has more than 100 operators and brackets"),
        ("x" * 5000, "has more than 1,000 characters"),
    ],
)
def test_a_keyword_that_pytest_would_not_survive_is_not_handed_to_it(
    expression: str, why: str, refusal: Callable[..., str]
) -> None:
    assert refusal("run", "--cases", "cases", "-k", expression).endswith(why)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * limits.KEYWORD_PARTS + "x" + ")" * limits.KEYWORD_PARTS,
        "not " * limits.KEYWORD_PARTS + "x",
        " and ".join(["x"] * limits.KEYWORD_PARTS),
        "(not " * (limits.KEYWORD_PARTS // 2) + "x" + ")" * (limits.KEYWORD_PARTS // 2),
    ],
)
def test_pytest_survives_what_is_handed_to_it(expression: str, python: Callable[..., Any], tmp_path: Path) -> None:
    check_keyword(expression)
    with pytest.raises(SelectionError):
        check_keyword(f"({expression} and x or x)")
    (tmp_path / "test_a.py").write_text("def test_x(): ...\n")
    done = python("-m", "pytest", "-p", "no:cacheprovider", "-k", expression, cwd=tmp_path)
    assert done.returncode in (0, 5), done.stdout


def test_a_path_in_a_run_file_is_never_one(
    refusal: Callable[..., str], python: Callable[..., Any], tmp_path: Path
) -> None:
    """Names in a run file stay names: a report writes into its folder, under names of its own."""
    command = ["run", "-b", "numpy", "-m", "eager", "--cases", "cases", "--no-report", "-o", "out"]
    assert python("-m", "conformance", *command, cwd=tmp_path).returncode == 0
    lines = [json.loads(line) for line in Path("out/numpy-cpu.jsonl").read_bytes().splitlines()]
    for line in lines:
        line.pop("crc32")
    for mode in lines[0]["modes"]:
        del mode["digest"]  # which is about the variants' own names
    lines[0].update(backend="../../escaped", device="../x", suite="/tmp/x")
    text = b"".join(seal(json.dumps(line).replace("things/one", "../../../things/one").encode()) for line in lines)
    Path("bad.jsonl").write_bytes(text)
    before = sorted(tmp_path.rglob("*"))
    done = CliRunner().invoke(app, ["report", "bad.jsonl", "-o", "pages"])
    assert done.exit_code == 0, done.output
    new = {*tmp_path.rglob("*")} - {*before}
    assert {path.parent for path in new} == {tmp_path, tmp_path / "pages"}
    assert not any("escaped" in path.name or "one" in path.name for path in new)
    assert "../../escaped" in Path("pages/parity.html").read_text(encoding="utf-8")
