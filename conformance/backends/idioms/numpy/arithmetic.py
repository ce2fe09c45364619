"""How NumPy spells the arithmetic that Python has no operator for."""

from __future__ import annotations

import numpy as np

from conformance.backends.idioms.numpy.registry import idiom


@idiom("exp")
def exp(x):
    return np.exp(x)


@idiom("log")
def log(x):
    return np.log(x)
