"""Case files that were made to do harm are refused with one error at its place, before they cost anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.casefile.errors import CaseFileError
from conformance.casefile.loader import load
from conformance.ground import limits

NINES = "9" * 900


def case(given: str = "{x: [1.0]}", call: str = "sigmoid(x)", more: str = "") -> str:
    return f"cases:\n  - name: one\n    given: {given}\n    call: {call}\n{more}"


def bomb() -> str:
    """Nine levels of nine aliases: a billion values, were they built."""
    lines = ["a0: &a0 [lol]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10))]
    return "\n".join([*lines, "cases: *a9", ""])


HOSTILE: dict[str, tuple[str | bytes, str | re.Pattern[str]]] = {
    "a tag that would run a program": (
        "cases: !!python/object/apply:os.system ['touch ran']\n",
        "1:8: not allowed here: the tag",
    ),
    "a bomb of aliases": (bomb(), "1:5: not allowed here: an anchor"),
    "a million brackets": (
        "cases: " + "[" * 1_000_000,
        re.compile(r"1:(31|\d{4}): not allowed here: nesting deeper than 24 levels"),  # PyYAML 6.0.4 stops by itself
    ),
    "a thousand nested mappings": ("".join(" " * i + "a:\n" for i in range(1000)), "25:25: not allowed here: nesting"),
    "an expression of parentheses": (case(call="'" + "(" * 1900 + "x" + ")" * 1900 + "'"), "4:212: not an expression"),
    "an expression of calls": (case(call="exp(" * 14 + "x" + ")" * 14), "4:63: an expression nested deeper than 12"),
    "an expression of signs": (
        case(call="'" + "-" * 3900 + "x'"),
        re.compile("4:11: not an expression|4:25: an expression nested deeper than 12"),  # Python 3.13 parses it
    ),
    "an expression of powers": (case(call="'" + "**".join(["9"] * 800) + "'"), "4:11: expected names, numbers"),
    "an endless expression": (case(call="'sigmoid(x" + " " * 4000 + ")'"), "4:11: an expression of more than 4000"),
    "an endless list in a call": (case(call="'sigmoid([" + "1," * 1900 + "1])'"), "4:20: 'x' of 'sigmoid' must be"),
    "a printout of brackets": (case("{x: {printed: '" + "[" * 500_000 + "'}}"), "3:44: a printed array of more than 16"),
    "a printout of numbers": (case("{x: {printed: '[" + "1," * 70_000 + "1]'}}"), "3:131100: more than 65,536 printed"),
    "a printout of huge numbers": (case("{x: {printed: '[" + "1e9999," * 9 + "]'}}"), "3:28: the number '1e9999'"),
    "a printout of tiny numbers": (case("{x: {printed: '[1e-9999]'}}"), "3:28: the number '1e-9999' is out of all range"),
    "a printout with an ellipsis": (case("{x: {printed: '[1, ..., 1099511627776]'}}"), "3:31: expected a printed array"),
    "a printout of no dtype": (case("{x: {printed: 'tensor([1.], dtype=torch.float8)'}}"), "3:52: unknown dtype 'float8'"),
    "2**40 elements of a generator": (case("{x: {normal: {shape: [1099511627776], seed: 1}}}"), "3:34: expected a whole number, at most"),
    "2**40 elements of two lengths": (case("{x: {full: {shape: [1048576, 1048576], value: 1}}}"), "3:31: a shape of 1,099,511"),
    "2**40 elements of the grid": (
        case("{x: {full: {shape: s, value: 1}}}", more="    for: {s: [[2], [1099511627776]]}\n"),
        "3:31: a shape of 1,099,511,627,776 elements; 1,048,576 are allowed",
    ),
    "a length of 2**70 beside one of 0": (
        case("{x: {full: {shape: s, value: 1}}}", more="    for: {s: [[2], [0, 1180591620717411303424]]}\n"),
        "3:31: a length of 1,180,591,620,717,411,303,424 in a shape; 1,048,576 are allowed",
    ),
    "2**40 steps": (case("{x: {linspace: {start: 0, stop: 1, count: 1099511627776}}}"), "3:54: expected a whole number, at most 1048576"),
    "2**40 elements expected": (case(more="    expect: {shape: [1048576, 1048576]}\n"), "5:21: a shape of 1,099,511,627,776"),
    "2**40 elements of a call": (case(call="reshape(x, shape=[1099511627776])"), "4:11: 'reshape' gives 1,099,511,627,776"),
    "2**40 elements of a broadcast": (
        case("{x: {full: {shape: [1048576, 1], value: 1}}, y: {full: {shape: [1048576], value: 1}}}", "exp(x * y)"),
        "4:15: 'multiply' gives 1,099,511,627,776 elements; 1,048,576 are allowed",
    ),
    "2**40 terms of a loss": (
        case(
            "{x: {full: {shape: [1048576, 1], value: 1}}, y: {full: {shape: [1048576], value: 1}}}",
            "binary_cross_entropy(x, y)",
        ),
        "4:11: 'binary_cross_entropy' gives 1,099,511,627,776 elements",
    ),
    "stacks of stacks": (
        case("{x: {full: {shape: [1048576], value: 1}}}", "stack([x, x])"),
        "4:11: 'stack' gives 2,097,152 elements",
    ),
    "a thousand axes": (case("{x: {full: {shape: [" + "1, " * 999 + "1], value: 1}}}"), "3:31: expected at most 8 entries, found 1,000"),
    "a million digits": (case("{x: [" + "9" * 1_000_000 + "]}"), "3:17: not allowed here: a number of more than 1000"),
    "a million hexadecimal digits": (case("{x: [0x" + "f" * 1_000_000 + "]}"), "3:17: not allowed here: a number of more"),
    "900 digits of an input": (case("{x: [" + NINES + "]}"), "3:17: 99999"),
    "900 digits of a seed": (case("{x: {normal: {shape: [2], seed: " + NINES + "}}}"), "3:44: expected a whole number, at most 4294967295"),
    "900 digits of a bound": (
        case("{x: {integers: {shape: [2], low: 0, high: " + NINES + ", seed: 1}}}"),
        "3:54: 99999",
    ),
    "900 digits of the grid": (
        case("{x: [1.0]}", "softmax(x, axis=a)", "    for: {a: [" + NINES + "]}\n"),
        "5:15: a value of more than 100 characters in IDs",
    ),
    "digits of a call past int's limit": (case(call="softmax(x, axis=0x" + "f" * 3900 + ")"), "4:27: an integer of more than 64"),
    "digits of a call": (case(call="softmax(x, axis=-" + NINES + ")"), "4:28: an integer of more than 64 bits"),
    "a huge hexadecimal float": (case('{x: ["0x1p99999"]}'), "3:17: 0x1p99999 does not fit float32"),
    "a huge grid": (
        case("{x: [1.0]}", "softmax(x, axis=a)", f"    for: {{a: {list(range(20_001))}}}\n"),
        "5:10: a grid of 20,001 variants; 20,000 are allowed",
    ),
    "many huge grids": (
        "cases:\n"
        + "".join(
            f"  - {{name: n{i}, given: {{x: [1.0]}}, call: 'softmax(x, axis=a)', for: {{a: {list(range(9000))}}}}}\n"
            for i in range(30)
        ),
        "24:1: the variants so far have more than 200,000 inputs in all",
    ),
    "many inputs": (case("{" + ", ".join(f"x{i}: 1" for i in range(33)) + "}"), "3:12: expected at most 32 entries, found 33"),
    "a name that leaves the folder": ("cases:\n  - {name: ../../x, call: exp(x)}\n", "2:12: expected a name of lower-case words"),
    "a name of two lines": ('cases:\n  - {name: "one\\n", given: {x: 1}, call: exp(x)}\n', "2:12: a name of more than one"),
    "an input of two lines": ('cases:\n  - {name: one, given: {"x\\n": 1}, call: exp(x)}\n', "2:25: not allowed here: a key"),
    "a key with bidirectional controls": (
        "cases:\n  - {name: one, \u202eevil: 1, given: {x: 1}, call: exp(x)}\n",
        "2:17: unknown key '\\u202eevil'",
    ),
    "a word with a terminal's escape": (case(call='"sigmoid(x, \\e[31m)"'), "4:23: not an expression"),
    "Latin-1": ("cases:\n  # é\n".encode("latin-1"), "2:5: not UTF-8: byte 11 can't be read"),
    "UTF-16": ("cases: []\n".encode("utf-16"), "1:1: not UTF-8: byte 0 can't be read"),
    "half a character": (b"cases: \xf0\x9f", "1:8: not UTF-8: byte 7 can't be read"),
    "an encoded surrogate": (b"cases: \xed\xa0\x80\n", "1:8: not UTF-8: byte 7 can't be read"),
    "an escaped surrogate": ('cases: ["\\ud800"]\n', "1:12: not YAML: found invalid Unicode character escape code"),
    "NUL": ("cases: # é\n  \0\n", "2:3: not YAML: the character U+0000, which it does not allow"),
    "a terminal's escape": ("cases: \x1b[31m\n", "1:8: not YAML: the character U+001B"),
    "a byte order mark in the midst": ("cases: []\n\ufeff\n", "2:1: not YAML: the character U+FEFF"),
    "a second document": ("cases: []\n---\ncases: []\n", "2:1: not allowed here: a second document"),
    "a duplicate key": ("cases: []\ncases: []\n", "2:1: not allowed here: the key 'cases' a second time"),
    "a claim that can't fail": (
        "cases:\n  - {name: one, given: {x: 1.0}, claim: exp(x) == 5, within: {absolute: .inf, because: no reason at all}}\n",
        "2:62: expected a finite number: a claim within infinity could not fail",
    ),
    "too large a file": (b"#" * (limits.CASE_FILE_BYTES + 1), "1:1: can't be read: it has more than 2,097,152 bytes"),
}  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """A case file of that content."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "a.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("name", HOSTILE)
def test_one_error_says_what_and_where(name: str, written: Callable[[str | bytes], Path]) -> None:
    content, expected = HOSTILE[name]
    path = written(content)
    with pytest.raises(CaseFileError) as caught:
        load(path)
    (line,) = str(caught.value).splitlines()
    found = line.removeprefix(f"{path}:")
    assert expected.match(found) if isinstance(expected, re.Pattern) else found.startswith(expected)
    assert len(line) < limits.MESSAGE_CHARACTERS + 200
    assert line.isprintable()


LOADS_ALL = """
import os, resource, sys
from pathlib import Path
from conformance.casefile.errors import CaseFileError
from conformance.casefile.loader import load
load(Path(sys.argv[1], "0.yaml"))  # whatever is imported late
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[2]),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        load(path)
    except CaseFileError as error:
        print("refused", path.name)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited through /proc here")
def test_they_are_refused_in_little_memory_and_run_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    (folder / "0.yaml").write_text(case())
    for i, (content, _) in enumerate(HOSTILE.values(), start=1):
        (folder / f"{i}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    before = sorted(path.name for path in tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", LOADS_ALL, str(folder), str(192 * 2**20)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(HOSTILE)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_what_looks_odd_and_does_no_harm_is_read(written: Callable[[str | bytes], Path]) -> None:
    for content in (
        "\ufeff" + case(),
        case().replace("\n", "\r\n"),
        case().replace("\n", "\r"),
        case(more='    about: "\\u202e<script>\\u0007"\n'),
        case("{x: {full: {shape: [0, 1048576, 1048576], value: 1}}}"),
        case(call="reshape(x, shape=[-99999999999])"),
        case(call="softmax(x, axis=18446744073709551615)"),
    ):
        (loaded,) = load(written(content)).cases
        assert loaded.id == "a/one"


def test_too_many_mistakes_end_the_reading(written: Callable[[str | bytes], Path]) -> None:
    with pytest.raises(CaseFileError) as caught:
        load(written("cases:\n" + "  - {nme: 1}\n" * 100_000))
    assert len(caught.value.problems) == limits.MISTAKES + 1
    assert any("1,000 mistakes so far; the rest was not looked at" in p.message for p in caught.value.problems)


def test_folders_and_files_that_are_no_case_files_are_refused(tmp_path: Path) -> None:
    def refusal(path: Path) -> list[str]:
        with pytest.raises(CaseFileError) as caught:
            load(path)
        return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]

    os.mkfifo(tmp_path / "fifo.yaml")
    assert refusal(Path("/dev/zero")) == ["/dev/zero:1:1: can't be read: expected a file, found a device"]
    fifo = ["fifo.yaml:1:1: can't be read: expected a file, found a FIFO"]
    assert refusal(tmp_path / "fifo.yaml") == fifo
    assert refusal(tmp_path) == fifo
    (tmp_path / "fifo.yaml").unlink()
    (tmp_path / "a.yaml").symlink_to("/dev/zero")
    assert refusal(tmp_path) == ["a.yaml:1:1: can't be read: expected a file, found a device"]
    (tmp_path / "a.yaml").unlink()
    assert "can't be read: File name too long" in refusal(tmp_path / ("x" * 100) / "/".join(["y" * 100] * 50))[0]


def test_links_among_folders_that_go_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(case())
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "here").symlink_to(".")
    assert [loaded.id for loaded in load(tmp_path).cases] == ["a/one"]


@pytest.mark.parametrize(
    "name", ["<script>.yaml", "a\nb.yaml", "\u202ex.yaml", "a b.yaml", "[x].yaml", "*.yaml", b"\xff.yaml"]
)
def test_a_file_whose_name_could_not_be_part_of_an_id_is_refused(name: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_text(case())
    with pytest.raises(CaseFileError, match="is part of IDs, and may have letters, digits") as caught:
        load(tmp_path)
    assert re.fullmatch(r"[ -~]+", str(caught.value).removeprefix(str(tmp_path)))


def test_a_folder_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CASE_FILES", 2)
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text(case())
    with pytest.raises(CaseFileError, match="more than 2 case files"):
        load(tmp_path)
    monkeypatch.setattr(limits, "CASE_FILES", 3)
    assert len(load(tmp_path).cases) == 3
    monkeypatch.setattr(limits, "CORPUS_BYTES", 100)
    with pytest.raises(CaseFileError, match="the case files have more than 100 bytes"):
        load(tmp_path)
