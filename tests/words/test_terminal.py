"""What commands print is text and nothing else, and they end quietly when nobody reads on."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.table import Table

from conformance.words.terminal import CLOSED_PIPE, Terminal

GOOD = "  - {name: one, given: {x: [1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}\n"


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """The command, started in an empty folder."""

    def start(*arguments: str | Path, **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "conformance", *map(str, arguments)],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            **options,  # type: ignore[call-overload]
        )

    return start


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["list", "--json"],
        ["divergences"],
        ["check"],
        ["explain", "things/one[float32]", "--backend", "numpy"],
        ["report", "run.jsonl"],
        ["audit", "--backend", "numpy", "--defect", "*axis*"],
        ["--help"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_closed_pipe_ends_a_command_quietly(
    arguments: list[str], started: Callable[..., subprocess.Popen[bytes]], folder: Callable[..., Path], tmp_path: Path
) -> None:
    registry = "backend: numpy\ndivergences:\n  - {cases: '*one*', instead: {ulp: [1, 2]}, because: for this test, first-seen: numpy 2}\n"
    root = folder(GOOD, **{"divergences/numpy.yaml": registry})
    if arguments[0] == "report":
        ran = started("run", "--backend", "numpy", "--mode", "eager", "--cases", root, "--no-report", "-o", tmp_path)
        ran.communicate()
        (tmp_path / "numpy-cpu.jsonl").rename(tmp_path / "run.jsonl")
    elif arguments[0] != "--help":
        arguments = [*arguments, "--cases", str(root)]
    reading, writing = os.pipe()
    os.close(reading)  # as when `head` has seen enough
    process = started(*arguments, stdout=writing)
    os.close(writing)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (CLOSED_PIPE, b"")
    assert (tmp_path / "reports" / "parity.html").exists() == (arguments[0] == "report")  # what it is there for is done


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is played by /dev/full")
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["divergences"]])
def test_a_full_disk_is_an_error_in_one_line(
    arguments: list[str], started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    with Path("/dev/full").open("wb") as full:
        process = started(*arguments, stdout=full)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert errors == b"error: the output can't be written: No space left on device\n"


def test_characters_that_the_output_can_not_encode_are_escaped(
    started: Callable[..., subprocess.Popen[bytes]], folder: Callable[..., Path]
) -> None:
    cases = folder("  - {name: one, given: {x: [1.0]}, call: sigmoid(x), about: Größe × π}\n")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = started(
        "explain", "*one*", "--backend", "numpy", "--cases", cases, stdout=subprocess.PIPE, env=environment
    )
    shown, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert rb"Gr\xf6\xdfe \xd7 \u03c0" in shown


def test_a_report_that_can_not_be_written_is_an_error_in_one_line(
    started: Callable[..., subprocess.Popen[bytes]], folder: Callable[..., Path], tmp_path: Path
) -> None:
    started("run", "-b", "numpy", "-m", "eager", "--cases", folder(GOOD), "--no-report", "-o", tmp_path).communicate()
    (tmp_path / "taken").write_text("kept")
    for output, why in [("taken", "File exists"), ("x" * 300, "File name too long")]:
        process = started("report", "numpy-cpu.jsonl", "-o", output, stdout=subprocess.PIPE)
        _, errors = process.communicate()
        assert process.returncode == 2
        assert errors.decode().startswith("error: ")
        assert errors.decode().endswith(f"can't be written to: {why}\n")
        assert errors.count(b"\n") == 1


def test_text_is_shown_as_it_is_with_what_a_terminal_would_obey_as_escapes() -> None:
    console = Terminal(file=io.StringIO(), width=40, force_terminal=True, color_system="truecolor")
    console.print("[red]x[/red] :smile: \x1b[31m\u202e 1.5 'a'")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("\x1b]0;title\x07", "\x9b2J")
    console.print(table)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.splitlines()[0] == r"[red]x[/red] :smile: \x1b[31m\u202e 1.5 'a'"
    assert shown.splitlines()[1].split() == [r"\x1b]0;title\x07", r"\x9b2J"]
