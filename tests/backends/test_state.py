"""What a call leaves changed: each part of the state is noticed, named, and put back."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.backends import state
from conformance.backends.state import Part, Watch, of_calls


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Whatever these tests forget to put back."""
    with Watch(of_calls()), warnings.catch_warnings():
        yield


def everything() -> tuple[Any, ...]:
    return (
        random.getstate(),
        repr(np.random.get_state(legacy=False)),
        np.geterr(),
        list(warnings.filters),
        os.getcwd(),
        dict(os.environ),
    )


def replace_numpys_generator() -> None:
    np.random.set_bit_generator(np.random.PCG64(1))  # type: ignore[attr-defined]


CHANGES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a draw of Python's": (random.random, "Python's random state as before", "another (put back)"),
    "Python reseeded": (lambda: random.seed(0), "Python's random state as before", "another (put back)"),
    "a draw of NumPy's": (np.random.random, "NumPy's random state as before", "another (put back)"),
    "NumPy reseeded": (lambda: np.random.seed(0), "NumPy's random state as before", "another (put back)"),
    "normal numbers": (lambda: np.random.standard_normal(2), "NumPy's random state as before", "another (put back)"),
    "another generator": (replace_numpys_generator, "NumPy's random state as before", "another (put back)"),
    "errstate": (lambda: np.seterr(over="raise"), "NumPy's errstate as before", "over raise (put back)"),
    "a filter": (lambda: warnings.simplefilter("ignore"), "the warnings filters as before", "another (put back)"),
    "no filters": (warnings.resetwarnings, "the warnings filters as before", "another (put back)"),
    "the directory": (lambda: os.chdir("/"), "the current directory as before", "another (put back)"),
    "a new variable": (
        lambda: os.environ.update(A_NEW_ONE="1"),
        "environment variables as before",
        "A_NEW_ONE (put back)",
    ),
    "a variable less": (lambda: os.environ.pop("PATH"), "environment variables as before", "PATH (put back)"),
    "another value": (lambda: os.environ.update(PATH="x"), "environment variables as before", "PATH (put back)"),
    "stdout": (lambda: print("hello", "there"), "nothing on stdout", "'hello there'"),  # noqa: T201
    "stderr": (lambda: sys.stderr.write("x" * 100), "nothing on stderr", f"'{'x' * 60}…'"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_and_put_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    change, expected, got = CHANGES[name]
    random.seed(5)
    np.random.seed(5)
    np.random.standard_normal()  # half a pair is kept for the next time
    before = everything()
    watch = Watch(of_calls())
    with watch:
        change()
    assert [(found.expected, found.got) for found in watch.changes] == [(expected, got)]
    assert everything() == before
    with watch:
        pass
    assert watch.changes == []


def test_nothing_is_said_of_a_call_that_changes_nothing_or_puts_it_back_itself() -> None:
    watch = Watch(of_calls())
    with watch:
        kept = random.getstate()
        random.random()
        random.setstate(kept)
        with np.errstate(all="raise"), warnings.catch_warnings():
            warnings.simplefilter("error")
        np.random.default_rng(0).normal()
    assert watch.changes == []


def test_what_changes_between_two_calls_is_nobodys_fault_and_stays(tmp_path: Path) -> None:
    watch = Watch(of_calls())
    for number in range(3):
        random.seed(number)
        np.random.seed(number)
        os.environ["BETWEEN"] = str(number)
        os.chdir(tmp_path)
        with watch:
            pass
        assert watch.changes == []
        assert os.environ["BETWEEN"] == str(number)
        assert random.getstate() == random.Random(number).getstate()
    with watch:
        np.random.random()
    assert len(watch.changes) == 1
    assert np.random.random() == np.random.RandomState(2).random()  # as it was before the call


def test_in_a_watched_loop_each_turn_is_blamed_for_its_own_changes() -> None:
    watch = Watch(of_calls())
    with watch:
        for changes in (False, True, False):
            with watch:
                if changes:
                    random.random()
                    print("x")  # noqa: T201
            assert len(watch.changes) == 2 * changes
        os.environ["PREPARED"] = "1"
        watch.settle()
        with watch:
            pass
        assert watch.changes == []
    assert watch.changes == []
    assert os.environ["PREPARED"] == "1"


def test_output_goes_nowhere_and_the_streams_are_back_afterwards_even_after_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    streams, watch = (sys.stdout, sys.stderr), Watch(of_calls())

    def failing() -> None:
        with watch:
            print("lost")  # noqa: T201
            sys.stdout = sys.stderr
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert (sys.stdout, sys.stderr) == streams
    assert capsys.readouterr() == ("", "")
    assert [found.got for found in watch.changes] == ["'lost'"]


def test_variables_that_a_framework_sets_for_itself_are_let_be() -> None:
    watch = Watch(of_calls(["_MINE_"]))
    with watch:
        os.environ["_MINE_POINTER"] = "1"
    assert watch.changes == []
    assert os.environ["_MINE_POINTER"] == "1"
    with watch:
        os.environ |= {"_MINE_POINTER": "2", "OTHER": "1"}
    assert [found.got for found in watch.changes] == ["OTHER (put back)"]


def test_a_frameworks_settings_are_put_back_after_a_call_and_before_one_whoever_changed_them() -> None:
    settings = {"the default dtype": "float32"}
    watch = Watch(of_calls(), lambda: dict(settings), settings.update)
    with watch:
        settings["the default dtype"] = "float64"
    assert [(found.expected, found.got) for found in watch.changes] == [
        ("the framework's settings as before", "the default dtype float64 (put back)")
    ]
    assert settings == {"the default dtype": "float32"}
    settings["the default dtype"] = "float16"
    with watch:
        assert settings == {"the default dtype": "float32"}
    assert watch.changes == []


def test_what_nothing_can_put_back_is_said_of_every_call_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing subnormals is a register of the processor, which Python can't set: no later result can be trusted."""
    (part,) = (part for part in state.AT_START if "subnormal" in part.what)
    assert part.read() is True and part.restore is None
    monkeypatch.setattr(state, "_smallest_normal", 0.0)  # half of it is zero, as it would be
    assert part.read() is False
    monkeypatch.undo()
    flushes: list[bool] = []
    watch = Watch([Part(part.what, lambda: not flushes, None, fixed=True, differ=part.differ)])
    with watch:
        flushes.append(True)
    for _ in range(2):
        assert [found.got for found in watch.changes] == ["they are flushed to zero"]
        with watch:
            pass


def test_where_a_generators_memory_is_not_found_its_state_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.platform, "python_implementation", lambda: "PyPy")
    assert state._memory_of_pythons_generator() == random._inst.getstate  # type: ignore[attr-defined]
    monkeypatch.undo()
    read = state._memory_of_pythons_generator()
    assert isinstance(read(), bytes)  # found here
    replace_numpys_generator()  # the fixture puts it back
    read = state._memory_of_numpys_generator()
    before = read()
    np.random.random()
    assert read() != before
