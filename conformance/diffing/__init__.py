"""Two runs held against each other: what changed, by how much, and what may be why.

Each run file is read a case at a time, so that memory does not grow with the records.

Imports timing, runfile, casefile, words, backends, ground.
"""

from __future__ import annotations

from conformance.diffing.comparing import compare
from conformance.diffing.comparison import Comparison
from conformance.diffing.pairing import DEFAULT_CAUSES, Pairing, PairingError, causes, pair, refuse_idle
from conformance.diffing.sides import Side, SideError, load

__all__ = [
    "DEFAULT_CAUSES",
    "Comparison",
    "Pairing",
    "PairingError",
    "Side",
    "SideError",
    "causes",
    "compare",
    "load",
    "pair",
    "refuse_idle",
]
