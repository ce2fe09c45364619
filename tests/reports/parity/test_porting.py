from __future__ import annotations

from typing import Any

import pytest

from conformance.backends.base import IDIOMS
from conformance.reports.parity.porting import Framework, Function, Written
from conformance.reports.parity.view import page
from conformance.runfile import FindingLine, IdiomSource, ModeSummary, Record, VariantLine

OPERATIONS = {"softmax": {"document": "torch.nn.Softmax()(x)", "summary": "a summary"}}


def v(name: str, operation: str = "softmax", folder: str = "ops") -> str:
    return f"{folder}/{operation}/{name}[float32]"


def spelled(name: str, verdict: str, idiom: str, reason: str = "", **more: Any) -> Record:
    return Record(v(name), IDIOMS, verdict, reason, idiom=idiom, **more)


def primary(name: str, verdict: str, reason: str = "", mode: str = "eager", **more: Any) -> Record:
    return Record(v(name), mode, verdict, reason, **more)


def run(make_run: Any, records: list[Record], *names: str, backend: str = "a", **changes: Any) -> Any:
    idioms = [IdiomSource("softmax", "def softmax(x): ...")]
    idioms += [IdiomSource("softmax", f"def other(x): {name}", name) for name in names]
    return make_run(backend, records, **{"idioms": idioms, "operations": OPERATIONS} | changes)


def function(made: Any, operation: str = "softmax") -> Function:
    (found,) = (one for one in made.functions if one.operation == operation)
    return found


def spellings(made: Any, operation: str = "softmax", place: int = 0) -> dict[str, Written]:
    framework: Framework = function(made, operation).frameworks[place]
    return {written.name: written for written in framework.spellings}


def glance(written: Written) -> tuple[str, str, str]:
    return written.glance.verdict, written.glance.words, written.glance.reason


def test_every_spelling_stands_under_its_framework_the_primary_one_first_with_its_own_counts(make_run: Any) -> None:
    records = [primary("a", "passed"), primary("b", "passed"), primary("c", "unsupported", "no")]
    records += [spelled("a", "passed", "good"), spelled("b", "unsupported", "good", "no gradients")]
    records += [spelled("a", "failed", "bad"), spelled("b", "crashed", "bad"), spelled("c", "divergent", "bad", "r")]
    made = page([run(make_run, records, "good", "bad")])
    found = spellings(made)
    assert list(found) == ["", "good", "bad"]
    assert [written.source for written in found.values()] == [
        "def softmax(x): ...",
        "def other(x): good",
        "def other(x): bad",
    ]
    assert [written.counts for written in found.values()] == [
        {"passed": 2, "unsupported": 1},
        {"passed": 1, "unsupported": 1},
        {"failed": 1, "divergent": 1, "crashed": 1},
    ]
    assert [written.judged for written in found.values()] == [2, 1, 3]
    assert [glance(written)[:2] for written in found.values()] == [
        ("passed", "conforms"),
        ("passed", "conforms"),
        ("failed", "wrong on 2 of 3"),
    ]
    assert [written.where for written in found.values()] == [
        "backend=a mode=eager",
        "backend=a spelling=good",
        "backend=a spelling=bad",
    ]
    assert function(made).frameworks[0].others == {"passed": 1, "failed": 1}


def test_the_counts_of_all_spellings_are_the_records_of_the_mode(make_run: Any) -> None:
    records = [primary("a", "passed")]
    records += [spelled(n, verdict, i) for n in "ab" for i, verdict in (("x", "passed"), ("y", "failed"))]
    made = page([run(make_run, records, "x", "y")])
    (row,) = (row for row in made.counts if row.column.beside)
    others = [written for written in spellings(made).values() if written.name]
    for verdict in ("passed", "failed"):
        assert sum(written.counts.get(verdict, 0) for written in others) == row.counts[verdict] == 2


def test_what_was_not_tried_says_why(make_run: Any) -> None:
    records = [spelled(n, "unsupported", "optax.softmax", "optax is not installed") for n in "ab"]
    made = page([run(make_run, records, "optax.softmax")])
    written = spellings(made)["optax.softmax"]
    assert glance(written) == ("unsupported", "not tried", "optax is not installed")
    assert (written.judged, written.counts) == (0, {"unsupported": 2})


def test_a_registered_deviation_is_named_and_two_are_counted(make_run: Any) -> None:
    records = [primary("a", "divergent", "narrow", link="https://example.org/x"), primary("b", "passed")]
    assert glance(spellings(page([run(make_run, records)]))[""]) == (
        "divergent",
        "deviates as registered on 1 of 2",
        "narrow",
    )
    records.append(primary("c", "divergent", "wraps", link="javascript:alert(1)"))
    records.append(primary("d", "divergent", "wraps", link="javascript:alert(1)"))
    written = spellings(page([run(make_run, records)]))[""]
    assert glance(written) == ("divergent", "deviates as registered on 3 of 4, for 2 reasons", "")
    assert [(r.text, r.records, r.link, r.link_text) for r in written.reasons] == [
        ("wraps", 2, "", "javascript:alert(1)"),
        ("narrow", 1, "https://example.org/x", "https://example.org/x"),
    ]


def test_flushed_subnormals_are_no_registered_deviation(make_run: Any) -> None:
    reason = "subnormal results come as zero: flushed, as this backend does with this dtype"
    written = spellings(page([run(make_run, [primary("a", "divergent", reason)])]))[""]
    assert glance(written) == ("divergent", "deviates on 1 of 1", reason)


def test_a_wrong_primary_spelling_is_wrong_whatever_else_passes(make_run: Any) -> None:
    records = [primary("a", "passed"), primary("b", "divergent", "r"), primary("c", "timed-out")]
    assert glance(spellings(page([run(make_run, records)]))[""])[:2] == ("timed-out", "wrong on 1 of 3")


def test_the_largest_errors_are_those_of_the_operation_itself_values_and_gradients_apart(make_run: Any) -> None:
    lines = {v("g"): VariantLine(v("g"), "ops/softmax/g", "float32", {}, check="gradient")}
    records = [
        primary("a", "passed", ulp=1.5, budget=4.0),
        primary("b", "failed", ulp=7.5, budget=5.0),
        primary("c", "passed", ulp=100.0, budget=200.0, step="2, sum"),
        primary("d", "passed", ulp=7.0, budget=50.0, step="1, softmax"),
        primary("e", "failed", ulp=None),
        primary("g", "passed", ulp=69.0, budget=81.0),
    ]
    written = spellings(page([run(make_run, records, variants=lines)]))[""]
    assert [(e.ulp, e.budget, e.variant, e.gradient) for e in written.largest] == [
        (7.5, 5.0, v("b"), False),
        (69.0, 81.0, v("g"), True),
    ]


def test_deviations_are_told_in_words_channel_by_channel(make_run: Any) -> None:
    def failed(name: str, *findings: FindingLine, **more: Any) -> Record:
        return spelled(name, "failed", "x", findings=list(findings), **more)

    records = [
        failed("a", FindingLine("nan-inf", "1.0", "nan", non_finite=3), FindingLine("dtype", "float32", "float64")),
        failed("b", FindingLine("nan-inf", "1.0", "inf", non_finite=2)),
        failed("c", FindingLine("dtype", "float16", "float64"), FindingLine("shape", "[2]", "[]")),
        failed("d", FindingLine("dtype", "float16", "float64")),
        failed("e", FindingLine("status", "an error", "a result: 1")),
        failed("f", FindingLine("status", "a result", "ValueError: no"), raised="ValueError: no"),
        failed("g", FindingLine("value", "1", "2")),
    ]
    found = {d.channel: d for d in spellings(page([run(make_run, records, "x")]))["x"].deviations}
    assert {channel: (d.variants, d.example) for channel, d in found.items()} == {
        "nan-inf": (2, v("a")),
        "dtype": (3, v("a")),
        "shape": (1, v("c")),
        "status": (2, v("e")),
        "value": (1, v("g")),
    }
    assert found["nan-inf"].words.endswith("5 elements in all")
    assert found["dtype"].words == "another dtype: float64 instead of float16, float64 instead of float32"
    assert found["shape"].words == "another shape: [] instead of [2]"
    assert found["status"].words == (
        "an error instead of a result (ValueError: no); a result where the call must be refused"
    )


def test_other_modes_stand_with_the_primary_spelling(make_run: Any) -> None:
    records = [primary("a", "passed"), primary("a", "failed", "r", "jit"), primary("b", "passed", "", "jit")]
    written = spellings(page([run(make_run, records)]))[""]
    assert glance(written)[1] == "conforms"
    assert [(column.mode.name, found.words) for column, found in written.modes] == [("jit", "wrong on 1 of 2")]


def test_the_document_s_functions_come_first_and_operators_are_left_out(make_run: Any) -> None:
    records = [
        Record(v("a", "stack"), "eager", "passed"),
        Record(v("a", "add"), "eager", "passed"),
        Record(v("z", "softmax", "document"), "eager", "passed"),
        Record(v("y", "sigmoid", "document"), "eager", "passed"),
    ]
    made = page([make_run("a", records, operations={"exp": {}, "add": {}}, idioms=[])])
    assert [(one.operation, one.judged) for one in made.functions] == [
        ("softmax", True),
        ("sigmoid", True),
        ("stack", True),
        ("exp", False),
    ]


def test_a_spelling_without_a_record_has_none_and_a_framework_without_an_idiom_has_no_spelling(make_run: Any) -> None:
    made = page([run(make_run, [primary("a", "passed")], "x"), make_run("b", [], idioms=[], operations={})])
    assert glance(spellings(made)["x"]) == ("none", "no record", "")
    assert function(made).frameworks[1].spellings == []
    assert function(made).frameworks[1].primary is None


def test_a_spelling_that_only_records_name_is_shown_without_source(make_run: Any) -> None:
    written = spellings(page([run(make_run, [spelled("a", "failed", "unheard of")])]))["unheard of"]
    assert (written.source, written.counts) == (None, {"failed": 1})


def test_spellings_of_the_same_name_stay_apart_by_operation_and_by_run(make_run: Any) -> None:
    def records(verdict: str) -> list[Record]:
        return [
            Record(v("a", o), IDIOMS, one, "" if one == "passed" else "a reason", idiom="method")
            for o, one in (("softmax", verdict), ("stack", "passed"))
        ]

    made = page([run(make_run, records("failed")), run(make_run, records("divergent"), backend="b")])
    assert spellings(made)["method"].counts == {"failed": 1}
    assert spellings(made, place=1)["method"].counts == {"divergent": 1}
    assert spellings(made, "stack")["method"].counts == {"passed": 1}


def test_a_run_without_other_spellings_has_its_primary_ones(make_run: Any) -> None:
    made = page([run(make_run, [primary("a", "passed")])])
    assert list(spellings(made)) == [""]
    assert made.spellings == 0


@pytest.mark.parametrize("missing", [0, 3])
def test_a_mode_that_could_not_run_is_not_tried(make_run: Any, missing: int) -> None:
    records = [primary("a", "unsupported", "jax is not installed")]
    modes = [ModeSummary("eager", 1 + missing, unsupported="jax is not installed")]
    made = page([run(make_run, records, modes=modes, finished=not missing)])
    assert glance(spellings(made)[""]) == ("unsupported", "not tried", "jax is not installed")
