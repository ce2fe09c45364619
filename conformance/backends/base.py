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
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, ClassVar

import numpy as np

from conformance.backends.kernels import Choice
from conformance.backends.scripts import ModeScript
from conformance.backends.spelling import Function, Idioms, Unsupported
from conformance.ground.devices import kind_of
from conformance.ground.dtypes import DTYPES

Native = Any
"""An array of the framework."""

IDIOMS = "idioms"
"""Not a mode of execution: the plain mode, once for every other spelling of an operation. Listed beside the modes."""

GPU_FAST = "gpu-fast"
"""The plain mode on a GPU with the framework's defaults on (TF32, sums in half precision), which are off elsewhere."""


class Backend(ABC):
    """An adapter. An instance belongs to one process and one device.

    Class attributes:
        name: what the command line and the run files call it.
        package: the module it imports; without it the backend is not installed.
        distributions: installed packages whose versions a run records, the framework's own first. The first one that
            is installed gives the framework's version.
        modes: how it executes; the first is the plain one.
        gpu_modes: modes beside them that exist on a GPU only, such as `GPU_FAST`.
        idioms: one function an operation.
        imports: the modules that adapter and idioms name, by the global name they use. They are imported into the
            modules of both when an instance is made, and not before: listing backends and reading idioms must import
            none.
        own_variables: prefixes of environment variables that the framework sets for itself while it runs; a call may
            change no others.

    Attributes:
        device: its name, as `conformance.ground.devices` has it.
        threads: how many threads `start` lets the framework compute with. One, unless `limit_threads` says otherwise:
            sums are split among threads, so results would depend on the machine's cores.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]]
    modes: ClassVar[tuple[str, ...]] = ("eager",)
    gpu_modes: ClassVar[tuple[str, ...]] = ()
    idioms: ClassVar[Idioms]
    imports: ClassVar[Mapping[str, str]] = {}
    own_variables: ClassVar[tuple[str, ...]] = ()

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.threads = 1
        for cls in type(self).__mro__:  # an adapter that inherits uses its parent's idioms, in the parent's modules
            for name, imported in vars(cls).get("imports", {}).items():
                for module in {cls.__module__, *self.idioms.modules}:
                    vars(sys.modules[module])[name] = importlib.import_module(imported)

    @classmethod
    def run_modes(cls, device: str = "cpu") -> tuple[str, ...]:
        """Everything a run on a device goes through: the modes, and `IDIOMS` where there are other spellings."""
        modes = (*cls.modes, *cls.gpu_modes) if kind_of(device) == "gpu" else cls.modes
        return (*modes, IDIOMS) if cls.idioms.has_others else modes

    @classmethod
    def not_installed(cls) -> str | None:
        """Why the framework can't be imported, or None. Imports nothing."""
        try:
            found = importlib.util.find_spec(cls.package)
        except ModuleNotFoundError:  # the package around it
            found = None
        if found is not None:
            return None
        own = cls.__module__.startswith("conformance.backends.")
        wanted = f"'framework-conformance[{cls.name}]'" if own else next(iter(cls.distributions), cls.package)
        return f"{cls.package} is not installed: pip install {wanted}"

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
        """The devices at hand, as `conformance.ground.devices` names them: ``cpu``, ``gpu``, ``gpu:1``."""

    @abstractmethod
    def device_of(self, array: Native) -> str:
        """The device that an array of the framework lives on, by the names of `devices`.

        Asked of every input, result and gradient, so that what is computed elsewhere does not go unnoticed.

        Raises:
            TypeError: it is no array of this framework; see `foreign`.
        """

    def start(self) -> None:  # noqa: B027 - most adapters have nothing to prepare
        """Make the framework deterministic and precise; called once, before anything else.

        Raises:
            Unsupported: the backend can't run here at all.
        """

    def limit_threads(self, count: int) -> str:
        """Let the framework compute with this many threads; called before `start`, if at all.

        Returns:
            What holds instead, where that can't be set; otherwise an empty string.
        """
        self.threads = count
        return ""

    def missing_mode(self, mode: str) -> str:
        """Why a mode can't run here (a compiler is not installed, say), or an empty string."""
        return ""

    def scope(self, mode: str) -> contextlib.AbstractContextManager[Any]:
        """What has to be in force while anything of a mode runs (a precision setting, a device)."""
        return contextlib.nullcontext()

    def placing(self) -> contextlib.AbstractContextManager[Any]:
        """What makes constructors put their arrays on the device, where `scope` does not do so already.

        In force while a variant runs, and not around timed calls: a framework may pay for it on every call.
        """
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

    def recorded(
        self, function: Function, inputs: Sequence[Native], wrt: Sequence[int], cotangent: Native
    ) -> tuple[Sequence[Native], list[Native]]:
        """What a function of several results gives while gradients are recorded, and the gradients of its last result.

        To be overridden where `gradient` calls its function with what is no array yet, or more than once.

        Raises:
            Unsupported: the framework has no gradients.
        """
        noted: list[Native] = []

        def last(*arrays: Native) -> Native:
            noted[:] = function(*arrays)
            return noted[-1]

        gradients = self.gradient(last, inputs, wrt, cotangent)
        return noted, gradients

    def training_step(
        self, function: Function, mode: str, inputs: Sequence[Native], wrt: Sequence[int], cotangent: Native
    ) -> Callable[[], tuple[Native, ...]]:
        """A call that computes ``function(*inputs)`` and its gradients, as a training loop does over and over.

        Unlike `gradient` it prepares once what can be prepared, and is compiled as a whole in modes that compile.

        Args:
            function: of arrays, not compiled yet; it returns one array.
            mode: how to run it.
            inputs: the arrays.
            wrt: numbers of the inputs to differentiate by.
            cotangent: the weights of the outputs.

        Returns:
            A function without arguments; it returns the result, then the gradients in the order of `wrt`.

        Raises:
            Unsupported: the framework has no gradients.
        """

        def whole(weights: Native, *arrays: Native) -> tuple[Native, ...]:
            results, gradients = self.recorded(lambda *some: (function(*some),), arrays, wrt, weights)
            return (*results, *gradients)

        step = self.compile(whole, mode)
        return lambda: step(cotangent, *inputs)

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

    def waiter(self) -> Callable[[Any], Any] | None:
        """What a timed call ends with: `synchronise`, or None where a call returns only when its work is done."""
        return None if type(self).synchronise is Backend.synchronise else self.synchronise

    def copier(self, array: Native) -> Callable[[], Native] | None:
        """A call that copies an array within the device's memory; None for a device whose memory is the machine's."""
        return None

    def kernels(self) -> str:
        """Which of its own code a framework runs on this processor, where it chooses: 'oneDNN AVX2', 'no oneDNN'.

        Asked once it has started. Registered divergences may be about certain kernels only. Empty where the framework
        has one code for all processors, or nobody knows.
        """
        return ""

    @classmethod
    def kernel_choices(cls) -> Mapping[str, Choice]:
        """The kernels that its framework can be held to in a fresh process, by name. Imports no framework."""
        return {}

    def settings(self) -> dict[str, str]:
        """Settings that can change results (threads, precision switches), for the record."""
        return {}

    def state(self) -> Mapping[str, Any]:
        """What outlives a call and changes later ones (the default dtype), by name: no call may change it."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - there is nothing to put back where `state` is empty
        """Put back what `state` gave."""

    def flushes_subnormals(self, mode: str, dtype: str = "float32") -> bool:
        """Whether a product of normal numbers that is subnormal is zero in `mode`: half the smallest normal one.

        Args:
            mode: of `modes`.
            dtype: a floating one.
        """
        kind = DTYPES[dtype]
        tiny = np.full((4,), 2.0**kind.min_exponent).astype(kind.numpy)
        half = np.full((4,), 0.5).astype(kind.numpy)
        with self.scope(mode):
            halve = self.compile(lambda x, y: (x * y,), mode)
            result = halve(self.from_numpy(tiny), self.from_numpy(half))[0]
            return not self.to_numpy(result).astype(np.float64).any()


def foreign(array: Any, backend: Backend) -> TypeError:
    """The error of `Backend.device_of` about something that is no array of the framework."""
    kind = type(array)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return TypeError(f"'{name}' is no array of {backend.package}")
