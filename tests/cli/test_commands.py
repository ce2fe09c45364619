"""The commands, as a person calls them: what they print, and how they exit."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from conformance import __version__, backends, runfile
from conformance.cli import app
from conformance.reports import machines
from conformance.runfile import Header, ModeSummary, Record, Writer
from conformance.suite.formula_code import offered

GOOD = """
  - {name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
  - {name: two, given: {x: [0.0]}, call: exp(x)}
"""
BAD = """
  - {name: one, given: {x: [0.0, 1.0]}, call: sigmoid(x)}
  - {name: wrong, given: {x: [0.0]}, call: exp(x), expect: {values: [2.0], because: of a mistake}}
"""
COMMANDS = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
MISTAKEN = """
  - {name: one, given: {x: [0.0]}, call: sigmod(x)}
  - {name: two, given: {x: [0.0]}, call: exp(y)}
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Call a command in an empty folder: its exit code, output and errors."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def command(python: Callable[..., Any]) -> Callable[..., Any]:
    """Call a command in a process of its own, in an empty folder (`conformance run` starts others)."""
    return lambda *arguments, **where: python("-m", "conformance", *map(str, arguments), **where)


# all of them


@pytest.mark.parametrize("command", ["", *sorted(COMMANDS)])
def test_every_command_has_a_help_that_names_what_options_take(command: str, call: Callable[..., Any]) -> None:
    for option in ("--help", "-h"):
        done = call(*filter(None, [command]), option)
        assert done.exit_code == 0
        assert not re.search(r"--\S+ <", done.stdout), "an option's value has no name"
    if command and command != "backends":
        assert f"Examples:\n    conformance {command}" in done.stdout


def test_the_examples_of_the_help_name_what_there_is(call: Callable[..., Any]) -> None:
    """Every option in them is one of their command, and every variant there is one."""
    examples = [
        shlex.split(line)
        for command in COMMANDS
        for line in call(command, "-h").stdout.partition("Examples:")[2].splitlines()
        if line.strip()
    ]
    assert len(examples) > 12
    for program, command, *words in examples:
        assert program == "conformance"
        known = call(command, "-h").stdout
        for word in words:
            if word.startswith("-"):
                assert re.search(rf"(?<!\S){re.escape(word)}(?![\w-])", known), (command, word)
            elif "/" in word and "[" in word:
                assert call("list", "--variant", word).exit_code == 0, word


def test_the_version_is_told(call: Callable[..., Any]) -> None:
    done = call("--version")
    assert (done.exit_code, done.stdout) == (0, f"conformance {__version__}\n")


# run


def test_a_run_of_right_cases_prints_a_summary_writes_a_report_and_exits_with_0(
    command: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    done = command("run", "--backend", "numpy", "--mode", "eager", "--cases", folder(GOOD), "-o", tmp_path / "out")
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stdout + done.stderr
    assert done.stdout.splitlines()[0].startswith("2 cases, 3 variants, 1 backend   cases ")
    assert "eager   3   3 passed" in done.stdout
    assert (tmp_path / "out" / "parity.html").is_file()
    assert all((tmp_path / "out" / name).is_file() for name in machines.NAMES)
    run = runfile.read(tmp_path / "out" / "numpy-cpu.jsonl")
    assert run.complete and run.header.selection == ""


def test_a_failing_run_names_the_command_that_repeats_it_and_that_command_does(
    command: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    first = command("run", "--backend", "numpy", "--mode", "eager", "--cases", folder(BAD), "--no-report")
    assert first.returncode == 1
    assert "eager   2   1 passed  1 failed" in first.stdout
    (line,) = (line for line in first.stdout.splitlines() if line.startswith("  repeat    "))
    program, *arguments = shlex.split(line.removeprefix("  repeat    "))
    assert program == "conformance"
    again = command(*arguments)
    assert again.returncode == 1
    failure = first.stdout[first.stdout.index("FAILED") : first.stdout.index("  repeat")]
    assert failure in again.stdout
    assert "eager   1   1 failed" in again.stdout


def test_a_part_of_the_cases_is_reported_beside_the_whole_and_not_in_its_place(
    command: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    cases = folder(GOOD)
    done = command("run", "--backend", "numpy", "--cases", cases, "--variant", "*two*", "--no-report", cwd=tmp_path)
    assert done.returncode == 0
    assert not (tmp_path / "reports" / "numpy-cpu.jsonl").exists()
    selected = tmp_path / "reports" / "selected" / "numpy-cpu.jsonl"
    assert list(runfile.read(selected).variants) == ["things/two[float32]"]
    assert runfile.read(selected).header.selection == "*two*"
    done = command("run", "--backend", "numpy", "--cases", cases, "-k", "one", "--no-report", cwd=tmp_path)
    assert done.returncode == 0
    assert list(runfile.read(selected).cases) == ["things/one"]
    assert runfile.read(selected).header.selection == "-k one"
    command("run", "--backend", "numpy", "--cases", cases, "--no-report", cwd=tmp_path)
    assert runfile.read(tmp_path / "reports" / "numpy-cpu.jsonl").complete


def test_a_backend_that_is_not_installed_is_told_at_once_and_takes_the_place_of_no_older_results(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends.load("jax"), "package", "nothing_of_that_name")
    for command in ("run", "bench"):
        done = call(command, "--backend", "jax")
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr.startswith("error: jax: nothing can run: nothing_of_that_name is not installed: pip install")
    assert not Path("reports").exists()


def test_failures_of_one_kind_are_shown_once_and_counted(
    command: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    wrong = "expect: {values: [2.0], because: of a mistake}"
    text = f"""
  - {{name: many, given: {{x: [0.0]}}, for: {{dtype: [float32, float64, float16]}}, call: exp(x), {wrong}}}
  - {{name: other, given: {{x: [1.0]}}, call: log(x), {wrong}}}
"""
    done = command("run", "-b", "numpy", "-m", "eager", "--cases", folder(text), "--no-report")
    assert done.returncode == 1
    assert re.findall(r"^(?:FAILED  \S+|  likewise .*)", done.stdout, re.MULTILINE) == [
        "FAILED  things/many[float32]",
        "  likewise  2 more variants of exp",
        "FAILED  things/other[float32]",
    ]


def test_other_spellings_are_run_by_themselves_and_a_failing_one_is_named(
    command: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    """(tanh(x / 2) + 1) / 2 is 0 from -17 on; what is lost in exp(x) / (1 + exp(x)), inf / inf, is arithmetic."""
    cases = folder("  - {name: one, given: {x: [-30.0, 100.0]}, call: sigmoid(x)}")
    arguments = ("run", "--backend", "numpy", "--cases", cases, "--no-report", "-o", tmp_path / "out", "--mode")
    assert command(*arguments, "eager").returncode == 0
    done = command(*arguments, "idioms")
    assert done.returncode == 1
    assert "things/one[float32]   numpy idioms (formula: (tanh(x / 2) + 1) / 2)   channel: value" in done.stdout
    assert "--backend numpy --mode idioms" in done.stdout
    run = runfile.read(tmp_path / "out" / "numpy-cpu.jsonl")
    assert run.complete and [m.name for m in run.header.modes] == ["idioms"]
    others = backends.load("numpy").idioms.others("sigmoid")
    formulas = ["formula: 1 / (1 + exp(-x))", "formula: exp(x) / (1 + exp(x))"]
    assert [r.idiom for r in run.records] == [*others, *formulas]
    assert [r.idiom for r in run.records if r.verdict == "failed"] == ["formula: (tanh(x / 2) + 1) / 2"]
    assert [r.idiom for r in run.records if r.verdict == "divergent"] == formulas[1:]


@pytest.mark.parametrize(
    ("keyword", "message"), [("nosuchcase", "no case matches 'nosuchcase'"), ("(", "Wrong expression passed to '-k'")]
)
def test_a_keyword_that_matches_nothing_or_can_not_be_read_is_a_usage_error(
    keyword: str, message: str, command: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    done = command("run", "--backend", "numpy", "--cases", folder(GOOD), "-k", keyword)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "trch"], "no backend 'trch'; there are numpy, torch, tensorflow, jax"),
        (
            ["--backend", "numpy", "--mode", "jit"],
            "none of numpy has the mode 'jit' on cpu; 'conformance backends' shows them",
        ),
        (["--backend", "numpy", "--mode", "eager", "--mode", "jitt"], "none of numpy has the mode 'jitt'"),
        (["--backend", "numpy", "--device", "tpu"], "no device 'tpu'; there are cpu and gpu"),
        (["--backend", "numpy", "--variant", "zzz*"], "no variant 'zzz*'; 'conformance list' shows all of "),
        (["--variant", "softmax[float32]"], "no variant 'softmax[float32]'; '*softmax*' matches "),
        (
            ["--variant", "document/softmax/printed-example[flaot32]"],
            "no variant 'document/softmax/printed-example[flaot32]'; 'document/softmax/printed-example[*' matches 1; ",
        ),
        (
            ["--variant", "document/sofmax/printed-example"],
            "no variant 'document/sofmax/printed-example'; did you mean 'document/softmax/printed-example[*'? ",
        ),
        (["--backend", "numpy", "--cases", "nowhere"], "nowhere: no such file or folder"),
    ],
)
def test_what_is_not_there_is_a_usage_error_that_says_what_is(
    arguments: list[str], message: str, call: Callable[..., Any]
) -> None:
    done = call("run", *arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {message}")
    assert not Path("reports").exists()


def test_a_registered_divergence_that_matches_nothing_stops_a_run_of_everything(
    call: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    entry = "  - {cases: nothing, instead: {dtype: float64}, because: it is said so, first-seen: numpy 1}"
    cases = folder(GOOD, **{"divergences/numpy.yaml": f"backend: numpy\ndivergences:\n{entry}"})
    done = call("run", "--backend", "numpy", "--cases", cases)
    assert done.exit_code == 2
    assert "divergences of numpy: 'nothing' matches no variant in its modes, dtypes and idioms" in done.stderr


@pytest.mark.parametrize("name", ["run", "check", "list", "explain"])
def test_every_mistake_in_case_files_is_told_with_its_place(
    name: str, call: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    cases = folder(MISTAKEN)
    done = call(name, *(["anything"] if name == "explain" else []), "--cases", cases)
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        f"error: {cases}/things.yaml:3:42: unknown operation 'sigmod' in call; did you mean 'sigmoid'?",
        f"{cases}/things.yaml:4:46: unknown name 'y'; known are x",
    ]


# check


def test_check_of_right_cases_counts_them(call: Callable[..., Any], folder: Callable[..., Path]) -> None:
    done = call("check", "--cases", folder(GOOD))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("2 cases, 3 variants, 0 registered divergences   cases ")


def test_check_of_the_cases_that_come_with_the_suite_finds_nothing(call: Callable[..., Any]) -> None:
    done = call("check")
    assert (done.exit_code, done.stderr) == (0, "")


def test_check_names_patterns_that_match_nothing(call: Callable[..., Any], folder: Callable[..., Path]) -> None:
    subset = "subsets:\n  - {backend: torch, mode: compile, because: it takes seconds, variants: [nothing]}\n"
    done = call("check", "--cases", folder(GOOD, **{"subsets.yaml": subset}))
    assert done.exit_code == 2
    assert done.stderr == "error: subsets: 'nothing' of torch compile matches no variant\n"


DOCUMENT = "A title\nA section\ntensor([0.5000])\n"
STATED = """document: {{title: A title, section: A section, lines: 2-3, sha256: '{}'}}
cases:
  - {{name: one, given: {{x: [0.0]}}, call: sigmoid(x), expect: {{prints: 'tensor([0.5000])'}}}}
"""


def test_check_holds_case_files_against_the_document(
    call: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    document = tmp_path / "document.txt"
    document.write_text(DOCUMENT)
    cases = folder(STATED.format(hashlib.sha256(DOCUMENT.encode()).hexdigest()))
    done = call("check", "--cases", cases, "--document", document)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "1 files state their document; 1 printed arrays stand in it verbatim" in done.stdout
    document.write_text(DOCUMENT.replace("0.5000", "0.5001"))
    done = call("check", "--cases", cases, "--document", document)
    assert done.exit_code == 2
    assert f"error: {cases}/things.yaml:1:1: document.sha256 is" in done.stderr
    assert f"{cases}/things.yaml:3:1: 'things/one': the document does not print tensor([0.5000])" in done.stderr


def test_check_refuses_a_document_that_is_not_there_or_that_no_file_states(
    call: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    cases = folder(GOOD)
    done = call("check", "--cases", cases, "--document", "nowhere.txt")
    assert (done.exit_code, done.stderr) == (2, "error: nowhere.txt: no such file\n")
    (tmp_path / "document.txt").write_text(DOCUMENT)
    done = call("check", "--cases", cases, "--document", tmp_path / "document.txt")
    assert (done.exit_code, done.stderr) == (2, "error: no case file states a document\n")


def test_check_writes_the_schemas_anew(call: Callable[..., Any], folder: Callable[..., Path]) -> None:
    cases = folder(GOOD)
    assert call("check", "--cases", cases, "--write-schemas").exit_code == 0
    assert sorted(p.name for p in cases.glob("*.json")) == [
        "divergences.schema.json", "schema.json", "subsets.schema.json",
    ]  # fmt: skip


# list


def test_list_shows_every_variant_a_line(call: Callable[..., Any], folder: Callable[..., Path]) -> None:
    cases = folder(GOOD)
    assert call("list", "--cases", cases).stdout.splitlines() == [
        "things/one[float32]", "things/one[float64]", "things/two[float32]",
    ]  # fmt: skip
    assert call("list", "--cases", cases, "--variant", "*64]").stdout == "things/one[float64]\n"


def test_list_gives_the_manifest_as_json_with_each_modes_share(
    call: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    subset = "subsets:\n  - {backend: torch, mode: compile, because: it takes seconds, variants: ['*two*']}\n"
    manifest = json.loads(call("list", "--json", "--cases", folder(GOOD, **{"subsets.yaml": subset})).stdout)
    others = {
        name: [len(backends.load(name).idioms.others(operation)) for operation in ("sigmoid", "exp")]
        for name in ("numpy", "torch")
    }
    for name, counts in others.items():
        counts[0] += len(offered(backends.load(name).idioms, "sigmoid"))
    assert others["torch"][0] > others["numpy"][0] > 2
    assert manifest["modes"]["numpy"] == {"eager": 3, "idioms": 2 * others["numpy"][0] + others["numpy"][1]}
    torch = {"eager": 3, "compile": 1, "idioms": 2 * others["torch"][0] + others["torch"][1]}
    assert manifest["modes"]["torch"] == torch
    assert manifest["modes"]["numpy"]["idioms"] > 0
    assert manifest["variants"][0] == {
        "id": "things/one[float32]",
        "case": "things/one",
        "operation": "sigmoid",
        "operations": ["sigmoid"],
        "dtype": "float32",
        "check": "value",
        "expression": "sigmoid(x)",
    }
    assert len(manifest["cases_digest"]) == len(manifest["manifest_digest"]) == 64


# explain


def test_explain_shows_a_variant_and_a_backends_answer(call: Callable[..., Any], folder: Callable[..., Path]) -> None:
    done = call("explain", "things/one[float64]", "--backend", "numpy", "--cases", folder(GOOD))
    assert done.exit_code == 0
    assert "0.73105857863000487925" in done.stdout
    assert "budget from: " in done.stdout
    assert "return 1 / (1 + np.exp(-x))" in done.stdout


def test_explain_takes_a_pattern_that_matches_one_variant_only(
    call: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    cases = folder(GOOD)
    done = call("explain", "*one*", "--backend", "numpy", "--cases", cases)
    assert done.exit_code == 2
    assert "'*one*' matches 2 variants; the first are things/one[float32], things/one[float64]" in done.stderr
    assert call("explain", "*two*", "--backend", "numpy", "--cases", cases).exit_code == 0
    assert call("explain", "*three*", "--cases", cases).exit_code == 2


# report and backends


def run_file(path: Path, variants: int = 0, finished: bool = True) -> Path:
    modes = [ModeSummary("eager", variants)]
    writer = Writer(path, Header(runfile.FORMAT, "0", "numpy", "cpu", {"numpy": "2"}, {}, "c", "m", modes, {}, [], "t"))
    if finished:
        writer.finish("t")
    else:
        writer.close()
    return path


def test_report_is_written_from_run_files_alone(
    command: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    cases, out = folder(BAD), tmp_path / "out"
    command("run", "--backend", "numpy", "--mode", "eager", "--cases", cases, "--no-report", "-o", out)
    (cases / "things.yaml").unlink()
    done = command("report", "-o", out)
    assert done.returncode == 1  # as the run itself
    assert "eager   2   1 passed  1 failed" in done.stdout
    assert "things/wrong" in (out / "parity.html").read_text(encoding="utf-8")


def test_report_of_an_incomplete_run_exits_with_3_and_says_so(call: Callable[..., Any], tmp_path: Path) -> None:
    done = call("report", run_file(tmp_path / "numpy.jsonl", 5, finished=False), "-o", tmp_path / "out")
    assert done.exit_code == 3
    assert "error: numpy: the run is incomplete; missing: 5 of eager" in done.stderr
    assert (tmp_path / "out" / "parity.html").is_file()
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (told["status"], told["problems"]) == ("incomplete", ["numpy: the run is incomplete; missing: 5 of eager"])


def test_report_refuses_what_is_no_run_file(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("hello\n")
    done = call("report", tmp_path / "a.jsonl", run_file(tmp_path / "b.jsonl"))
    assert (done.exit_code, done.stderr) == (
        2,
        f"error: {tmp_path}/a.jsonl:1: not a run file: expected its header\n",
    )
    assert not Path("reports").exists()


def test_report_without_run_files_says_where_they_come_from(call: Callable[..., Any]) -> None:
    done = call("report")
    assert (done.exit_code, done.stderr) == (2, "error: no run files in reports; 'conformance run' writes them\n")


def test_backends_are_shown_with_what_they_have(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ("numpy", "numpy 2", "cpu", "eager", "eager preserved", "ours AVX2"),
        ("jax", "jax is not installed", "", "jit", "", ""),
    ]
    monkeypatch.setattr("conformance.suite.explaining.backend_rows", lambda: iter(rows))
    assert [line.split() for line in call("backends").stdout.splitlines()] == [
        ["numpy"], ["versions", "numpy", "2"], ["devices", "cpu"], ["modes", "eager"],
        ["subnormals", "eager", "preserved"], ["kernels", "ours", "AVX2"],
        ["jax"], ["versions", "jax", "is", "not", "installed"], ["modes", "jit"],
    ]  # fmt: skip


def test_an_output_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("kept")
    done = CliRunner().invoke(app, ["run", "--backend", "numpy", "-k", "midpoint", "--output", str(taken)])
    assert done.exit_code == 2
    assert "can't be written to" in done.output
    assert taken.read_text() == "kept"


# divergences


REGISTRY = """backend: numpy
divergences:
  - cases: ['*wrong*']
    instead: {ulp: [1.0e+6, 1.0e+8]}
    because: a mistake that was made for this test
    first-seen: numpy 2.4.6
    link: https://example.org/1
"""


def test_divergences_lists_the_registry_in_words(call: Callable[..., Any], folder: Callable[..., Path]) -> None:
    root = folder(BAD, **{"divergences/numpy.yaml": REGISTRY})
    done = call("divergences", "--cases", root)
    assert done.exit_code == 0
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "numpy *wrong*",
        "instead an error of 1e+06 to 1e+08 ULP",
        "because a mistake that was made for this test",
        "first numpy 2.4.6 https://example.org/1",
    ]
    assert call("divergences", "--cases", root, "--backend", "torch").stdout == ""


def test_divergences_proposes_entries_for_what_fails_which_hold_once_they_have_a_reason(
    command: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = command("run", "-b", "numpy", "-m", "eager", "--cases", folder(BAD), "-o", out)
    assert ran.returncode == 1
    proposed = command("divergences", "--propose", out / "numpy-cpu.jsonl")
    assert proposed.returncode == 0
    without = folder(BAD, **{"divergences/numpy.yaml": proposed.stdout})
    refused = command("run", "-b", "numpy", "-m", "eager", "--cases", without, "-o", out)
    assert (
        refused.returncode,
        "'because' says why, in a sentence: expected at least 10 characters" in refused.stderr,
    ) == (2, True)
    complete = proposed.stdout.replace("because: ''", "because: a mistake that was made for this test")
    registered = folder(BAD, **{"divergences/numpy.yaml": complete})
    again = command("run", "-b", "numpy", "-m", "eager", "--cases", registered, "-o", out)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "1 divergent" in again.stdout


def test_divergences_has_nothing_to_propose_where_nothing_fails_and_says_where_run_files_are_missing(
    command: Callable[..., Any], call: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command("run", "-b", "numpy", "-m", "eager", "--cases", folder(GOOD), "-o", out)
    done = call("divergences", "--propose", out / "numpy-cpu.jsonl")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing fails" in done.stderr
    raw = (out / "numpy-cpu.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(raw[:-20])
    cut = call("divergences", "--propose", tmp_path / "cut.jsonl")
    assert (cut.exit_code, cut.stdout) == (3, "")
    assert "error: numpy: the run is incomplete; missing: its footer" in cut.stderr
    other = call("divergences", "--propose", "-b", "nmpy", out / "numpy-cpu.jsonl")
    assert (other.exit_code, other.stdout) == (2, "")
    assert "no run of 'nmpy' in these run files; there are runs of numpy" in other.stderr
    missing = call("divergences", "--propose")
    assert (missing.exit_code, "no run files in reports" in missing.stderr) == (2, True)
    (tmp_path / "broken.jsonl").write_text("{}\n")
    assert call("divergences", "--propose", tmp_path / "broken.jsonl").exit_code == 2


# repro


def test_repro_prints_a_script_that_runs_without_the_suite(
    call: Callable[..., Any], python: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    done = call("repro", "things/one[[]float64]", "--backend", "numpy", "--cases", folder(GOOD))
    assert done.exit_code == 2  # brackets are no wildcards
    done = call("repro", "things/one[float64]", "--backend", "numpy", "--cases", folder(GOOD))
    assert (done.exit_code, done.stderr) == (0, "")
    (tmp_path / "script.py").write_text(done.stdout)
    told = python("-I", str(tmp_path / "script.py"))
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("result: float64[2], SHA-256 ")
    assert "  [0] 0.5 (0x1.0000000000000p-1)   exact 0.5 (0x1.0000000000000p-1)" in told.stdout


def test_repro_takes_a_result_from_a_run_file(
    command: Callable[..., Any], call: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    command("run", "-b", "numpy", "-m", "eager", "--cases", folder(GOOD), "-o", tmp_path / "out", "--no-report")
    done = call("repro", "things/two*", "--run-file", tmp_path / "out" / "numpy-cpu.jsonl")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "read it before you run it" in done.stdout
    broken = call("repro", "x", "--run-file", tmp_path / "missing.jsonl")
    assert (broken.exit_code, "can't be read" in broken.stderr, broken.stdout) == (2, True, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["things/one*"], "error: which backend? Name it with --backend"),
        (["things/one*", "-b", "nothing"], "error: no backend 'nothing'; there are numpy"),
        (
            ["things/one*", "-b", "numpy"],
            "error: 2 variants match, one is needed: things/one[float32], things/one[float64]",
        ),
        (["nothing", "-b", "numpy"], "error: no variant 'nothing'"),
        (["things/two*", "-b", "numpy", "-m", "xla"], "error: backend 'numpy' has no mode 'xla'; it has eager, idioms"),
        (["things/two*", "-b", "numpy", "--idiom", "x"], "error: no spelling 'x' that it is run in; there are none"),
        (["things/two*", "-b", "numpy", "--device", "tpu"], "error: no device 'tpu'"),
    ],
)
def test_repro_says_what_is_wrong_and_exits_with_2(
    arguments: list[str], message: str, call: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    done = call("repro", *arguments, "--cases", folder(GOOD))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


# diff


def test_diff_of_a_run_with_itself_exits_with_0_and_writes_a_page(
    call: Callable[..., Any], write_run: Callable[..., Path], tmp_path: Path
) -> None:
    run = write_run(tmp_path / "numpy.jsonl", "numpy", [Record("ops/exp/one[n=1]", "eager", "passed")])
    done = call("diff", run, run)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "0 verdicts worse, 0 results gone, 0 errors grown (fails on: verdict, gone)" in done.stdout
    assert Path("reports", "diff.html").is_file()


def test_diff_exits_with_1_for_what_it_is_to_fail_on_only(
    command: Callable[..., Any], call: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    command("run", "-b", "numpy", "-m", "eager", "--cases", folder(GOOD), "-o", tmp_path / "good", "--no-report")
    good, bad = tmp_path / "good" / "numpy-cpu.jsonl", tmp_path / "changed.jsonl"
    run = runfile.read(good)
    writer = Writer(bad, run.header)
    for part in run.parts():
        writer.case(lambda part=part: part.case, part.case.id)
        for record in part.records:
            line = part.variants[record.variant]
            writer.variant(lambda line=line: line, line.id)
            writer.record(msgspec.structs.replace(record, verdict="failed"))
    writer.finish("t")
    done = call("diff", good, bad, "-o", tmp_path / "d.html", "--show", 1)
    assert done.exit_code == 1
    assert "verdicts that became worse: 3" in done.stdout
    assert done.stdout.count("conformance run --variant") == 1
    assert call("diff", good, bad, "-o", tmp_path / "d.html", "--fail-on", "drift").exit_code == 0
    assert call("diff", bad, good, "-o", tmp_path / "d.html").exit_code == 0


def test_diff_refuses_what_it_can_not_compare(call: Callable[..., Any], tmp_path: Path) -> None:
    run = run_file(tmp_path / "numpy.jsonl")
    for arguments, message in (
        ((run, tmp_path / "missing.jsonl"), "no such file or folder"),
        ((run, run, "--fail-on", "ulp"), "--fail-on 'ulp': there are verdict, gone, drift, timing"),
        ((run, run, "--fail-on", "timing"), "no timing files were paired"),
        ((run, run, "--pair", "numpy=jax"), "has no run of jax"),
    ):
        done = call("diff", *arguments)
        assert (done.exit_code, message in done.stderr) == (2, True), done.stderr


def test_diff_of_an_incomplete_run_exits_with_3(call: Callable[..., Any], tmp_path: Path) -> None:
    whole, cut = run_file(tmp_path / "a.jsonl"), run_file(tmp_path / "b.jsonl", 5, finished=False)
    done = call("diff", whole, cut)
    assert (done.exit_code, "error: B: the run of numpy is incomplete" in done.stderr) == (3, True)
