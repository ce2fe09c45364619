"""The expressions of `call` and `claim`: parsed and checked, never evaluated as code.

``softmax(x, axis=0)``, ``reshape(stack([q, w], axis=1), shape=[-1])``, ``0 <= sigmoid(x) <= 1``. There are names,
numbers, strings, lists, calls of known operations, the four arithmetic operators, and comparisons (in claims).
Python's parser reads them; every kind of node that is not named here is refused.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from conformance.casefile.errors import Mistake, did_you_mean
from conformance.ground import limits
from conformance.ops import OPERATIONS, Operation, Parameter
from conformance.ops.base import Arrays, Data

COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
OPERATORS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}
ARITHMETIC = frozenset({*OPERATORS.values(), "negative"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name from `given` or `for`."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, string, bool or null."""

    value: Any
    offset: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    items: tuple[Expression, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an operation, its arguments bound to its parameters."""

    operation: str
    arguments: tuple[tuple[str, Expression], ...]
    offset: int


@dataclass(frozen=True, slots=True)
class ShapeOf:
    """``shape(value)``, the one thing claims may say about a value beside its elements."""

    of: Expression
    offset: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chain of comparisons: ``sides[0] relations[0] sides[1] …``."""

    sides: tuple[Expression, ...]
    relations: tuple[str, ...]


Expression = Name | Constant | ListOf | Call | ShapeOf


@lru_cache(maxsize=4096)
def parse_call(text: str) -> Expression:
    """The expression of a `call`: a call of an operation, which may nest others.

    Raises:
        Mistake: with the offset of what is wrong.
    """
    node = _python(text)
    if isinstance(node, ast.Compare):
        raise Mistake("a comparison in a call; write it under 'claim'", offset=node.col_offset)
    expression = _expression(node, 0)
    if not isinstance(expression, Call):
        raise Mistake("expected the call of an operation", offset=0)
    return expression


@lru_cache(maxsize=4096)
def parse_claim(text: str) -> Comparison:
    """The comparison of a `claim`.

    Raises:
        Mistake: with the offset of what is wrong.
    """
    node = _python(text)
    if not isinstance(node, ast.Compare):
        raise Mistake("expected a comparison, such as sum(softmax(x, axis=0), axis=0) == 1")
    relations = []
    for operator in node.ops:
        if type(operator) not in COMPARISONS:
            raise Mistake(f"expected one of {', '.join(COMPARISONS.values())}", offset=node.col_offset)
        relations.append(COMPARISONS[type(operator)])
    sides = tuple(_expression(side, 0) for side in (node.left, *node.comparators))
    if not any(isinstance(side, (Call, ShapeOf)) for side in sides):
        raise Mistake("a claim about no operation: nothing in it is computed")
    return Comparison(sides, tuple(relations))


def _python(text: str) -> ast.expr:
    if len(text) > limits.EXPRESSION_CHARACTERS:
        raise Mistake(f"an expression of more than {limits.EXPRESSION_CHARACTERS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise Mistake(f"not an expression: {error.msg}", offset=max((error.offset or 1) - 1, 0)) from None
    except (ValueError, RecursionError, MemoryError):
        raise Mistake("not an expression") from None


_YAML_WORDS = {"null": None, "true": True, "false": False}
"""As the case files themselves write them, beside Python's."""


def _expression(node: ast.expr, depth: int) -> Expression:
    if depth > limits.EXPRESSION_DEPTH:
        raise Mistake(f"an expression nested deeper than {limits.EXPRESSION_DEPTH} levels", offset=node.col_offset)
    at = node.col_offset
    match node:
        case ast.Name(id=name) if name in _YAML_WORDS:
            return Constant(_YAML_WORDS[name], at)
        case ast.Name(id=name):
            return Name(name, at)
        case ast.Constant(value=float() as value) if value - value != 0:
            raise Mistake("a number beyond float64; infinity is no number of the case language", offset=at)
        case ast.Constant(value=int() as value) if value.bit_length() > limits.INTEGER_BITS:
            raise Mistake(f"an integer of more than {limits.INTEGER_BITS} bits", offset=at)
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return Constant(value, at)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) as number):
            constant = _expression(number, depth)
            assert isinstance(constant, Constant)
            return Constant(-constant.value, at)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Call("negative", (("x", _expression(operand, depth + 1)),), at)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            sides = (("a", _expression(left, depth + 1)), ("b", _expression(right, depth + 1)))
            return Call(OPERATORS[type(operator)], sides, at)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return ListOf(tuple(_expression(item, depth + 1) for item in items), at)
        case ast.Call(func=ast.Name(id="shape"), args=[of], keywords=[]):
            return ShapeOf(_expression(of, depth + 1), at)
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, node, depth)
    raise Mistake("expected names, numbers, lists, operators and calls of operations only", offset=at)


def _call(name: str, node: ast.Call, depth: int) -> Call:
    at = node.col_offset
    operation = OPERATIONS.get(name)
    if operation is None:
        raise Mistake(f"unknown operation '{name}' in call{did_you_mean(name, OPERATIONS)}", offset=at)
    given: dict[str, Expression] = {}
    names = list(operation.parameters)
    for position, argument in enumerate(node.args):
        if isinstance(argument, ast.Starred):
            raise Mistake("'*' is not part of the case language", offset=argument.col_offset)
        if position >= len(names) or operation.parameters[names[position]].keyword_only:
            raise Mistake(f"too many arguments: {_form(operation)}", offset=argument.col_offset)
        given[names[position]] = _expression(argument, depth + 1)
    for keyword in node.keywords:
        if keyword.arg is None:
            raise Mistake("'**' is not part of the case language", offset=keyword.col_offset)
        if keyword.arg not in operation.parameters:
            hint = did_you_mean(keyword.arg, names)
            raise Mistake(f"'{name}' has no parameter '{keyword.arg}'{hint}", offset=keyword.col_offset)
        if keyword.arg in given:
            raise Mistake(f"'{keyword.arg}' is given twice", offset=keyword.col_offset)
        given[keyword.arg] = _expression(keyword.value, depth + 1)
    for parameter in operation.parameters.values():
        if parameter.required and parameter.name not in given:
            raise Mistake(f"'{name}' lacks '{parameter.name}': {_form(operation)}", offset=at)
    return Call(name, tuple((n, given[n]) for n in names if n in given), at)


def _form(operation: Operation) -> str:
    signature = operation.signature
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"{operation.name}{signature.replace(parameters=bare, return_annotation=signature.empty)}"


def check(expression: Expression | Comparison, arrays: Collection[str], values: Mapping[str, list[Any]]) -> None:
    """Check an expression against the names of its case.

    Args:
        expression: as parsed.
        arrays: the names under `given`.
        values: the names under `for`, each with the values it takes.

    Raises:
        Mistake: an unknown name, or an argument that its parameter can't take.
    """
    if isinstance(expression, Comparison):
        for side in expression.sides:
            check(side, arrays, values)
            _check_side(side, arrays, values)
        for left, relation, right in zip(expression.sides, expression.relations, expression.sides[1:], strict=False):
            if relation not in ("==", "!=") and (isinstance(left, ShapeOf) or isinstance(right, ShapeOf)):
                at = (left if isinstance(left, ShapeOf) else right).offset
                raise Mistake("shapes are compared with == and != only", offset=at)
        return
    match expression:
        case Name(name=name, offset=at):
            if name not in arrays and name not in values:
                raise Mistake(f"unknown name '{name}'{did_you_mean(name, (*arrays, *values))}", offset=at)
        case ListOf(items=items):
            for item in items:
                check(item, arrays, values)
        case ShapeOf(of=of):
            check(of, arrays, values)
        case Call(operation=name, arguments=arguments):
            for parameter, argument in arguments:
                check(argument, arrays, values)
                _check_argument(OPERATIONS[name], OPERATIONS[name].parameters[parameter], argument, arrays, values)
            plain_names = values.keys() - set(arrays)
            if name in ARITHMETIC and all(
                isinstance(argument, Constant) or (isinstance(argument, Name) and argument.name in plain_names)
                for _, argument in arguments
            ):
                raise Mistake("arithmetic on plain numbers only: write the result out", offset=expression.offset)


def _check_side(side: Expression, arrays: Collection[str], values: Mapping[str, list[Any]]) -> None:
    if isinstance(side, (Call, ShapeOf)) or (isinstance(side, Name) and side.name in arrays):
        return
    for value in _possible_values(side, values):
        if not _is_data(value):
            raise Mistake(f"expected an array, a number or a list of numbers, found {value!r}", offset=side.offset)


def _check_argument(
    operation: Operation,
    parameter: Parameter,
    argument: Expression,
    arrays: Collection[str],
    values: Mapping[str, list[Any]],
) -> None:
    def refuse(found: str) -> Mistake:
        where = f"'{parameter.name}' of '{operation.name}'"
        return Mistake(f"{where} must be {parameter.expects}, found {found}", offset=argument.offset)

    def is_array(e: Expression) -> bool:
        return isinstance(e, Call) or (isinstance(e, Name) and e.name in arrays)

    if parameter.kind == Arrays:
        if isinstance(argument, ListOf) and all(is_array(item) for item in argument.items):
            return
        # Nested lists of numbers are no arrays: what a framework makes of them can be asked all the same.
        if isinstance(argument, ListOf) and not names_in(argument) and _is_data(plain(argument, {})):
            return
        raise refuse("something else")
    if is_array(argument):
        if parameter.holds_arrays:
            return
        raise refuse("an array")
    for value in _possible_values(argument, values):
        if operation.name in ARITHMETIC and type(value) in (int, float):
            continue
        if parameter.kind == Data:
            if _is_data(value):
                continue
        elif (not parameter.holds_arrays or value is None) and parameter.accepts(value):
            continue
        raise refuse(repr(value))


def _is_data(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_data, value))
    return isinstance(value, (bool, int, float))


def _possible_values(argument: Expression, values: Mapping[str, list[Any]]) -> Iterator[Any]:
    if isinstance(argument, Name):
        yield from values[argument.name]
    elif isinstance(argument, Constant):
        yield argument.value
    elif isinstance(argument, ListOf):
        names = sorted(names_in(argument) & values.keys())
        for choice in itertools.product(*(values[name] for name in names)):
            yield plain(argument, dict(zip(names, choice, strict=True)))
    else:
        raise Mistake("shape(…) stands in comparisons only", offset=argument.offset)


def plain(expression: Expression, bindings: Mapping[str, Any]) -> Any:
    """The value of an expression without calls: constants, lists of them, and names bound to values."""
    match expression:
        case Constant(value=value):
            return value
        case Name(name=name) if name in bindings:
            return bindings[name]
        case ListOf(items=items):
            return [plain(item, bindings) for item in items]
    raise Mistake("expected a number, a string or a list of them", offset=expression.offset)


def names_in(expression: Expression | Comparison) -> set[str]:
    """Every name an expression uses."""
    match expression:
        case Comparison(sides=parts) | ListOf(items=parts):
            return set().union(*(names_in(part) for part in parts))
        case Name(name=name):
            return {name}
        case ShapeOf(of=of):
            return names_in(of)
        case Call(arguments=arguments):
            return set().union(*(names_in(argument) for _, argument in arguments))
    return set()


def operations_in(expression: Expression | Comparison) -> set[str]:
    """Every operation an expression calls."""
    match expression:
        case Comparison(sides=parts) | ListOf(items=parts):
            return set().union(*(operations_in(part) for part in parts))
        case ShapeOf(of=of):
            return operations_in(of)
        case Call(operation=name, arguments=arguments):
            return {name}.union(*(operations_in(argument) for _, argument in arguments))
    return set()
