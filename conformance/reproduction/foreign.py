"""Source that a run file holds: an idiom, or a backend's share of scripts. It is read here, and never executed.

What is made sure of: it parses, it is what it is said to be, it shows all its characters, and it needs nothing that a
script would not have. Whether it is harmless, nobody can tell.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Collection, Iterator
from functools import lru_cache

from conformance.backends.scripts import ModeScript


class ForeignSourceError(ValueError):
    """Source that can't be part of a script, and why."""


def comment(text: str) -> str:
    """A text as part of a comment: on one line, of ASCII characters that show."""
    return " ".join(text.split()).encode("unicode_escape").decode("ascii")


def parsed(source: str) -> ast.Module:
    """Source as Python's parser reads it.

    Raises:
        ForeignSourceError: it does not parse, or holds characters that don't show.
    """
    if not all(c in "\n\t" or c.isprintable() for c in source):  # such as those that reverse the order of what is shown
        raise ForeignSourceError("it holds characters that don't show")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ForeignSourceError(f"it can't be parsed: {error}") from None


@lru_cache(maxsize=1024)
def function(source: str) -> ast.FunctionDef:
    """The only thing in some source: a function without decorators.

    Raises:
        ForeignSourceError: it is something else.
    """
    body = parsed(source).body
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef) or body[0].decorator_list:
        raise ForeignSourceError("it is not one plain function")
    return body[0]


def positional(found: ast.FunctionDef) -> list[str]:
    """The parameters that a function takes by position, in order."""
    return [argument.arg for argument in (*found.args.posonlyargs, *found.args.args)]


@lru_cache(maxsize=1024)
def needs(source: str) -> frozenset[str]:
    """The global names that a function uses, itself left out."""
    return frozenset(_symbols(source, used=True)) - {function(source).name}


@lru_cache(maxsize=256)
def bound(source: str) -> frozenset[str]:
    """The global names that some source imports or assigns."""
    parsed(source)
    return frozenset(_symbols(source, used=False))


def _symbols(source: str, used: bool) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = [symtable.symtable(source, "source", "exec")]
    for symbol in tables[0].get_symbols():
        if symbol.is_referenced() if used else symbol.is_assigned() or symbol.is_imported():
            yield symbol.get_name()
    for table in tables:  # grows by those inside
        tables += table.get_children()
        if table is not tables[0]:
            yield from (s.get_name() for s in table.get_symbols() if s.is_global() and used == s.is_referenced())


FUNCTIONS = ("native", "numbers_of", "in_mode", "dtype_named", "gradients", "fill")
"""The functions in a backend's share."""


@lru_cache(maxsize=64)
def names_of(share: ModeScript) -> frozenset[str]:
    """The names that a backend's share binds, once it is sure that its functions need no others.

    Raises:
        ForeignSourceError: it is not made of the functions that it should have.
    """
    names = bound(share.opening) | set(FUNCTIONS)
    for name in FUNCTIONS:
        source = getattr(share, name)
        if not source and name in ("gradients", "fill"):
            continue
        if function(source).name != name:
            raise ForeignSourceError(f"'{name}' is not what it defines")
        check_needs(source, names)
    return names


def check_needs(source: str, names: Collection[str]) -> None:
    """Make sure that a function needs no global names but some, and Python's own.

    Raises:
        ForeignSourceError: it does.
    """
    lacking = sorted(name for name in needs(source) if name not in names and not hasattr(builtins, name))
    if lacking:
        raise ForeignSourceError(f"it needs {', '.join(lacking)}, which a script does not have")
