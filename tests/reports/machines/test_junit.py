from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from conformance.reports.machines.junit import TEXTS_SHOWN, element
from conformance.runfile import Record, Run

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).with_name("xunit2.xsd")))


@pytest.fixture
def suites(files: Callable[..., Path]) -> Callable[..., dict[str, ET.Element]]:
    """The test suites of some runs by name; the file is valid, and its counts are right."""

    def read(*runs: Run, **options: Any) -> dict[str, ET.Element]:
        path = files(*runs, **options) / "junit.xml"
        SCHEMA.validate(str(path))
        root = ET.parse(path).getroot()
        for suite in root:
            for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(suite.attrib[attribute]) == len(suite.findall(f"testcase/{tag}"))
            assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        for attribute in ("tests", "failures", "errors"):
            assert int(root.attrib[attribute]) == sum(int(suite.attrib[attribute]) for suite in root)
        return {suite.attrib["name"]: suite for suite in root}

    return read


def case(suite: ET.Element, name: str) -> ET.Element:
    (found,) = (one for one in suite.findall("testcase") if one.attrib["name"] == name)
    return found


def test_each_verdict_becomes_what_it_is_and_only_a_pass_passes(
    suites: Callable[..., dict[str, ET.Element]], every_verdict: Run
) -> None:
    suite = suites(every_verdict)["numpy eager"]
    outcomes = {one.attrib["name"]: [child.tag for child in one] for one in suite.findall("testcase")}
    assert outcomes == {
        "passed": [],
        "failed": ["failure"],
        "divergent": ["skipped"],
        "unsupported": ["skipped"],
        "crashed": ["error"],
        "timed-out": ["error"],
        "every variant of the manifest has a record": [],
    }
    skipped = case(suite, "divergent").find("skipped")
    assert skipped is not None
    assert skipped.attrib == {"type": "divergent", "message": "0 of 1 variants passed; 1 divergent: why divergent"}


def test_a_test_case_is_a_case_and_passes_only_if_every_variant_did(
    suites: Callable[..., dict[str, ET.Element]], make_run: Any
) -> None:
    records = [
        Record("ops/exp/one[float32]", "eager", "passed"),
        Record("ops/exp/one[float64]", "eager", "passed"),
        Record("ops/exp/two[float32]", "eager", "passed"),
        Record("ops/exp/two[float64]", "eager", "divergent", "it is known"),
        Record("ops/exp/two[float16]", "eager", "divergent", "another"),
    ]
    suite = suites(make_run("torch", records))["torch eager"]
    assert [one.attrib["name"] for one in suite.findall("testcase")][:2] == ["one", "two"]
    assert case(suite, "one").attrib["classname"] == "torch.eager.ops.exp"
    assert list(case(suite, "one")) == []
    (skipped,) = case(suite, "two")
    assert skipped.attrib["message"] == "1 of 3 variants passed; 2 divergent: it is known (and 1 more reasons)"


def test_a_failure_has_the_text_of_the_console_and_the_command_that_repeats_it(
    suites: Callable[..., dict[str, ET.Element]], make_run: Any, failing: Any
) -> None:
    run = make_run("torch", [failing("ops/exp/one[float32]"), Record("ops/exp/one[float64]", "eager", "passed")])
    failure = case(suites(run, cases=Path("my cases"))["torch eager"], "one").find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "value", "message": "value: 1 of 2 variants"}
    assert (failure.text or "").splitlines() == [
        "FAILED  ops/exp/one[float32]   torch eager   channel: value",
        "  call      sigmoid(x)",
        "  expected  0.5",
        "  got       0.75",
        "            exact 0.5…",
        "            3 ULP away",
        "  repeat    conformance run --variant 'ops/exp/one[float32]' --backend torch --mode eager --cases 'my cases'",
    ]


def test_of_many_failures_in_a_case_some_are_shown_and_all_are_counted(
    suites: Callable[..., dict[str, ET.Element]], make_run: Any, failing: Any
) -> None:
    run = make_run("torch", [failing(f"ops/exp/one[float32,n={n}]") for n in range(100)])
    failure = case(suites(run)["torch eager"], "one").find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "value: 100 of 100 variants"
    text = failure.text or ""
    assert text.count("FAILED") == TEXTS_SHOWN
    assert f"and {100 - TEXTS_SHOWN} more:\n  ops/exp/one[float32,n={TEXTS_SHOWN}]" in text
    assert "repeat    conformance run --variant 'ops/exp/one[*' --backend torch --mode eager" in text


def test_a_case_that_failed_and_crashed_is_one_error(
    suites: Callable[..., dict[str, ET.Element]], make_run: Any, failing: Any
) -> None:
    records = [failing("ops/exp/one[float32]"), Record("ops/exp/one[float64]", "eager", "crashed", "signal 11")]
    one = case(suites(make_run("torch", records))["torch eager"], "one")
    assert [(child.tag, child.attrib["message"]) for child in one] == [("error", "value, crashed: 2 of 2 variants")]


@pytest.mark.parametrize("changes", [{"lacking": 3}, {"finished": False}])
def test_an_incomplete_run_is_an_error(
    changes: dict[str, Any], suites: Callable[..., dict[str, ET.Element]], make_run: Any
) -> None:
    run = make_run("numpy", [Record("ops/exp/one[float32]", "eager", "passed")], **changes)
    found = suites(run, problems=["numpy: the run is incomplete"])
    (error,) = case(found["numpy eager"], "every variant of the manifest has a record")
    assert (error.tag, error.attrib["type"]) == ("error", "incomplete")
    (whole,) = case(found["conformance"], "every run is whole")
    assert (whole.tag, whole.text) == ("error", "numpy: the run is incomplete")


def test_a_suite_tells_the_counts_of_variants_and_what_was_run(
    suites: Callable[..., dict[str, ET.Element]], every_verdict: Run
) -> None:
    suite = suites(every_verdict)["numpy eager"]
    told = {one.attrib["name"]: one.attrib["value"] for one in suite.findall("properties/property")}
    assert told["version of numpy"] == "1.2.3"
    assert told["manifest"] == "6"
    assert told["variants divergent"] == "1"
    assert told["selection"] == "all cases"


def test_hostile_texts_stay_text(
    bad: str, suites: Callable[..., dict[str, ET.Element]], hostile_run: Callable[[str], Run]
) -> None:
    found = suites(hostile_run(bad), problems=[bad])
    assert set(found) == {"numpy eager", "numpy other spellings", "conformance"}
    texts = "".join(found["numpy eager"].itertext())
    assert not any(character in texts for character in "\x00\x08\x1b\u202e")
    assert "script" not in {node.tag for suite in found.values() for node in suite.iter()}


def test_characters_that_xml_forbids_are_replaced_where_they_can_be_seen() -> None:
    made = element("failure", {"message": "a\x1bb\nc"}, "d\x00e\ufffef\ud800g\u202eh]]>")
    parsed = ET.fromstring(made)
    assert parsed.attrib["message"] == "a\\x1bb\nc"
    assert parsed.text == "d\\x00e\\ufffef\\ud800g\\u202eh]]>"


def test_the_schema_refuses_what_jenkins_refuses() -> None:
    head = '<testsuites><testsuite name="a" tests="1" failures="0" errors="0"><testcase name="b"'
    tail = "</testsuite></testsuites>"
    assert SCHEMA.is_valid(f"{head}/>{tail}")
    assert not SCHEMA.is_valid(f'{head} file="x.py"/>{tail}')
    assert not SCHEMA.is_valid(f"{head}><properties/></testcase>{tail}")
    assert not SCHEMA.is_valid(f"{head}><passed/></testcase>{tail}")
