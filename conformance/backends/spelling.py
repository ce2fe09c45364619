"""How a backend spells operations: plain functions, whose bodies are what a user of the framework would write."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


class Unsupported(Exception):  # noqa: N818 - a verdict, not an error
    """The backend can't do what is asked of it, for a reason that is no deviation: it says why."""


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
        self._sources: dict[str, str] = {}
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
        """The primary idiom's source, without its decorator; read once."""
        if operation not in self._sources:
            self._sources[operation] = self.spelling(operation).source
        return self._sources[operation]
