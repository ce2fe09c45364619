"""What can't be avoided on a backend: importing it, and calling every variant's program once in every mode.

Prints one line: seconds to import, seconds to compile and call, and the number of calls. Nothing is judged or recorded.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

from conformance import backends
from conformance.casefile.inputs import materialise
from conformance.execution.executor import Executor
from conformance.execution.program import compile_variant
from conformance.suite.selection import select


def main(name: str, cases: str = "") -> None:
    """Measure one backend over the cases that come with the suite, or those under a path."""
    warnings.simplefilter("ignore")
    selection = select(Path(cases) if cases else None)
    kind = backends.load(name)
    started = time.perf_counter()
    backend = kind()
    backend.start()
    imported = time.perf_counter() - started
    executor = Executor(backend)
    spent, calls = 0.0, 0
    for case in selection.cases:
        for mode in kind.modes:
            for variant in selection.share(name, mode, [case.id]).variants.get(case.id, []):
                inputs, program = list(materialise(variant).values()), compile_variant(variant)
                run = executor.run if variant.check == "value" else executor.gradient
                started = time.perf_counter()
                run(program, inputs, mode)
                spent += time.perf_counter() - started
                calls += 1
    print(f"{imported:.6f} {spent:.6f} {calls}")


if __name__ == "__main__":
    main(*sys.argv[1:])
