"""The functions that scripts may contain, whatever the backend: helpers, generators, layouts, the weights of gradients.

A script contains those that it names, and those that these name.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from conformance.backends.scripts import source_of
from conformance.casefile import generators
from conformance.ground.layouts import MAKERS as LAYOUTS
from conformance.reproduction import helpers
from conformance.truth.rounding import to_odd_float32

_OWN = [function for function in vars(helpers).values() if isinstance(function, FunctionType)]
_IMPORTS = {
    "base64": "import base64",
    "hashlib": "import hashlib",
    "itertools": "import itertools",
    "ml_dtypes": "import ml_dtypes",
    "Decimal": "from decimal import Decimal",
    "Fraction": "from fractions import Fraction",
}
_CALLED = re.compile(r"\b[a-z_][a-z0-9_]*(?=\()|\bbase64\b")


def _behind(functions: Iterable[Callable[..., Any]]) -> dict[str, FunctionType]:
    """Functions of this suite, and those that they call, by name; those that are called come first."""
    found: dict[str, FunctionType] = {}
    for function in functions:
        assert isinstance(function, FunctionType)
        if function.__name__ not in found:
            called = (function.__globals__.get(name) for name in sorted(_names(function)))
            found |= _behind(f for f in called if isinstance(f, FunctionType))
            found[function.__name__] = function
    return found


def _names(function: FunctionType) -> set[str]:
    """The global names that a function reads."""
    codes, names = [function.__code__], set()
    for code in codes:  # grows by those of comprehensions and lambdas
        names |= {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return names


_ALL = _behind([*_OWN, *generators.MAKERS.values(), *LAYOUTS.values(), to_odd_float32])

NAMES = frozenset({*_ALL, *_IMPORTS, "np"})
"""The names that these functions and their imports take in a script."""


def part(text: str) -> str:
    """The imports and functions that some source needs of those here.

    Args:
        text: the source; what looks like a call in a literal counts as well.
    """
    names = frozenset(_CALLED.findall(text)) & NAMES
    return _part(names | {"ml_dtypes"} if "bfloat16" in text else names)


@lru_cache(maxsize=256)
def _part(names: frozenset[str]) -> str:
    functions = _behind(function for name, function in _ALL.items() if name in names)
    needed = names.union(*(_names(function) for function in functions.values()))
    imports = [line for name, line in _IMPORTS.items() if name in needed]
    return "\n\n\n".join(["\n".join(imports), *map(source_of, functions.values())])
