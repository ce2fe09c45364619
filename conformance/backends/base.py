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
import inspect
import os
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar

import numpy as np

from conformance.backends.scripts import ModeScript

Native = Any
"""An array of the framework."""

Function = Callable[..., Any]


class Unsupported(Exception):  # noqa: N818 - a verdict, not an error
    """The backend can't do what is asked of it, for a reason that is no deviation: it says why."""


IDIOMS = "idioms"
"""Not a mode of execution: the plain mode, once for every other spelling of an operation. Listed beside the modes."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write an operation.

    Attributes:
        name: what it is called (``torch.nn.Softmax``); empty for the primary one.
        function: as a user of the framework would write it. A parameter that it lacks is one that this spelling does
            not offer: calls that give it leave the spelling out.
        needs: the module beyond the framework that it uses (``scipy.special``), imported when it is first run.
        setting: an environment variable with which that module must have been imported (``KERAS_BACKEND=numpy``).
        cases: a pattern of the case IDs it is meant for.
    """

    name: str
    function: Function
    needs: str = ""
    cases: str = "*"
    setting: str = ""

    def takes(self, arguments: Collection[str]) -> bool:
        """Whether it can be called with just these parameters."""
        try:
            inspect.signature(self.function).bind(**dict.fromkeys(arguments))
        except TypeError:
            return False
        return True

    def ready(self) -> Function:
        """The function, with what it needs imported.

        Raises:
            Unsupported: that is not installed, or in use in this process with another setting.
        """
        root = self.needs.partition(".")[0]
        if not root:
            return self.function
        variable, _, value = self.setting.partition("=")
        if variable and self.needs not in sys.modules:
            os.environ[variable] = value
        elif variable and os.environ.get(variable) != value:
            raise Unsupported(f"{root} is in use in this process without {self.setting}: run the backend by itself")
        if self.needs not in sys.modules or root not in self.function.__globals__:
            try:
                importlib.import_module(self.needs)
            except ImportError as error:
                raise Unsupported(f"{root} can't be imported: {error}") from None
            self.function.__globals__[root] = sys.modules[root]
        return self.function

    @property
    def source(self) -> str:
        """The function's source, without its decorator."""
        lines = textwrap.dedent(inspect.getsource(self.function)).splitlines()
        start = next((i for i, line in enumerate(lines) if line.startswith("def ")), 0)  # a lambda has none
        return "\n".join(lines[start:])


class Idioms(Mapping[str, Function]):
    """The spellings a backend gives to operations: the primary ones by operation name, and others beside them.

    Args:
        inherited: spellings to start from, such as `conformance.backends.idioms.operators.idiom`.

    Attributes:
        modules: names of the modules whose functions were registered here, and not inherited.
    """

    def __init__(self, inherited: Mapping[str, Function] | None = None) -> None:
        self._primary: dict[str, Function] = dict(inherited or {})
        self._others: dict[str, dict[str, Spelling]] = {}
        self.modules: set[str] = set()
        if isinstance(inherited, Idioms):
            self._others = {operation: dict(found) for operation, found in inherited._others.items()}

    def __call__(
        self, operation: str, spelling: str = "", *, needs: str = "", cases: str = "*", setting: str = ""
    ) -> Callable[[Function], Function]:
        """Register the decorated function: as the primary idiom of an operation, or under a name beside it.

        Args:
            operation: its name.
            spelling: what users call it, such as ``torch.nn.Softmax``; empty for the primary idiom.
            needs: the module that it uses beyond the framework; see `Spelling`.
            cases: a pattern of the case IDs it is meant for.
            setting: an environment variable that the module needs; see `Spelling`.
        """

        def register(function: Function) -> Function:
            self.modules.add(function.__module__)
            if not spelling:
                if operation in self._primary:
                    raise ValueError(f"a second idiom for '{operation}'")
                self._primary[operation] = function
            else:
                others = self._others.setdefault(operation, {})
                if spelling in others:
                    raise ValueError(f"a second '{spelling}' for '{operation}'")
                others[spelling] = Spelling(spelling, function, needs, cases, setting)
            return function

        return register

    def __getitem__(self, operation: str) -> Function:
        return self._primary[operation]

    def __iter__(self) -> Iterator[str]:
        return iter(self._primary)

    def __len__(self) -> int:
        return len(self._primary)

    def others(self, operation: str) -> Mapping[str, Spelling]:
        """The spellings of an operation beside the primary one, by name."""
        return self._others.get(operation, {})

    @property
    def has_others(self) -> bool:
        """Whether any operation has more than one spelling."""
        return any(self._others.values())

    def spelling(self, operation: str, name: str = "") -> Spelling:
        """The spelling of that name; the primary one where the operation has none of that name.

        Raises:
            KeyError: the backend has no idiom for the operation.
        """
        return self.others(operation).get(name) or Spelling("", self._primary[operation])

    def source(self, operation: str) -> str:
        """The primary idiom's source, without its decorator."""
        return self.spelling(operation).source


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

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript | None:
        """The backend's share of scripts that repeat its results in one of `modes` without this suite.

        None, the default, where there is none: its results can't be repeated by a script then.
        """
        return None

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
