"""A case's grid, spread out into variants with stable IDs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.casefile import expressions, printed
from conformance.casefile.errors import Mistake, did_you_mean
from conformance.casefile.expressions import Comparison, Expression
from conformance.casefile.model import Case, Expect, Given
from conformance.casefile.numbers import dtype_named, natural_dtype
from conformance.ground import limits
from conformance.ground.dtypes import DTYPES, GROUPS, DType


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """A case that was read and checked.

    Attributes:
        id: the file's place under the root of the cases, and the case's name: ``document/softmax/printed-example``.
        case: as written.
        expression: its call or claim, parsed.
        expect: what is expected (``expect: raises`` is ``Expect(raises=True)``).
        path: of the file, as it was given.
        line: where the case begins.
        text: its YAML.
        grid: every name under `for` with its values; the dtypes under `dtype`, by name.
    """

    id: str
    case: Case
    expression: Expression | Comparison
    expect: Expect
    path: str
    line: int
    text: str
    grid: Mapping[str, list[Any]]

    @property
    def operations(self) -> set[str]:
        """Names of the operations the case calls."""
        return expressions.operations_in(self.expression)

    @property
    def headline(self) -> str:
        """The operation the case is about: the outermost of a call, the first named of a claim."""
        sides = self.expression.sides if isinstance(self.expression, Comparison) else (self.expression,)
        named = [name for side in sides for name in _outermost(side)]
        telling = [name for name in named if name not in expressions.ARITHMETIC]
        return (telling or named or ["asarray"])[0]


def _outermost(side: Expression) -> list[str]:
    match side:
        case expressions.Call(operation="sum" | "mean" as name, arguments=((_, expressions.Call() as inner), *_)):
            return [*_outermost(inner), name]
        case expressions.Call(operation=name, arguments=arguments):
            inner_names = [n for _, a in arguments for n in _outermost(a)] if name in expressions.ARITHMETIC else []
            return [*inner_names, name]
        case expressions.ShapeOf(of=of):
            return _outermost(of)
    return []


@dataclass(frozen=True, slots=True)
class Variant:
    """A case with every free choice fixed.

    `check` is what is checked of it: its value, or its gradient (a variant of its own, since a backend may have one
    and not the other).
    """

    id: str
    case: LoadedCase
    dtype: DType
    bindings: Mapping[str, Any]
    check: str = "value"


def grid_of(case: Case) -> dict[str, list[Any]]:
    """The names under `for` with their values, dtype groups spread out.

    Raises:
        Mistake: a value that no grid can have.
    """
    grid: dict[str, list[Any]] = {}
    for name, values in case.for_.items():
        keys = ("for", name)
        if name in case.given:
            raise Mistake(f"'{name}' is under 'given' too", keys)
        if name == "dtype":
            grid[name] = _dtypes(values, keys)
        elif isinstance(values, list) and values:
            grid[name] = values
        else:
            raise Mistake("expected a list of one value or more", keys)
        seen: dict[str, Any] = {}
        for i, value in enumerate(grid[name]):
            label = label_of(value, name)
            if len(label) > limits.LABEL_CHARACTERS:
                raise Mistake(f"a value of more than {limits.LABEL_CHARACTERS} characters in IDs", (*keys, i))
            if label in seen:
                same = repr(seen[label]) == repr(value)
                alike = "" if same else f": {seen[label]!r} and {value!r} look alike in IDs; put one into another case"
                raise Mistake(f"the value {label} a second time{alike}", (*keys, i))
            seen[label] = value
    size = math.prod(len(values) for values in grid.values())
    if size > limits.CASE_VARIANTS:
        raise Mistake(f"a grid of {size:,} variants; {limits.CASE_VARIANTS:,} are allowed", ("for",))
    return grid


def _dtypes(value: Any, keys: tuple[str | int, ...]) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise Mistake("expected a dtype, a group of them, or a list", keys)
    names: list[str] = []
    for i, name in enumerate(value):
        if not isinstance(name, str) or (name not in GROUPS and name not in DTYPES):
            hint = did_you_mean(str(name), (*DTYPES, *GROUPS))
            raise Mistake(f"unknown dtype '{name}'{hint}", (*keys, i))
        names.extend(GROUPS.get(name, (name,)))
    return list(dict.fromkeys(names))


def natural_case_dtype(case: Case) -> str:
    """The dtype of a case that names none: float32, unless all its inputs are integers, or all are bools.

    A case without inputs is named after the dtype it expects.
    """
    if not case.given and isinstance(case.expect, Expect) and case.expect.dtype is not None:
        return case.expect.dtype
    found = set()
    for given in case.given.values():
        if not isinstance(given, Given):
            found.add(natural_dtype(given))
        elif given.dtype is None:
            source, spec = next(iter(given.sources.items()), ("", None))
            found.add(_natural_of_source(source, spec))
    if len(found) == 1:
        return found.pop()
    return "int64" if found == {"int64", "bool"} else "float32"


def _natural_of_source(source: str, spec: Any) -> str:
    if source == "array":
        return natural_dtype(spec)
    whole = source == "integers" or (source == "printed" and printed.parse(spec).whole)
    return "int64" if whole else "float32"


def expand(loaded: LoadedCase) -> list[Variant]:
    """All variants of a case. Their order and IDs don't depend on the order of anything in the file but the grid's."""
    grid = dict(loaded.grid)
    dtypes = grid.pop("dtype", None) or [natural_case_dtype(loaded.case)]
    names = sorted(grid)
    variants = []
    for check in sorted(set(loaded.case.check), reverse=True):  # value first
        for dtype in dtypes:
            for choice in itertools.product(*(grid[name] for name in names)):
                bindings = dict(zip(names, choice, strict=True))
                labels = [dtype, *(f"{name}={label_of(bindings[name], name)}" for name in names)]
                if check != "value":
                    labels.append(check)
                bindings["dtype"] = dtype
                variants.append(
                    Variant(f"{loaded.id}[{','.join(labels)}]", loaded, dtype_named(dtype), bindings, check)
                )
    return variants


def label_of(value: Any, name: str = "") -> str:
    """A grid value as it stands in a variant's ID; lists of integers look like shapes (``2x3``).

    An empty list is the shape of a scalar, except under a name for axes: there it is no axis at all.
    """
    if isinstance(value, list):
        return "x".join(label_of(item) for item in value) or ("no-axis" if name in ("axis", "axes") else "scalar")
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise Mistake(f"expected a number, a string, a list or null, found {type(value).__name__}", ("for",))
    return "".join(c if c.isalnum() or c in "+-._" else "_" for c in str(value))
