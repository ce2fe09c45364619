"""A file whose own words deny each other is refused with the line, though every checksum in it is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import runfile
from conformance.judging.accuracy import Bin, Profile
from conformance.runfile import (
    FORMAT,
    CaseLine,
    FindingLine,
    Header,
    ModeSummary,
    Record,
    Run,
    RunFileError,
    Shard,
    Stored,
    VariantLine,
    Writer,
)

X = Stored.of(np.ones(2, dtype=np.float32))
OFF = FindingLine("value", "1", "2")


def read(path: Path, record: Record, **changes: Any) -> Run:
    """What comes of reading a run of one record."""
    fields: dict[str, Any] = {"modes": [ModeSummary(record.mode, 1)]}
    fields |= changes
    writer = Writer(
        path, Header(FORMAT, "0", "numpy", "cpu", {}, {}, "c", "m", fields.pop("modes"), {}, [], "t", **fields)
    )
    writer.case(lambda: CaseLine("a/b", "exp", "a.yaml", "- name: b", "", "exp(x)", False), "a/b")
    writer.variant(lambda: VariantLine("a/b[x]", "a/b", "float32", {"x": X}, X), "a/b[x]")
    writer.record(record)
    writer.finish("t")
    return runfile.read(path)


def profile(over: int = 0, lost: int = 0) -> Profile:
    return Profile("x", [Bin(1, 0, 2 - lost, 0.5, 0.5, 0.0, 4.0, over, lost)])


DENIED: dict[str, tuple[dict[str, Any], str]] = {
    "a pass with a finding": ({"findings": [OFF]}, "it passed, and yet it says what is wrong: value"),
    "a pass with a reason": ({"reason": "value: off"}, "it passed, and yet it says what is wrong: value: off"),
    "a pass over its budget": ({"ulp": 4.5, "budget": 4.0}, "it passed with an error of 4.5 ULP, where 4 were allowed"),
    "a pass with elements over their budgets": (
        {"got": [X], "profile": profile(over=1)}, "it passed, and yet elements are over their budgets",
    ),
    "a pass with a NaN too many": ({"got": [X], "profile": profile(lost=1)}, "it passed, and yet elements are over"),
    "a refusal with a finding": (
        {"verdict": "unsupported", "reason": "r", "findings": [OFF]},
        "it is unsupported, and yet something came: value",
    ),
    "a refusal with a result": (
        {"verdict": "unsupported", "reason": "r", "got": [X]}, "it is unsupported, and yet something came: a result",
    ),
    "a refusal with an error": (
        {"verdict": "unsupported", "reason": "r", "raised": "ValueError: no"},
        "it is unsupported, and yet something came: ValueError: no",
    ),
    "what was not run": ({"verdict": "not-run"}, "what was not run has no record"),
    "a spelling in another mode": ({"idiom": "torch.exp"}, "the spelling 'torch.exp' in mode eager"),
    "a spelling without a name": ({"mode": "idioms"}, "a spelling without a name"),
    "a negative error": ({"ulp": -1.0, "budget": 4.0}, "an error or a budget below zero"),
    "a negative budget": ({"budget": -4.0}, "an error or a budget below zero"),
}  # fmt: skip


@pytest.mark.parametrize("what", DENIED)
def test_a_record_that_denies_its_verdict_is_refused(what: str, tmp_path: Path) -> None:
    fields, told = DENIED[what]
    with pytest.raises(RunFileError) as caught:
        read(tmp_path / "run.jsonl", Record(**({"variant": "a/b[x]", "mode": "eager", "verdict": "passed"} | fields)))
    assert str(caught.value).startswith(f"{tmp_path}/run.jsonl:4: the record of 'a/b[x]' contradicts itself: {told}")


SOUND = (
    Record("a/b[x]", "eager", "passed", got=[X], ulp=4.0, budget=4.0, at=[0], profile=profile()),
    Record("a/b[x]", "eager", "passed", raised="ValueError: as it must"),
    Record("a/b[x]", "eager", "passed", budget=0.0),
    Record("a/b[x]", "idioms", "passed", got=[X], idiom="torch.exp"),
    Record("a/b[x]", "eager", "failed", "value: off", [OFF], [X], ulp=9.0, budget=4.0, at=[0], profile=profile(over=1)),
    Record("a/b[x]", "eager", "divergent", "registered", [OFF], [X], link="https://example.org"),
    Record("a/b[x]", "eager", "unsupported", "no gradients"),
    Record("a/b[x]", "eager", "crashed", "signal 11", [FindingLine("status", "a result", "signal 11")]),
)


@pytest.mark.parametrize("record", SOUND, ids=lambda record: f"{record.verdict} in {record.mode}")
def test_what_the_suite_writes_is_read(record: Record, tmp_path: Path) -> None:
    run = read(tmp_path / "run.jsonl", record)
    assert run.complete and run.records == [record]


def test_more_records_than_the_manifest_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=":4: more records in mode eager than its manifest has variants"):
        read(tmp_path / "run.jsonl", Record("a/b[x]", "eager", "passed"), modes=[ModeSummary("eager", 0)])


def test_more_modes_than_a_page_has_columns_for_are_refused(tmp_path: Path) -> None:
    modes = [ModeSummary(f"m{n}", 1) for n in range(100)]
    record = Record("a/b[x]", "m0", "passed")
    assert read(tmp_path / "run.jsonl", record, modes=modes).size == 1
    with pytest.raises(RunFileError, match=":1: 101 modes; 100 are allowed"):
        read(tmp_path / "run.jsonl", record, modes=[*modes, ModeSummary("one more", 0)])


def test_a_share_larger_than_the_whole_is_refused(tmp_path: Path) -> None:
    shard = Shard(1, 2, [ModeSummary("eager", 0)])
    with pytest.raises(RunFileError, match=":1: more variants in mode 'eager' than all shards together: 1"):
        read(tmp_path / "run.jsonl", Record("a/b[x]", "eager", "passed"), shard=shard)
