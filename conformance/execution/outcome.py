"""What a backend made of a variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from conformance.backends.state import Change


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that came instead of a result.

    Attributes:
        type, message: of the error.
        refused: whether the call itself raised it; an input that can't be handed over, or a result that can't be
            read, is no refusal.
    """

    type: str
    message: str
    refused: bool = True


@dataclass(slots=True)
class Outcome:
    """What a backend made of a variant.

    Attributes:
        received: the inputs as the backend holds them (a backend may narrow them), then the result of each step.
        narrowed: the inputs that changed their dtype on the way into the backend: the dtypes before and after.
        raised: the error that came instead.
        unsupported: why the backend could not be asked.
        recorded: for a gradient variant, what `received` has, while gradients were recorded. Each step took the result
            that stands here. Empty where the backend does not tell.
        kept: of a program of several steps, those results before `program.probed` added nothing to them, by number.
        gradients: for a gradient variant, by the names of `Program.differentiable`.
        cotangents: the weights of results in the scalar whose gradient was taken, by the numbers of their values: of
            the last step as it was given, of those before it as it came.
        aliases: whether the result shares the memory of the first input, where that was asked.
        overwritten: the inputs that the call changed.
        reused: whether the next call wrote to the memory of this one's result, where `aliases` was asked.
        elsewhere: the inputs, results and gradients that did not live on the backend's device, and where they lived.
        changes: what the call left changed beyond its result.
        flushes: whether results of a dtype, given by its name, are flushed to zero in this mode where they are
            subnormal; tried when it is asked.
    """

    received: list[np.ndarray] = field(default_factory=list)
    narrowed: dict[str, tuple[str, str]] = field(default_factory=dict)
    raised: Raised | None = None
    unsupported: str = ""
    recorded: list[np.ndarray] = field(default_factory=list)
    kept: dict[int, np.ndarray] = field(default_factory=dict)
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    cotangents: dict[int, np.ndarray] = field(default_factory=dict)
    aliases: bool | None = None
    overwritten: list[str] = field(default_factory=list)
    reused: bool = False
    elsewhere: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    flushes: Callable[[str], bool] = field(default=lambda dtype: False, compare=False, repr=False)
