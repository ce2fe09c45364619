"""An array as run files hold it: its bytes, or, of a large one, their digest and its first elements."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import sys
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from conformance.ground import dtypes
from conformance.ground.dtypes import DTYPES

LARGEST_STORED = 4096
"""Arrays of more elements are stored as their digest and first elements."""

Length = Annotated[int, Meta(ge=-(2**62), le=2**62)]

_SHOWN_OF_LARGE = 16
_MOST_AXES = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Stored(Struct, frozen=True, omit_defaults=True):
    """An array.

    Attributes:
        dtype: its dtype's name.
        shape: its shape.
        data: base64 of its elements' bytes, little-endian, in row-major order; of the first 16 elements where
            `sha256` is there.
        sha256: of all its bytes, for an array of more than 4,096 elements.
    """

    dtype: str
    shape: list[Length]
    data: str
    sha256: str = ""

    @classmethod
    def of(cls, array: np.ndarray, whole: bool = False) -> Stored:
        """Store an array of a dtype the suite knows; with `whole`, all elements however many they are."""
        shape, name = list(array.shape), dtypes.of(array).name
        if sys.byteorder == "big":
            array = array.byteswap()
        if array.size > LARGEST_STORED and not whole:
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            return cls(name, shape, _base64(array.ravel()[:_SHOWN_OF_LARGE]), digest)
        return cls(name, shape, _base64(array))

    def array(self) -> np.ndarray:
        """The elements that are stored: the whole array in its shape, or the first few of a large one.

        Raises:
            ValueError: the data is no array of that dtype and shape.
        """
        dtype = DTYPES.get(self.dtype)
        if dtype is None:
            raise ValueError(f"unknown dtype '{self.dtype}'")
        if len(self.shape) > _MOST_AXES or any(length < 0 for length in self.shape):
            raise ValueError(f"expected a shape of up to {_MOST_AXES} lengths, none of them negative")
        size = math.prod(self.shape)
        if size * dtype.numpy.itemsize >= 2**63:
            raise ValueError(f"the shape {self.shape[:3]}… has more elements than any array")
        if self.sha256 and not (size > LARGEST_STORED and _SHA256.fullmatch(self.sha256)):
            raise ValueError("expected a SHA-256 digest of more than 4,096 elements, or none")
        try:
            data = base64.b64decode(self.data, validate=True)
        except ValueError as error:
            raise ValueError(f"its data is no base64: {error}") from None
        stored = _SHOWN_OF_LARGE if self.sha256 else size
        if len(data) != stored * dtype.numpy.itemsize:
            raise ValueError(f"{len(data):,} bytes are not {stored:,} elements of {self.dtype}")
        if dtype.kind == "bool" and data.strip(b"\0\1"):
            raise ValueError("a bool that is neither 0 nor 1")
        flat = np.frombuffer(data, dtype=dtype.numpy)
        if sys.byteorder == "big":
            flat = flat.byteswap()
        return flat if self.sha256 else flat.reshape(self.shape)

    @property
    def whole(self) -> bool:
        """Whether all elements are stored."""
        return not self.sha256


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")
