from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.runfile import Record, Run


@pytest.fixture
def badge(files: Callable[..., Path]) -> Callable[..., tuple[str, str]]:
    """Message and colour of the badge of some runs."""

    def read(*runs: Run, **options: Any) -> tuple[str, str]:
        made = json.loads((files(*runs, **options) / "badge.json").read_text(encoding="utf-8"))
        assert set(made) == {"schemaVersion", "label", "message", "color"}
        assert (made["schemaVersion"], made["label"]) == (1, "conformance")
        return made["message"], made["color"]

    return read


def passed(n: int, mode: str = "eager") -> list[Record]:
    return [Record(f"ops/exp/a[float32,n={i}]", mode, "passed") for i in range(n)]


def test_green_is_what_came_to_its_end_with_nothing_failed_and_nothing_left_open(
    badge: Callable[..., tuple[str, str]], make_run: Any
) -> None:
    assert badge(make_run("numpy", passed(1200))) == ("1,200 judged · 0 failed", "brightgreen")


def test_what_is_registered_is_in_the_message(badge: Callable[..., tuple[str, str]], make_run: Any) -> None:
    run = make_run("numpy", [*passed(2), Record("ops/exp/b[float32]", "eager", "divergent", "known")])
    assert badge(run) == ("3 judged · 0 failed · 1 divergent", "brightgreen")


def test_a_failure_is_red_even_in_an_incomplete_run(
    badge: Callable[..., tuple[str, str]], make_run: Any, failing: Any
) -> None:
    assert badge(make_run("numpy", [*passed(2), failing("ops/exp/b[float32]")], lacking=4)) == (
        "3 judged · 1 failed · incomplete",
        "red",
    )


@pytest.mark.parametrize("changes", [{"lacking": 1}, {"finished": False}])
def test_an_incomplete_run_is_never_green(
    changes: dict[str, Any], badge: Callable[..., tuple[str, str]], make_run: Any
) -> None:
    message, color = badge(make_run("numpy", passed(2), **changes))
    assert (message, color) == ("2 judged · 0 failed · incomplete", "lightgrey")


def test_a_run_that_is_partly_unsupported_is_never_green(badge: Callable[..., tuple[str, str]], make_run: Any) -> None:
    run = make_run("numpy", [*passed(2), Record("ops/exp/b[float32]", "eager", "unsupported", "no gradients")])
    assert badge(run) == ("2 judged · 0 failed · 1 unsupported", "blue")


def test_a_part_of_the_cases_is_never_green(badge: Callable[..., tuple[str, str]], make_run: Any) -> None:
    assert badge(make_run("numpy", passed(2), selection="-k softmax")) == (
        "2 judged · 0 failed · part of the cases",
        "blue",
    )


def test_nothing_at_all_is_never_green(badge: Callable[..., tuple[str, str]], make_run: Any) -> None:
    assert badge(make_run("numpy", [])) == ("0 judged · 0 failed", "blue")
