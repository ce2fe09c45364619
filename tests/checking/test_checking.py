"""Checks beyond reading: provenance held against the document, subsets that match nothing, schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from conformance.casefile.loader import load
from conformance.checking import checking
from conformance.checking.checking import (
    SCHEMAS,
    check_document,
    schema_files,
    schema_text,
    stale_schemas,
    stray_entries,
)
from conformance.suite.selection import default_root

DOCUMENT = """A short document
About sigmoids
>>> torch.sigmoid(torch.tensor([0.0386]))
tensor([0.5097])
The end
"""
STATED = """document: {{title: {title}, section: {section}, lines: {lines}, sha256: '{sha256}'}}
cases:
  - name: printed
    given: {{x: {{printed: 'tensor([0.0386])'}}}}
    call: sigmoid(x)
    expect: {{prints: '{prints}'}}
"""


@pytest.fixture
def checked(folder: Callable[..., Path], tmp_path: Path) -> Callable[..., tuple[list[str], int]]:
    """The problems of a case file that states the document above, and how many prints stand in it."""

    def check(
        document: str | bytes = DOCUMENT, prints: str = "tensor([0.5097])", **stated: str
    ) -> tuple[list[str], int]:
        path = tmp_path / "document.txt"
        path.write_bytes(document if isinstance(document, bytes) else document.encode())
        facts = {
            "title": "A short document",
            "section": "About sigmoids",
            "lines": "2-4",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        } | stated
        problems, found = check_document(load(folder(STATED.format(prints=prints, **facts))), path)
        return [str(p).partition("cases/")[2] or str(p) for p in problems], found

    return check


def test_a_case_file_that_tells_the_truth_about_its_document_has_no_problems(
    checked: Callable[..., tuple[list[str], int]],
) -> None:
    assert checked() == ([], 2)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"title": "A long document"}, "title is 'A long document', the document begins with 'A short document'"),
        ({"section": "About tanh"}, "section 'About tanh' does not stand in lines 2-4"),
        ({"lines": "3-5"}, "section 'About sigmoids' does not stand in lines 3-5"),
        ({"lines": "2-6"}, "lines is 2-6, the document has 5 lines"),
        ({"lines": "4-2"}, "lines is 4-2, the document has 5 lines"),
    ],
)
def test_a_wrong_statement_about_the_document_is_named(
    stated: dict[str, str], message: str, checked: Callable[..., tuple[list[str], int]]
) -> None:
    assert checked(**stated) == ([f"things.yaml:1:1: document.{message}"], 2)


def test_a_document_that_was_changed_is_named_with_both_digests(
    checked: Callable[..., tuple[list[str], int]],
) -> None:
    changed = DOCUMENT + "\n"
    ((problem,), _) = checked(changed, sha256="0" * 64)
    digest = hashlib.sha256(changed.encode()).hexdigest()
    assert problem == f"things.yaml:1:1: document.sha256 is {'0' * 64}, the document's is {digest}"


def test_a_print_that_the_document_does_not_have_is_named(checked: Callable[..., tuple[list[str], int]]) -> None:
    assert checked(prints="tensor([0.5096])") == (
        ["things.yaml:3:1: 'things/printed': the document does not print tensor([0.5096])…"],
        1,
    )


def test_a_printed_input_is_looked_for_too(checked: Callable[..., tuple[list[str], int]]) -> None:
    (problem,), found = checked(DOCUMENT.replace("0.0386", "0.0387"))
    assert "the document does not print tensor([0.0386])" in problem
    assert found == 1


def test_white_space_does_not_count_and_prints_may_run_over_lines(
    checked: Callable[..., tuple[list[str], int]],
) -> None:
    assert checked(DOCUMENT.replace("tensor([0.5097])", "tensor( [\n0.5097 ])"), lines="2-5") == ([], 2)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"", "the document begins with ''"),
        (b"\xff\xfe\x00", "not UTF-8: byte 0 can't be read"),
    ],
)
def test_a_document_without_text_is_a_problem_and_no_crash(
    document: bytes, problem: str, checked: Callable[..., tuple[list[str], int]]
) -> None:
    problems, found = checked(document)
    assert any(problem in text for text in problems)
    assert found == 0


def test_files_that_state_no_document_are_left_alone(folder: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "document.txt"
    path.write_text(DOCUMENT)
    text = "  - {name: one, given: {x: [0.0]}, call: sigmoid(x), expect: {prints: 'tensor([0.5000])'}}"
    assert check_document(load(folder(text)), path) == ([], 0)


def test_a_subset_whose_pattern_matches_nothing_or_whose_mode_is_unknown_is_reported(
    folder: Callable[..., Path],
) -> None:
    text = "  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}"
    subsets = """subsets:
  - {backend: torch, mode: compile, because: it takes seconds, variants: ['things/one*', 'things/two*']}
  - {backend: torch, mode: jit, because: it takes seconds, variants: ['things/one*']}
"""
    assert stray_entries(load(folder(text, **{"subsets.yaml": subsets}))) == [
        "subsets: 'things/two*' of torch compile matches no variant",
        "subsets: backend 'torch' has no mode 'jit'",
    ]


def test_of_the_cases_that_come_with_the_suite_every_pattern_matches_and_every_schema_is_current() -> None:
    assert stray_entries(load(default_root())) == []
    assert stale_schemas(default_root()) == []


def test_a_schema_that_is_missing_or_changed_is_stale(tmp_path: Path) -> None:
    assert stale_schemas(tmp_path) == [tmp_path / name for name in SCHEMAS]
    for name in SCHEMAS:
        (tmp_path / name).write_text(schema_text(name), encoding="utf-8")
    assert stale_schemas(tmp_path) == []
    (tmp_path / "schema.json").write_text(schema_text("schema.json") + " ", encoding="utf-8")
    assert stale_schemas(tmp_path) == [tmp_path / "schema.json"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_itself(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text(name)))


@pytest.mark.parametrize(
    ("entry", "right"),
    [
        ("{name: one, call: exp(x)}", True),
        ("{name: One, call: exp(x)}", False),
        ("{name: one, cal: exp(x)}", False),
        ("{call: exp(x)}", False),
        ("{name: one, call: exp(x), expect: raises}", True),
        ("{name: one, call: exp(x), expect: fails}", False),
        ("{name: one, call: exp(x), within: {ulp: 0, because: it is said so}}", False),
    ],
)
def test_the_schema_tells_right_entries_from_wrong_ones(entry: str, right: bool) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(schema_text("schema.json")))
    assert schema.is_valid(yaml.safe_load(f"cases: [{entry}]")) == right


def test_the_schema_of_the_summary_stands_beside_the_suites_own_cases_and_beside_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2] / "cases"  # those of the checkout, wherever the package is installed
    monkeypatch.setattr(checking, "default_root", lambda: root)
    assert root.parent / "docs" / "summary.schema.json" in schema_files(root)
    assert stale_schemas(root) == []
    (tmp_path / "docs").mkdir()
    assert list(schema_files(tmp_path / "cases")) == [tmp_path / "cases" / name for name in SCHEMAS]
