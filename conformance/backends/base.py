"""What a backend is: a small adapter around a framework.

A third party's adapter subclasses `Backend`, and is named under the entry-point group ``conformance.backends``.
Its idioms are plain functions, whose bodies are what a user of the framework would write::

    idiom = Idioms()

    @idiom("softmax")
    def softmax(x, *, axis):
        return torch.softmax(x, dim=axis)

    @idiom("softmax", "torch.nn.Softmax")  # another spelling that people use, judged like the first
    def softmax_module(x, *, axis):
        return torch.nn.Softmax(dim=axis)(x)
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, ClassVar

import numpy as np

from conformance.backends.spelling import Function, Idioms, Unsupported

Native = Any
"""An array of the framework."""

IDIOMS = "idioms"
"""Not a mode of execution: the plain mode, once for every other spelling of an operation. Listed beside the modes."""


class Backend(ABC):
    """An adapter. An instance belongs to one process and one device.

    Class attributes:
        name: what the command line and the run files call it.
        package: the module it imports; without it the backend is not installed.
        distributions: installed packages whose versions a run records, the framework's own first. The first one that
            is installed gives the framework's version.
        modes: how it executes; the first is the plain one.
        idioms: one function an operation.
        imports: the modules that adapter and idioms name, by the global name they use. They are imported into the
            modules of both when an instance is made, and not before: listing backends and reading idioms must import
            none.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]]
    modes: ClassVar[tuple[str, ...]] = ("eager",)
    idioms: ClassVar[Idioms]
    imports: ClassVar[Mapping[str, str]] = {}

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        for cls in type(self).__mro__:  # an adapter that inherits uses its parent's idioms, in the parent's modules
            for name, imported in vars(cls).get("imports", {}).items():
                for module in {cls.__module__, *self.idioms.modules}:
                    vars(sys.modules[module])[name] = importlib.import_module(imported)

    @classmethod
    def run_modes(cls) -> tuple[str, ...]:
        """Everything a run goes through: the modes, and `IDIOMS` where there are other spellings."""
        return (*cls.modes, IDIOMS) if cls.idioms.has_others else cls.modes

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

    def release(self) -> None:  # noqa: B027 - most frameworks let go by themselves
        """Let go of what the framework keeps of functions compiled before, so that a long run's memory is bounded."""

    def fill(self, array: Native, value: int) -> bool:
        """Set every element of an array in place, for finding out what shares its memory.

        Returns:
            Whether that was possible; False where arrays can't be written to.
        """
        return False

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
