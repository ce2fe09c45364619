"""`parity.html`: what differs between backends, how much, why, and what to write instead.

Imports what pages share, reproduction, runfile, judging, backends, truth, ground.
"""

from conformance.reports.parity.rendering import render, write

__all__ = ["render", "write"]
