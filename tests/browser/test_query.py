"""The query language, in the page that explains it: what is found is counted in the runs themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver.remote.webelement import WebElement

from conformance.ground.verdicts import FAILURES
from conformance.runfile import Record, Run

from .runs import MODES, Seen
from .screen import Screen

Holds = Callable[[Seen], object]


def record(holds: Callable[[Run, Record], object]) -> Holds:
    """Of a record of a primary spelling."""
    return lambda seen: seen.any(holds)


def other(holds: Callable[[Run, Record], object]) -> Holds:
    """Of a record of another spelling."""
    return lambda seen: any(holds(run, one) for run, one in seen.beside)


def differs(seen: Seen) -> bool:
    """Whether backends or modes part in verdict, dtype, shape, or in raising."""
    return len({(r.verdict, bool(r.raised), str([(s.dtype, s.shape) for s in r.got])) for _, r in seen.primary}) > 1


def bits(seen: Seen) -> bool:
    """Whether results part in their bits."""
    return len({str([s.data for s in r.got]) for _, r in seen.primary if r.got}) > 1


def off(seen: Seen) -> list[str]:
    """The backends that deviate in their first mode."""
    plain = [(run.header.backend, r) for run, r in seen.primary if r.mode == MODES[run.header.backend][0]]
    return [backend for backend, r in plain if r.verdict in (*FAILURES, "divergent")]


QUERIES: dict[str, Holds] = {
    "": lambda _: True,
    # Words, anywhere in the ID
    "wide": lambda v: "wide" in v.line.id,
    "WIDE axis=1": lambda v: "wide" in v.line.id and "axis=1" in v.line.id,
    "-wide": lambda v: "wide" not in v.line.id,
    "axis=1,": lambda v: "axis=1," in v.line.id,
    '"[float16,axis=3]"': lambda v: "[float16,axis=3]" in v.line.id,
    "float16*axis=3*]": lambda v: "[float16,axis=3" in v.line.id,
    "id:slope": lambda v: "slope" in v.line.id,
    "id=ops/softmax/slope": lambda v: False,
    "id=ops/softmax/slope[float16,gradient]": lambda v: v.line.id == "ops/softmax/slope[float16,gradient]",
    # About variants
    "op:softmax": lambda v: v.case.operation == "softmax",
    "op:soft": lambda v: False,
    "op:soft*": lambda v: v.case.operation == "softmax",
    "op:s*d": lambda v: v.case.operation == "sigmoid",
    "op:SoftMax": lambda v: v.case.operation == "softmax",
    "op=SoftMax": lambda v: False,
    "op:stack|sigmoid": lambda v: v.case.operation in ("stack", "sigmoid"),
    "-op:stack|sigmoid": lambda v: v.case.operation == "softmax",
    'op:"stack|sigmoid"': lambda v: False,
    "case:*/case-7": lambda v: v.case.id == "ops/stack/case-7",
    "case:*/case-7*": lambda v: v.case.id.startswith("ops/stack/case-7"),
    "dtype:float16": lambda v: v.line.dtype == "float16",
    "dtype:float*": lambda v: v.line.dtype.startswith("float"),
    "dtype:float* -dtype:float64": lambda v: v.line.dtype in ("float16", "float32"),
    "truth:convention": lambda v: v.line.truth == "convention",
    "truth:claim|refusal": lambda v: v.line.truth in ("claim", "refusal"),
    "is:different": differs,
    "-is:different": lambda v: not differs(v),
    "is:bits": bits,
    "is:bits -is:different": lambda v: bits(v) and not differs(v),
    "is:gradient": lambda v: v.line.check == "gradient",
    "is:gradient|different": lambda v: v.line.check == "gradient" or differs(v),
    "off:jax": lambda v: off(v) == ["jax"],
    "off:numpy,jax": lambda v: off(v) == ["numpy", "jax"],
    "off:*jax": lambda v: "jax" in off(v),
    'off:""': lambda v: not off(v),
    '-off:""': off,
    # About results: all of it has to hold of one and the same
    "verdict:failed": record(lambda _, r: r.verdict == "failed"),
    "verdict:failed|crashed|timed-out": record(lambda _, r: r.verdict in FAILURES),
    "-verdict:passed": record(lambda _, r: r.verdict != "passed"),
    "backend:torch": record(lambda run, _: run.header.backend == "torch"),
    "verdict:divergent backend:numpy": record(
        lambda run, r: r.verdict == "divergent" and run.header.backend == "numpy"
    ),
    "mode:compile": record(lambda _, r: r.mode == "compile"),
    "mode:jit verdict:failed|timed-out": record(lambda _, r: r.mode == "jit" and r.verdict in ("failed", "timed-out")),
    "-mode:eager verdict:divergent": record(lambda _, r: r.mode != "eager" and r.verdict == "divergent"),
    "device:gpu": record(lambda run, _: run.header.device == "gpu"),
    "device:gpu verdict:divergent": lambda v: False,
    "channel:nan-inf": record(lambda _, r: any(f.channel == "nan-inf" for f in r.findings)),
    "channel:nan-inf|status": record(lambda _, r: any(f.channel in ("nan-inf", "status") for f in r.findings)),
    'why:"rounded twice"': record(lambda _, r: "rounded twice" in r.reason),
    "why:rounded*twice": record(lambda _, r: "rounded twice" in r.reason),
    'why:"kernel for \\"half\\""': record(lambda _, r: 'kernel for "half"' in r.reason),
    'why="no kernel for \\"half\\" on this device"': record(lambda _, r: r.verdict == "unsupported"),
    'why="no kernel"': lambda v: False,
    "ulp>4": record(lambda _, r: r.ulp is not None and r.ulp > 4),
    "ulp>=6.25": record(lambda _, r: r.ulp is not None and r.ulp >= 6.25),
    "ulp<0.25": record(lambda _, r: r.ulp is not None and r.ulp < 0.25),
    "ulp<=0.25": record(lambda _, r: r.ulp is not None and r.ulp <= 0.25),
    "ulp>0.25 ulp<0.75 backend:jax": record(
        lambda run, r: run.header.backend == "jax" and r.ulp is not None and 0.25 < r.ulp < 0.75
    ),
    "ulp>1e300": lambda v: False,
    # About other spellings: then only they are looked at
    "spelling:*": other(lambda *_: True),
    "spelling:Tensor.softmax": other(lambda _, r: r.idiom == "Tensor.softmax"),
    'spelling:"formula: exp(x) / sum(exp(x))" verdict:divergent': other(
        lambda _, r: r.idiom.startswith("formula") and r.verdict == "divergent"
    ),
    "spelling:* verdict:failed": lambda v: False,
    "spelling:* backend:jax": other(lambda run, _: run.header.backend == "jax"),
    # Of all kinds
    "op:softmax dtype:float16 verdict:divergent backend:jax ulp>4": lambda v: (
        (v.case.operation, v.line.dtype) == ("softmax", "float16")
        and v.any(lambda run, r: run.header.backend == "jax" and r.verdict == "divergent" and (r.ulp or 0) > 4)
    ),
    "  op:stack \t is:different  ": lambda v: v.case.operation == "stack" and differs(v),
}


def test_a_query_finds_what_the_runs_hold(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    found = {query: _found(screen, query) for query in QUERIES}
    wanted = {query: sum(bool(holds(v)) for v in variants.values()) for query, holds in QUERIES.items()}
    assert found == wanted
    assert len(set(wanted.values())) > 30, "the runs tell queries apart"


def _found(screen: Screen, query: str) -> int:
    return int(screen.follow(query).split(" ")[0].replace(",", ""))


def test_the_list_shows_the_cases_and_variants_that_were_found(
    screen: Screen, parity: Path, variants: dict[str, Seen]
) -> None:
    screen.open(parity)
    wanted = [v for v in variants.values() if differs(v) and v.case.operation == "softmax"]
    assert screen.search("is:different op:softmax") == len(wanted)
    names = list(dict.fromkeys(v.case.id for v in wanted))
    assert screen.seen("#cases details.case .title") == names
    screen.click(screen.all("#cases summary.stop")[0])
    screen.until(lambda: screen.all("#cases .rows button"), "its variants are listed")
    of_first = [v.line.id.removeprefix(names[0])[1:-1] for v in wanted if v.case.id == names[0]]
    assert screen.texts("#cases .rows th button") == of_first


def test_a_long_list_is_shown_in_parts(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    cases = len({v.case.id for v in variants.values()})
    assert len(screen.all("#cases details.case")) == 60 < cases
    screen.click("#cases > button")
    assert len(screen.all("#cases details.case")) == cases
    assert not screen.all("#cases > button")
    rows = sum(v.case.id == "ops/softmax/wide-range" for v in variants.values())
    screen.search("case=ops/softmax/wide-range")
    screen.until(lambda: len(screen.all("#cases .rows th button")) == 100 < rows, "a case alone is open")
    screen.click("#cases .stop:not(summary, th *)")
    assert len(screen.all("#cases .rows th button")) == rows


@pytest.mark.parametrize(
    ("query", "told"),
    {
        "dtpye:float16": "There is no field “dtpye”; did you mean “dtype:”?",
        "verdicts:failed": "There is no field “verdicts”; did you mean “verdict:”?",
        "completely:other": "There is no field “completely”; there are id, op, case",
        "constructor:x": "There is no field “constructor”",
        'why:"never closed': "A quotation mark is not closed",
        'op:softmax "': "A quotation mark is not closed",
        "ulp:4": "“ulp” is compared: ulp>4, ulp<=0.5",
        "ulp=4": "“ulp” is compared: ulp>4, ulp<=0.5",
        "ulp>much": "“much” is not a number",
        'ulp>""': "“” is not a number",
        "op>4": "“op” is not a number: op:4",
        "op:": "“op:” lacks its value",
    }.items(),
)
def test_a_mistake_is_said_with_what_to_do(query: str, told: str, screen: Screen, parity: Path) -> None:
    screen.open(parity)
    assert told in screen.type(query, told)
    assert screen.one("#query").get_attribute("aria-invalid") == "true"
    assert screen.all("#cases details.case") == []
    assert told in screen.said[-1]
    screen.search("op:softmax")
    assert screen.one("#query").get_attribute("aria-invalid") == "false"
    assert screen.all("#cases details.case")


def test_examples_in_the_help_are_queries(screen: Screen, parity: Path) -> None:
    screen.open(parity)
    screen.click("details.help > summary")
    examples = screen.all("details.help li a")
    assert len(examples) > 5
    box = screen.one("#query")
    for example in examples:
        screen.click(example)
        screen.until(lambda text=example.text: box.get_attribute("value") == text, "the example is the query")
        assert "variants in" in screen.text("#found")


def test_what_was_found_is_said(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    number = screen.search("dtype:float64")
    assert screen.said[-1] == f"{number} of {len(variants)} variants in 2 cases"
    screen.search("no-such-variant")
    screen.search("dtype:float64 dtype:float16")
    assert screen.said[-1] == f"0 of {len(variants)} variants in 0 cases"


@pytest.mark.parametrize(
    ("query", "why"),
    {
        "op:sofmax": "nothing matches “op:sofmax”; did you mean “softmax”?",
        "op:soft": "nothing matches “op:soft”; there are sigmoid, ",
        "verdict:fail": "nothing matches “verdict:fail”; did you mean “failed”?",
        "backend:pytorch": "nothing matches “backend:pytorch”; did you mean “torch”?",
        "off:nobody": "nothing matches “off:nobody”; there are ",
        "is:other": "nothing matches “is:other”; there are different, bits, gradient",
        "op:softmax mode:jti": "nothing matches “mode:jti”; did you mean “jit”?",
        "dtype:flaot16": "nothing matches “dtype:flaot16”; did you mean “float16”?",
        "no-such-variant": "no ID holds “no-such-variant”",
        "nn.Softmax": "no ID holds “nn.Softmax”; did you mean “op:softmax”?",
    }.items(),
)
def test_where_nothing_can_be_found_the_term_is_named_that_is_why(
    query: str, why: str, screen: Screen, parity: Path
) -> None:
    screen.open(parity)
    assert screen.search(query) == 0
    assert f" in 0 cases: {why}" in screen.text("#found")
    assert screen.one("#query").get_attribute("aria-invalid") == "false"
    assert screen.search(f"-{query}" if " " not in query else "op:softmax") > 0
    assert screen.text("#found").endswith("cases") or screen.text("#found").endswith("case")


# The buttons


def test_backends_differ_is_one_click(screen: Screen, parity: Path, variants: dict[str, Seen]) -> None:
    screen.open(parity)
    screen.click(_button(screen, "Backends differ"))
    assert screen.found == sum(differs(v) for v in variants.values())
    assert screen.hash == "q=is:different"


def test_buttons_say_their_numbers_and_which_are_pressed(
    screen: Screen, parity: Path, variants: dict[str, Seen]
) -> None:
    wanted = {
        "Failed": QUERIES["verdict:failed|crashed|timed-out"],
        "Divergent": record(lambda _, r: r.verdict == "divergent"),
        "Unsupported": record(lambda _, r: r.verdict == "unsupported"),
        "Backends differ": differs,
        "Bits differ": bits,
        "Other spellings": other(lambda *_: True),
    }
    screen.open(parity)
    for name, holds in wanted.items():
        number = sum(bool(holds(v)) for v in variants.values())
        screen.until(lambda name=name, number=number: _button(screen, name).text == f"{name} {number}", name)
        screen.click(_button(screen, name))
        assert screen.found == number
        assert _pressed(screen) == [name]
        assert screen.focused.text.startswith(name), "the keyboard stays where it was"
        screen.click(_button(screen, name))
        assert _pressed(screen) == ["All"]
        assert screen.found == len(variants)


def test_buttons_add_to_what_was_typed_and_to_each_other(
    screen: Screen, parity: Path, variants: dict[str, Seen]
) -> None:
    screen.open(parity)
    screen.search("op:softmax")
    screen.click(_button(screen, "Divergent"))
    screen.click(_button(screen, "Backends differ"))
    assert screen.one("#query").get_attribute("value") == "op:softmax verdict:divergent is:different"
    assert _pressed(screen) == ["Divergent", "Backends differ"]
    diverges = record(lambda _, r: r.verdict == "divergent")
    assert screen.found == sum(v.case.operation == "softmax" and diverges(v) and differs(v) for v in variants.values())
    screen.click(_button(screen, "All"))
    assert screen.one("#query").get_attribute("value") == "op:softmax"
    assert _pressed(screen) == ["All"]


def _button(screen: Screen, name: str) -> WebElement:
    (found,) = (button for button in screen.all("#quick button") if button.text.startswith(name))
    return found


def _pressed(screen: Screen) -> list[str]:
    pressed = screen.all("#quick button[aria-pressed=true]")
    return [button.text.rstrip("0123456789, ") for button in pressed]
