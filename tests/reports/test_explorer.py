from __future__ import annotations

from typing import Any

import numpy as np

from conformance.judging import VERDICTS
from conformance.reports.explorer import data
from conformance.reports.material import gather
from conformance.runfile import FindingLine, Record, Stored, VariantLine

V = "ops/softmax/a[float32,axis=0]"


def told(*runs: Any) -> tuple[dict[str, Any], list[Any]]:
    """The data, and its first variant."""
    found = data(gather(runs))
    return found, found["cases"][0][7][0]


def stored(*values: float, dtype: Any = np.float32) -> list[Stored]:
    return [Stored.of(np.array(values, dtype))]


def test_every_record_can_be_read_back_by_column(make_run: Any) -> None:
    verdicts = {"a": ["passed", "failed"], "b": ["divergent", "unsupported"], "c": ["crashed", "timed-out"]}
    runs = [
        make_run(b, [Record(V, m, v, v) for m, v in zip(("eager", "jit"), vs, strict=True)])
        for b, vs in verdicts.items()
    ]
    found, variant = told(*runs, make_run("d", [Record("ops/softmax/b[float32]", "eager", "passed")]))
    codes, outcomes = variant[5], variant[6]
    read = [VERDICTS[outcomes[ord(c) - ord("0")][0]] for c in codes[:-1]]
    assert read == [v for vs in verdicts.values() for v in vs]
    assert codes[-1] == "."
    assert [c["label"] for c in found["columns"]][:2] == ["a eager", "a jit"]


def test_columns_with_the_same_outcome_share_it_and_other_bits_do_not(make_run: Any) -> None:
    one, next_to_one = stored(1), stored(np.nextafter(np.float32(1), np.float32(2)))
    runs = [
        make_run(b, [Record(V, "eager", "passed", got=got)]) for b, got in (("a", one), ("b", one), ("c", next_to_one))
    ]
    _, variant = told(*runs)
    assert variant[5] == "001"
    assert variant[8] == ["1.0", "1.0000001"]


def test_results_that_look_alike_stay_apart_when_their_bits_differ(make_run: Any) -> None:
    long, other = np.zeros(100, np.float32), np.zeros(100, np.float32)
    other[99] = 1
    runs = [make_run(b, [Record(V, "eager", "passed", got=[Stored.of(g)])]) for b, g in (("a", long), ("b", other))]
    _, variant = told(*runs)
    assert variant[5] == "01"
    assert variant[8] == ["0.0, 0.0, …", "0.0, 0.0, …"]


def test_an_id_is_cut_only_where_it_can_be_put_together_again(make_run: Any) -> None:
    odd = "elsewhere/x[float32]"
    line = VariantLine(odd, "ops/softmax/a", "float32", {})
    records = [Record(V, "eager", "passed"), Record(odd, "eager", "passed")]
    found, _ = told(make_run("a", records, variants={odd: line}))
    assert [variant[0] for variant in found["cases"][0][7]] == ["[float32,axis=0]", [odd]]


def test_backends_differ_in_verdict_dtype_shape_or_raising_but_not_in_the_last_bit(make_run: Any) -> None:
    def differs(left: Record, right: Record) -> bool:
        return bool(told(make_run("a", [left]), make_run("b", [right]))[1][9])

    plain = Record(V, "eager", "passed", got=stored(1))
    assert not differs(plain, Record(V, "eager", "passed", got=stored(1.5)))
    assert differs(plain, Record(V, "eager", "divergent", got=stored(1)))
    assert differs(plain, Record(V, "eager", "passed", got=stored(1, dtype=np.float64)))
    assert differs(plain, Record(V, "eager", "passed", got=stored(1, 2)))
    assert differs(plain, Record(V, "eager", "passed", raised="ValueError: no"))


def test_findings_and_reasons_come_through_word_for_word(make_run: Any) -> None:
    finding = FindingLine("value", "0.5", "0.75", "4 ULP away, 2 allowed; at [0]")
    found, variant = told(make_run("a", [Record(V, "eager", "failed", "why", [finding], link="javascript:alert(1)")]))
    details = variant[6][0][6]
    strings = found["strings"]
    assert [strings[i] for i in details["findings"][0]] == ["value", "0.5", "0.75", "4 ULP away, 2 allowed; at [0]"]
    assert strings[details["reason"]] == "why"
    assert strings[details["link"]] == "(not followed: javascript:alert(1))"


def test_answers_that_differ_between_runs_name_their_backends(make_run: Any) -> None:
    def run(backend: str, value: float) -> Any:
        line = VariantLine(V, "ops/softmax/a", "float32", {}, stored(value)[0], [0.25])
        return make_run(backend, [Record(V, "eager", "passed")], variants={V: line})

    found, variant = told(run("a", 1), run("b", 1))
    ((kind, *answer),) = variant[2]
    assert (found["strings"][kind], *answer) == ("float32[1]", "1.0", ["1.0000000298023223877"])
    assert [a[3] for a in told(run("a", 1), run("b", 2))[1][2]] == [["a"], ["b"]]


def test_large_arrays_and_long_texts_are_cut(make_run: Any) -> None:
    line = VariantLine(V, "ops/softmax/a", "float32", {"x": Stored.of(np.zeros(100_000, np.float32))})
    record = Record(V, "eager", "failed", "r" * 5000, raised="e" * 5000)
    found, variant = told(make_run("a", [record], variants={V: line}))
    assert found["strings"][variant[1]] == "x = float32[100000]: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, …"
    assert max(map(len, found["strings"])) < 700
