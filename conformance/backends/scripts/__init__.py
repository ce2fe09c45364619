"""What a backend contributes to scripts that repeat a result without this suite: a file a framework.

Such a script is put together from text (`conformance.reproduction`). An adapter gives its share of it, a `ModeScript`
for each mode, and a run's header holds them, so that reports need no adapter. The functions in the modules beside this
one are never called from here: scripts contain their source. None of the frameworks is imported.
"""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from collections.abc import Callable
from importlib import metadata
from typing import Any

from msgspec import Struct


class ModeScript(Struct, frozen=True, omit_defaults=True):
    """A backend's share of a script, for one mode: Python source. Each ``def`` must need nothing but `opening`.

    Attributes:
        opening: the imports, NumPy's as ``np`` among them, and the settings that the adapter makes.
        requires: the distributions to install, pinned (``torch==2.13.0``), the framework's own first, ``ml-dtypes``
            among them, which only scripts with bfloat16 install.
        native: ``def native(array)``: a NumPy array as the framework's. bfloat16 is the extension type of
            ml_dtypes, which a script imports where it is needed.
        numbers_of: ``def numbers_of(result)``: the other way round.
        in_mode: ``def in_mode(function)``: a function of arrays, made ready to run in the mode.
        dtype_named: ``def dtype_named(name)``: the framework's dtype of that name.
        gradients: ``def gradients(function, inputs, wrt, cotangent)``: the gradients of
            ``sum(cotangent * function(*inputs))`` by the inputs numbered `wrt`; empty where there are none.
        fill: ``def fill(array, value)``: set every element in place; empty where arrays can't be written to.
    """

    opening: str
    requires: tuple[str, ...]
    native: str
    numbers_of: str
    in_mode: str
    dtype_named: str
    gradients: str = ""
    fill: str = ""


def source_of(function: Callable[..., Any]) -> str:
    """The source of a plain function."""
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def renamed(function: Callable[..., Any], name: str) -> str:
    """The source of a plain function, under another name."""
    return source_of(function).replace(f"def {function.__name__}(", f"def {name}(", 1)


def pinned(*distributions: str) -> tuple[str, ...]:
    """Those of some distributions that are installed, with their versions, as package indexes know them."""
    found = []
    for name in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            # The label of a local build (+cpu) is no part of an index's versions.
            found.append(f"{name}=={metadata.version(name).partition('+')[0]}")
    return tuple(found)
