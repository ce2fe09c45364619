from __future__ import annotations

from typing import Any

import numpy as np

from conformance.backends.base import IDIOMS
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
    found, variant = told(
        make_run("a", [Record(V, "eager", "divergent", "why", [finding], link="javascript:alert(1)")])
    )
    details = variant[6][0][6]
    strings = found["strings"]
    assert [strings[i] for i in details["findings"][0]] == ["value", "0.5", "0.75", "4 ULP away, 2 allowed; at [0]"]
    assert strings[details["reason"]] == "why"
    assert strings[details["link"]] == "(not followed: javascript:alert(1))"


def test_the_reason_of_a_failure_is_left_out_where_its_findings_say_it(make_run: Any) -> None:
    _, variant = told(make_run("a", [Record(V, "eager", "failed", "value: 1, 2", [FindingLine("value", "1", "2")])]))
    assert list(variant[6][0][6]) == ["findings"]
    found, variant = told(make_run("a", [Record(V, "eager", "crashed", "the process died")]))
    assert found["strings"][variant[6][0][6]["reason"]] == "the process died"


def spelled(found: dict[str, Any], place: int = 0) -> dict[str, list[Any]]:
    """The outcomes of a variant's other spellings, by backend and name, read as the page's script does."""
    case = found["cases"][0]
    variant, columns = case[7][place], len(found["columns"])
    codes = variant[5][columns:]
    assert len(codes) == len(case[8])
    read = {}
    for number, code in zip(case[8], codes, strict=True):
        group, _, name, *_ = found["spellings"][number]
        if code != ".":
            read[f"{group}: {name}"] = variant[6][ord(code) - ord("0")]
    return read


def test_other_spellings_have_verdict_and_error_beside_the_columns_and_make_no_column(make_run: Any) -> None:
    first = [
        Record(V, "eager", "passed", got=stored(1), ulp=0.25, budget=4.0, at=[0]),
        Record(V, IDIOMS, "passed", got=stored(2), ulp=1.5, budget=4.0, at=[0], idiom="one"),
        Record(V, IDIOMS, "failed", "r", [FindingLine("value", "1", "3")], stored(3), ulp=9, budget=5, idiom="two"),
        Record("ops/softmax/a[float64]", "eager", "passed"),
        Record("ops/softmax/a[float64]", IDIOMS, "passed", idiom="two"),
    ]
    found, variant = told(make_run("a", first), make_run("b", [Record(V, IDIOMS, "unsupported", "no", idiom="one")]))
    assert [column["label"] for column in found["columns"]] == ["a eager"]
    assert spelled(found).keys() == {"a: one", "a: two", "b: one"}
    assert spelled(found, 1).keys() == {"a: two"}
    passed, failed, unsupported = spelled(found).values()
    assert passed == [VERDICTS.index("passed"), 1, 1.5, 4, "0"]
    assert failed[:4] == [VERDICTS.index("failed"), 2, 9, 5]
    assert unsupported[0] == VERDICTS.index("unsupported")
    assert variant[8] == ["1.0", "2.0", "3.0"]
    assert not variant[9], "other spellings make no difference between backends"


def test_a_spelling_with_the_same_bits_shares_the_result_and_the_outcome(make_run: Any) -> None:
    same = {"got": stored(1), "ulp": 0.25, "budget": 4.0, "at": [0]}
    found, variant = told(
        make_run("a", [Record(V, "eager", "passed", **same), Record(V, IDIOMS, "passed", idiom="x", **same)])
    )
    assert variant[5] == "00"
    assert spelled(found)["a: x"] == variant[6][0] == [0, 0, 0.25, 4, "0"]


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
