"""What is found when an outcome is held against the truth: channels that differ, and the largest error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Channel = Literal[
    "status",
    "dtype",
    "shape",
    "nan-inf",
    "value",
    "signed-zero",
    "aliasing",
    "state",
    "device",
    "gradient",
    "printed",
    "claim",
    "registry",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One channel in which an outcome is not what it must be.

    Attributes:
        channel: which.
        expected, got: in words and numbers.
        detail: what helps to understand it: the exact value, the interval, where it was.
        flushed: the only difference is that subnormal results came as zero, from a backend that flushes this dtype.
        cancelled: of a gradient, more than half of the digits are lost, and no more than error analysis says that its
            formula may lose on numbers that were rounded as they may be.
        non_finite: how many elements are NaN or infinite and must not be, or the other way round.
        zeros: how many elements are zero and must not be.
        ulp: the largest error among the elements that are wrong by a number; None where there is none.
    """

    channel: Channel
    expected: str
    got: str
    detail: str = ""
    flushed: bool = False
    non_finite: int = 0
    zeros: int = 0
    ulp: float | None = None
    cancelled: bool = False

    @property
    def tolerated(self) -> bool:
        """Whether it makes a result divergent, with no entry in the registry."""
        return self.flushed or self.cancelled


@dataclass(slots=True)
class Measured:
    """The largest error seen, in ULP, and where.

    `ratio` is the error divided by the budget there: the measured element is the one nearest its budget. Of a computed
    element, `exact` is its correctly rounded value, what rounding left, and the exponent of one ULP there; of a
    gradient, `wrt` is its argument.
    """

    ulp: float = 0.0
    budget: float = 0.0
    index: tuple[int, ...] = ()
    step: int = 0
    ratio: float = -1.0
    exact: tuple[np.ndarray, float, int] | None = None
    wrt: str = ""
