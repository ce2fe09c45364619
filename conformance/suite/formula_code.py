"""A formula as somebody would type it in a framework: the primary spellings of its operations, put together."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from functools import lru_cache

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms
from conformance.casefile.expressions import OPERATORS, Call, Constant, Expression, ListOf, Name
from conformance.casefile.formulas import FORMULAS, Formula
from conformance.ops import OPERATIONS

_SIGNS: Mapping[str, ast.operator] = {name: sign() for sign, name in OPERATORS.items()}
_REDUCED = 'if reduction == "none":\n        return loss\n    return {mean} if reduction == "mean" else {sum}'


def offered(idioms: Idioms, operation: str) -> list[Formula]:
    """The formulas for an operation that a framework `has` what it takes for."""
    return [formula for formula in FORMULAS.get(operation, {}).values() if has(idioms, formula)]


def has(idioms: Idioms, formula: Formula) -> bool:
    """Whether a framework has a function of its own for each operation of a formula.

    Nobody types a formula of what is another formula there, such as NumPy's softmax.
    """
    return all(name in idioms and _native(idioms, name) for name in formula.operations)


def _native(idioms: Idioms, operation: str) -> bool:
    """Whether a framework's primary spelling is an operator, or just one call."""
    try:
        source = idioms.source(operation)
    except (OSError, TypeError):  # of a function that was made without one
        return False
    if operators.is_sign(operation, source):
        return True
    call = _returned(source)[1]
    return isinstance(call, ast.Call) and not any(
        isinstance(node, (ast.Call, ast.BinOp, ast.UnaryOp)) for argument in call.args for node in ast.walk(argument)
    )


@lru_cache(maxsize=256)
def _returned(source: str) -> tuple[dict[str, ast.expr], ast.expr | None]:
    """What a function's parameters stand for where they are left out, and what it returns if that is all it does."""
    try:
        function = ast.parse(source).body[0]
    except SyntaxError:  # of a part of an expression: a function without a name
        return {}, None
    if not isinstance(function, ast.FunctionDef) or len(function.body) != 1:
        return {}, None
    (only,) = function.body
    return _defaults(function), only.value if isinstance(only, ast.Return) else None


def code_of(formula: Formula, idioms: Idioms) -> str:
    """The source of a function under the operation's name, which computes the formula.

    Args:
        formula: for which the framework `has` all operations.
        idioms: how.
    """
    writer = _Writer(idioms)
    text = ast.unparse(writer.written(formula.expression))
    parameters = OPERATIONS[formula.operation].parameters
    taken = [name for name in parameters if name in formula.parameters]
    signature = [name for name in taken if not parameters[name].keyword_only]
    if keyword := [name for name in taken if parameters[name].keyword_only]:
        signature += ["*", *keyword]
    body = [f"return {text}"]
    if formula.reduced:
        signature += [*([] if "*" in signature else ["*"]), 'reduction="mean"']
        ends = {name: ast.unparse(writer.called(name, {"x": ast.Name("loss")})) for name in ("mean", "sum")}
        body = [f"loss = {text}", _REDUCED.format(**ends)]
    lines = [f"def {formula.operation}({', '.join(signature)}):", *(f"    {line}" for line in body)]
    return "\n".join(lines)


class _Writer:
    """Writes expressions in a framework's code."""

    def __init__(self, idioms: Idioms) -> None:
        self._idioms = idioms

    def written(self, expression: Expression) -> ast.expr:
        match expression:
            case Name(name=name):
                return ast.Name(name)
            case ListOf(items=items):
                return ast.List([self.written(item) for item in items])
            case Call(operation=operation, arguments=arguments):
                return self.called(operation, {name: self.written(argument) for name, argument in arguments})
        assert isinstance(expression, Constant)
        return ast.Constant(expression.value)

    def called(self, operation: str, given: Mapping[str, ast.expr]) -> ast.expr:
        """The framework's code for a call."""
        source = self._idioms.source(operation)
        if operators.is_sign(operation, source):
            if operation == "negative":
                return ast.UnaryOp(ast.USub(), given["x"])
            return ast.BinOp(given["a"], _SIGNS[operation], given["b"])
        defaults, call = _returned(source)
        assert call is not None
        return _Filled(defaults | dict(given)).visit(copy.deepcopy(call))


def _defaults(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """What parameters that are left out stand for."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    by_position = zip(reversed(named), reversed(arguments.defaults), strict=False)
    by_keyword = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {one.arg: value for one, value in (*by_position, *by_keyword) if value is not None}


class _Filled(ast.NodeTransformer):
    """An expression with what is given in place of names, and without what says the same as leaving it out."""

    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self._given.get(node.id, node))

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        node.keywords = [one for one in node.keywords if not _says_nothing(one.value)]
        return node


def _says_nothing(value: ast.expr) -> bool:
    """Whether an option of a call is the default of every framework: no axis, no axis kept."""
    return isinstance(value, ast.Constant) and value.value in (None, False)
