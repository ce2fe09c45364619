"""What every script that repeats a result has in common: how inputs are written, and how results are printed.

Scripts contain the source of those functions that they need, as it stands here. Beside NumPy and the modules imported
below they use what the backend gives (`conformance.backends.scripts.ModeScript`). NumPy knows bfloat16, as an
extension type, where ml_dtypes was imported.
"""

from __future__ import annotations

import hashlib
import itertools
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from conformance.truth.gradient import default_cotangent

if TYPE_CHECKING:  # a backend's; NumPy's stand for them
    from conformance.backends.scripts.numpy import fill, native, numbers_of


def array(dtype, shape, numbers):
    """Exactly these numbers: a text of floats, decimal or hexadecimal; the elements' bytes; or a list or an array."""
    if isinstance(numbers, str):
        numbers = [float.fromhex(text) if "x" in text else float(text) for text in numbers.split()]
    elif isinstance(numbers, bytes):
        numbers = np.frombuffer(numbers, dtype)
    return np.array(numbers, dtype).reshape(shape)


def replaced(values, at, by):
    """A copy of some numbers, one of them replaced."""
    values = np.array(values)
    values[at] = by
    return values


def checked(sha256, made):
    """An array, once it is sure that its bytes are those of the run."""
    if hashlib.sha256(made.tobytes()).hexdigest() != sha256:
        raise SystemExit("these are not the numbers of the run")
    return made


def weights(result):
    """The weights of a result's elements in the sum whose gradient is taken."""
    got = numbers_of(result)
    return native(default_cotangent(got.shape).astype(got.dtype))


def nothing(result):
    """What leaves a result as it is when it is added to it: the gradient with respect to it is that by the result."""
    got = numbers_of(result)
    return native(np.full_like(got, -0.0))


def in_words(number):
    """A number in decimal and, where it is a float, as a hexadecimal float; of a NaN the bits."""
    if not isinstance(number, np.generic) or number.dtype.kind in "biuc":
        return str(number)
    return f"{number!s} ({float(number).hex() if number == number else number.tobytes()[::-1].hex()})"


def show(name, result, exact=None):
    """Print the first elements of a result, beside the exact ones (their dtype, shape and first elements)."""
    got, due = numbers_of(result), []
    print(f"{name}: {got.dtype.name}{list(got.shape)}, SHA-256 {hashlib.sha256(got.tobytes()).hexdigest()}")
    if exact is not None:
        print(f"exact, correctly rounded: {exact[0]}{list(exact[1])}")
        due = array(exact[0], -1, exact[2])
        if (got.dtype.name, list(got.shape)) != (exact[0], list(exact[1])):
            print(f"another dtype or shape than is due: {got.dtype.name}{list(got.shape)}")
    for number, index in enumerate(itertools.islice(np.ndindex(got.shape), 8)):
        print(f"  {list(index)} {in_words(got[index])}", *(f"  exact {in_words(n)}" for n in due[number : number + 1]))


def measure(result, at, exact, ulp, budget):
    """Print the error of one element in ULP, units in the last place at the exact value."""
    number = numbers_of(result)[at]
    print(f"nearest its budget: {list(at)} {in_words(number)}  exact {exact}")
    if np.isfinite(number):
        error = abs(Fraction(float(number)) - Fraction(exact)) / Fraction(ulp)
        print(f"  {Decimal(error.numerator) / error.denominator:.3g} ULP away, {budget} allowed")


def apart(left, right):
    """Print the largest difference between two sides of a claim."""
    a, b = (np.asarray(side, np.float64) for side in (left, right))
    if a.shape == b.shape or not a.shape or not b.shape:
        with np.errstate(all="ignore"):
            print(f"largest difference: {float(np.max(np.abs(a - b), initial=0))!r}")


def shows(given, result):
    """Whether what is written to an input shows in a result."""
    seen = []
    for value in (0, 1):
        fill(given, value)
        seen.append(numbers_of(result).tobytes())
    return seen[0] != seen[1]
