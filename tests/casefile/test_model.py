"""The JSON Schema that editors use: generated from the model, and of one mind with the loader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from conformance.casefile import yaml_reader
from conformance.casefile.model import GIVEN_SOURCES, CaseFile, Given
from conformance.checking.checking import schema_text
from conformance.suite.selection import default_root

SCHEMA = json.loads(schema_text("schema.json"))
BESIDE_SOURCES = {"put", "layout", "dtype"}


def test_the_schema_is_one_and_describes_every_key_it_knows() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    assert SCHEMA["title"]
    case = SCHEMA["$defs"]["Case"]
    assert {"name", "given", "for", "call", "claim", "expect", "check", "subnormals", "within", "draw"} <= set(
        case["properties"]
    )
    assert case["additionalProperties"] is False
    assert case["required"] == ["name"]
    assert set(SCHEMA["$defs"]["Given"]["properties"]) == {*GIVEN_SOURCES, *BESIDE_SOURCES}


def test_every_source_of_an_input_is_a_field_of_it() -> None:
    assert {f.encode_name for f in msgspec.structs.fields(Given)} == {*GIVEN_SOURCES, *BESIDE_SOURCES}
    assert list(Given(array=[1]).sources) == ["array"]
    assert Given(dtype="int8").sources == {}


def one(**parts: Any) -> dict[str, Any]:
    case = {"name": "a", "given": {"x": [1.0]}, "call": "exp(x)", **parts}
    return {"cases": [{key: value for key, value in case.items() if value is not None}]}


@pytest.mark.parametrize(
    ("data", "right"),
    [
        (one(), True),
        (one(given={"x": 1.5}), True),
        (one(given={"x": "max"}), True),
        (one(given={"x": {"normal": {"shape": [2], "seed": 1}}}), True),
        (one(given={"x": {"normal": {"shape": "s", "seed": 1}}}, **{"for": {"s": [[1]]}}), True),
        (one(given={"x": {"array": [[1, 2]], "dtype": "int8"}}), True),
        (one(given={"x": {"binades": {"shape": [2], "seed": "k", "low": "n", "high": 3, "sign": "positive"}}}), True),
        (one(given={"x": {"uniform": {"shape": "s", "seed": "k", "low": "a", "high": "b"}}}), True),
        (one(given={"x": {"array": [1], "put": {"at": [-1], "value": "max"}, "layout": "l"}}), True),
        (one(expect="raises"), True),
        (one(expect={"aliases": True}), True),
        (one(expect={"shape": [], "prints": "1.0"}), True),
        (one(call=None, claim="exp(x) == 1", within={"ulp": 1, "because": "because it is"}), True),
        (one(check=["value", "gradient"], subnormals="preserve", draw="curve", about="text"), True),
        (one(draw="accuracy"), True),
        (one(draw="line"), False),
        ({"cases": []}, False),
        ({}, False),
        ({"cases": [5]}, False),
        ({**one(), "more": 1}, False),
        (one(cal="exp(x)"), False),
        (one(name=None), False),
        (one(name="A b"), False),
        (one(name="a" * 101), False),
        (one(given={"X": [1]}), False),
        (one(given={"x": None}), False),
        (one(given={"x": {"nomal": {}}}), False),
        (one(given={"x": {"normal": {"shape": [2]}}}), False),
        (one(given={"x": {"normal": {"shape": [-1], "seed": 1}}}), False),
        (one(given={"x": {"normal": {"shape": [2], "seed": 2**32}}}), False),
        (one(given={"x": {"bernoulli": {"shape": [2], "seed": 1, "probability": [0.5]}}}), False),
        (one(given={"x": {"binades": {"shape": [2], "seed": 1, "low": 0.5}}}), False),
        (one(given={"x": {"binades": {"shape": [2], "seed": 1, "sign": "none"}}}), False),
        (one(given={"x": {"array": [1], "put": {"at": [0]}}}), False),
        (one(given={"x": {"array": [1], "put": {"at": [0.5], "value": 1}}}), False),
        (one(given={"x": {"array": [1], "put": {"at": [0], "value": None}}}), False),
        (one(given={"x": {"array": [1], "layout": 3}}), False),
        (one(expect={"aliases": "view"}), False),
        (one(given={"x": {"linspace": {"start": 0, "stop": 1, "count": 1}}}), False),
        (one(expect="raise"), False),
        (one(expect={"shape": [1.5]}), False),
        (one(check=[]), False),
        (one(check=["values"]), False),
        (one(within={"ulp": 0, "because": "because it is"}), False),
        (one(within={"ulp": 1, "because": "short"}), False),
        (one(call=5), False),
    ],
)
def test_schema_and_model_accept_and_refuse_alike(data: dict[str, Any], right: bool) -> None:
    """An editor that knows the schema and the loader that knows the model say the same."""
    assert Draft202012Validator(SCHEMA).is_valid(data) is right
    try:
        msgspec.convert(data, CaseFile)
        accepted = True
    except msgspec.ValidationError:
        accepted = False
    assert accepted is right


def case_files() -> Iterator[Any]:
    root = default_root()
    for path in sorted(root.rglob("*.yaml")):
        relative = path.relative_to(root)
        if relative.parts[0] != "divergences" and relative.name != "subsets.yaml":
            yield pytest.param(path, id=relative.as_posix())


@pytest.mark.parametrize("path", [*case_files()])
def test_the_case_files_of_the_suite_fit_the_schema(path: Any) -> None:
    data, _ = yaml_reader.read(path.read_text(encoding="utf-8"))
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in Draft202012Validator(SCHEMA).iter_errors(data)
    ]
    assert errors == []


def test_the_model_can_be_compared_and_never_changes(load_text: Callable[..., Any]) -> None:
    (loaded,) = load_text("cases: [{name: a, given: {x: 1.0}, call: exp(x)}]\n").cases
    with pytest.raises(AttributeError):
        loaded.case.name = "b"
    assert loaded.case == msgspec.convert(one(given={"x": 1.0})["cases"][0], type(loaded.case))
