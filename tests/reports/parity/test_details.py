"""The full accounts of variants, unpacked as the page's script unpacks them."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.backends.base import IDIOMS
from conformance.backends.torch import TorchBackend
from conformance.reports.parity.details import PACKET, Details
from conformance.reports.parity.index import Index
from conformance.reports.shared.material import gather
from conformance.reports.shared.page import unpacked
from conformance.reproduction import Composer, title
from conformance.runfile import FindingLine, IdiomSource, Record, Stored, VariantLine

V = "ops/softmax/a[float32,axis=0]"
NAMES = ("inputs", "answers", "expected", "source", "codes", "outcomes", "kinds", "results", "pictures", "scripts")


def unpack(packet: str) -> Any:
    return unpacked(packet)


def packets(*runs: Any) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """The packets, what they share, and the index."""
    material = gather(runs)
    index = Index(material)
    details = Details(material, index)
    for part in material.parts():
        index.add(part)
        details.add(part)
    shared = details.finish()
    return [unpack(packet) for packet in details.packets], shared, index.data()


def told(*runs: Any) -> tuple[list[str], dict[str, Any]]:
    """The texts of the first packet, and its first variant by name."""
    (packet, *_), _, _ = packets(*runs)
    return packet["texts"], dict(zip(NAMES, packet["variants"][0], strict=True))


def stored(*values: float, dtype: Any = np.float32) -> list[Stored]:
    return [Stored.of(np.array(values, dtype))]


def test_columns_with_the_same_outcome_share_it_and_other_bits_do_not(make_run: Any) -> None:
    one, next_to_one = stored(1), stored(np.nextafter(np.float32(1), np.float32(2)))
    runs = [
        make_run(b, [Record(V, "eager", "passed", got=got)]) for b, got in (("a", one), ("b", one), ("c", next_to_one))
    ]
    _, variant = told(*runs)
    assert variant["codes"] == "001"
    assert variant["results"] == ["1.0", "1.0000001"]


def test_results_that_look_alike_stay_apart_when_their_bits_differ(make_run: Any) -> None:
    long, other = np.zeros(100, np.float32), np.zeros(100, np.float32)
    other[99] = 1
    runs = [make_run(b, [Record(V, "eager", "passed", got=[Stored.of(g)])]) for b, g in (("a", long), ("b", other))]
    _, variant = told(*runs)
    assert variant["codes"] == "01"
    assert variant["results"] == ["0.0, 0.0, …", "0.0, 0.0, …"]


def test_findings_come_through_word_for_word(make_run: Any) -> None:
    finding = FindingLine("value", "0.5", "0.75", "4 ULP away, 2 allowed; at [0]")
    texts, variant = told(make_run("a", [Record(V, "eager", "divergent", "why", [finding], raised="ValueError: no")]))
    details = variant["outcomes"][0][4]
    assert [texts[i] for i in details["findings"][0]] == ["value", "0.5", "0.75", "4 ULP away, 2 allowed; at [0]"]
    assert texts[details["raised"]] == "ValueError: no"


def test_records_whose_story_or_error_differs_have_outcomes_of_their_own(make_run: Any) -> None:
    records = [
        Record(V, "eager", "passed", ulp=0.5),
        Record(V, "graph", "passed", ulp=0.5),
        Record(V, "jit", "divergent", "why", ulp=0.5),
        Record(V, "xla", "passed", ulp=0.75),
    ]
    _, variant = told(make_run("a", records))
    assert variant["codes"] == "0012"


def spelled(packet: Any, index: Any, place: int = 0) -> dict[str, list[Any]]:
    """The outcomes of a variant's other spellings, by backend and name, read as the page's script does."""
    case, variant = index["cases"][0], packet["variants"][place]
    codes = variant[4][len(index["columns"]) :]
    assert len(codes) == len(case[5])
    read = {}
    for number, code in zip(case[5], codes, strict=True):
        group, _, name, *_ = index["spellings"][number]
        if code != ".":
            read[f"{group}: {name}"] = variant[5][ord(code) - ord("0")]
    return read


def test_other_spellings_have_result_and_error_beside_the_columns(make_run: Any) -> None:
    first = [
        Record(V, "eager", "passed", got=stored(1), ulp=0.25, budget=4.0, at=[0]),
        Record(V, IDIOMS, "passed", got=stored(2), ulp=1.5, budget=4.0, at=[0], idiom="one"),
        Record(V, IDIOMS, "failed", "r", [FindingLine("value", "1", "3")], stored(3), ulp=9, budget=5, idiom="two"),
        Record("ops/softmax/a[float64]", "eager", "passed"),
        Record("ops/softmax/a[float64]", IDIOMS, "passed", idiom="two"),
    ]
    (packet,), _, index = packets(
        make_run("a", first), make_run("b", [Record(V, IDIOMS, "unsupported", "no", idiom="one")])
    )
    assert spelled(packet, index).keys() == {"a: one", "a: two", "b: one"}
    assert spelled(packet, index, 1).keys() == {"a: two"}
    passed, failed, _ = spelled(packet, index).values()
    assert passed == [1, 4, "0"]
    assert failed[:2] == [2, 5]
    assert packet["variants"][0][7] == ["1.0", "2.0", "3.0"]


def test_a_spelling_with_the_same_bits_shares_the_outcome(make_run: Any) -> None:
    same = {"got": stored(1), "ulp": 0.25, "budget": 4.0, "at": [0]}
    _, variant = told(
        make_run("a", [Record(V, "eager", "passed", **same), Record(V, IDIOMS, "passed", idiom="x", **same)])
    )
    assert variant["codes"] == "00"


def test_answers_that_differ_between_runs_name_their_backends(make_run: Any) -> None:
    def run(backend: str, value: float) -> Any:
        line = VariantLine(V, "ops/softmax/a", "float32", {}, stored(value)[0], [0.25])
        return make_run(backend, [Record(V, "eager", "passed")], variants={V: line})

    texts, variant = told(run("a", 1), run("b", 1))
    ((kind, *answer),) = variant["answers"]
    assert (texts[kind], *answer) == ("float32[1]", "1.0", ["1.0000000298023223877"])
    assert [a[3] for a in told(run("a", 1), run("b", 2))[1]["answers"]] == [["a"], ["b"]]


def test_large_arrays_and_long_texts_are_cut(make_run: Any) -> None:
    line = VariantLine(V, "ops/softmax/a", "float32", {"x": Stored.of(np.zeros(100_000, np.float32))})
    record = Record(V, "eager", "failed", "r" * 5000, raised="e" * 5000)
    texts, variant = told(make_run("a", [record], variants={V: line}))
    assert texts[variant["inputs"]] == "x = float32[100000]: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, …"
    assert max(map(len, texts)) < 700


def test_a_case_of_many_variants_goes_into_several_packets_and_its_text_into_the_first(make_run: Any) -> None:
    ids = [f"ops/softmax/a[{i}]" for i in range(2 * PACKET + 1)] + ["ops/stack/b[0]"]
    found, _, index = packets(make_run("a", [Record(i, "eager", "passed", got=stored(1)) for i in ids]))
    assert [len(packet["variants"]) for packet in found] == [PACKET, PACKET, 2]
    assert [list(packet["cases"]) for packet in found] == [["0"], [], ["1"]]
    assert [case[4] for case in index["cases"]] == [2 * PACKET + 1, 1]


def test_a_result_of_many_elements_is_drawn_beside_the_exact_answer(make_run: Any) -> None:
    exact = np.linspace(1, 2, 16, dtype=np.float32)
    off = exact.copy()
    off[3] = np.nextafter(off[3], np.float32(9))
    line = VariantLine(V, "ops/softmax/a", "float32", {}, Stored.of(exact), [0.0])
    records = [Record(V, "eager", "passed", got=[Stored.of(exact)]), Record(V, "jit", "passed", got=[Stored.of(off)])]
    _, variant = told(make_run("a", records, variants={V: line}))
    assert variant["pictures"] == ["16 1 1 " + "0" * 16, "16 1 1 " + "000a" + "0" * 12]


def with_scripts(make_run: Any, backend: str, records: list[Record]) -> Any:
    x = stored(0.5, 1.0)[0]
    lines = {r.variant: VariantLine(r.variant, "ops/sigmoid/one", "float32", {"x": x}, x) for r in records}
    scripts = {mode: TorchBackend.script(mode) for mode in ("eager", "compile")} if backend != "silent" else {}
    idioms = [IdiomSource("sigmoid", "def sigmoid(x):\n    return torch.sigmoid(x)")]
    return make_run(backend, records, variants=lines, scripts=scripts, idioms=idioms)


def test_the_script_of_each_result_is_there_in_parts_that_are_kept_once(make_run: Any) -> None:
    names = [f"ops/sigmoid/one[float32,n={n}]" for n in range(3)]
    records = [Record(v, mode, "passed", got=stored(0.5, 1.0)) for v in names for mode in ("eager", "compile")]
    runs = [with_scripts(make_run, backend, records) for backend in ("torch", "other")]
    (packet,), shared, _ = packets(*runs)
    for i, name in enumerate(names):
        bodies, scripts = packet["variants"][i][9]
        for run, two in zip(runs, (scripts[:2], scripts[2:]), strict=True):
            for mode, (frame, body, measured) in zip(("eager", "compile"), two, strict=True):
                frames = [shared["texts"][number] for number in shared["frames"][frame]]
                inputs, call, shown, closing = (packet["texts"][number] for number in bodies[body])
                texts = [*frames, title(name), inputs, call, shown, packet["texts"][measured], closing]
                record = next(r for r in records if (r.variant, r.mode) == (name, mode))
                (part,) = run.parts()
                due = Composer(run.header).compose(part.case, part.variants[name], mode, "", record)
                assert "\n".join(filter(None, texts)) + "\n" == due.text
    heads = [text for text in shared["texts"] if "# /// script" in text]
    assert len(heads) == len(shared["frames"]) == 4, "one for each run and mode"


def test_where_there_is_no_script_the_reason_stands_instead(make_run: Any) -> None:
    name = "ops/sigmoid/one[float32]"
    records = [Record(name, "eager", "passed", got=stored(1)), Record(name, "compile", "unsupported", "no compiler")]
    texts, variant = told(with_scripts(make_run, "silent", records))
    _, (why, nothing) = variant["scripts"]
    assert texts[why] == "backend 'silent' has not said how a script runs something in its mode 'eager'"
    assert nothing == 0, "what could not be run can't be repeated"
