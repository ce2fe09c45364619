"""A backend's process is started with what its command names alone, and ended whatever it does."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.running import child
from conformance.running.child import Child, pytest_command, start


def started(code: str, **options: Any) -> Child[Any]:
    shown = SimpleNamespace(total=None, done=0, failed=0, look=lambda: None)
    return start("numpy", [sys.executable, "-c", code], shown, options.pop("variables", {}), **options)


def ended(one: Child[Any]) -> Child[Any]:
    one.process.wait()
    one.said.close()
    one.look()
    return one


def test_what_it_prints_is_kept_and_how_it_ended() -> None:
    one = ended(started("import sys; print('x' * 5000, flush=True); print('the end', file=sys.stderr); sys.exit(3)"))
    assert (one.status, one.last_words[-9:], len(one.last_words)) == (3, "x\nthe end", 2999)
    assert one.seconds > 0


def test_surrounding_options_of_pytest_have_no_say_and_variables_are_set_or_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "GONE", "CHANGED", "KEPT"):
        monkeypatch.setenv(name, "before")
    names = "PYTEST_ADDOPTS PYTEST_PLUGINS PYTEST_DISABLE_PLUGIN_AUTOLOAD GONE CHANGED KEPT"
    code = f"import os; print([os.environ.get(name) for name in {names.split()}])"
    one = ended(started(code, variables={"GONE": None, "CHANGED": "now"}))
    assert one.last_words == "[None, None, '1', None, 'now', 'before']"


def test_a_process_that_does_not_end_when_it_should_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_ENDS_WITHIN", 0.05)
    one = started(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('!', flush=True); time.sleep(60)"
    )
    while "!" not in one.said.text():
        time.sleep(0.01)
    one.end()
    assert ended(one).status == -signal.SIGKILL
    one.end()  # once more is no error


@pytest.mark.parametrize("in_the_packages_own_folder", [True, False])
def test_a_command_has_the_suites_own_settings_and_plug_ins(
    in_the_packages_own_folder: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(Path(child.__file__).parents[2] if in_the_packages_own_folder else tmp_path)
    command = pytest_command("conformance.suite", "jax", "gpu:1", [], "", ["another.plugin"])
    assert command[: command.index("pytest")] == [
        sys.executable,
        *([] if in_the_packages_own_folder else ["-P"]),
        "-m",
    ]
    assert " ".join(command).endswith(
        "-p conformance.suite.options -p another.plugin --pyargs conformance.suite --backend jax --device gpu:1"
    )
