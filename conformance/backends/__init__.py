"""One adapter a framework, found through the entry-point group ``conformance.backends``. Knows no case.

A framework is imported when its adapter is made, and not with the adapter's module.

Imports ground.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib import metadata

from conformance.backends import plugins
from conformance.backends.base import Backend
from conformance.backends.spelling import Idioms, Unsupported


class UnknownBackendError(LookupError):
    """There is no backend of that name."""


class BrokenBackendError(Exception):
    """There is one, and its adapter can't be used; the message says whose it is, and why."""


@cache
def entry_points() -> dict[str, plugins.Point]:
    """Every backend's entry point by name, this package's own first and in the order of the reports."""
    return plugins.by_name(metadata.entry_points(group=plugins.GROUP))


def names() -> list[str]:
    """Names of all backends, installed or not, broken or not."""
    return list(entry_points())


def place(name: str) -> tuple[int, str]:
    """Where a backend stands among others in everything that lists some: those that are not known here last."""
    known = names()
    return (known.index(name) if name in known else len(known), name)


def load(name: str) -> type[Backend]:
    """The adapter class of a backend; imports its module, but not its framework.

    Raises:
        UnknownBackendError: there is none of that name.
        BrokenBackendError: it can't be used.
    """
    points = entry_points()
    if name not in points:
        raise UnknownBackendError(f"no backend '{name}'; there are {', '.join(points)}")
    found = plugins.examined(name, points[name])
    if isinstance(found, str):
        raise BrokenBackendError(found)
    return found


def broken(wanted: Collection[str] = ()) -> dict[str, str]:
    """The backends that can't be used, and a line that says whose each is and why.

    Args:
        wanted: which to look at; all there are where it is empty.
    """
    chosen = {name: point for name, point in entry_points().items() if not wanted or name in wanted}
    found = {name: plugins.examined(name, point) for name, point in chosen.items()}
    return {name: why for name, why in found.items() if isinstance(why, str)}


def usable() -> dict[str, type[Backend]]:
    """The adapter classes of all backends that are not broken, installed or not."""
    wrong = broken()
    return {name: load(name) for name in names() if name not in wrong}


def installed() -> list[str]:
    """Names of the backends whose frameworks are installed."""
    return [name for name, kind in usable().items() if kind.not_installed() is None]


__all__ = [
    "Backend",
    "BrokenBackendError",
    "Idioms",
    "UnknownBackendError",
    "Unsupported",
    "broken",
    "installed",
    "load",
    "names",
    "place",
    "usable",
]
