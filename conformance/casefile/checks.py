"""The parts of a case whose structure is right, checked for sense. Each raises `Mistake` at the first thing wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from conformance.casefile import expressions, inputs, printed
from conformance.casefile.errors import Mistake
from conformance.casefile.model import (
    GIVEN_SOURCES,
    Case,
    Divergence,
    Expect,
    Full,
    Given,
    Integers,
    Linspace,
    Normal,
    Uniform,
)
from conformance.casefile.numbers import dtype_named, leaves, literal_shape, to_array
from conformance.casefile.variants import natural_case_dtype
from conformance.dtypes import DTYPES


def shape_names(case: Case) -> set[str]:
    """The names under `for` that generators take their shape from."""
    specs = [s for g in case.given.values() if isinstance(g, Given) for s in g.sources.values()]
    return {s.shape for s in specs if isinstance(getattr(s, "shape", None), str)}


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
        if isinstance(spec, Full):
            _check_literal(spec.value, dtypes, (source, "value"))
        elif source not in ("integers", "bernoulli"):
            bad = [d for d in dtypes if DTYPES[d].kind != "floating"]
            if bad:
                raise Mistake(f"'{source}' makes real numbers: impossible in an array of dtype {bad[0]}", (source,))
        if not isinstance(spec, Linspace):
            shapes = grid.get(spec.shape, [spec.shape]) if isinstance(spec.shape, str) else [spec.shape]
            for shape in shapes:
                inputs.resolve_shape(shape, {}, (source, "shape"))
        if isinstance(spec, Integers) and spec.low > spec.high:
            raise Mistake(f"low {spec.low} is above high {spec.high}", (source,))
        for name, reach in _reaches(spec).items():
            if reach - reach != 0:
                raise Mistake("expected a finite number", (source, name))
            _check_literal(reach, [*dtypes, "int64"] if isinstance(spec, Integers) else dtypes, (source, name))


def _reaches(spec: Any) -> dict[str, Any]:
    """The furthest that a generator's numbers may go, by the parameter that says so."""
    match spec:
        case Normal(mean=mean, scale=scale):
            return {"mean": mean, "scale": abs(mean) + 6 * abs(scale)}
        case Uniform(low=low, high=high) | Integers(low=low, high=high):
            return {"low": low, "high": high}
        case Linspace(start=start, stop=stop):
            return {"start": start, "stop": stop}
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
    if "gradient" in case.check:
        if case.claim is not None:
            raise Mistake("a claim has no gradient", ("check",))
        parsed = expressions.parse_call(case.call or "")
        if isinstance(parsed, expressions.Call) and any(expressions.operations_in(a) for _, a in parsed.arguments):
            raise Mistake("the gradient of one operation is checked, not of a composition", ("check",))
        if expect.raises:
            raise Mistake("a call that is refused has no gradient", ("check",))
    if expect.raises and (
        expect.prints or expect.shape is not None or expect.dtype or expect.values is not msgspec.UNSET
    ):
        raise Mistake("a call that is refused has no other outcome", at)
    if expect.prints is not None:
        _placed(lambda: printed.parse(expect.prints or ""), (*at, "prints"))
    if expect.dtype is not None:
        dtype_named(expect.dtype, (*at, "dtype"))
    if expect.values is not msgspec.UNSET:
        literal_shape(expect.values, (*at, "values"))
        if expect.dtype is not None:
            to_array(expect.values, dtype_named(expect.dtype), (*at, "values"))
        if not expect.because:
            raise Mistake("stated values need a 'because': why does arithmetic not say them?", at)
    if case.draw is not None and len(case.given) != 1:
        raise Mistake("a curve is drawn over exactly one input", ("draw",))


def check_divergence(entry: Divergence) -> None:
    """One registered divergence."""
    instead = entry.instead
    if not (
        instead.raises or instead.returns or instead.dtype or instead.shape is not None
        or instead.values is not msgspec.UNSET or instead.ulp
    ):  # fmt: skip
        raise Mistake("expected what comes instead: one of raises, returns, dtype, shape, values, ulp", ("instead",))
    if instead.dtype is not None:
        dtype_named(instead.dtype, ("instead", "dtype"))
    if instead.values is not msgspec.UNSET:
        literal_shape(instead.values, ("instead", "values"))
    if entry.link and not entry.link.startswith("https://"):
        raise Mistake("expected a link that begins with https://", ("link",))
    for i, name in enumerate(entry.dtypes):
        dtype_named(name, ("dtypes", i))
    _placed(lambda: _specifier(entry.versions), ("versions",))


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
