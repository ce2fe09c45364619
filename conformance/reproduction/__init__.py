"""Scripts that repeat a result without this suite: framework, exact inputs, the call in its mode, and what came.

`composing` puts them together from what a run file holds, `repeating` makes what it needs from the cases. The source in
them is that of plain functions: of `helpers`, and of the backend's adapter (`conformance.backends.scripts`).

Imports suite, runfile, casefile, ops, backends, truth, ground.
"""

from __future__ import annotations

from conformance.reproduction.composing import Composer, NoScriptError, Script, title

__all__ = ["Composer", "NoScriptError", "Script", "title"]
