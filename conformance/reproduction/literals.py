"""A stored array as a line of a script that gives exactly its bits again.

Which form it takes is tried out: a text is used only where `helpers.array` reads the same bits from it.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import inspect
import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from conformance.casefile.generators import MAKERS, last_below
from conformance.ground import dtypes, limits
from conformance.ground.dtypes import DTYPES
from conformance.ground.layouts import LAYOUTS
from conformance.ground.layouts import MAKERS as LAYOUT_MAKERS
from conformance.reproduction import helpers
from conformance.reproduction.calls import literal
from conformance.runfile import Made, Stored, plain
from conformance.truth.rounding import to_odd_float32

WIDTH = 100
_LARGEST_TRIED = 2**16
"""A recipe is tried out on arrays up to this size; of larger ones the script itself compares the digest."""
_MOST_WRITTEN = 128
"""Elements that are written out as numbers; more stand as their bytes."""
_LONGEST_DECIMAL = 8
_NOUGHTS = re.compile(r"\.?0*p")


class NotStoredError(ValueError):
    """An array can't be given: it is stored as a digest only, or is none."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How numbers were made: as source, and a function that makes them."""

    text: str
    make: Callable[[], Any]


def given(stored: Stored, made: Made | None, written: int) -> str:
    """An input as an expression whose value is the framework's array.

    Args:
        stored: the array.
        made: how the suite made it, where that is known.
        written: up to so many elements are written out; more are made again, where that is known.

    Raises:
        NotStoredError: the script could not have it.
    """
    due = _elements(stored) if stored.whole else None
    size = math.prod(stored.shape)
    layout = made.layout if made is not None else ""
    if layout and (layout not in LAYOUT_MAKERS or len(stored.shape) < LAYOUTS[layout]):
        raise NotStoredError(f"an array of shape {stored.shape} has no layout {layout!r}")
    lay = LAYOUT_MAKERS.get(layout)
    recipe = _recipe(made, stored, size) if made is not None and (due is None or size > written) else None
    if recipe is not None and _gives(stored, recipe, lay):
        return _native(stored, recipe.text, layout)
    if due is None:
        raise NotStoredError(
            f"it has {size:,} elements, and the run file holds their digest only; 'conformance repro' without "
            "--run-file makes it from the cases"
        )
    text, value = numbers(due)
    if size <= max(written, _MOST_WRITTEN) and value is not None and _same(_laid(stored, value, lay), due):
        return _native(stored, text, layout)
    encoded = textwrap.fill(base64.b64encode(due.tobytes()).decode("ascii"), WIDTH)
    return _native(stored, f"base64.b64decode({_block(encoded)})", layout)


def _native(stored: Stored, numbers: str, layout: str) -> str:
    text = f"array({literal(stored.dtype)}, {tuple(stored.shape)!r}, {numbers})"
    text = f"{layout}({text})" if layout else text
    return f"native({text})" if stored.whole else f"native(checked({literal(stored.sha256)}, {text}))"


def first(stored: Stored, few: int, of_more: int) -> str:
    """Dtype, shape and first elements as a tuple of literals, for `helpers.show`.

    Args:
        stored: the array.
        few: up to so many elements are all taken.
        of_more: how many are taken of more.

    Raises:
        NotStoredError: it is no array.
    """
    elements = _elements(stored).ravel()
    elements = elements[: elements.size if elements.size <= few else of_more]
    text, value = numbers(elements)
    if value is None or not _same(helpers.array(stored.dtype, -1, value), elements):
        text = f"bytes.fromhex({literal(elements.tobytes().hex())})"
    return f"({literal(stored.dtype)}, {tuple(stored.shape)!r}, {text})"


def numbers(elements: np.ndarray) -> tuple[str, Any]:
    """Elements as source, and what it is read as: floats as a text of them, everything else as a list.

    Complex numbers are sums in source, which lose signs of zeros; where one is not finite nothing reads them: None.
    """
    if dtypes.of(elements).kind == "floating":
        with np.errstate(invalid="ignore"):  # a signalling NaN
            wide = elements.astype(np.float64)
        text = " ".join(map(_float, wide.ravel().tolist()))
        return _block(text), text
    values = elements.ravel().tolist()
    text = repr(values)
    if dtypes.of(elements).kind == "complex":
        return text, ast.literal_eval(text) if np.isfinite(elements).all() else None
    return text, values


def _float(value: float) -> str:
    """A float in decimal where that is short and exact, else in hexadecimal."""
    decimal = repr(value)
    if value - value != 0 or (len(decimal) <= _LONGEST_DECIMAL and Fraction(decimal) == Fraction(value)):
        return decimal
    return _NOUGHTS.sub("p", value.hex())


def _block(text: str) -> str:
    """A text without quotes or backslashes as a literal, over several lines where it is long."""
    return f'"{text}"' if len(text) <= WIDTH else f'"""\n{textwrap.fill(text, WIDTH)}\n"""'


def _elements(stored: Stored) -> np.ndarray:
    try:
        return stored.array()
    except ValueError as error:  # base64's own error is one too
        raise NotStoredError(f"it can't be read: {error}") from None


def _laid(stored: Stored, value: Any, lay: Callable[..., Any] | None) -> np.ndarray:
    made = helpers.array(stored.dtype, tuple(stored.shape), value)
    return lay(made) if lay else made


def _same(made: np.ndarray, due: np.ndarray) -> bool:
    return made.dtype == due.dtype and made.shape == due.shape and made.tobytes() == due.tobytes()


def _gives(stored: Stored, recipe: _Recipe, lay: Callable[..., Any] | None) -> bool:
    """Whether a recipe gives just these bits; of very many elements the script will find that out."""
    if math.prod(stored.shape) > _LARGEST_TRIED:
        return not stored.whole
    try:
        with np.errstate(all="ignore"):
            made = _laid(stored, recipe.make(), lay)
    except (ValueError, TypeError, IndexError, OverflowError):  # numbers that no case could have
        return False
    if stored.whole:
        return _same(made, _elements(stored))
    return hashlib.sha256(made.tobytes()).hexdigest() == stored.sha256


def _recipe(made: Made, stored: Stored, size: int) -> _Recipe | None:
    """How the suite made an array, before it was laid out; None where it did not, or where that is not understood."""
    arguments = {name: plain(value) for name, value in made.arguments.items()}
    maker = MAKERS.get(made.source)
    if maker is None or size > limits.ELEMENTS or not set(arguments) <= set(inspect.signature(maker).parameters):
        return None
    if arguments.setdefault("count", size) != size or not all(type(v) in (int, float, str) for v in arguments.values()):
        return None
    named = ", ".join(f"{name}={literal(value)}" for name, value in arguments.items() if name != "count")
    text = f"{maker.__name__}({size}, {named})"
    functions: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = []
    if made.source == "binades":  # the largest of the top binade would round up to infinity
        functions.append(("np.clip", np.clip, (-_largest(stored.dtype), _largest(stored.dtype))))
    if (last := _last(made.source, arguments, stored.dtype)) is not None:
        functions.append(("np.minimum", np.minimum, (last,)))
    if made.put:
        at, by = made.put[0], plain(made.put[-1])
        if type(at) is not int or type(by) not in (bool, int, float):
            return None
        functions.append(("replaced", helpers.replaced, (at, by)))
    if stored.dtype == "bfloat16":  # float64 goes there by way of float32, and may not be rounded twice
        functions.append(("to_odd_float32", to_odd_float32, ()))
    for name, _, more in functions:
        text = f"{name}({', '.join([text, *map(literal, more)])})"

    def make() -> Any:
        values = maker(**arguments)
        for _, function, more in functions:
            values = function(values, *more)
        return values

    return _Recipe(text, make)


def _last(source: str, arguments: dict[str, Any], dtype: str) -> float | None:
    """What uniform numbers must not pass, if some of them would round to their upper end."""
    if source != "uniform" or DTYPES[dtype].kind != "floating":
        return None
    try:
        last = last_below(float(arguments["low"]), float(arguments["high"]), DTYPES[dtype])
        passed = arguments["count"] > _LARGEST_TRIED or MAKERS[source](**arguments).max(initial=-math.inf) > last
    except (ValueError, TypeError, KeyError, OverflowError):  # no arguments that a case could have
        return None
    return last if passed and math.isfinite(last) else None


def _largest(dtype: str) -> float:
    kind = DTYPES[dtype]
    return math.ldexp(2**kind.precision - 1, kind.max_exponent - kind.precision + 1)
