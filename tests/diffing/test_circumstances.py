"""What else differs between two runs, beside their results."""

from __future__ import annotations

from collections.abc import Callable

from conformance.diffing import Comparison, telling
from conformance.runfile import Record


def test_of_the_libraries_only_those_that_changed_are_told_and_the_frameworks_not_twice(
    compared: Callable[..., Comparison], record: Callable[..., Record]
) -> None:
    def environment(*libraries: str) -> dict[str, object]:
        return {"environment": {"python": "3.11.7", "libraries": ", ".join(libraries)}}

    comparison = compared(
        [record()],
        [record()],
        a={"versions": {"numpy": "1.0"}, **environment("numpy 1.0", "ml-dtypes 0.5", "pytest 9", "odd")},
        b={"versions": {"numpy": "2.0"}, **environment("numpy 2.0", "ml-dtypes 0.6", "pytest 9")},
    )
    lines = [line.strip() for line in telling.lines(comparison, 0) if line.startswith("  ")]
    assert [line for line in lines if "version of" in line] == [
        "version of numpy: 1.0 → 2.0",
        "version of ml-dtypes: 0.5 → 0.6",
    ]
    assert not any("pytest" in line or "libraries" in line for line in lines)
