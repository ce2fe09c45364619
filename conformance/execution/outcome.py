"""What a backend made of a variant."""

from __future__ import annotations

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
        gradients: for a gradient variant, by argument name.
        cotangent: the weights of the outputs in the scalar whose gradient was taken.
        aliases: whether the result shares the memory of the first input, where that was asked.
        overwritten: the inputs that the call changed.
        reused: whether the next call wrote to the memory of this one's result, where `aliases` was asked.
        elsewhere: the inputs, results and gradients that did not live on the backend's device, and where they lived.
        changes: what the call left changed beyond its result.
    """

    received: list[np.ndarray] = field(default_factory=list)
    narrowed: dict[str, tuple[str, str]] = field(default_factory=dict)
    raised: Raised | None = None
    unsupported: str = ""
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    cotangent: np.ndarray | None = None
    aliases: bool | None = None
    overwritten: list[str] = field(default_factory=list)
    reused: bool = False
    elsewhere: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
