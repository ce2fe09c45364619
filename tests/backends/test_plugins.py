"""Adapters of other packages that are broken: each is one line with its name, and the others go on."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from conformance import backends, runfile
from conformance.backends import plugins

GOOD = """
from conformance.backends.numpy import NumpyBackend
class Mine(NumpyBackend):
    name = "mine"
"""

CASES = """
  - {name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
"""

BROKEN: dict[str, tuple[str, str]] = {
    "its import raises": ("raise OSError('libmine.so is\\n missing')", "OSError: libmine.so is missing"),
    "its import ends the process": ("import sys; sys.exit(7)", "SystemExit: 7"),
    "it can't be parsed": ("class Mine(:", "SyntaxError: "),
    "it imports what is not there": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "its class is not there": ("Other = 1", "AttributeError: module 'brought' has no attribute 'Mine'"),
    "it is no class": ("Mine = 'a string'", "it is no subclass of conformance.backends.Backend"),
    "it is another class": ("class Mine: name = 'mine'", "it is no subclass of conformance.backends.Backend"),
    "it lacks methods": (
        "from conformance.backends import Backend\nclass Mine(Backend):\n    name = 'mine'",
        "Mine lacks device_of, devices, dtype, from_numpy, to_numpy",
    ),
    "it has another's name": (
        "from conformance.backends.numpy import NumpyBackend as Mine",
        "NumpyBackend.name must be 'mine', as its entry point is called, and is 'numpy'",
    ),
    "its modes are no tuple": (GOOD + "    modes = 'eager'", "Mine.modes must be a tuple of names, without 'idioms'"),
    "it has no mode": (GOOD + "    modes = ()", "Mine.modes must be a tuple of names, without 'idioms'"),
    "its idioms are a dictionary": (
        GOOD + "    idioms = {}",
        "Mine.idioms must be an instance of conformance.backends.Idioms",
    ),
    "its framework is no name": (GOOD + "    package = None", "Mine.package must be the name of a module"),
    "it can't say its versions": (
        GOOD + "    @classmethod\n    def versions(cls): raise KeyError('version')",
        "KeyError: 'version'",
    ),
    "its import prints": (
        "print('welcome')" + GOOD,
        "importing its module must leave no trace: expected nothing on stdout, got 'welcome'",
    ),
    "its import seeds": (
        "import random; random.seed(0)" + GOOD,
        "must leave no trace: expected Python's random state as before, got another (put back)",
    ),
    "its import sets variables": (
        "import os; os.environ['MINE'] = '1'" + GOOD,
        "must leave no trace: expected environment variables as before, got MINE (put back)",
    ),
}


class FakePoint:
    """An entry point of a distribution, which loads what it was made with."""

    def __init__(self, name: str, distribution: str, loaded: Any = None) -> None:
        self.name, self.value, self._loaded = name, f"{name}_module:Mine", loaded
        self.dist = type("Dist", (), {"name": distribution, "version": "1.0"})

    def load(self) -> Any:
        return self._loaded


def line(why: str, name: str = "mine", distribution: str = "brought-by-others 1.0") -> str:
    return f"backend '{name}' (entry point 'brought:Mine' of {distribution}) can't be used: {why}"


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_adapter_is_one_line_that_names_its_distribution_and_entry_point(
    how: str, brought: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text, why = BROKEN[how]
    monkeypatch.syspath_prepend(brought(text))
    monkeypatch.delitem(sys.modules, "brought", raising=False)
    plugins.examined.cache_clear()  # the entry point is equal to that of the test before
    points = plugins.by_name(metadata.entry_points(group=plugins.GROUP))
    monkeypatch.setattr(backends, "entry_points", lambda: points)
    with pytest.raises(backends.BrokenBackendError) as error:
        backends.load("mine")
    text = str(error.value)
    assert text.startswith("backend 'mine' (entry point 'brought:Mine' of brought-by-others 1.0) can't be used: ")
    assert why in text and "\n" not in text
    assert backends.broken() == {"mine": text}
    assert backends.broken(["numpy"]) == {}
    assert "mine" in backends.names() and "mine" not in backends.usable() and "mine" not in backends.installed()
    assert "numpy" in backends.installed()
    assert "MINE" not in os.environ
    assert capfd.readouterr() == ("", "")


def test_a_sound_adapter_of_another_package_is_a_backend_like_the_others(
    brought: Callable[..., Path], with_path: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    there = brought(GOOD)
    done = with_path(
        there, "-m", "conformance", "run", "-b", "mine", "-m", "eager", "--cases", folder(CASES), "-o", "out"
    )
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    assert runfile.read(there / "out" / "mine-cpu.jsonl").header.backend == "mine"


@pytest.mark.parametrize("how", ["its import raises", "its class is not there", "it lacks methods"])
def test_no_command_ends_for_an_adapter_that_nobody_asked_for(
    how: str, brought: Callable[..., Path], with_path: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    text, why = BROKEN[how]
    there, told, cases = brought(text), line(why), folder(CASES)
    command = ["-m", "conformance"]
    done = with_path(there, *command, "list", "--json", "--cases", cases)
    assert (done.returncode, done.stderr) == (0, f"error: {told}\n")
    assert "numpy" in json.loads(done.stdout)["modes"] and "mine" not in json.loads(done.stdout)["modes"]
    done = with_path(there, *command, "check", "--cases", cases)
    assert (done.returncode, done.stderr) == (0, f"error: {told}\n")
    for arguments in (["run", "-m", "eager", "-o", "out"], ["explain", "things/one[float32]"]):
        done = with_path(there, *command, *arguments, "-b", "numpy", "--cases", cases)
        assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    done = with_path(there, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.suite", "--collect-only",
                     "-k", "eager and numpy", "--cases", cases)  # fmt: skip
    assert f"error: {told}" in done.stdout
    assert "1/" in done.stdout and done.returncode == 0


def test_a_run_of_everything_goes_on_without_the_broken_one_and_does_not_end_as_if_it_were_whole(
    brought: Callable[..., Path], with_path: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    there, cases = brought("raise OSError"), folder(CASES)
    arguments = ["-m", "conformance", "run", "-m", "eager", "--cases", cases, "-o", "out"]
    done = with_path(there, *arguments, "-b", "mine", "-b", "numpy")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == f"error: {line('OSError:')}"
    assert {r.verdict for r in runfile.read(there / "out" / "numpy-cpu.jsonl").records} == {"passed"}
    assert (there / "out" / "parity.html").is_file()
    done = with_path(there, *arguments, "-b", "mine")
    assert (done.returncode, done.stderr) == (2, f"error: {line('OSError:')}\n")
    done = with_path(there, "-m", "pytest", "--pyargs", "conformance.suite", "--backend", "mine", "--cases", cases)
    assert done.returncode == 4
    assert line("OSError:") in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_the_list_of_backends_says_what_is_wrong_with_the_broken_one(
    brought: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from conformance.suite.explaining import backend_rows  # noqa: PLC0415

    points = {"numpy": backends.entry_points()["numpy"], "mine": FakePoint("mine", "others", "no class")}
    monkeypatch.setattr(backends, "entry_points", lambda: points)
    (_, mine) = backend_rows()
    assert mine[0] == "mine"
    assert re.search(r"'mine_module:Mine' of others 1\.0.* is no subclass", mine[1])


def test_nobody_takes_the_place_of_one_of_the_suites_own_backends(
    brought: Callable[..., Path], with_path: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    there = brought(GOOD.replace('"mine"', '"numpy"'), name="numpy")
    cases = folder(CASES)
    done = with_path(there, "-m", "conformance", "run", "-b", "numpy", "--cases", cases, "-m", "eager", "-o", "out")
    assert (done.returncode, done.stderr.count("error")) == (0, 0)
    done = with_path(there, "-m", "conformance", "check", "--cases", cases)
    own = f"framework-conformance {metadata.version('framework-conformance')}"
    assert (
        done.stderr
        == f"error: {line(f'the name {chr(39)}numpy{chr(39)} is taken by {own}', 'numpy (brought-by-others)')}\n"
    )


def test_of_two_packages_with_one_name_neither_is_used_and_each_is_told_of_the_other() -> None:
    points: Any = [
        FakePoint("b", "one"),
        FakePoint("a", "one"),
        FakePoint("b", "two"),
        FakePoint("torch", "framework-conformance"),
    ]
    found = plugins.by_name(points)
    assert list(found) == ["torch", "a", "b (one)", "b (two)"]
    why = plugins.examined("b (two)", found["b (two)"])
    assert (
        why
        == "backend 'b (two)' (entry point 'b_module:Mine' of two 1.0) can't be used: the name 'b' is taken by one 1.0"
    )
