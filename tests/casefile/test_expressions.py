"""The expressions of calls and claims: what they may say, what is refused and where, and that nothing is ever run."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.casefile import expressions
from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import (
    COMPARISONS,
    Call,
    Comparison,
    Constant,
    ListOf,
    Name,
    ShapeOf,
    check,
    names_in,
    operations_in,
    parse_call,
    parse_claim,
)
from conformance.ops import OPERATIONS


def mistake(text: str, parse: Any = parse_call, arrays: Any = ("x", "y"), values: Any = None) -> Mistake:
    with pytest.raises(Mistake) as caught:
        expressions.check(parse(text), arrays, values or {"axis": [0, 1], "dtype": ["float32"]})
    return caught.value


def test_a_call_binds_its_arguments_to_parameters_in_the_operations_order() -> None:
    by_place = parse_call("binary_cross_entropy(x, y, reduction='sum', weight=w)")
    assert by_place == Call(
        "binary_cross_entropy",
        (
            ("p", Name("x", 21)),
            ("target", Name("y", 24)),
            ("weight", Name("w", 51)),
            ("reduction", Constant("sum", 37)),
        ),
        0,
    )
    by_name = parse_call("softmax(axis=-1, x=x)")
    assert isinstance(by_name, Call)
    assert [name for name, _ in by_name.arguments] == ["x", "axis"]


def test_calls_nest_and_lists_hold_what_they_hold() -> None:
    assert parse_call("reshape(stack([q, w], axis=1), shape=[-1])") == Call(
        "reshape",
        (
            (
                "x",
                Call("stack", (("arrays", ListOf((Name("q", 15), Name("w", 18)), 14)), ("axis", Constant(1, 27))), 8),
            ),
            ("shape", ListOf((Constant(-1, 38),), 37)),
        ),
        0,
    )


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        ("x + y", ["add"]),
        ("x - y * 2", ["subtract", "multiply"]),
        ("-x / y", ["divide", "negative"]),
        ("(x + 1) * (x - 1)", ["multiply", "add", "subtract"]),
    ],
)
def test_operators_are_calls_of_the_arithmetic_operations(text: str, operations: list[str]) -> None:
    parsed = parse_call(text)
    assert isinstance(parsed, Call)
    assert parsed.operation == operations[0]
    assert expressions.operations_in(parsed) == set(operations)
    expressions.check(parsed, ["x", "y"], {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3", -3),
        ("2.5", 2.5),
        ("-0.0", -0.0),
        ("1e-5", 1e-5),
        ("0x10", 16),
        ("True", True),
        ("None", None),
        ("'a'", "a"),
    ],
)
def test_constants_are_what_python_writes(text: str, value: Any) -> None:
    parsed = parse_call(f"asarray({text})")
    assert isinstance(parsed, Call)
    constant = parsed.arguments[0][1]
    assert isinstance(constant, Constant)
    assert repr(constant.value) == repr(value)


def test_a_claim_is_a_chain_of_comparisons() -> None:
    assert parse_claim("0 <= sigmoid(x) <= 1") == Comparison(
        (Constant(0, 0), Call("sigmoid", (("x", Name("x", 13)),), 5), Constant(1, 19)), ("<=", "<=")
    )
    assert parse_claim("shape(softmax(x, axis=0)) == shape(x) == [2, 2]").relations == ("==", "==")
    sides = parse_claim("shape(x) != [2]").sides
    assert sides[0] == ShapeOf(Name("x", 6), 0)
    for relation in ("==", "!=", "<", "<=", ">", ">="):
        assert parse_claim(f"exp(x) {relation} 1").relations == (relation,)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("x.sum()", 0),
        ("softmax(x.T, axis=0)", 8),
        ("softmax(x, axis=x.ndim)", 16),
        ("np.exp(x)", 0),
        ("exp(x).real", 0),
        ("lambda: 0", 0),
        ("exp(lambda: x)", 4),
        ("(lambda: exp(x))()", 0),
        ("[exp(x) for x in y]", 0),
        ("exp([x for x in y])", 4),
        ("exp({x for x in y})", 4),
        ("exp(x for x in y)", 3),
        ("exp({x: 1 for x in y})", 4),
        ("exp(f'{x}')", 4),
        ("asarray(f'{1}')", 8),
        ("exp((z := x))", 5),
        ("exp(x if y else x)", 4),
        ("exp(x and y)", 4),
        ("exp(not x)", 4),
        ("exp(x[0])", 4),
        ("exp(x[:, 0])", 4),
        ("stack([*x])", 7),
        ("x ** 2", 0),
        ("x @ y", 0),
        ("x % 2", 0),
        ("x // 2", 0),
        ("exp(+x)", 4),
        ("exp(~x)", 4),
        ("x << 1", 0),
        ("x | y", 0),
        ("exp({1, 2})", 4),
        ("exp({})", 4),
        ("exp(1j)", 4),
        ("exp(b'a')", 4),
        ("exp(...)", 4),
        ("softmax(x, axis=(1 < 2))", 17),
        ("softmax(x < 1, axis=0)", 8),
        ("exp(await x)", 4),
        ("exp((yield))", 5),
    ],
)
def test_every_other_part_of_python_is_refused_where_it_begins(text: str, column: int) -> None:
    found = mistake(text)
    assert found.offset == column
    assert "expected" in found.message or "not an expression" in found.message


@pytest.mark.parametrize("text", ["x", "3", "'x'", "[x]", "shape(x)", "shape(exp(x))", "None"])
def test_a_call_must_call_an_operation(text: str) -> None:
    assert mistake(text).message == "expected the call of an operation"


def test_a_comparison_in_a_call_is_sent_to_claims_and_a_claim_without_one_is_refused() -> None:
    assert mistake("exp(x) == y").message == "a comparison in a call; write it under 'claim'"
    assert "expected a comparison" in mistake("exp(x)", parse_claim).message
    assert "nothing in it is computed" in mistake("x == y", parse_claim).message
    assert "nothing in it is computed" in mistake("1 < 2", parse_claim).message
    for relation in ("is", "is not", "in", "not in"):
        assert "expected one of ==, !=, <, <=, >, >=" in mistake(f"exp(x) {relation} y", parse_claim).message


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("sofmax(x, axis=0)", "unknown operation 'sofmax' in call; did you mean 'softmax'?", 0),
        ("exp(sofmax(x, axis=0))", "unknown operation 'sofmax' in call; did you mean 'softmax'?", 4),
        ("eval('1')", "unknown operation 'eval' in call", 0),
        ("__import__('os')", "unknown operation '__import__' in call", 0),
        ("softmax(x, dim=0)", "'softmax' has no parameter 'dim'", 11),
        ("softmax(x, axs=0)", "'softmax' has no parameter 'axs'; did you mean 'axis'?", 11),
        ("softmax(x, 0)", "too many arguments: softmax(x, *, axis=None)", 11),
        ("exp(x, y)", "too many arguments: exp(x)", 7),
        ("softmax(axis=0)", "'softmax' lacks 'x': softmax(x, *, axis=None)", 0),
        ("binary_cross_entropy(x)", "'binary_cross_entropy' lacks 'target'", 0),
        ("exp(x, x=x)", "'x' is given twice", 7),
        ("exp(*x)", "'*' is not part of the case language", 4),
        ("softmax(x, **y)", "'**' is not part of the case language", 11),
        ("softmax(x, axis=0, axis=1)", "'axis' is given twice", 19),
    ],
)
def test_mistakes_in_calls_are_named_and_placed_and_the_nearest_word_is_offered(
    text: str, message: str, column: int
) -> None:
    found = mistake(text)
    assert found.message.startswith(message)
    assert found.offset == column


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("exp(z)", "unknown name 'z'", 4),
        ("softmax(x, axis=axes)", "unknown name 'axes'; did you mean 'axis'?", 16),
        ("softmax(x, axis='0')", "'axis' of 'softmax' must be an axis (an integer), found '0'", 16),
        ("softmax(x, axis=0.0)", "'axis' of 'softmax' must be an axis (an integer), found 0.0", 16),
        ("softmax(x, axis=True)", "'axis' of 'softmax' must be an axis (an integer), found True", 16),
        ("softmax(x, axis=None)", "'axis' of 'softmax' must be an axis (an integer), found None", 16),
        ("softmax(x, axis=y)", "'axis' of 'softmax' must be an axis (an integer), found an array", 16),
        ("softmax(x, axis=exp(x))", "'axis' of 'softmax' must be an axis (an integer), found an array", 16),
        ("softmax(x, axis=[0])", "'axis' of 'softmax' must be an axis (an integer), found [0]", 16),
        ("softmax(x, axis=dtype)", "'axis' of 'softmax' must be an axis (an integer), found 'float32'", 16),
        ("softmax(3, axis=0)", "'x' of 'softmax' must be an array, found 3", 8),
        ("softmax(axis, axis=0)", "'x' of 'softmax' must be an array, found 0", 8),
        ("softmax([1.0], axis=0)", "'x' of 'softmax' must be an array, found [1.0]", 8),
        ("softmax(None, axis=0)", "'x' of 'softmax' must be an array, found None", 8),
        ("binary_cross_entropy(x, None)", "'target' of 'binary_cross_entropy' must be", 24),
        (
            "binary_cross_entropy(x, y, weight=1.0)",
            "'weight' of 'binary_cross_entropy' must be an array or null, found 1.0",
            34,
        ),
        (
            "binary_cross_entropy(x, y, reduction='avg')",
            "'reduction' of 'binary_cross_entropy' must be one of 'none', 'mean', 'sum'",
            37,
        ),
        ("stack(x)", "'arrays' of 'stack' must be a list of arrays", 6),
        ("stack([x, 1])", "'arrays' of 'stack' must be a list of arrays", 6),
        ("reshape(x, 3)", "'shape' of 'reshape' must be a shape (a list of integers), found 3", 11),
        ("reshape(x, [1.5])", "'shape' of 'reshape' must be a shape (a list of integers), found [1.5]", 11),
        ("reshape(x, [y])", "expected a number, a string or a list of them", 12),
        ("reshape(x, shape(y))", "shape(…) stands in comparisons only", 11),
        ("asarray(x)", "'data' of 'asarray' must be a nested list of numbers, found an array", 8),
        ("asarray(['a'])", "'data' of 'asarray' must be a nested list of numbers, found ['a']", 8),
        ("asarray([1], dtype='half')", "'dtype' of 'asarray' must be the name of a dtype, or null, found 'half'", 19),
        ("asarray([1], dtype=[1])", "'dtype' of 'asarray' must be the name of a dtype, or null, found [1]", 19),
        ("1 + 2", "arithmetic on plain numbers only", 0),
        ("x * -(2)", None, 0),
        ("x * (2 - 1)", "arithmetic on plain numbers only", 5),
        ("axis * 2", "arithmetic on plain numbers only", 0),
        ("x * -axis", "arithmetic on plain numbers only", 4),
        ("x * scale", None, 0),
        ("x * dtype", "'b' of 'multiply' must be an array, found 'float32'", 4),
        ("x * true", "'b' of 'multiply' must be an array, found True", 4),
        ("sum(x, axis=null, keepdims=true)", None, 0),
        ("sum(x, keepdims=null)", "'keepdims' of 'sum' must be true or false, found None", 16),
    ],
)
def test_arguments_that_a_parameter_cannot_take_are_refused(text: str, message: str | None, column: int) -> None:
    if message is None:
        expressions.check(parse_call(text), ["x"], {"scale": [2.0, 3]})
        return
    found = mistake(text)
    assert found.message.startswith(message)
    assert found.offset == column


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exp(x) == 'one'", "expected an array, a number or a list of numbers, found 'one'"),
        ("exp(x) == None", "expected an array, a number or a list of numbers, found None"),
        ("exp(x) == dtype", "expected an array, a number or a list of numbers, found 'float32'"),
        ("exp(x) == [y, y]", "expected a number, a string or a list of them"),
        ("exp(x) == z", "unknown name 'z'"),
    ],
)
def test_the_sides_of_a_claim_are_arrays_or_numbers(text: str, message: str) -> None:
    assert mistake(text, parse_claim).message.startswith(message)


def test_every_value_of_a_grid_must_fit_where_its_name_stands() -> None:
    call = parse_call("softmax(x, axis=a)")
    expressions.check(call, ["x"], {"a": [0, 1, -1]})
    with pytest.raises(Mistake, match="found '1'"):
        expressions.check(call, ["x"], {"a": [0, "1"]})
    reshape = parse_call("reshape(x, [n, m])")
    expressions.check(reshape, ["x"], {"n": [1, 2], "m": [-1, 3]})
    with pytest.raises(Mistake, match=r"found \[1, None\]"):
        expressions.check(reshape, ["x"], {"n": [1, 2], "m": [-1, None]})


@pytest.mark.parametrize(
    "text",
    [
        "exp(" * 5000 + "x" + ")" * 5000,
        "exp(x" + " " * 10_000 + ")",
        "exp(" * 900 + "x" + ")" * 900,
        "(" * 1900 + "x" + ")" * 1900,
        "-" * 3900 + "x",
        "x" + "+x" * 1900,
        "asarray(" + "[" * 1900 + "]" * 1900 + ")",
        "exp(" * 14 + "x" + ")" * 14,
        "exp(x\0)",
        "exp(x))",
        "exp(x); exp(x)",
        "x = exp(x)",
        "import os",
        "",
        "  ",
        "exp(x",
        "9" * 3999,
        "asarray(" + "9" * 5000 + ")",
    ],
    ids=lambda text: f"{text[:12]}~{len(text)}",
)
@pytest.mark.timeout(60)  # what it guards against takes hours
def test_expressions_made_to_exhaust_a_parser_are_refused_at_once(text: str) -> None:
    with pytest.raises(Mistake):
        parse_call(text)


def test_expressions_may_nest_some_levels() -> None:
    assert isinstance(parse_call("exp(" * 12 + "x" + ")" * 12), Call)


def test_parsing_and_checking_run_nothing_of_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operations are replaced by ones that would tell, and so is what evaluates text."""

    def forbidden(*arguments: Any, **named: Any) -> Any:
        raise AssertionError("an expression was run")

    for made in OPERATIONS.values():
        monkeypatch.setattr(made, "exact", forbidden)
    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    for text in (
        "__import__('os').system('true')",
        "open('/tmp/x', 'w')",
        "exp.__class__",
        "().__class__.__bases__[0]",
        "print(1)",
    ):
        mistake(text)
    expressions.check(parse_call.__wrapped__("softmax(x + 1, axis=0)"), ["x"], {})
    expressions.check(parse_claim.__wrapped__("exp(x) >= 0"), ["x"], {})


def test_names_and_operations_are_found_in_every_part() -> None:
    call = parse_call("stack([x + a, reshape(y, [n, 1])], axis=k)")
    assert expressions.names_in(call) == {"x", "a", "y", "n", "k"}
    assert expressions.operations_in(call) == {"stack", "add", "reshape"}
    claim = parse_claim("shape(exp(x)) == shape(y) == [m]")
    assert expressions.names_in(claim) == {"x", "y", "m"}
    assert expressions.operations_in(claim) == {"exp"}


def test_plain_values_take_their_names_from_the_bindings() -> None:
    call = parse_call("reshape(x, [n, [2, 'a'], None])")
    assert isinstance(call, Call)
    assert expressions.plain(call.arguments[1][1], {"n": 7}) == [7, [2, "a"], None]
    with pytest.raises(Mistake):
        expressions.plain(call, {})


@pytest.mark.parametrize("claim", ["shape(x) < [1]", "[1] >= shape(x)", "shape(x) == [1] <= shape(x)"])
def test_shapes_have_no_order(claim: str) -> None:
    with pytest.raises(Mistake, match="== and != only"):
        expressions.check(parse_claim(claim), {"x"}, {})
    expressions.check(parse_claim("shape(x) == [1] != shape(x)"), {"x"}, {})


# any text at all

PIECES = [
    *OPERATIONS, *COMPARISONS.values(), "x", "y", "axis", "shape", "shape=", "axis=", "(", ")", "[", "]", ",", " ", "=",
    "-", "+", "*", "/", "**", "0", "1", "2.5", "1e400", "0x", "'", '"', "lambda", "not ", "None", "True", ".", ":", ":=",
    "{", "}", "\\", "\n", "\t", "\0", "\u202e", "é", "ﬁ", "9" * 40, "1_0", "1j", "...", "if", "else", "for", "await ", "f'",
]  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_an_expression_or_a_mistake_at_a_place_in_it(text: str) -> None:
    for parse in (parse_call, parse_claim):
        try:
            parsed = parse(text)
            check(parsed, {"x", "y"}, {"axis": [0, None], "shape": [[2]]})
        except Mistake as mistake:
            assert mistake.message
            assert 0 <= mistake.offset <= len(text.encode())
            continue
        assert operations_in(parsed) <= OPERATIONS.keys()
        assert names_in(parsed) <= {"x", "y", "axis", "shape"}


def spelled(expression: Any) -> str:
    """An expression as a case would write it."""
    match expression:
        case Name(name=name):
            return name
        case Constant(value=value):
            return repr(value)
        case ListOf(items=items):
            return f"[{', '.join(map(spelled, items))}]"
        case Call(operation=name, arguments=arguments):
            return f"{name}({', '.join(f'{name}={spelled(argument)}' for name, argument in arguments)})"
    raise TypeError(expression)


def without_places(expression: Any) -> Any:
    """The expression, every offset 0."""
    match expression:
        case ListOf(items=items):
            return ListOf(tuple(map(without_places, items)), 0)
        case Call(operation=name, arguments=arguments):
            return Call(name, tuple((n, without_places(a)) for n, a in arguments), 0)
    return type(expression)(getattr(expression, expression.__slots__[0]), 0)


LEAVES = st.sampled_from(["x", "y"]).map(lambda name: Name(name, 0)) | (
    st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
).map(lambda value: Constant(value, 0))


def calls(inner: Any) -> Any:
    """Calls of any operation with all its parameters given, in order."""
    return st.sampled_from(sorted(OPERATIONS)).flatmap(
        lambda name: st.tuples(*(st.tuples(st.just(p), inner) for p in OPERATIONS[name].parameters)).map(
            lambda arguments: Call(name, arguments, 0)
        )
    )


@settings(deadline=None)
@given(
    calls(
        st.recursive(
            LEAVES,
            lambda inner: st.lists(inner, max_size=3).map(lambda i: ListOf(tuple(i), 0)) | calls(inner),
            max_leaves=6,
        )
    )
)
def test_what_is_spelled_out_is_read_back_as_it_was(expression: Any) -> None:
    assert without_places(parse_call(spelled(expression))) == expression
