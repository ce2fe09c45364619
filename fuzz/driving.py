"""What the harnesses share. Each is a script: ``python fuzz/expressions.py FOLDER [libFuzzer's options]``.

The folder gets the harness's seeds, and what the fuzzer finds worth keeping.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

CASES = Path(__file__).parent.parent / "cases"


def drive(one_input: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Feed a function with inputs until libFuzzer's limits are reached, or until it raises.

    Args:
        one_input: takes any bytes; whatever it raises is a finding.
        seeds: inputs to begin with.
    """
    folder = Path(sys.argv[1])
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:], str(folder)], one_input)
    atheris.Fuzz()


def words(data: bytes) -> str:
    """Any text, by any bytes: those that are no UTF-8 stand for themselves."""
    return data.decode("utf-8", "surrogateescape")
