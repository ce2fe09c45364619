"""The suite under pytest, as users run it: options, items, failures, run files; and its manners in other projects."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import runfile

Run = Callable[..., subprocess.CompletedProcess[str]]

FAILING = """
  - {name: right, given: {x: [0.0]}, call: sigmoid(x)}
  - name: wrong
    given: {x: [0.0]}
    for: {dtype: [float32, float64]}
    call: sigmoid(x)
    expect: {values: [0.25], because: of a mistake in this case}
"""


@pytest.fixture
def suite(python: Run) -> Run:
    """`pytest --pyargs conformance.suite` with arguments."""
    return lambda *arguments, **where: python(
        "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.suite", *arguments, **where
    )


def test_cases_are_items_that_k_selects_in_any_folder(suite: Run) -> None:
    done = suite("--backend", "numpy", "--mode", "eager", "-k", "document/softmax", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_case[numpy-eager-document/softmax/printed-example] PASSED" in done.stdout
    assert "sigmoid" not in done.stdout


def test_a_failing_item_lists_its_failing_variants_and_the_commands_that_repeat_them(
    suite: Run, folder: Callable[..., Path], tmp_path: Path
) -> None:
    cases, path = folder(FAILING), tmp_path / "run.jsonl"
    done = suite("--backend", "numpy", "--mode", "eager", "--cases", str(cases), "--run-file", str(path))
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    for dtype in ("float32", "float64"):
        assert f"FAILED  things/wrong[{dtype}]   numpy eager   channel: value" in done.stdout
        assert (
            f"repeat    conformance run --variant 'things/wrong[{dtype}]' --backend numpy --mode eager --cases {cases}"
        ) in done.stdout
    assert "Traceback" not in done.stdout and "def test_case" not in done.stdout
    run = runfile.read(path)
    assert run.complete
    assert [r.verdict for r in run.records] == ["passed", "failed", "failed"]


def test_a_run_that_stops_at_the_first_failure_is_recorded_as_incomplete(
    suite: Run, folder: Callable[..., Path], tmp_path: Path
) -> None:
    text = FAILING + "  - {name: last, given: {x: [0.0]}, call: exp(x)}"
    path = tmp_path / "run.jsonl"
    done = suite("-x", "--backend", "numpy", "--mode", "eager", "--cases", str(folder(text)), "--run-file", str(path))
    assert done.returncode == 1
    run = runfile.read(path)
    assert (run.footer, run.missing()) == (None, {"eager": 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "trch"], "no backend 'trch'; there are numpy, torch, tensorflow, jax"),
        (["--backend", "numpy", "--mode", "jit"], "backend 'numpy' has no mode 'jit'; it has eager"),
        (
            ["--backend", "numpy", "--backend", "torch", "--mode", "eager", "--mode", "jitt"],
            "none of numpy, torch has the mode 'jitt'",
        ),
        (["--backend", "numpy", "--variant", "nothing"], "no variant 'nothing'; '*nothing*' matches "),
        (["--backend", "numpy", "--cases", "nowhere"], "nowhere:1:1: can't be read: No such file or directory"),
        (["--backend", "numpy", "--device", "tpu"], "no device 'tpu'; there are cpu and gpu"),
        (["--backend", "numpy", "--backend", "torch", "--run-file", "x"], "--run-file needs exactly one --backend"),
    ],
)
def test_a_mistake_in_what_is_asked_for_is_a_usage_error(arguments: list[str], message: str, suite: Run) -> None:
    done = suite(*arguments)
    assert done.returncode == 4
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_what_can_not_run_is_skipped_with_the_reason_and_not_passed(suite: Run) -> None:
    done = suite("--backend", "numpy", "--device", "gpu", "-k", "document/sigmoid", "-rs")
    assert "passed" not in done.stdout
    assert "no gpu here; numpy sees cpu" in done.stdout


OTHER_PLUGIN = """
def pytest_addoption(parser):
    parser.addoption("--device", dest="their_device")
    parser.getgroup("theirs").addoption("--cases", dest="their_cases")
"""
OTHER_TEST = """
import pytest

@pytest.mark.parametrize("session", ["theirs"])
def test_theirs(request, session):
    assert request.config.option.their_device == "mine"
    assert request.config.option.their_cases == "theirs"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Another project whose plugin has options of the same names as the suite's."""
    (tmp_path / "theirs.py").write_text(OTHER_PLUGIN)
    (tmp_path / "test_theirs.py").write_text(OTHER_TEST)
    return tmp_path


@pytest.mark.parametrize("early", [True, False], ids=["a plugin", "a conftest"])
def test_short_options_are_left_to_other_projects(early: bool, project: Path, python: Run) -> None:
    if not early:
        (project / "theirs.py").rename(project / "conftest.py")
    plugin = ["-p", "theirs"] if early else []
    done = python(
        "-m", "pytest", "-p", "no:cacheprovider", *plugin, "test_theirs.py", "--device", "mine", "--cases", "theirs",
        cwd=project,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_beside_a_plugin_that_has_the_short_names_the_long_ones_work(project: Path, suite: Run) -> None:
    arguments = ["-p", "theirs", "--device", "mine", "--cases", "theirs"]
    numpy = ["--backend", "numpy", "--mode", "eager", "--conformance-device", "cpu"]
    done = suite(*arguments, *numpy, "-k", "midpoint", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_items_of_other_projects_may_run_beside_the_suite_and_be_recorded_nowhere(
    project: Path, suite: Run, tmp_path: Path
) -> None:
    (project / "test_theirs.py").write_text(OTHER_TEST.partition("    assert")[0] + "    pass\n")
    path = tmp_path / "run.jsonl"
    numpy = ["--backend", "numpy", "--mode", "eager"]
    done = suite(str(project / "test_theirs.py"), *numpy, "-k", "midpoint or theirs", "--run-file", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    run = runfile.read(path)
    assert run.complete and list(run.cases) == ["document/sigmoid/midpoint"]
