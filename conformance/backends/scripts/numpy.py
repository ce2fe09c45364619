"""NumPy's share of scripts."""

from __future__ import annotations

import numpy as np

OPENING = """\
import numpy as np

np.seterr(all="ignore")  # exp(1000), log(0) and their like are part of what is tested
"""


def native(array):
    array.flags.writeable = False  # no call may change its inputs
    return array


def numbers_of(result):
    return np.asarray(result)


def in_mode(function):
    return function


def dtype_named(name):
    return np.dtype(name)


def fill(array, value):
    array.flags.writeable = True
    array.fill(value)
