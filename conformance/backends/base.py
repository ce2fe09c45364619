"""What a backend is: a small adapter around a framework.

A third party's adapter subclasses `Backend`, and is named under the entry-point group ``conformance.backends``.
Its idioms are plain functions, whose bodies are what a user of the framework would write::

    idiom = Idioms()

    @idiom("softmax")
    def softmax(x, *, axis):
        return torch.softmax(x, dim=axis)
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any, ClassVar

import numpy as np

Native = Any
"""An array of the framework."""

Function = Callable[..., Any]


class Unsupported(Exception):  # noqa: N818 - a verdict, not an error
    """The backend can't do what is asked of it, for a reason that is no deviation: it says why."""


class Idioms(Mapping[str, Function]):
    """The spellings a backend gives to operations, by operation name.

    Args:
        inherited: spellings to start from, such as `conformance.backends.operators.idiom`.
    """

    def __init__(self, inherited: Mapping[str, Function] | None = None) -> None:
        self._functions: dict[str, Function] = dict(inherited or {})

    def __call__(self, operation: str) -> Callable[[Function], Function]:
        """Register the decorated function as the primary idiom of an operation."""

        def register(function: Function) -> Function:
            if operation in self._functions:
                raise ValueError(f"a second idiom for '{operation}'")
            self._functions[operation] = function
            return function

        return register

    def __getitem__(self, operation: str) -> Function:
        return self._functions[operation]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def source(self, operation: str) -> str:
        """The idiom's source, without its decorator."""
        lines = textwrap.dedent(inspect.getsource(self._functions[operation])).splitlines()
        start = next((i for i, line in enumerate(lines) if line.startswith("def ")), 0)  # a lambda has none
        return "\n".join(lines[start:])


class Backend(ABC):
    """An adapter. An instance belongs to one process and one device.

    Class attributes:
        name: what the command line and the run files call it.
        package: the module it imports; without it the backend is not installed.
        distributions: installed packages whose versions a run records, the framework's own first. The first one that
            is installed gives the framework's version.
        modes: how it executes; the first is the plain one.
        idioms: one function an operation.
        imports: the modules that the idioms name, by the global name they use. They are imported into the adapter's
            module when an instance is made, and not before: listing backends and reading idioms must import none.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]]
    modes: ClassVar[tuple[str, ...]] = ("eager",)
    idioms: ClassVar[Idioms]
    imports: ClassVar[Mapping[str, str]] = {}

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        for cls in type(self).__mro__:  # an adapter that inherits uses its parent's idioms, in the parent's module
            for name, imported in vars(cls).get("imports", {}).items():
                vars(sys.modules[cls.__module__])[name] = importlib.import_module(imported)

    @classmethod
    def not_installed(cls) -> str | None:
        """Why the framework can't be imported, or None. Imports nothing."""
        if importlib.util.find_spec(cls.package) is None:
            return f"{cls.package} is not installed: pip install 'framework-conformance[{cls.name}]'"
        return None

    @classmethod
    def versions(cls) -> dict[str, str]:
        """Versions of the distributions that are installed, by name."""
        found = {}
        for distribution in cls.distributions:
            with contextlib.suppress(metadata.PackageNotFoundError):
                found[distribution] = metadata.version(distribution)
        return found

    @abstractmethod
    def devices(self) -> list[str]:
        """The kinds of device at hand: ``cpu``, ``gpu``."""

    def start(self) -> None:  # noqa: B027 - most adapters have nothing to prepare
        """Make the framework deterministic and precise; called once, before anything else.

        Raises:
            Unsupported: the backend can't run here at all.
        """

    def missing_mode(self, mode: str) -> str:
        """Why a mode can't run here (a compiler is not installed, say), or an empty string."""
        return ""

    def scope(self, mode: str) -> contextlib.AbstractContextManager[Any]:
        """What has to be in force while anything of a mode runs (a precision setting, a device)."""
        return contextlib.nullcontext()

    @abstractmethod
    def from_numpy(self, array: np.ndarray) -> Native:
        """An array of the same dtype, shape and bits on the backend's device.

        Raises:
            Unsupported: the framework has no such dtype.
        """

    @abstractmethod
    def to_numpy(self, array: Native) -> np.ndarray:
        """The array's dtype, shape and bits; waits for the device."""

    @abstractmethod
    def dtype(self, name: str) -> Any:
        """The framework's dtype of that name."""

    def compile(self, function: Function, mode: str) -> Function:
        """`function`, a function of arrays, made ready to run in `mode`."""
        return function

    def gradient(
        self, function: Function, inputs: Sequence[Native], wrt: Sequence[int], cotangent: Native
    ) -> list[Native]:
        """Gradients of ``sum(cotangent * function(*inputs))`` with respect to the inputs numbered `wrt`.

        Raises:
            Unsupported: the framework has no gradients.
        """
        raise Unsupported(f"{self.name} has no gradients")

    def synchronise(self, result: Any) -> None:  # noqa: B027 - nothing to wait for on most CPUs
        """Wait until everything in `result`, an array or a tuple of them, is computed."""

    def settings(self) -> dict[str, str]:
        """Settings that can change results (threads, precision switches), for the record."""
        return {}

    def flushes_subnormals(self, mode: str) -> bool:
        """Whether dividing the smallest normal float32 by two gives zero in `mode`."""
        tiny = np.full((4,), 2.0**-126, dtype=np.float32)
        with self.scope(mode):
            halve = self.compile(lambda x: (x * 0.5,), mode)
            return not self.to_numpy(halve(self.from_numpy(tiny))[0]).any()


def own_version(cls: type[Backend]) -> str:
    """The framework's version, or an empty string where it isn't installed."""
    return next(iter(cls.versions().values()), "")
