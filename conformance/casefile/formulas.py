"""Formulas that people type for an operation: data, in the case language, the same for every framework.

A backend runs a formula step by step, with its primary spelling of each operation in it. Each step is judged on what it
received. What their roundings lose together is arithmetic, whatever the framework.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from conformance.casefile.expressions import (
    Call,
    Constant,
    Expression,
    ListOf,
    Name,
    names_in,
    operations_in,
    parse_call,
    plain,
)
from conformance.casefile.model import Expect
from conformance.casefile.variants import Variant

PREFIX = "formula: "
"""What the names of formulas begin with, where they stand beside a framework's spellings."""


@dataclass(frozen=True)
class Formula:
    """A way to write an operation in terms of others.

    Attributes:
        operation: which.
        text: as people say it.
        computes: the same in the case language, over the operation's parameters; empty where `text` is that.
        reduced: whether the result is reduced as the operation's `reduction` says, to its mean where that is left out.
    """

    operation: str
    text: str
    computes: str = ""
    reduced: bool = False

    @property
    def name(self) -> str:
        """As a spelling of the operation."""
        return PREFIX + self.text

    @cached_property
    def expression(self) -> Expression:
        """What it computes, parsed."""
        return parse_call(self.computes or self.text)

    @cached_property
    def operations(self) -> set[str]:
        """Names of the operations that it may call."""
        return operations_in(self.expression) | ({"mean", "sum"} if self.reduced else set())

    @cached_property
    def parameters(self) -> set[str]:
        """The operation's parameters that it is made of: a call has to give these, and no others."""
        return names_in(self.expression)

    def takes(self, given: Collection[str]) -> bool:
        """Whether it can be called with just these parameters."""
        return set(given) - ({"reduction"} if self.reduced else set()) == self.parameters


_LOSS = "-(target * log({p}) + (1 - target) * log(1 - {p}))"

_ALL = (
    Formula("softmax", "exp(x) / sum(exp(x))", "exp(x) / sum(exp(x), axis=axis, keepdims=True)"),
    Formula("log_softmax", "log(softmax(x))", "log(softmax(x, axis=axis))"),
    Formula("log_softmax", "x - log(sum(exp(x)))", "x - log(sum(exp(x), axis=axis, keepdims=True))"),
    Formula("sigmoid", "1 / (1 + exp(-x))"),
    Formula("sigmoid", "exp(x) / (1 + exp(x))"),
    Formula("sigmoid", "exp(log_sigmoid(x))"),
    Formula("log_sigmoid", "log(sigmoid(x))"),
    Formula("log_sigmoid", "log(1 / (1 + exp(-x)))"),
    Formula("log_sigmoid", "-log(1 + exp(-x))"),
    Formula(
        "binary_cross_entropy", "-(t * log(p) + (1 - t) * log(1 - p))", _LOSS.format(p="p"), reduced=True
    ),
    Formula(
        "binary_cross_entropy",
        "-(t * log(p + 1e-8) + (1 - t) * log(1 - p + 1e-8))",
        "-(target * log(p + 1e-8) + (1 - target) * log(1 - p + 1e-8))",
        reduced=True,
    ),
    Formula(
        "binary_cross_entropy_with_logits",
        "binary_cross_entropy(sigmoid(x), t)",
        "binary_cross_entropy(sigmoid(x), target, reduction='none')",
        reduced=True,
    ),
    Formula(
        "binary_cross_entropy_with_logits",
        "-(t * log(p) + (1 - t) * log(1 - p)), p = sigmoid(x)",
        _LOSS.format(p="sigmoid(x)"),
        reduced=True,
    ),
    Formula(
        "binary_cross_entropy_with_logits",
        "-(t * log(p) + (1 - t) * log(1 - p)), p = 1 / (1 + exp(-x))",
        _LOSS.format(p="(1 / (1 + exp(-x)))"),
        reduced=True,
    ),
    Formula(
        "binary_cross_entropy_with_logits",
        "-(t * log_sigmoid(x) + (1 - t) * log_sigmoid(-x))",
        "-(target * log_sigmoid(x) + (1 - target) * log_sigmoid(-x))",
        reduced=True,
    ),
)  # fmt: skip


def _by_operation() -> dict[str, dict[str, Formula]]:
    found: dict[str, dict[str, Formula]] = {}
    for formula in _ALL:
        found.setdefault(formula.operation, {})[formula.name] = formula
    return found


FORMULAS: Mapping[str, Mapping[str, Formula]] = _by_operation()
"""By the operation that they are for, then by name."""


def written_out(variant: Variant, formula: Formula) -> Variant:
    """A variant whose call of the operation is written as the formula. It expects what the steps say.

    Integers wrap around in them, as arrays of integers do where nobody asks.

    Args:
        variant: of a case that calls just the formula's operation, with parameters that it takes.
        formula: the formula.
    """
    call = variant.case.expression
    assert isinstance(call, Call)
    given = dict(call.arguments)
    expression = _filled(formula.expression, given)
    if formula.reduced:
        reduction = plain(given["reduction"], variant.bindings) if "reduction" in given else "mean"
        if reduction in ("mean", "sum"):
            expression = Call(reduction, (("x", expression),), call.offset)
    return replace(variant, case=replace(variant.case, expression=expression, expect=Expect(wraps=True)))


def _filled(expression: Expression, given: Mapping[str, Expression]) -> Expression:
    """An expression with what is given in place of its names."""
    match expression:
        case Name(name=name):
            return given[name]
        case ListOf(items=items, offset=at):
            return ListOf(tuple(_filled(item, given) for item in items), at)
        case Call(operation=operation, arguments=arguments, offset=at):
            return Call(operation, tuple((name, _filled(a, given)) for name, a in arguments), at)
    assert isinstance(expression, Constant)
    return expression
