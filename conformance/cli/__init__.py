"""The `conformance` command. Commands only: what they do lives in the modules they call.

Each command imports what it needs when it is called, so that every command starts fast.

Imports checking, reports, diffing, timing, audit, running, reproduction, suite, runfile, smoke, casefile, words,
backends, ground.
"""

from __future__ import annotations

from conformance.cli.application import app, main

# Importing them adds their commands, in the order in which the help lists them.
# isort: off
from conformance.cli import running as running
from conformance.cli import timing as timing
from conformance.cli import reporting as reporting
from conformance.cli import cases as cases
from conformance.cli import adapters as adapters
# isort: on

__all__ = ["app", "main"]
