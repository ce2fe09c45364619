"""Case files of every kind: what loads can be run, and what does not load is refused with places and nothing else.

The files made here are nearly right: their structure is that of case files, their values are often not.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from conformance.casefile.errors import CaseFileError
from conformance.casefile.inputs import materialise
from conformance.casefile.loader import Corpus, load
from conformance.casefile.model import GIVEN_SOURCES
from conformance.execution.program import compile_variant
from conformance.ground import limits
from conformance.ground.dtypes import DTYPES, GROUPS, NAMED_VALUES
from conformance.ground.layouts import LAYOUTS

SEEDS = sorted(path.read_bytes() for path in Path(__file__).parents[2].glob("cases/document/*.yaml"))

_numbers: st.SearchStrategy[Any] = st.one_of(
    st.integers(-3, 300),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from([*NAMED_VALUES, "-max", "0x1.8p+1", "-0x1p-99999", "0x1p99999", "0x"]),
)
_literals: st.SearchStrategy[Any] = st.recursive(_numbers, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
_shapes: st.SearchStrategy[Any] = (
    st.lists(st.integers(0, 4), max_size=3)
    | st.just("s")
    | st.lists(st.sampled_from([-1, 0, 1, 3, 2**10, 2**20, 2**40, 2**70]), max_size=9)
)
_scalars: st.SearchStrategy[Any] = st.integers(-4, 4) | st.floats() | st.sampled_from(["a", "nothing"]) | st.integers()
_seed = st.integers(0, 9)


def _source(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A generator with its shape and seed, and some of its other fields."""
    return st.fixed_dictionaries({"shape": _shapes, "seed": _seed}, optional=fields)


_SOURCES: dict[str, st.SearchStrategy[Any]] = {
    "array": _literals,
    "printed": st.sampled_from(["tensor([0.5000, 1.2500])", "[1 2]", "7", "[nan, -inf]"]) | st.text(max_size=9),
    "normal": _source(scale=_scalars, mean=_scalars),
    "uniform": _source(low=_scalars, high=_scalars),
    "integers": st.fixed_dictionaries({"shape": _shapes, "seed": _seed, "low": _scalars, "high": _scalars}),
    "bernoulli": _source(probability=_scalars),
    "binades": _source(low=_scalars, high=_scalars, sign=st.sampled_from(["both", "positive", "negative"])),
    "linspace": st.fixed_dictionaries(
        {"start": _scalars, "stop": _scalars, "count": st.integers(1, 9) | st.integers()}
    ),
    "full": st.fixed_dictionaries({"shape": _shapes, "value": _numbers | _scalars}),
}
assert set(_SOURCES) == set(GIVEN_SOURCES)

_given: st.SearchStrategy[Any] = _literals | st.sampled_from(GIVEN_SOURCES).flatmap(
    lambda source: st.fixed_dictionaries(
        {source: _SOURCES[source]},
        optional={
            "put": st.fixed_dictionaries({"at": st.lists(st.integers(-2, 3), max_size=2), "value": _numbers}),
            "layout": st.sampled_from([*LAYOUTS, "a"]),
            "dtype": st.sampled_from([*DTYPES]),
        },
    )
)
_CALLS = {
    "sigmoid(x)": "x",
    "softmax(x, axis=0)": "x",
    "softmax(x, axis=a)": "xa",
    "sum(x, axis=a, keepdims=True)": "xa",
    "stack([x, x], axis=0)": "x",
    "stack([x, stack([x, x, y])])": "xy",
    "reshape(x, shape=s)": "xs",
    "reshape(x, shape=[-1, 3])": "x",
    "asarray([1, 2.5])": "",
    "asarray(a, dtype='float16')": "a",
    "exp(x) / (1 + exp(y))": "xy",
    "x * y - a": "xya",
    "binary_cross_entropy(sigmoid(x), y, reduction='none')": "xy",
    "sigmoid(z)": "x",
    "sigmoid(": "x",
}
_GRID: dict[str, st.SearchStrategy[Any]] = {
    "s": st.lists(_shapes, min_size=1, max_size=3),
    "a": st.lists(_scalars | _literals | st.none() | st.text(max_size=3), min_size=1, max_size=3),
    "dtype": st.lists(st.sampled_from([*DTYPES, *GROUPS]), max_size=3) | st.sampled_from([*GROUPS, "float8"]),
}
_expect: st.SearchStrategy[Any] = st.just("raises") | st.fixed_dictionaries(
    {},
    optional={
        "shape": _shapes,
        "dtype": st.sampled_from([*DTYPES, "x"]),
        "values": _literals,
        "prints": _SOURCES["printed"],
        "aliases": st.booleans(),
        "because": st.text(max_size=5),
    },
)


@st.composite
def _case(draw: st.DrawFn) -> dict[str, Any]:
    """A case whose inputs and grid are what its call needs, more or less."""
    call = draw(st.sampled_from(sorted(_CALLS)))
    case: dict[str, Any] = {"name": draw(st.sampled_from([*["one"] * 12, "two", "../x", "one\n", ""]))}
    case["given"] = {name: draw(_given) for name in _CALLS[call] if name in "xy"}
    spelled = json.dumps(case["given"])
    named = [name for name in "as" if name in _CALLS[call] or f'"{name}"' in spelled]
    case["for"] = {name: draw(_GRID[name]) for name in [*named, *draw(st.sampled_from([[], ["dtype"]]))]}
    case |= draw(st.sampled_from([{"call": call}, {"claim": f"{call} == 1"}, {"claim": f"shape({call}) == [2]"}]))
    if draw(st.integers(0, 3)) == 0:
        case["expect"] = draw(_expect)
    if draw(st.integers(0, 3)) == 0:
        case["check"] = draw(st.lists(st.sampled_from(["value", "gradient"]), max_size=3))
    if draw(st.integers(0, 9)) == 0:
        case[draw(st.text(max_size=5))] = draw(_literals)
    return case


case_files: st.SearchStrategy[str] = st.lists(_case(), min_size=1, max_size=2).map(
    lambda cases: _yaml({"cases": cases})
)


def _yaml(data: Any) -> str:
    """JSON, which is YAML, with the names that YAML has for what JSON has not."""
    text = json.dumps(data)
    return text.replace("NaN", ".nan").replace("-Infinity", "-.inf").replace("Infinity", ".inf")


def loaded(content: bytes) -> Corpus | None:
    """What comes of a file: a corpus, or None after its error was looked at."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_bytes(content)
        try:
            return load(path)
        except CaseFileError as error:
            lines = content.decode("utf-8", "replace").splitlines() or [""]
            for problem, line in zip(error.problems, str(error).splitlines(), strict=True):
                assert line.startswith(f"{path}:{problem.line}:{problem.column}: ")
                assert len(line) < limits.MESSAGE_CHARACTERS + 200
                assert 1 <= problem.line <= len(lines) + 1, error
            return None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case_files)
def test_what_loads_can_be_prepared_and_all_else_is_refused_with_places(text: str) -> None:
    corpus = loaded(text.encode())
    event("loads" if corpus else "refused")
    for variant in corpus.variants() if corpus else ():
        compile_variant(variant)
        assert materialise(variant).keys() == variant.case.case.given.keys()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_case_file_with_bytes_changed_loads_or_is_refused_with_places(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 8))
        content[start:end] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from(
                [b"\0", b"\xff", b"\xed\xa0\x80", b"\r", b"&a ", b"*a", b"!!x ", b"\n---\n", b"- " * 30, b"{" * 30]
            )
        )
    loaded(bytes(content))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_at_all_are_refused_with_places(content: bytes) -> None:
    assert loaded(content) is None
