"""Scripts from what a run file holds: what is in them, what is shared, and what a hostile file can do with them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conformance.backends import load
from conformance.reproduction import Composer, NoScriptError, title
from conformance.runfile import Held, IdiomSource, Record, Stored
from conformance.suite.lines import Lines
from conformance.suite.selection import Selection
from conformance.suite.session import BackendSession

MakeLines = Callable[..., list[Any]]

CASES = """
  - {name: one, given: {x: [0.5, -3.0]}, call: sigmoid(x)}
  - {name: two, given: {x: [0.5, 0.25]}, for: {axis: [0, -1]}, call: "log(softmax(x, axis=axis))"}
"""


def metadata(script: str) -> Any:
    """What ``uv run`` and ``pipx run`` read: the reference implementation of PEP 723."""
    regex = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"
    (match,) = (m for m in re.finditer(regex, script) if m["type"] == "script")
    return tomllib.loads(
        "".join(line[2:] if line.startswith("# ") else line[1:] for line in match["content"].splitlines(True))
    )


def test_a_script_says_what_to_install_and_which_variant_it_repeats(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    script = line.script().text
    assert metadata(script)["dependencies"] == [f"numpy=={line.header.versions['numpy']}"]
    assert metadata(script)["requires-python"].startswith("==3.")
    assert f"# pip install numpy=={line.header.versions['numpy']}\n" in script
    assert "\n# Variant things/one[float32]\nx = native(" in script
    assert script.endswith(")\n")


def test_a_script_from_a_file_says_that_nobody_has_checked_it_and_one_from_the_cases_does_not(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    assert "Nobody has checked it: read it before you run it." in line.script().text
    assert "Nobody" not in line.script(from_file=False).text


def test_a_spelling_brings_its_module_its_setting_and_its_name(lines: MakeLines) -> None:
    (line,) = lines("  - {name: one, given: {x: [0.5]}, call: sigmoid(x)}", "numpy", "idioms", "scipy.special.expit")
    script = line.script().text
    assert any(text.startswith("scipy==") for text in metadata(script)["dependencies"])
    assert "\nimport scipy.special\n" in script
    assert "# Spelling scipy.special.expit\ndef sigmoid_expit(x):" in script
    assert "\nsigmoid = sigmoid_expit\n" in script
    idioms = [
        IdiomSource(
            "sigmoid", "def s(x):\n    return keras.ops.sigmoid(x)", "s", "keras 3.1", "keras", "KERAS_BACKEND=numpy"
        )
    ]
    header = msgspec.structs.replace(line.header, idioms=idioms)
    script = Composer(header).compose(line.case, line.variant, "idioms", "s").text
    assert script.index('os.environ["KERAS_BACKEND"] = "numpy"') < script.index("import keras")
    assert "keras==3.1" in metadata(script)["dependencies"]


def test_bfloat16_brings_its_package_and_other_dtypes_do_not(lines: MakeLines) -> None:
    narrow, wide = lines("  - {name: one, given: {x: [0.5]}, for: {dtype: [bfloat16, float16]}, call: sigmoid(x)}")
    assert any(text.startswith("ml-dtypes==") for text in metadata(narrow.script().text)["dependencies"])
    assert "ml_dtypes" not in wide.script().text and "ml-dtypes" not in wide.script().text


def test_parts_about_a_variant_are_the_same_for_every_backend_and_mode(lines: MakeLines) -> None:
    numpy = lines(CASES)
    for backend in ("torch", "tensorflow", "jax"):
        kind = load(backend)
        idioms = [IdiomSource(o, kind.idioms.source(o)) for o in ("sigmoid", "softmax", "log")]
        for mode in kind.modes:
            header = msgspec.structs.replace(
                numpy[0].header, backend=backend, idioms=idioms, scripts={mode: kind.script(mode)}
            )
            for line in numpy:
                script, due = Composer(header).compose(line.case, line.variant, mode, "", line.record), line.script()
                for part in ("helpers", "title", "inputs", "call", "shown", "measured", "closing"):
                    assert getattr(script, part) == getattr(due, part)
                assert script.head != due.head
                compile(script.text, mode, "exec")


def test_variants_share_what_does_not_differ(lines: MakeLines) -> None:
    _, first, last = [line.script() for line in lines(CASES)]
    assert (first.head, first.helpers, first.functions, first.inputs) == (
        last.head,
        last.helpers,
        last.functions,
        last.inputs,
    )
    assert first.call.replace("axis = 0", "axis = -1") == last.call
    assert first.title != last.title
    assert "step_1 = softmax(x, axis=axis)\n    step_2 = log(step_1)\n    return step_1, step_2\n" in first.call


def test_a_title_is_what_the_function_of_that_name_says(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    assert line.script().title == title(line.variant.id)


def test_without_a_record_a_script_measures_nothing(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    script = Composer(line.header).compose(line.case, line.variant, "eager")
    assert script.measured == "" and "def measure" not in script.text
    assert "measure(result, at=(" in line.script().measured


def test_an_expected_error_is_printed(lines: MakeLines, ran: Callable[..., list[Any]]) -> None:
    (line,) = lines("  - {name: one, given: {x: [0.5]}, call: 'softmax(x, axis=5)', expect: raises}")
    (told,) = ran([line.script().text])
    assert told.printed.startswith("AxisError: axis 5 is out of bounds")


def test_both_sides_of_a_claim_are_printed(lines: MakeLines, ran: Callable[..., list[Any]]) -> None:
    (line,) = lines("  - {name: one, given: {x: [0.5, 1.0]}, claim: 'shape(x) == [2]'}")
    (other,) = lines("  - {name: one, given: {x: [0.5, 1.0]}, claim: '0 <= sum(softmax(x, axis=0)) == 1'}")
    told = ran([line.script().text, other.script().text])
    assert told[0].printed.splitlines() == ["left: [2]", "right: [2]"]
    assert [text.partition(":")[0] for text in told[1].printed.splitlines() if not text.startswith(" ")] == [
        "side 1", "side 2", "side 3", "largest difference", "nearest its budget",
    ]  # fmt: skip


def test_whether_a_write_shows_is_printed(lines: MakeLines, ran: Callable[..., list[Any]]) -> None:
    (line,) = lines(
        "  - {name: one, given: {x: [0.5, 1.0]}, call: 'reshape(x, shape=[2, 1])', expect: {aliases: true}}"
    )
    (told,) = ran([line.script().text])
    assert "what is written to x shows in the result: True expected: True" in told.printed
    share = msgspec.structs.replace(line.header.scripts["eager"], fill="")
    header = msgspec.structs.replace(line.header, scripts={"eager": share})
    (told,) = ran([Composer(header).compose(line.case, line.variant, "eager").text])
    assert "can't be written to" in told.printed


def test_nan_and_infinity_as_grid_values_survive_the_file(lines: MakeLines, ran: Callable[..., list[Any]]) -> None:
    (line,) = lines("  - {name: one, for: {data: [[.nan, .inf, -.inf, 1]]}, call: asarray(data)}")
    assert 'data = [float("nan"), float("inf"), float("-inf"), 1]' in line.script().call
    assert "[3] 1.0" in ran([line.script().text])[0].printed


# Reasons why there is none


def changed(line: Any, **changes: Any) -> Callable[[], Any]:
    """The script of a result of which something is different."""
    parts = {"header": line.header, "case": line.case, "variant": line.variant, "record": line.record}
    for name, change in changes.items():
        parts[name] = msgspec.structs.replace(parts[name], **change)
    mode, idiom = parts["record"].mode, parts["record"].idiom
    return lambda: Composer(parts["header"]).compose(parts["case"], parts["variant"], mode, idiom, parts["record"])


EVIL = "__import__('os').system('echo')"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"header": {"scripts": {}}}, "backend 'numpy' has not said how a script runs something in its mode 'eager'"),
        ({"header": {"idioms": []}}, "backend 'numpy' has no idiom for sigmoid"),
        ({"variant": {"check": "gradient"}}, "backend 'numpy' has no gradients"),
        ({"case": {"call": EVIL}}, "can't be read: "),
        ({"case": {"call": f"sigmoid({EVIL})"}}, "can't be read: "),
        ({"case": {"call": "sigmoid(x)\nimport os"}}, "can't be read: "),
        ({"case": {"call": "sigmoid(x) if x else 1"}}, "can't be read: "),
        ({"case": {"call": "sigmoid(y)"}}, "neither an input nor bound"),
        ({"case": {"call": "("}}, "can't be read: "),
        ({"case": {"call": "sigmoid(x)", "claim": True}}, "can't be read: "),
        ({"variant": {"bindings": {"x; import os": 1}}}, "is no name"),
        ({"variant": {"bindings": {"y": {"a": EVIL}}}}, "is no plain value"),
        ({"variant": {"inputs": {"x\nimport os": Stored("float32", [1], "AAAAAA==")}}}, "is no name"),
        ({"variant": {"inputs": {"x": Stored("float32", [2], "AAAAAA==")}}}, "the input x: it can't be read"),
        ({"variant": {"inputs": {"x": Stored("float32", [9999], "AAAAAA==", "ab")}}}, "9,999 elements"),
        ({"variant": {"answer": Stored(EVIL, [1], "AAAAAA==")}}, "can't be read"),
    ],
)  # fmt: skip
def test_there_is_no_script_and_it_is_said_why(lines: MakeLines, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NoScriptError, match=re.escape(message)):
        changed(lines(CASES)[0], **changes)()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def sigmoid(x):\n    return helper(x)", "the idiom of sigmoid can't be used: it needs helper"),
        (f"def sigmoid(x):\n    return x\n\n{EVIL}", "not one plain function"),
        (f"@{EVIL}\ndef sigmoid(x):\n    return x", "not one plain function"),
        ("sigmoid = 1", "not one plain function"),
        ("def sigmoid(x):\n    return '", "can't be parsed"),
        ("def sigmoid(x):\n    return x  # \u202e", "characters that don't show"),
        ("def show(x):\n    return x", "called show, a name that the script has for something else"),
        ("def native(x):\n    return x", "called native, a name that the script has for something else"),
    ],
)
def test_an_idiom_that_can_not_stand_by_itself_gives_no_script(lines: MakeLines, source: str, message: str) -> None:
    line = lines(CASES)[0]
    with pytest.raises(NoScriptError, match=re.escape(message)):
        changed(line, header={"idioms": [IdiomSource("sigmoid", source)]})()


def test_an_idiom_that_uses_a_builtin_which_an_operation_hides_gives_no_script(lines: MakeLines) -> None:
    (line,) = lines("  - {name: one, given: {x: [0.5]}, call: sum(exp(x))}")
    idioms = [IdiomSource("exp", "def exp(x):\n    return sum([x])"), *line.header.idioms]
    idioms = [i for i in idioms if i.operation == "sum" or "sum([x])" in i.source]
    with pytest.raises(NoScriptError, match="it needs sum, which is the name of an operation here"):
        changed(line, header={"idioms": idioms})()


def test_texts_of_a_hostile_file_are_inert(lines: MakeLines) -> None:
    """IDs, versions and the machine's names change comments only: the script parses to the same program."""
    line = lines(CASES)[1]
    bad = f'\n{EVIL}\r"""\'\'\'\\\u2028\x00# /// script\n# dependencies = ["evil"]\n# ///\ncoding: utf-7'
    hostile = changed(
        line,
        header={
            "backend": bad,
            "device": bad,
            "versions": {bad: bad},
            "environment": {"python": line.header.environment["python"], "system": bad, "processor": bad},
            "selection": bad,
        },
        case={"id": bad, "text": bad, "about": bad, "path": bad, "operation": bad},
        variant={"id": bad, "expected": bad, "budget_source": bad},
        record={"variant": bad, "reason": bad, "link": bad},
    )().text
    assert ast.dump(ast.parse(hostile)) == ast.dump(ast.parse(line.script().text))
    assert metadata(hostile) == metadata(line.script().text)
    assert hostile.isascii()


def test_what_is_to_be_installed_is_a_pinned_distribution_and_nothing_else(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    share = line.header.scripts["eager"]
    bad = (
        "evil @ https://example.org/x",
        'a==1"]\nb = ["',
        "--index-url=https://example.org",
        "numpy==1.0 ; x",
        "good==1.0",
    )
    header = msgspec.structs.replace(line.header, scripts={"eager": msgspec.structs.replace(share, requires=bad)})
    assert metadata(Composer(header).compose(line.case, line.variant, "eager").text)["dependencies"] == ["good==1.0"]


@pytest.mark.parametrize(
    "change",
    [
        {"exact": EVIL}, {"exact": "1e999999999"}, {"exact": "1_0"}, {"exact": "nan"}, {"step": "9, sigmoid"}, {"step": "0, x"},
        {"quantum": None}, {"budget": None},
    ],
)  # fmt: skip
def test_a_record_that_can_not_be_is_not_measured(lines: MakeLines, change: dict[str, Any]) -> None:
    assert changed(lines(CASES)[0], record=change)().measured == ""


def test_a_quantum_that_no_dtype_has_does_not_end_a_script(lines: MakeLines) -> None:
    assert "ulp=2.0**-1074" in changed(lines(CASES)[0], record={"quantum": -(10**9)})().measured


def test_settings_and_modules_of_a_spelling_are_nothing_but_that(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    source = "def sigmoid(x):\n    return x"
    for change in ({"imports": "os; evil()"}, {"imports": "os as np"}):
        with pytest.raises(NoScriptError, match="what it imports is no module"):
            changed(line, header={"idioms": [IdiomSource("sigmoid", source, needs="x 1", **change)]})()
    script = changed(line, header={"idioms": [IdiomSource("sigmoid", source, setting='A="; evil(); "')]})()
    assert "evil" not in script.text


def test_a_script_holds_the_framework_to_the_kernels_of_its_run(lines: MakeLines) -> None:
    line = lines(CASES)[0]
    held = Held("baseline", {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"})
    script = changed(line, header={"held": held})().text
    assert "mode eager, held to baseline, cpu" in script
    assert script.index('os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V3 X86_V4"') < script.index("import numpy")
    for variables in ({'A"; evil(); "': ""}, {"A": '"; evil(); "'}, {"A": "x\n"}):
        with pytest.raises(NoScriptError, match="the variables that held it to its kernels are none"):
            changed(line, header={"held": Held("baseline", variables)})()


def test_deep_nesting_is_no_crash(lines: MakeLines) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NoScriptError, match="nested too deeply"):
        changed(lines(CASES)[0], variant={"bindings": {"y": deep}})()
    while isinstance(deep, list):  # taken apart here: a deep list is a deep call when it is freed
        deep = deep.pop()


# The whole corpus


def test_every_script_of_the_corpus_compiles(corpus: Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    """On NumPy and on one framework that compiles, which is not imported for it. The first input stands for the answer."""
    monkeypatch.setattr(Lines, "_exact", lambda _, prepared: (next(iter(prepared.inputs.values()), None), None))
    numpy = BackendSession("numpy", corpus)
    composers = {}
    for backend, mode in (("numpy", "eager"), ("jax", "jit")):
        session = BackendSession(backend, corpus, modes=[mode])
        composers[mode] = Composer(session.header({mode: corpus.share(backend, mode)}, ""))
    count = {"eager": 0, "jit": 0}
    for variant in corpus.variants:
        case, line = numpy.case_line(variant), numpy.variant_line(variant)
        for mode, composer in composers.items():
            if mode == "eager" and variant.check == "gradient":
                continue  # NumPy has none
            record = Record(variant.id, mode, "passed", ulp=1.0, budget=2.0, exact="1.5", quantum=-23)
            compile(composer.compose(case, line, mode, "", record).text, variant.id, "exec")
            count[mode] += 1
    assert count["jit"] == len(corpus.variants) and count["eager"] > 1000
