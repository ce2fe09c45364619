"""What the console shows of a comparison."""

from __future__ import annotations

from collections.abc import Callable

from conformance.diffing import Comparison, telling
from conformance.runfile import FindingLine, Record


def test_each_sort_has_its_number_and_of_each_kind_the_gravest_change(
    compared: Callable[..., Comparison], record: Callable[..., Record]
) -> None:
    before = [record(name=f"n={n}") for n in range(10)]
    after = [record("failed", name=f"n={n}") for n in range(9)] + [record(name="n=9", ulp=3.0)]
    comparison = compared(before, after, b={"versions": {"torch": "2.0"}})
    lines = list(telling.lines(comparison, 2))
    assert lines[:3] == [
        "torch   A: 1.0 · cpu · 2030-01-02T03:04:05+00:00   B: 2.0 · cpu · 2030-01-02T03:04:05+00:00",
        "  version of torch: 1.0 → 2.0",
        "",
    ]
    assert "torch eager   10 compared  9 worse  1 drifted" in lines
    start = lines.index("verdicts that became worse: 9")
    assert lines[start + 1 : start + 6] == [
        "  torch eager   passed → failed   channel: value   (9 of exp)",
        "    ops/exp/one[n=0]",
        "    A         passed   0.5 ULP of 10   float32[2]: 0.5, 1.5",
        "    B         failed   0.5 ULP of 10   expected 0.5, got 0.75",
        "    repeat    conformance run --variant 'ops/exp/one[n=0]' --backend torch --mode eager",
    ]
    assert lines[start + 6] == ""  # the nine are of one kind
    assert telling.closing_line(comparison, ["verdict", "drift"]) == (
        "9 verdicts worse, 0 results gone, 1 error grown (fails on: verdict, drift)"
    )


def test_at_most_so_many_kinds_are_shown_and_the_rest_is_counted(
    compared: Callable[..., Comparison], record: Callable[..., Record]
) -> None:
    before = [record(name=f"n={n}") for n in range(9)]
    after = [record("failed", name=f"n={n}", findings=[FindingLine(f"c{n // 3}", "1", "2")]) for n in range(9)]
    lines = list(telling.lines(compared(before, after), 2))
    shown = [line for line in lines if "(3 of exp)" in line]
    assert len(shown) == 2
    assert "  … and 3 more of other kinds; the page has them" in lines
    assert not any("other kinds" in line for line in telling.lines(compared(before, after), 3))


def test_texts_from_run_files_act_on_no_terminal(
    compared: Callable[..., Comparison], record: Callable[..., Record]
) -> None:
    bad = "\x1b[31m\nred\u202e"
    comparison = compared(
        [record(), record("divergent", name=bad)],
        [record("failed", step=bad), record("divergent", name=bad, reason=bad)],
        b={"versions": {bad: bad}, "environment": {bad: bad}, "selection": bad},
    )
    text = "\n".join(telling.lines(comparison, 10))
    assert "\\x1b[31m\\nred\\u202e" in text
    assert not any(character in text for character in "\x1b\u202e")


def test_durations_are_in_the_unit_that_fits() -> None:
    assert [telling.seconds(n) for n in (2.5, 0.0125, 1.5e-5, 9.09e-7)] == ["2.5 s", "12.5 ms", "15 µs", "909 ns"]
