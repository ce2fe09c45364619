"""What a defect is: one wrong thing, wrapped around an adapter that is right.

A theme's module holds its defects, each a function that gets the right spelling of an operation first::

    defects = Defects()

    @defects.spelling("softmax", "the largest element is not subtracted first", "nan-inf")
    def _(right: Right, x: Any, *, axis: int | None = None) -> Any:
        e = np.exp(x)
        return e / np.sum(e, axis=axis, keepdims=True)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from conformance.backends.base import Backend
from conformance.backends.spelling import Function, Idioms
from conformance.casefile.variants import Variant
from conformance.execution.program import Ref, Step
from conformance.judging.answers import Answer, Answers
from conformance.judging.findings import Channel

Where = Literal["plain", "compiled"]
"""In which kind of mode a defect shows: the backend's plain one, or one that compiles."""

NUMPY = ("numpy",)
WITH_GRADIENTS = ("torch", "jax")

_NAMESPACES = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy"}


@dataclass(frozen=True, slots=True)
class Right:
    """An operation as its backend spells it, for a defect to call, and what helps to be wrong by a measure.

    Attributes:
        operation: its name.
        function: the backend's own idiom.
        backend: the backend's name.
        answers: where exact answers are worked out, and kept for all defects.
    """

    operation: str
    function: Function
    backend: str
    answers: Answers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the backend gives."""
        return self.function(*args, **kwargs)

    @property
    def namespace(self) -> Any:
        """The framework's module of array functions: ``numpy``, ``torch``, ``jax.numpy``."""
        return importlib.import_module(_NAMESPACES[self.backend])

    def exact(self, **arguments: Any) -> Answer:
        """The exact answer to a call with NumPy arrays, as the judge works it out."""
        arrays = [value for value in arguments.values() if isinstance(value, np.ndarray)]
        numbers = iter(range(len(arrays)))
        bound = tuple((n, Ref(next(numbers)) if isinstance(v, np.ndarray) else v) for n, v in arguments.items())
        return self.answers.of_step(Step(self.operation, bound, f"{self.operation} {bound!r}"), arrays)


Wrong = Callable[..., Any]
"""A wrong spelling: a function of the `Right` one and the operation's arguments."""

Axes = int | tuple[int, ...] | None
"""What a reduction is asked to go along, as a framework gets it."""

Members = Callable[[type[Backend], Answers], Mapping[str, Any]]
"""What the wrong adapter has instead of the right one's: attributes and methods by name."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One wrong thing that a backend may do.

    Attributes:
        operation: whose calls it concerns; empty for those of every operation.
        words: what is wrong.
        channels: in which of them it must be noticed; another one does not count.
        members: see `Members`.
        backends: which it can be wrapped around.
        where: see `Where`.
        check: the variants it concerns: those of a value, or of a gradient.
        harmless: it is allowed, and must pass.
        concerns: which variants of the operation it is run on; None for all.
    """

    operation: str
    words: str
    channels: tuple[Channel, ...]
    members: Members
    backends: tuple[str, ...] = NUMPY
    where: Where = "plain"
    check: str = "value"
    harmless: bool = False
    concerns: Callable[[Variant], bool] | None = None

    @property
    def name(self) -> str:
        """What it is called: the operation, and what is wrong with it."""
        return f"{self.operation or 'any'}: {self.words}"

    def is_about(self, variant: Variant) -> bool:
        """Whether it is run on a variant that calls its operation."""
        return variant.check == self.check and (self.concerns is None or self.concerns(variant))

    def around(self, base: type[Backend], answers: Answers) -> type[Backend]:
        """The adapter `base` with this defect."""
        return type(f"Defective{base.__name__}", (base,), dict(self.members(base, answers)))


def _of_default_dtype(variant: Variant) -> bool:
    """Variants in the dtypes that numbers have by default: a compiler takes its time for each of the others too."""
    return variant.dtype.name in ("float32", "int64")


class Defects(Sequence[Defect]):
    """The defects of a theme, in the order in which they were added."""

    def __init__(self) -> None:
        self._all: list[Defect] = []

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Defect]:
        return iter(self._all)

    def spelling(
        self,
        operation: str,
        words: str,
        *channels: Channel,
        backends: tuple[str, ...] = NUMPY,
        check: str = "value",
        harmless: bool = False,
        concerns: Callable[[Variant], bool] | None = None,
    ) -> Callable[[Wrong], Wrong]:
        """Add the decorated function as a wrong spelling of an operation."""

        def add(wrong: Wrong) -> Wrong:
            def members(base: type[Backend], answers: Answers) -> dict[str, Any]:
                right = Right(operation, base.idioms[operation], base.name, answers)

                def spelled(*args: Any, **kwargs: Any) -> Any:
                    return wrong(right, *args, **kwargs)

                idioms = Idioms({**base.idioms, operation: spelled})
                idioms.modules |= base.idioms.modules
                return {"idioms": idioms}

            self._all.append(Defect(operation, words, channels, members, backends, "plain", check, harmless, concerns))
            return wrong

        return add

    def compiled(
        self, operation: str, words: str, *channels: Channel, backends: tuple[str, ...] = WITH_GRADIENTS
    ) -> Callable[[Callable[[Function], Function]], Callable[[Function], Function]]:
        """Add the decorated function, which makes of a compiled function the wrong one that comes of compiling."""

        def add(wrong: Callable[[Function], Function]) -> Callable[[Function], Function]:
            def members(base: type[Backend], answers: Answers) -> dict[str, Any]:
                def compile_(self: Backend, function: Function, mode: str) -> Function:
                    return wrong(base.compile(self, function, mode))

                return {"compile": compile_}

            self._all.append(
                Defect(operation, words, channels, members, backends, "compiled", concerns=_of_default_dtype)
            )
            return wrong

        return add

    def method(
        self, name: str, words: str, *channels: Channel, backends: tuple[str, ...] = NUMPY
    ) -> Callable[[Function], Function]:
        """Add the decorated function in place of an adapter's method; it gets the right one's result."""

        def add(wrong: Function) -> Function:
            def members(base: type[Backend], answers: Answers) -> dict[str, Any]:
                def changed(self: Backend, *args: Any) -> Any:
                    return wrong(getattr(base, name)(self, *args))

                return {name: changed}

            self._all.append(Defect("", words, channels, members, backends))
            return wrong

        return add
