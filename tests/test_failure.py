"""A failure in words, and the command that repeats it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.failure import failure_text, repeat_command
from conformance.findings import Finding


@pytest.mark.parametrize(
    ("device", "cases", "rest"),
    [
        ("cpu", None, ""),
        ("gpu", None, " --device gpu"),
        ("cpu", Path("my cases"), " --cases 'my cases'"),
        ("gpu", Path("cases/ops"), " --device gpu --cases cases/ops"),
    ],
)
def test_the_command_names_variant_backend_mode_and_what_is_not_the_default(
    device: str, cases: Path | None, rest: str
) -> None:
    command = repeat_command("a/b[float32,axis=0]", "jax", "jit", device, cases)
    assert command == f"conformance run --variant 'a/b[float32,axis=0]' --backend jax --mode jit{rest}"


def test_the_text_says_what_was_expected_what_came_and_how_to_repeat_it() -> None:
    findings = [
        Finding("value", "1", "2", "3 ULP away, 1 ULP allowed; 1 of 2 elements; at [0]"),
        Finding("value", "4", "5"),
        Finding("dtype", "float32", "float64"),
    ]
    text = failure_text("a/b[float32]", "torch", "eager", "", "cpu", "exp(x)", False, findings)
    assert text.splitlines() == [
        "FAILED  a/b[float32]   torch eager   channel: value, dtype",
        "  call      exp(x)",
        "  expected  1",
        "  got       2",
        "            3 ULP away, 1 ULP allowed",
        "            1 of 2 elements",
        "            at [0]",
        "  expected  4",
        "  got       5",
        "  expected  float32",
        "  got       float64",
        "  repeat    conformance run --variant 'a/b[float32]' --backend torch --mode eager",
    ]


def test_a_claim_is_called_a_claim() -> None:
    text = failure_text("a/b[float32]", "torch", "eager", "", "cpu", "exp(x) > 0", True, [Finding("claim", "a", "b")])
    assert text.splitlines()[1] == "  claim     exp(x) > 0"


def test_another_spelling_than_the_primary_one_is_named() -> None:
    finding = Finding("value", "1", "2")
    text = failure_text("a/b[float32]", "jax", "idioms", "jax.numpy.exp", "cpu", "exp(x)", False, [finding])
    assert text.splitlines()[0] == "FAILED  a/b[float32]   jax idioms (jax.numpy.exp)   channel: value"
    assert text.splitlines()[-1].endswith("--variant 'a/b[float32]' --backend jax --mode idioms")
