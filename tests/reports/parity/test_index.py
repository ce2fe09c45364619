"""What variants are found by, read back as the page's script reads it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from conformance.backends.base import IDIOMS
from conformance.ground.verdicts import VERDICTS
from conformance.reports.parity import index
from conformance.reports.parity.index import BITS, DIFFERS, GRADIENT, Index, Table, character, rounded
from conformance.reports.shared.material import gather
from conformance.runfile import FindingLine, Record, Stored, VariantLine

V = "ops/softmax/a[float32,axis=0]"


class Read:
    """An index, with its characters as the entries that they stand for."""

    def __init__(self, *runs: Any) -> None:
        material = gather(runs)
        made = Index(material)
        for part in material.parts():
            made.add(part)
        self.data = made.data()
        self.width = len(self.data["columns"])

    def _entries(self, name: str, table: str) -> list[Any]:
        return [self.data[table][ord(c) - ord("#")] for c in self.data[name]]

    @property
    def stories(self) -> list[tuple[str, list[str], str, str]]:
        """Verdict, channels, reason and link of each record; an empty verdict for none."""
        told = []
        for verdict, channels, reason in self._entries("story", "stories"):
            names = [self.data["channels"][c] for c in channels]
            told.append((VERDICTS[verdict] if verdict >= 0 else "", names, *self.data["reasons"][reason]))
        return told

    @property
    def verdicts(self) -> list[str]:
        return [verdict for verdict, *_ in self.stories]

    @property
    def ulps(self) -> list[float | None]:
        return self._entries("ulp", "numbers")

    @property
    def off(self) -> list[tuple[str, ...]]:
        return self._entries("offset", "off")

    @property
    def flags(self) -> list[int]:
        return [ord(c) - ord("#") for c in self.data["flag"]]


def stored(*values: float, dtype: Any = np.float32) -> list[Stored]:
    return [Stored.of(np.array(values, dtype))]


def test_every_record_can_be_read_back_by_its_column(make_run: Any) -> None:
    verdicts = {"a": ["passed", "failed"], "b": ["divergent", "unsupported"], "c": ["crashed", "timed-out"]}
    runs = [
        make_run(b, [Record(V, m, v, v if v != "passed" else "") for m, v in zip(("eager", "jit"), vs, strict=True)])
        for b, vs in verdicts.items()
    ]
    read = Read(*runs, make_run("d", [Record("ops/softmax/b[float32]", "eager", "passed")]))
    assert [c["label"] for c in read.data["columns"]] == [f"{b} {m}" for b in "abc" for m in ("eager", "jit")] + [
        "d eager"
    ]
    first, second = read.verdicts[:7], read.verdicts[7:]
    assert first == [v for vs in verdicts.values() for v in vs] + [""]
    assert second == [""] * 6 + ["passed"]


def test_other_spellings_come_after_the_columns_for_those_that_the_case_has(make_run: Any) -> None:
    records = [
        Record(V, "eager", "passed", ulp=0.25),
        Record(V, IDIOMS, "failed", "r", [FindingLine("value", "1", "3")], ulp=9.0, idiom="two"),
        Record("ops/stack/x[float32]", "eager", "passed"),
    ]
    read = Read(make_run("a", records))
    assert read.data["cases"][0][5] == [0] and read.data["cases"][1][5] == []
    assert read.verdicts == ["passed", "failed", "passed"]
    assert read.ulps == [0.25, 9, None]
    assert read.data["spellings"] == [["a", "softmax", "two", "a", "cpu", IDIOMS, ""]]


def test_channels_and_reasons_come_through_and_a_failure_s_reason_is_not_said_twice(make_run: Any) -> None:
    findings = [FindingLine(channel, "1", "2") for channel in ("value", "dtype", "value")]
    records = [
        Record(V, "eager", "divergent", "why", findings, link="javascript:alert(1)"),
        Record(V, "jit", "failed", "value: 1, 2", findings[:1]),
        Record(V, "xla", "crashed", "the process died", link="https://example.org/x"),
    ]
    assert Read(make_run("a", records)).stories == [
        ("divergent", ["value", "dtype"], "why", "(not followed: javascript:alert(1))"),
        ("failed", ["value"], "", ""),
        ("crashed", [], "the process died", "https://example.org/x"),
    ]


def test_an_id_is_cut_only_where_it_can_be_put_together_again(make_run: Any) -> None:
    odd = "elsewhere/x[float32]"
    line = VariantLine(odd, "ops/softmax/a", "float32", {})
    records = [Record(V, "eager", "passed"), Record(odd, "eager", "passed")]
    assert Read(make_run("a", records, variants={odd: line})).data["labels"] == ["[float32,axis=0]", [odd]]


@pytest.mark.parametrize(
    ("other", "flags"),
    [
        (Record(V, "eager", "passed", got=stored(1)), 0),
        (Record(V, "eager", "passed", got=stored(1.5)), BITS),
        (Record(V, "eager", "divergent", got=stored(1)), DIFFERS),
        (Record(V, "eager", "passed", got=stored(1, dtype=np.float64)), DIFFERS | BITS),
        (Record(V, "eager", "passed", got=stored(1, 2)), DIFFERS | BITS),
        (Record(V, "eager", "passed", raised="ValueError: no"), DIFFERS),
    ],
)
def test_backends_differ_in_verdict_dtype_shape_or_raising_and_bits_by_themselves(
    make_run: Any, other: Record, flags: int
) -> None:
    plain = Record(V, "eager", "passed", got=stored(1))
    assert Read(make_run("a", [plain]), make_run("b", [other])).flags == [flags]


def test_other_spellings_make_no_difference_between_backends_and_gradients_are_marked(make_run: Any) -> None:
    records = [
        Record(V, "eager", "passed", got=stored(1)),
        Record(V, IDIOMS, "failed", "r", got=stored(2), idiom="x"),
    ]
    line = VariantLine(V, "ops/softmax/a", "float32", {}, check="gradient")
    assert Read(make_run("a", records, variants={V: line})).flags == [GRADIENT]


def test_who_is_off_is_said_by_the_plain_modes(make_run: Any) -> None:
    runs = [
        make_run("a", [Record(V, "eager", "passed"), Record(V, "jit", "failed")]),
        make_run("b", [Record(V, "eager", "divergent")]),
        make_run("c", [Record(V, "eager", "unsupported")]),
        make_run("d", [Record(V, "eager", "failed")]),
    ]
    assert Read(*runs).off == [("b", "d")]


def test_numbers_keep_three_digits() -> None:
    assert [rounded(n) for n in (None, 0.0, 0.12345, 3.0, 1234567.0)] == [None, 0, 0.123, 3, 1200000]


def test_what_comes_when_a_table_is_full_keeps_the_essential(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verdict, and its error to a digit; never another's."""
    monkeypatch.setattr(index, "_MOST", 8)
    monkeypatch.setattr(index, "_KEPT_BACK", 4)
    verdicts = ["failed", "divergent"] * 3
    records = [
        Record(
            f"ops/exp/x[{n}]",
            "eager",
            v,
            "" if v == "failed" else f"why {n}",
            [FindingLine(f"c{n}", "1", "2")],
            ulp=n + 0.25,
        )
        for n, v in enumerate(verdicts)
    ]
    read = Read(make_run("a", records))
    assert read.verdicts == verdicts
    assert [story[1:] for story in read.stories] == [
        (["c0"], "", ""), (["c1"], "why 1", ""), (["c2"], "", ""), *[([], "(one of too many to be listed)", "")] * 3
    ]  # fmt: skip
    assert read.ulps == [0.25, 1.25, 2.25, 3, 4, 5]


def test_the_largest_number_stays_one_that_json_has() -> None:
    largest = sys.float_info.max
    assert rounded(largest) == index._one_digit(largest) == largest


def test_a_table_of_more_entries_than_there_are_characters_is_refused() -> None:
    assert character(0) == "#"
    for number in (-1, 0xD000):
        with pytest.raises(ValueError, match="fit"):
            character(number)
    table = Table("a")
    assert [table(entry) for entry in "abcb"] == [0, 1, 2, 1]
    assert table.all == ["a", "b", "c"]
