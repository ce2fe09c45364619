"""Arrays as frameworks print them, as the intervals they stand for.

A number printed with decimals stands for every value that rounds to it: half a unit of its last digit to either
side. Integers, and floats printed without any decimals (``1.``: frameworks do that only when all values are whole),
stand for themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from conformance.casefile.errors import Mistake, did_you_mean
from conformance.ground import limits
from conformance.ground.dtypes import DTYPES

_TOKEN = re.compile(
    r"(?P<space>[\s,]+)|(?P<open>\[)|(?P<close>\])"
    r"|(?P<number>[-+]?(?:nan|inf|[0-9]+(?P<point>\.(?P<decimals>[0-9]*))?(?:e(?P<exponent>[-+]?[0-9]+))?))"
    r"(?![0-9A-Za-z_.])"
)
_PREFIX = re.compile(r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*\()?")
_ATTRIBUTE = re.compile(
    r"\s*,?\s*(?:dtype=(?:[A-Za-z_]+\.)?'?(?P<dtype>[a-z0-9]+)'?|shape=\([0-9,\s]*\)"
    r"|device='[a-z:0-9]+'|grad_fn=<[A-Za-z0-9]+>|(?:requires_grad|weak_type)=True)"
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed array.

    Attributes:
        shape: of the array.
        midpoints: the printed numbers in row-major order, exact; 0 where a NaN or an infinity was printed.
        radii: half a unit of the last printed digit of each; 0 for whole numbers.
        specials: None, or the NaN or infinity that was printed, for each.
        whole: whether all numbers were printed as integers, so that the array had an integer dtype.
        dtype: the dtype the print named, or None.
        texts: the numbers as printed.
    """

    shape: tuple[int, ...]
    midpoints: tuple[Fraction, ...]
    radii: tuple[Fraction, ...]
    specials: tuple[float | None, ...]
    whole: bool
    dtype: str | None
    texts: tuple[str, ...]

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest value each number stands for, as float64 of `shape` (NaN for a printed NaN)."""
        low = [s if s is not None else _float(m - r) for m, r, s in self._rows()]
        high = [s if s is not None else _float(m + r) for m, r, s in self._rows()]
        return np.array(low).reshape(self.shape), np.array(high).reshape(self.shape)

    def _rows(self) -> list[tuple[Fraction, Fraction, float | None]]:
        return list(zip(self.midpoints, self.radii, self.specials, strict=True))


@lru_cache(maxsize=64)
def parse(text: str) -> Printed:
    """Read what a framework printed: ``tensor([...])``, ``array([...])``, ``Array([...])``, ``[...]`` or a number.

    Raises:
        Mistake: it is not a printed array; `offset` says where.
    """
    prefix = _PREFIX.match(text)
    assert prefix is not None  # every part of the pattern is optional
    reader = _Reader(text, prefix.end())
    shape = reader.item()
    dtype = None
    position = reader.position
    while attribute := _ATTRIBUTE.match(text, position):
        dtype = attribute["dtype"] or dtype
        if dtype is not None and dtype not in DTYPES:
            raise Mistake(f"unknown dtype '{dtype}'{did_you_mean(dtype, DTYPES)}", offset=attribute.start("dtype"))
        position = attribute.end()
    rest = text[position:].strip()
    if rest != (")" if prefix["name"] else ""):
        raise Mistake(f"expected the end of the printed array, found {_shown(rest)}", offset=position)
    whole = bool(reader.texts) and all(re.fullmatch(r"[-+]?[0-9]+", t) for t in reader.texts)
    return Printed(
        shape, tuple(reader.midpoints), tuple(reader.radii), tuple(reader.specials), whole, dtype, tuple(reader.texts)
    )


class _Reader:
    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.position = position
        self.midpoints: list[Fraction] = []
        self.radii: list[Fraction] = []
        self.specials: list[float | None] = []
        self.texts: list[str] = []

    def item(self, depth: int = 0) -> tuple[int, ...]:
        match = self._token()
        if match["number"]:
            self._number(match)
            return ()
        if not match["open"]:
            raise self._unexpected(match.start())
        if depth >= limits.PRINTED_AXES:
            raise Mistake(f"a printed array of more than {limits.PRINTED_AXES} axes", offset=self.position)
        shapes: list[tuple[int, ...]] = []
        while True:
            start = self.position
            match = self._token()
            if match["close"]:
                return (len(shapes), *shapes[0]) if shapes else (0,)
            self.position = match.start()
            shapes.append(self.item(depth + 1))
            if shapes[-1] != shapes[0]:
                raise Mistake(f"a ragged printed array: {shapes[-1]} beside {shapes[0]}", offset=start)

    def _token(self) -> re.Match[str]:
        while True:
            match = _TOKEN.match(self._text, self.position)
            if match is None:
                raise self._unexpected(self.position)
            self.position = match.end()
            if not match["space"]:
                return match

    def _number(self, match: re.Match[str]) -> None:
        text = match["number"]
        if len(self.texts) == limits.PRINTED_NUMBERS:
            raise Mistake(f"more than {limits.PRINTED_NUMBERS:,} printed numbers", offset=match.start())
        self.texts.append(text)
        if text.lstrip("+-") in ("nan", "inf"):
            self.midpoints.append(Fraction(0))
            self.radii.append(Fraction(0))
            self.specials.append(float(text))
            return
        exponent = match["exponent"] or "0"
        if len(text) > limits.PRINTED_CHARACTERS or len(exponent.lstrip("+-")) > limits.PRINTED_EXPONENT_DIGITS:
            raise Mistake(f"the number {_shown(text)} is out of all range", offset=match.start())
        self.midpoints.append(Fraction(text))
        self.specials.append(None)
        # Only digits after the point say how precisely a number was printed: '1.' and '7' are whole.
        decimals = len(match["decimals"] or "")
        exact = decimals == 0 and not match["exponent"]
        self.radii.append(Fraction(0) if exact else Fraction(10) ** (int(exponent) - decimals) / 2)

    def _unexpected(self, position: int) -> Mistake:
        return Mistake(f"expected a printed array, found {_shown(self._text[position:])}", offset=position)


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:  # the largest values, printed to a few digits, may lie past the range
        return float("inf") if value > 0 else float("-inf")


def _shown(text: str) -> str:
    text = text.strip()
    return f"'{text[:20]}…'" if len(text) > 20 else (f"'{text}'" if text else "the end")
