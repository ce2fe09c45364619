"""What a script does after its functions are there: the inputs, the call, and what it prints."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal

from conformance.casefile.differentiation import differentiable
from conformance.casefile.expressions import Comparison, Expression
from conformance.ground.dtypes import DTYPES
from conformance.reproduction.calls import NotPythonError, Statements
from conformance.reproduction.foreign import comment
from conformance.reproduction.literals import NotStoredError, first, given
from conformance.runfile import CaseLine, Record, VariantLine

_SHOWN, _SHOWN_OF_MORE = 8, 4
"""Exact elements that a script holds: all where they are few, else the first. `helpers.show` prints as many as 8."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_STEP = re.compile(r"([0-9]{1,4}), ")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,4})?")
_MOST_DIGITS = 20


def inputs(variant: VariantLine, statements: Statements, written: int) -> str:
    """The inputs, a line each.

    Args:
        variant: whose.
        statements: its call, written out.
        written: up to so many elements are written out (see `literals.given`).

    Raises:
        NotStoredError: one that a script can't have.
    """
    lines = []
    for (name, stored), own in zip(variant.inputs.items(), statements.inputs, strict=True):
        try:
            lines.append(f"{own} = {given(stored, variant.made.get(name), written)}")
        except NotStoredError as error:
            raise NotStoredError(f"the input {name}: {error}") from None
    return "\n".join(lines)


def body(
    case: CaseLine,
    variant: VariantLine,
    statements: Statements,
    expression: Expression | Comparison,
    record: Record | None,
    writable: bool,
) -> tuple[str, str, str, str]:
    """The last parts of a script.

    Args:
        case: of the variant.
        variant: with its exact answer.
        statements: its call, written out.
        expression: the same, as parsed.
        record: what came, where that is known.
        writable: whether the backend's arrays can be written to.

    Returns:
        The call; what prints its result; what prints the error of the element nearest its budget; and what finds out
        whether the result shares an input's memory. All but the first may be empty.
    """
    steps = [f"step_{number + 1}" for number in range(len(statements.steps))]
    run = f"run({', '.join(statements.inputs)})"
    about = [f"# {comment(case.call)}"] if len(steps) > 1 or case.claim else []
    lines = [*statements.bindings, *about, *_function(statements, steps)]
    if variant.truth == "refusal":
        lines += ["try:", f"    result = {run}{'[-1]' if len(steps) > 1 else ''}", "except Exception as error:"]
        lines += ['    print(f"{type(error).__name__}: {error}")', "else:"]
        lines += ['    show("no error, but a result", result)']
        return "\n".join(lines), "", "", ""
    if isinstance(expression, Comparison):
        lines += [f"{', '.join(steps)} = {run}"] if steps else []
        return "\n".join(lines), _sides(statements, expression.relations), _measured(record, steps), ""
    if len(steps) > 1:
        lines += [f"{', '.join(steps)} = {run}", f"result = {statements.sides[0]}"]
    else:
        steps = ["result"]
        lines += [f"result = {run}"]
    exact = f", exact={first(variant.answer, _SHOWN, _SHOWN_OF_MORE)}" if variant.answer is not None else ""
    if variant.check != "gradient":
        shown, closing = f'show("result", result{exact})', _closing(variant, statements, writable)
        return "\n".join(lines), shown, _measured(record, steps), closing
    wrt = _differentiated(variant, expression)
    places = list(dict.fromkeys(number for _, number in wrt))
    names = {name: f"gradient[{places.index(number)}]" for name, number in wrt}
    if len(steps) > 1:
        between = _between(variant, statements, steps)
        for place, number in enumerate(between, len(places)):
            names[f"step {number + 1}, {statements.operations[number]}"] = f"gradient[{place}]"
        lines += _recorded(statements, steps, between, places)
    else:
        lines += [f"gradient = gradients(run, [{', '.join(statements.inputs)}], {places}, weights(result))"]
    shown = "\n".join(
        f'show("gradient with respect to {name}", {of}{"" if place else exact})'
        for place, (name, of) in enumerate(names.items())
    )
    return "\n".join(lines), shown, _measured(record, names), ""


def _function(statements: Statements, steps: Sequence[str]) -> list[str]:
    """The function of the inputs that runs in the mode."""
    if not steps:
        return []
    lines = ["", "", "@in_mode", f"def run({', '.join(statements.inputs)}):"]
    if len(steps) == 1:
        return [*lines, f"    return {statements.steps[0]}", "", ""]
    lines += [f"    {name} = {text}" for name, text in zip(steps, statements.steps, strict=True)]
    return [*lines, f"    return {', '.join(steps)}", "", ""]


def _differentiated(variant: VariantLine, expression: Expression) -> list[tuple[str, int]]:
    """What a gradient variant is differentiated by, and the inputs' numbers."""
    names = list(variant.inputs)
    found = [(name, names.index(given)) for name, given in differentiable(expression, names)]
    found = [(n, number) for n, number in found if DTYPES[variant.inputs[names[number]].dtype].kind == "floating"]
    if not found:
        raise NotPythonError("it has no floating input to differentiate by")
    return found


def _between(variant: VariantLine, statements: Statements, steps: Sequence[str]) -> list[int]:
    """The numbers of the steps before the last whose results are floating: those that come from floating inputs."""
    stored = zip(statements.inputs, variant.inputs.values(), strict=True)
    floating = {name for name, given in stored if DTYPES[given.dtype].kind == "floating"}
    for name, text in zip(steps, statements.steps, strict=True):
        if floating & set(_NAME.findall(text)):
            floating.add(name)
    return [number for number, name in enumerate(steps[:-1]) if name in floating]


def _recorded(statements: Statements, steps: Sequence[str], between: Sequence[int], places: Sequence[int]) -> list[str]:
    """The function whose gradients are taken, as in the suite: what is added to results, -0.0, is differentiated by."""
    probes = [f"nothing_{number + 1}" for number in between]
    lines = ["", "", "@in_mode", f"def recorded({', '.join([*statements.inputs, *probes])}):"]
    results = []
    for number, (name, text) in enumerate(zip(steps, statements.steps, strict=True)):
        own = f"own_{number + 1}" if number in between else name
        lines.append(f"    {own} = {text}")
        lines += [f"    {name} = {own} + nothing_{number + 1}"] if own != name else []
        results += [own, name] if own != name else [name]
    given = [*statements.inputs, *(f"nothing({steps[number]})" for number in between)]
    numbers = [*places, *range(len(statements.inputs), len(given))]
    last = "lambda *arrays: recorded(*arrays)[-1]"
    return [
        *lines,
        f"    return {', '.join(results)}",
        "",
        "",
        f"gradient = gradients({last}, [{', '.join(given)}], {numbers}, weights(result))",
    ]


def _sides(statements: Statements, relations: Sequence[str]) -> str:
    """Prints the sides of a claim, and how far those of an equality are apart."""
    sides = list(zip(statements.sides, statements.shapes, strict=True))
    names = ["left", "right"] if len(sides) == 2 else [f"side {number + 1}" for number in range(len(sides))]
    lines = []
    for name, (side, shape) in zip(names, sides, strict=True):
        if shape:
            lines.append(f'print("{name}:", list(numbers_of({side}).shape))')
        elif _is_array(side, statements):
            lines.append(f'show("{name}", {side})')
        else:
            lines.append(f'print("{name}:", {side})')
    for (left, shape), relation, (right, other) in zip(sides, relations, sides[1:], strict=False):
        if relation in ("==", "!=") and not (shape or other):
            lines.append(f"apart({_numbers(left, statements)}, {_numbers(right, statements)})")
    return "\n".join(lines)


def _is_array(side: str, statements: Statements) -> bool:
    return side in statements.inputs or side.startswith("step_")


def _numbers(side: str, statements: Statements) -> str:
    return f"numbers_of({side})" if _is_array(side, statements) else side


def _measured(record: Record | None, results: Sequence[str] | Mapping[str, str]) -> str:
    """Prints the error of the element nearest its budget.

    Args:
        record: what came.
        results: what the script calls the results of the steps; or the gradients, by argument.
    """
    if record is None or record.quantum is None or record.budget is None or not _DECIMAL.fullmatch(record.exact):
        return ""
    if isinstance(results, Mapping):
        of = results.get(record.wrt)
    else:
        step = _STEP.match(record.step)
        number = int(step[1]) if step else len(results)
        of = results[number - 1] if 1 <= number <= len(results) else None
    if of is None:
        return ""
    exact, quantum = Decimal(record.exact), max(-1074, min(record.quantum, 1023))
    # As many digits as tell an error in ULP to three.
    digits = exact.adjusted() - math.floor(quantum * math.log10(2)) + 3
    exact = Context(prec=max(1, min(digits, _MOST_DIGITS))).plus(exact)
    return f'measure({of}, at={tuple(record.at)!r}, exact="{exact}", ulp=2.0**{quantum}, budget={record.budget:.3g})'


def _closing(variant: VariantLine, statements: Statements, writable: bool) -> str:
    """Finds out whether the result shares the memory of the first input, where that is asked."""
    if variant.aliases is None or not statements.inputs:
        return ""
    if not writable:
        return 'print("arrays here can\'t be written to, so nothing can show")'
    name = statements.inputs[0]
    words = f'"what is written to {name} shows in the result:"'
    return f'print({words}, shows({name}, result), "expected:", {variant.aliases})'
