"""One adapter a framework, found through the entry-point group ``conformance.backends``. Knows no case.

A framework is imported inside its own adapter's module, which is imported when that backend is used.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata

from conformance.backends.base import Backend
from conformance.backends.spelling import Unsupported

GROUP = "conformance.backends"
_OWN = ("numpy", "torch", "tensorflow", "jax")


class UnknownBackendError(LookupError):
    """There is no backend of that name."""


@cache
def entry_points() -> dict[str, metadata.EntryPoint]:
    """Every backend's entry point by name, this package's own first and in the order of the reports."""
    found = {point.name: point for point in metadata.entry_points(group=GROUP)}
    own = [name for name in _OWN if name in found]
    return {name: found[name] for name in [*own, *sorted(found.keys() - set(own))]}


def names() -> list[str]:
    """Names of all backends, installed or not."""
    return list(entry_points())


def load(name: str) -> type[Backend]:
    """The adapter class of a backend; imports its module, but not its framework.

    Raises:
        UnknownBackendError: there is none of that name.
    """
    points = entry_points()
    if name not in points:
        raise UnknownBackendError(f"no backend '{name}'; there are {', '.join(points)}")
    loaded = points[name].load()
    if not (isinstance(loaded, type) and issubclass(loaded, Backend)):
        raise UnknownBackendError(f"the entry point of backend '{name}' is no subclass of conformance.backends.Backend")
    return loaded


def installed() -> list[str]:
    """Names of the backends whose frameworks are installed."""
    return [name for name in names() if load(name).not_installed() is None]


__all__ = ["Backend", "UnknownBackendError", "Unsupported", "installed", "load", "names"]
