"""The parts of a case whose structure is right, checked for sense. Each raises `Mistake` at the first thing wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from conformance.casefile import expressions, inputs, printed
from conformance.casefile.differentiation import differentiable
from conformance.casefile.errors import Mistake, did_you_mean
from conformance.casefile.expressions import Comparison, Expression
from conformance.casefile.extents import check_extents
from conformance.casefile.model import (
    GIVEN_SOURCES,
    Case,
    Divergence,
    Expect,
    Full,
    Given,
    Instead,
    Integers,
    Linspace,
    Normal,
    Uniform,
)
from conformance.casefile.numbers import dtype_named, leaves, literal_shape, to_array
from conformance.casefile.result_dtypes import check_dtypes
from conformance.casefile.variants import natural_case_dtype
from conformance.ground import limits
from conformance.ground.dtypes import DTYPES
from conformance.ground.layouts import LAYOUTS
from conformance.ops import OPERATIONS


def names_in_inputs(case: Case) -> set[str]:
    """The names under `for` that generators, `put` and `layout` take something from."""
    found: set[str] = set()
    for given in case.given.values():
        if isinstance(given, Given):
            specs = [spec for source, spec in given.sources.items() if source not in ("array", "printed")]
            found |= _strings([*specs, given.put, given.layout])
    return found & case.for_.keys()


def _strings(parts: list[Any]) -> set[str]:
    """The strings among some values and among the fields of those that have some: each may be a name."""
    fields = [getattr(part, name) for part in parts if isinstance(part, Struct) for name in part.__struct_fields__]
    return {value for value in (*fields, *parts) if isinstance(value, str)}


def check_given(given: Any, case: Case, grid: dict[str, list[Any]]) -> None:
    """One input under `given`: its source, its numbers, its shape, each dtype of the grid."""
    dtypes = grid.get("dtype") or [natural_case_dtype_of(case)]
    if not isinstance(given, Given):
        _check_literal(given, dtypes, ())
        return
    sources = given.sources
    if len(sources) != 1:
        found = " and ".join(sources) or "none"
        raise Mistake(f"expected one of {', '.join(GIVEN_SOURCES)}, found {found}")
    if given.dtype is not None:
        dtypes = [dtype_named(given.dtype, ("dtype",)).name]
    source, spec = next(iter(sources.items()))
    if source == "array":
        _check_literal(spec, dtypes, ("array",))
    elif source == "printed":
        _placed(lambda: printed.parse(spec), ("printed",))
        for name in dtypes:
            inputs.printed_array(printed.parse(spec), DTYPES[name], ("printed",))
    else:
        for choice in _choices([spec], grid):
            _check_generator(source, spec, choice, dtypes)
    if given.put is not None or given.layout is not None:
        fixed = shape_of(given, {}) if source in ("array", "printed") else None  # which may have many elements
        for choice in _choices([spec, given.put, given.layout], grid):
            _check_placement(given, fixed if fixed is not None else shape_of(given, choice), choice, dtypes)


def _choices(parts: list[Any], grid: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of the grid's values that a generator, a `put` or a `layout` names."""
    names = sorted(_strings(parts) & grid.keys())
    for values in itertools.product(*(grid[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def shape_of(given: Any, choice: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape of an input under `given`, with one choice of the grid's values.

    Raises:
        Mistake: it has none.
    """
    if not isinstance(given, Given):
        return literal_shape(given)
    source, spec = next(iter(given.sources.items()))
    if source == "array":
        return literal_shape(spec, (source,))
    if source == "printed":
        return printed.parse(spec).shape
    if isinstance(spec, Linspace):
        return (spec.count,)
    return inputs.resolve_shape(spec.shape, choice, (source, "shape"))


def check_results(case: Case, expect: Expect, expression: Expression | Comparison, grid: dict[str, list[Any]]) -> None:
    """That no call gives more elements than are allowed, or reduces axes that it can't, whatever the grid chooses."""
    generated = {
        n for n, g in case.given.items() if isinstance(g, Given) and not {"array", "printed"} & g.sources.keys()
    }
    fixed = {name: shape_of(given, {}) for name, given in case.given.items() if name not in generated}
    specs = [spec for name in generated for spec in case.given[name].sources.values()]  # type: ignore[union-attr]  # they have some
    names = sorted((_strings(specs) | expressions.names_in(expression)) & grid.keys() - {"dtype"})
    for values in itertools.product(*(grid[name] for name in names)):
        choice = dict(zip(names, values, strict=True))
        shapes = fixed | {name: shape_of(case.given[name], choice) for name in generated}
        check_extents(expression, shapes, choice, expect.raises)


def check_order(case: Case, expression: Expression | Comparison, grid: dict[str, list[Any]]) -> None:
    """Refuse a claim that one complex number is less than another: they have no order.

    Raises:
        Mistake: there is one.
    """
    given = [one.dtype for one in case.given.values() if isinstance(one, Given) and one.dtype is not None]
    names = [*(grid.get("dtype") or [natural_case_dtype_of(case)]), *given]
    ordered = isinstance(expression, Comparison) and not {"==", "!="} >= set(expression.relations)
    if ordered and any(DTYPES[name].kind == "complex" for name in names):
        raise Mistake("complex numbers have no order; expected '==' or '!=' between them")


def check_result_dtypes(
    case: Case, expect: Expect, expression: Expression | Comparison, grid: dict[str, list[Any]]
) -> None:
    """That the semantics of every call say which dtype it gives, or the case does."""
    if expect.raises:
        return
    names = sorted((expressions.names_in(expression) & grid.keys()) - {"dtype"})
    for name in grid.get("dtype") or [natural_case_dtype_of(case)]:
        given = {
            n: dtype_named(g.dtype) if isinstance(g, Given) and g.dtype is not None else DTYPES[name]
            for n, g in case.given.items()
        }
        for values in itertools.product(*(grid[n] for n in names)):
            bindings = dict(zip(names, values, strict=True)) | {"dtype": name}
            check_dtypes(expression, given, bindings, expect.dtype is not None)


def _check_placement(given: Given, shape: tuple[int, ...], choice: dict[str, Any], dtypes: list[str]) -> None:
    """An element that is replaced, and a layout, with one choice of the grid's values."""
    if given.put is not None:
        value: Any = given.put.value
        _check_literal(choice.get(value, value) if isinstance(value, str) else value, dtypes, ("put", "value"))
        inputs.index(given.put, shape, choice, ("put",))
    if given.layout is not None:
        layout = choice.get(given.layout, given.layout)
        if not isinstance(layout, str) or layout not in LAYOUTS:
            raise Mistake(f"unknown layout '{layout}'{did_you_mean(str(layout), LAYOUTS)}", ("layout",))
        if len(shape) < LAYOUTS[layout]:
            raise Mistake(f"an array of rank {len(shape)} can't be laid out '{layout}'", ("layout",))


def _check_generator(source: str, spec: Any, choice: dict[str, Any], dtypes: list[str]) -> None:
    """A generator with one choice of the grid's values."""
    if source not in ("integers", "bernoulli", "full"):
        bad = [d for d in dtypes if DTYPES[d].kind != "floating"]
        if bad:
            raise Mistake(f"'{source}' makes real numbers: impossible in an array of dtype {bad[0]}", (source,))
    for name in dtypes:
        plain: Any
        plain, _ = inputs.resolved(spec, DTYPES[name], choice, (source,))
        if isinstance(plain, Full):
            _check_literal(plain.value, [name], (source, "value"))
        if source in ("integers", "binades") and plain.low > plain.high:
            raise Mistake(f"low {plain.low} is above high {plain.high}", (source,))
        if source == "binades":
            dtype = DTYPES[name]
            if plain.low < dtype.smallest_quantum or plain.high > dtype.max_exponent:
                reach = f"{dtype.smallest_quantum} to {dtype.max_exponent}"
                raise Mistake(f"the exponents of {name} go from {reach}, not {plain.low} to {plain.high}", (source,))
        if source == "bernoulli" and not 0 <= plain.probability <= 1:
            raise Mistake("expected a probability, from 0 to 1", (source, "probability"))
        for field, reach in _reaches(plain).items():
            if reach - reach != 0:
                raise Mistake("expected a finite number", (source, field))
            _check_literal(reach, [name, "int64"] if source == "integers" else [name], (source, field))


def _reaches(spec: Any) -> dict[str, Any]:
    """The furthest that a generator's numbers may go, by the parameter that says so."""
    match spec:
        case Normal():
            return {"mean": spec.mean, "scale": abs(float(spec.mean)) + 6 * abs(float(spec.scale))}
        case Uniform() | Integers():
            return {"low": spec.low, "high": spec.high}
        case Linspace():
            return {"start": spec.start, "stop": spec.stop}
    return {}


def natural_case_dtype_of(case: Case) -> str:
    """`natural_case_dtype`, or float32 for a case whose literals are no numbers (which is noted elsewhere)."""
    try:
        return natural_case_dtype(case)
    except Mistake:
        return "float32"


def _check_literal(literal: Any, dtypes: list[str], keys: tuple[str | int, ...]) -> None:
    literal_shape(literal, keys)
    numbers = [number for _, number in leaves(literal)]
    small = all(type(n) in (int, float, bool) and (n - n != 0 or abs(n) <= 127) for n in numbers)
    for name in dtypes:
        # Small plain numbers fit every floating dtype; anything else is tried out.
        if not (small and DTYPES[name].kind == "floating"):
            to_array(literal, DTYPES[name], keys)


def check_expect(case: Case, expect: Expect) -> None:
    """What a case expects, and whether that fits its call or claim."""
    at: tuple[str | int, ...] = ("expect",)
    if case.claim is not None and expect != Expect():
        raise Mistake("a claim says itself what is expected", at)
    if case.within is not None:
        if case.claim is None or "==" not in case.claim:
            raise Mistake("'within' belongs to a claim with ==", ("within",))
        if (case.within.ulp is None) == (case.within.absolute is None):
            raise Mistake("expected one of 'ulp' and 'absolute'", ("within",))
        if not math.isfinite(case.within.ulp or case.within.absolute or 0):
            raise Mistake("expected a finite number: a claim within infinity could not fail", ("within",))
    if "gradient" in case.check:
        if case.claim is not None:
            raise Mistake("a claim has no gradient", ("check",))
        if not differentiable(expressions.parse_call(case.call or ""), case.given):
            raise Mistake("the call takes no input that a gradient can be taken by", ("check",))
        if expect.raises:
            raise Mistake("a call that is refused has no gradient", ("check",))
    if expect.raises and (
        expect.prints
        or expect.shape is not None
        or expect.dtype
        or expect.values is not msgspec.UNSET
        or expect.aliases is not None
        or expect.wraps
    ):
        raise Mistake("a call that is refused has no other outcome", at)
    if expect.prints is not None:
        _placed(lambda: printed.parse(expect.prints or ""), (*at, "prints"))
    if expect.shape is not None:
        _check_size(expect.shape, (*at, "shape"))
    if expect.dtype is not None:
        dtype_named(expect.dtype, (*at, "dtype"))
    if expect.values is not msgspec.UNSET:
        literal_shape(expect.values, (*at, "values"))
        if expect.dtype is not None:
            to_array(expect.values, dtype_named(expect.dtype), (*at, "values"))
        if not expect.because:
            raise Mistake("stated values need a 'because': why does arithmetic not say them?", at)
    if expect.wraps and expect.values is not msgspec.UNSET:
        raise Mistake("expected one of 'wraps' and 'values': what wraps is worked out", at)
    if expect.aliases is not None and ("gradient" in case.check or not case.given):
        raise Mistake("'aliases' is about the value of a call and its first input", at)


def check_drawing(case: Case, expect: Expect, grid: dict[str, list[Any]]) -> None:
    """What a case wants to be drawn, and whether there is such a thing."""
    at = ("draw",)
    if case.draw == "curve" and len(case.given) != 1:
        raise Mistake("a curve is drawn over exactly one input", at)
    if case.draw != "accuracy":
        return
    called = expressions.parse_call(case.call) if case.call is not None else None
    if not isinstance(called, expressions.Call) or any(expressions.operations_in(a) for _, a in called.arguments):
        raise Mistake("the accuracy of one operation is drawn: expected a call of just one", at)
    if OPERATIONS[called.operation].moves:
        raise Mistake(f"'{called.operation}' only moves elements: there is no error to draw", at)
    if "gradient" in case.check:
        raise Mistake("the accuracy of values is drawn, not of gradients: expected 'check' without it", at)
    if expect.raises or expect.values is not msgspec.UNSET:
        raise Mistake("errors are drawn against exact values: the case can't expect others, or a refusal", at)
    other = [name for name in grid.get("dtype") or [natural_case_dtype_of(case)] if DTYPES[name].kind != "floating"]
    if other or not case.given:
        raise Mistake(f"errors in ULP need floating inputs, found {other[0] if other else 'none'}", at)


def check_divergence(entry: Divergence) -> None:
    """One registered divergence."""
    instead = entry.instead
    if instead == Instead():
        keys = ", ".join(field.encode_name for field in msgspec.structs.fields(Instead))
        raise Mistake(f"expected what comes instead: one of {keys}", ("instead",))
    if not entry.cases:
        raise Mistake("expected a pattern of variant IDs, or a list of them", ("cases",))
    counts = instead.non_finite if isinstance(instead.non_finite, list) else [instead.non_finite] * 2
    if len(counts) != 2 or not 0 <= counts[0] <= counts[1]:
        expected = "a number of elements, or the least and the most, such as [1, 4]"
        raise Mistake(f"expected {expected}", ("instead", "non-finite"))
    if instead.shape is not None:
        _check_size(instead.shape, ("instead", "shape"))
    if instead.ulp is not None and not 0 <= instead.ulp[0] <= instead.ulp[1]:
        raise Mistake("expected the least and the largest error in ULP, such as [0.5, 2]", ("instead", "ulp"))
    if instead.dtype is not None:
        dtype_named(instead.dtype, ("instead", "dtype"))
    if instead.values is not msgspec.UNSET:
        literal_shape(instead.values, ("instead", "values"))
    if entry.link and not entry.link.startswith("https://"):
        raise Mistake("expected a link that begins with https://", ("link",))
    for i, name in enumerate(entry.dtypes):
        dtype_named(name, ("dtypes", i))
    for package, range_ in entry.ranges.items():
        _placed(partial(_specifier, range_), ("versions", package) if package else ("versions",))


def _check_size(shape: list[int], keys: tuple[str | int, ...]) -> None:
    if math.prod(shape) > limits.ELEMENTS:
        raise Mistake(f"a shape of {math.prod(shape):,} elements; {limits.ELEMENTS:,} are allowed", keys)


def _specifier(text: str) -> None:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise Mistake(f"expected versions such as >=2.0,<3, found '{text}'") from None


def _placed(action: Callable[[], Any], keys: tuple[str | int, ...]) -> None:
    """Run a check whose mistakes don't know where in the case they are."""
    try:
        action()
    except Mistake as mistake:
        raise Mistake(mistake.message, (*keys, *mistake.keys), mistake.offset) from None
