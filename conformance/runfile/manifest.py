"""A mode's share of the manifest in one number: whether a run file's records are those, and no others.

Counts can't tell. A case that is gone with its lines, with all counts put right, leaves a file that adds up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_MODULUS = 1 << 256


class Manifest:
    """Variants, each in a spelling, in any order: shards and processes record them as they come."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, variant: str, idiom: str = "") -> None:
        """Add a variant, in mode 'idioms' with the spelling."""
        key = f"{variant}\n{idiom}".encode()
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(key).digest(), "big")) % _MODULUS

    @property
    def digest(self) -> str:
        """The sum of the SHA-256 of each, modulo 2**256, in 64 hexadecimal digits."""
        return f"{self._sum:064x}"


def digest(keys: Iterable[tuple[str, str]]) -> str:
    """The digest of variants and spellings."""
    manifest = Manifest()
    for variant, idiom in keys:
        manifest.add(variant, idiom)
    return manifest.digest
