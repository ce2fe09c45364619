"""Adapters that other packages bring: found by their entry points, and looked at before anything is built on them.

A broken one is told in one line, which names its distribution and its entry point, and is in nobody's way.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, Protocol

from conformance.backends.base import IDIOMS, Backend
from conformance.backends.spelling import Idioms
from conformance.backends.state import AT_IMPORT, Watch, in_short

GROUP = "conformance.backends"
OWN = ("numpy", "torch", "tensorflow", "jax")
"""The backends of this package, in the order of the reports."""

_PACKAGE = "framework-conformance"


class Point(Protocol):
    """What is used of an `importlib.metadata.EntryPoint`."""

    def load(self) -> Any:
        """What it names."""

    def __hash__(self) -> int: ...


class _ClashError(Exception):
    """Two entry points have one name."""


@dataclass(frozen=True, slots=True)
class _Clash:
    """An entry point whose name another one has: it is loaded by neither name, since it would not be known which."""

    value: str
    dist: Any
    why: str

    def load(self) -> Any:
        raise _ClashError(self.why)


def by_name(points: Iterable[metadata.EntryPoint]) -> dict[str, Point]:
    """Entry points by the name of their backend: this package's own first, in the order of the reports.

    Those whose name is taken stand there as broken, under their name and their distribution's: by one of this package,
    or by another package, in which case neither is used, because it would depend on the installation which one is.
    """
    found: dict[str, list[metadata.EntryPoint]] = {}
    for point in points:
        found.setdefault(point.name, []).append(point)
    usable: dict[str, Point] = {}
    clashes: dict[str, Point] = {}
    for name, sharing in found.items():
        own = [point for point in sharing if point.dist is not None and point.dist.name == _PACKAGE]
        used = own[0] if own else sharing[0] if len(sharing) == 1 else None
        if used is not None:
            usable[name] = used
        for point in sharing:
            if point is not used:
                others = ", ".join(_distribution(other) for other in sharing if other is not point)
                clash = _Clash(point.value, point.dist, f"the name '{name}' is taken by {others}")
                clashes[f"{name} ({point.dist.name if point.dist else point.value})"] = clash
    order = [*(name for name in OWN if name in usable), *sorted(usable.keys() - set(OWN))]
    return {name: usable[name] for name in order} | dict(sorted(clashes.items()))


def _distribution(point: Any) -> str:
    dist = getattr(point, "dist", None)
    return f"{dist.name} {dist.version}" if dist is not None else "an unknown distribution"


@cache
def examined(name: str, point: Point) -> type[Backend] | str:
    """The adapter class that an entry point names, or why it can't be used, in one line."""
    with warnings.catch_warnings(), Watch(AT_IMPORT) as watch:
        warnings.simplefilter("ignore")
        try:
            kind = point.load()
            problem = unfit(kind, name)
        except _ClashError as clash:
            problem = str(clash)
        except (Exception, SystemExit) as error:
            problem = f"{type(error).__name__}: {error}"
    if not problem and watch.changes:
        problem = f"importing its module must leave no trace: {in_short(watch.changes)}"
    if not problem:
        found: type[Backend] = kind
        return found
    where = f"entry point '{getattr(point, 'value', '')}' of {_distribution(point)}"
    return f"backend '{name}' ({where}) can't be used: {' '.join(problem.split())}"


def unfit(kind: Any, name: str) -> str:
    """Why something is no adapter class for a backend of that name; empty where it is one."""
    if not (isinstance(kind, type) and issubclass(kind, Backend)):
        return "it is no subclass of conformance.backends.Backend"
    if inspect.isabstract(kind):
        return f"{kind.__name__} lacks {', '.join(sorted(kind.__abstractmethods__))}"
    wrong = [
        f"{kind.__name__}.{attribute} must be {words}"
        for attribute, (words, fits) in _ATTRIBUTES.items()
        if not fits(getattr(kind, attribute, None))
    ]
    called = getattr(kind, "name", None)
    if called != name:
        wrong.append(f"{kind.__name__}.name must be '{name}', as its entry point is called, and is {called!r}")
    if not wrong:  # what every command asks of every backend: an error here would end it
        kind.run_modes()
        kind.not_installed()
        kind.versions()
    return "; ".join(wrong)


def _are_names(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(name, str) and name for name in value)


_ATTRIBUTES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "package": ("the name of a module", lambda value: isinstance(value, str) and value != ""),
    "distributions": ("a tuple of names", _are_names),
    "modes": (f"a tuple of names, without '{IDIOMS}'", lambda v: _are_names(v) and v != () and IDIOMS not in v),
    "gpu_modes": ("a tuple of names", _are_names),
    "own_variables": ("a tuple of prefixes", _are_names),
    "idioms": ("an instance of conformance.backends.Idioms", lambda value: isinstance(value, Idioms)),
    "imports": ("a mapping of names to modules", lambda value: isinstance(value, Mapping)),
}
"""What the attributes of an adapter's class must be."""
