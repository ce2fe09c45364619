"""A failure in words, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.judging.findings import Finding
from conformance.runfile import Record, Run
from conformance.runfile.failure import failure_text, record_text, repeat_command


@pytest.mark.parametrize(
    ("device", "kernels", "cases", "rest"),
    [
        ("cpu", "", None, ""),
        ("gpu", "", None, " --device gpu"),
        ("cpu", "", Path("my cases"), " --cases 'my cases'"),
        ("gpu", "", Path("cases/ops"), " --device gpu --cases cases/ops"),
        ("cpu", "xla-sse4.2", None, " --kernels xla-sse4.2"),
        ("cpu", "; touch gone", Path("mine"), " --kernels '; touch gone' --cases mine"),
    ],
)
def test_the_command_names_variant_backend_mode_and_what_is_not_the_default(
    device: str, kernels: str, cases: Path | None, rest: str
) -> None:
    command = repeat_command("a/b[float32,axis=0]", "jax", "jit", device, kernels, cases)
    assert command == f"conformance run --variant 'a/b[float32,axis=0]' --backend jax --mode jit{rest}"


def test_a_variant_of_any_name_is_one_word_for_a_shell() -> None:
    """Run files are anybody's, and the command is there to be pasted."""
    variant, backend = "a/b[c='; touch gone; ']", "x; touch gone"
    words = shlex.split(repeat_command(variant, backend, "$(touch gone)", "`touch gone`"))
    assert words == [
        *("conformance", "run", "--variant", variant, "--backend", backend, "--mode", "$(touch gone)"),
        *("--device", "`touch gone`"),
    ]


def test_the_text_says_what_was_expected_what_came_and_how_to_repeat_it() -> None:
    findings = [
        Finding("value", "1", "2", "3 ULP away, 1 ULP allowed; 1 of 2 elements; at [0]"),
        Finding("value", "4", "5"),
        Finding("dtype", "float32", "float64"),
    ]
    text = failure_text("a/b[float32]", "torch", "eager", "", "cpu", "", "exp(x)", False, findings)
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


def test_how_many_others_fail_likewise_stands_before_the_command() -> None:
    finding = Finding("value", "1", "2")
    text = failure_text(
        "a/b", "jax", "jit", "", "cpu", "", "exp(x)", False, [finding], likewise="3 more variants of exp"
    )
    assert text.splitlines()[-2:] == [
        "  likewise  3 more variants of exp",
        "  repeat    conformance run --variant 'a/b' --backend jax --mode jit",
    ]


def test_a_claim_is_called_a_claim() -> None:
    text = failure_text(
        "a/b[float32]", "torch", "eager", "", "cpu", "", "exp(x) > 0", True, [Finding("claim", "a", "b")]
    )
    assert text.splitlines()[1] == "  claim     exp(x) > 0"


def test_another_spelling_than_the_primary_one_is_named() -> None:
    finding = Finding("value", "1", "2")
    text = failure_text("a/b[float32]", "jax", "idioms", "jax.numpy.exp", "cpu", "", "exp(x)", False, [finding])
    assert text.splitlines()[0] == "FAILED  a/b[float32]   jax idioms (jax.numpy.exp)   channel: value"
    assert text.splitlines()[-1].endswith("--variant 'a/b[float32]' --backend jax --mode idioms")


def test_what_crashed_or_timed_out_is_called_that_with_its_signal_and_last_words() -> None:
    words = "terminate called; Fatal Python error: Aborted"
    finding = Finding("status", "a result", "SIGABRT (aborted)", words)
    text = failure_text("a/b[float32]", "jax", "jit", "", "cpu", "", "exp(x)", False, [finding], verdict="crashed")
    assert text.splitlines()[0] == "CRASHED  a/b[float32]   jax jit   channel: status"
    assert text.splitlines()[3:6] == [
        "  got       SIGABRT (aborted)",
        "            terminate called",
        "            Fatal Python error: Aborted",
    ]


def test_a_record_without_findings_says_its_reason(make_run: Callable[..., Run]) -> None:
    record = Record("a/b[float32]", "eager", "timed-out", "no result within 60 s")
    run = make_run("numpy", [record])
    (case,) = run.cases.values()
    text = record_text(run.header, case, record)
    assert text.splitlines()[0] == "TIMED-OUT  a/b[float32]   numpy eager   channel: status"
    assert text.splitlines()[3] == "  got       no result within 60 s"
