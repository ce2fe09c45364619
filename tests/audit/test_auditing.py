"""`conformance audit`: what it says of defects that cases catch, of those they can't see, and how it exits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conformance.audit import auditing, values
from conformance.audit.defect import Defects, Right
from conformance.cli import app

SHIFT = "softmax: the largest element is not subtracted first"
SMALL = "  - {name: small, given: {x: [1.0, 2.0]}, call: 'softmax(x, axis=0)'}\n"
LARGE = "  - {name: large, given: {x: [1000.0, 2.0]}, call: 'softmax(x, axis=0)'}\n"


@pytest.fixture
def audit(folder: Callable[..., Path]) -> Callable[..., Any]:
    """Audit cases given as text, with NumPy unless it is said otherwise."""

    def called(text: str, *arguments: Any, backend: str = "numpy", **files: str) -> Any:
        options = ["--backend", backend, "--cases", folder(text, **files), *arguments]
        return CliRunner().invoke(app, ["audit", *map(str, options)], catch_exceptions=False)

    return called


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_defect_that_a_case_catches_is_shown_with_the_case_and_the_channel(audit: Callable[..., Any]) -> None:
    done = audit(SMALL + LARGE, "--defect", SHIFT)
    assert done.exit_code == 0
    header, row, closing = lines(done.stdout)
    assert header == "defect backend cases the first of them channels"
    assert row == f"{SHIFT} numpy eager caught 1 things/large nan-inf"
    assert closing == "1 defect: 1 caught"
    assert done.stderr == ""


def test_a_defect_that_no_case_can_see_survives_and_the_audit_fails(audit: Callable[..., Any]) -> None:
    done = audit(SMALL, "--defect", SHIFT)
    assert done.exit_code == 1
    assert lines(done.stdout)[-1] == "1 defect: 1 SURVIVED"
    assert done.stderr.strip() == f"survived: {SHIFT} (numpy eager): none of 1 variants fails in nan-inf"


def test_a_failure_in_a_channel_that_is_not_meant_is_no_catch(audit: Callable[..., Any]) -> None:
    """Exponentials that are subnormal lose digits, and no NaN comes."""
    done = audit("  - {name: low, given: {x: [-100.0, -101.0]}, call: 'softmax(x, axis=0)'}\n", "--defect", SHIFT)
    assert done.exit_code == 1
    assert done.stderr.strip().endswith("none of 1 variants fails in nan-inf; things/low[float32] fails, but in value")


def test_a_defect_whose_operation_no_case_calls_is_told_so(audit: Callable[..., Any]) -> None:
    done = audit("  - {name: one, given: {x: [1.0]}, call: exp(x)}", "--defect", SHIFT)
    assert done.exit_code == 1
    assert lines(done.stdout)[-1] == "1 defect: 1 WITHOUT A CASE"
    assert done.stderr.startswith(f"no case: {SHIFT}")


def test_a_harmless_defect_that_is_caught_fails_the_audit(
    audit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = Defects()

    @planted.spelling("sigmoid", "called harmless", harmless=True)
    def _(right: Right, x: Any) -> Any:
        return right(-x)

    monkeypatch.setattr(values, "defects", planted)
    done = audit("  - {name: one, given: {x: [1.0]}, call: sigmoid(x)}", "--defect", "*called harmless")
    assert done.exit_code == 1
    assert lines(done.stdout)[-1] == "1 defect: 1 harmless FAILED"
    assert "harmless, but caught: sigmoid: called harmless (numpy eager): by things/one[float32]" in done.stderr
    assert audit("  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}", "--defect", "*called harmless").exit_code == 0


def test_a_backend_that_fails_without_a_defect_is_no_ground_for_conclusions(audit: Callable[..., Any]) -> None:
    text = LARGE + "  - {name: untrue, given: {x: [1.0, 1.0]}, call: 'softmax(x, axis=0)', expect: {dtype: float64}}\n"
    done = audit(text, "--defect", SHIFT)
    assert done.exit_code == 1
    assert lines(done.stdout)[-1] == "1 defect: 1 caught"
    assert done.stderr.startswith("numpy eager fails things/untrue[float32] without any defect: dtype: ")


def test_a_registered_divergence_holds_for_the_backend_and_not_for_its_defect(audit: Callable[..., Any]) -> None:
    registered = """backend: numpy
divergences:
  - {cases: 'things/wide*', instead: {dtype: float32}, because: the case expects another dtype, first-seen: numpy 2}
"""
    text = "  - {name: wide, given: {x: [1000.0, 2.0]}, call: 'softmax(x, axis=0)', expect: {dtype: float64}}\n"
    done = audit(text, "--defect", SHIFT, **{"divergences/numpy.yaml": registered})
    assert (done.exit_code, lines(done.stdout)[-1]) == (0, "1 defect: 1 caught"), done.stderr


def test_everything_is_written_as_json(audit: Callable[..., Any], tmp_path: Path) -> None:
    target = tmp_path / "audit.json"
    assert audit(SMALL + LARGE, "--defect", "softmax: *subtracted first", "--json", target).exit_code == 0
    written = json.loads(target.read_text(encoding="utf-8"))
    assert (written["passed"], written["counts"], written["unsound"]) == (True, {"caught": 1}, [])
    (defect,) = written["defects"]
    assert (defect["name"], defect["backend"], defect["mode"], defect["verdict"]) == (SHIFT, "numpy", "eager", "caught")
    assert (defect["variants"], defect["meant_for"], defect["harmless"]) == (2, ["nan-inf"], False)
    assert defect["caught_by"] == [
        {"case": "things/large", "variant": "things/large[float32]", "channels": ["nan-inf"]}
    ]
    assert audit(SMALL, "--defect", SHIFT, "--json", tmp_path / "no" / "folder.json").exit_code == 2


def test_an_unknown_defect_backend_or_folder_is_a_mistake_in_the_command(
    audit: Callable[..., Any], tmp_path: Path
) -> None:
    done = audit(SMALL, "--defect", "*no such thing*")
    assert (done.exit_code, done.stderr) == (2, "error: no defect '*no such thing*' for numpy\n")
    assert audit(SMALL, backend="tensorflow").exit_code == 2
    assert audit(SMALL, backend="nothing").exit_code == 2
    assert CliRunner().invoke(app, ["audit", "--cases", str(tmp_path / "missing")]).exit_code == 2


def test_defects_are_chosen_by_name_whatever_the_case_of_letters() -> None:
    assert [d.name for _, d in auditing.choose(["numpy"], SHIFT.upper())] == [SHIFT]
    assert {d.operation for _, d in auditing.choose(["numpy"], "stack: *")} == {"stack"}
    assert all("jax" in d.backends for _, d in auditing.choose(["jax"]))
    assert auditing.choose(["tensorflow"]) == []
