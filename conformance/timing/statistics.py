"""What some measured times say: their median, how far it is known, and how much they scatter."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

CONFIDENCE = 0.95
FEWEST = 6
"""The smallest sample whose median lies between its ends with 95 % confidence: 1 - 2 / 2**6 is 96.9 %."""


def median_interval(seconds: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The confidence interval of the median between two order statistics.

    It assumes nothing about how times are distributed, which is skewed: each measurement lies below the median with
    probability 1/2, so how many do is binomial (David & Nagaraja, Order Statistics, 2003, section 7.1).

    Args:
        seconds: one or more measurements, in any order.
        confidence: that the median lies within the interval. Fewer than 6 measurements can't give 95 %; their
            interval is from the smallest to the largest.

    Returns:
        Both ends.
    """
    ordered = sorted(seconds)
    n = len(ordered)
    tail, below = 0.0, 0  # probability that at most `below` measurements lie under the median
    for k in range(n // 2):
        tail += math.comb(n, k) / 2**n
        if tail > (1 - confidence) / 2:
            break
        below = k
    return ordered[below], ordered[n - 1 - below]


def spread(seconds: Sequence[float]) -> float:
    """How much measurements scatter: the distance between their quartiles, relative to the median.

    0 for a single measurement, which tells nothing about it.
    """
    if len(seconds) < 2:
        return 0.0
    low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    middle = statistics.median(seconds)
    return (high - low) / middle if middle > 0 else 0.0
