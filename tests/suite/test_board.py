"""What a process prints is passed on within bounds: noise takes neither memory nor the keeper's attention."""

from __future__ import annotations

import os

import pytest

from conformance.suite.board import Board, Errors, Printed

MEGABYTE = b"x" * 999_999 + b"\n"


def test_of_much_on_stderr_the_end_is_passed_on_and_all_of_it_forgotten(capfd: pytest.CaptureFixture[str]) -> None:
    board = Board()
    errors = Errors(board)
    errors.mark()
    for i in range(20):
        os.write(errors.file.fileno(), MEGABYTE + f"line {i}\n".encode())
    errors.pass_on()
    passed = capfd.readouterr().err
    assert passed.endswith("line 19\n") and len(passed) <= 1 << 20
    assert os.fstat(errors.file.fileno()).st_size == 0
    os.write(errors.file.fileno(), b"and more\n")
    errors.pass_on()
    assert capfd.readouterr().err == "and more\n"
    assert errors.tail() == b"and more\n"
    errors.file.close()


def test_of_a_stdout_without_end_some_is_passed_on_at_a_time(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    printed = Printed()
    read = os.read

    def endless(source: int, size: int) -> bytes:
        return MEGABYTE[:size] if source == printed.source else read(source, size)

    monkeypatch.setattr(os, "read", endless)
    assert not printed.drain()
    monkeypatch.undo()
    assert 0 < len(capfd.readouterr().out) <= 1 << 20
    os.write(printed.sink, b"the end")
    os.close(printed.sink)
    assert printed.drain() and capfd.readouterr().out == "the end"
    os.close(printed.source)
