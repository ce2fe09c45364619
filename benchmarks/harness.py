"""What the suite itself costs, as ratios within one run. See README.md beside this file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import yaml

from conformance import backends
from conformance.casefile.inputs import materialise
from conformance.casefile.loader import load
from conformance.execution.executor import Executor
from conformance.execution.program import compile_variant
from conformance.running.running import Request
from conformance.suite.selection import default_root, select
from conformance.suite.session import BackendSession

FLOOR = Path(__file__).with_name("floor.py")
REPEATS = 5

CASES = """
  - name: softmax-{seed}
    given: {{x: {{normal: {{shape: [2, 20], scale: 3, seed: {seed}}}}}}}
    for: {{dtype: [float32, float64], axis: [0, 1, -1]}}
    call: softmax(x, axis=axis)
  - name: sigmoid-{seed}
    given: {{x: {{normal: {{shape: [2, 20], scale: 3, seed: {seed}}}}}}}
    for: {{dtype: floating}}
    call: sigmoid(x)
  - name: log-sigmoid-{seed}
    given: {{x: {{normal: {{shape: [2, 20], scale: 3, seed: {seed}}}}}}}
    for: {{dtype: floating}}
    call: log_sigmoid(x)
  - name: bce-{seed}
    given:
      p: {{uniform: {{shape: [2, 20], seed: {seed}}}}}
      y: {{bernoulli: {{shape: [2, 20], seed: {seed}}}}}
    for: {{dtype: [float32, float64], reduction: [none, mean, sum]}}
    call: binary_cross_entropy(p, y, reduction=reduction)
  - name: bce-with-logits-{seed}
    given:
      x: {{normal: {{shape: [2, 20], seed: {seed}}}}}
      y: {{bernoulli: {{shape: [2, 20], seed: {seed}}}}}
    for: {{dtype: [float32, float64], reduction: [none, mean, sum]}}
    call: binary_cross_entropy_with_logits(x, y, reduction=reduction)
  - name: stack-{seed}
    given:
      a: {{integers: {{shape: [2, 20], low: -5, high: 5, seed: {seed}}}}}
      b: {{integers: {{shape: [2, 20], low: -5, high: 5, seed: {seed}}}}}
    for: {{dtype: [float32, int64], axis: [0, 1, 2, -1]}}
    call: stack([a, b], axis=axis)
"""


def write_cases(folder: Path, seeds: int) -> Path:
    """A case file of six cases a seed, 34 variants, of the document's own size (2×20)."""
    path = folder / "grid.yaml"
    path.write_text("cases:" + "".join(CASES.format(seed=seed) for seed in range(seeds)), encoding="utf-8")
    return path


def timed(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median seconds of some calls."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def process(*arguments: str) -> Callable[[], str]:
    """A call that runs Python with these arguments and gives what it printed. Pytest loads no foreign plug-ins."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return lambda: subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
    ).stdout


def start() -> None:
    """Importing the package."""
    bare, numpy = timed(process("-c", "pass")), timed(process("-c", "import numpy"))
    own = timed(process("-c", "import conformance"))
    seen = process("-c", "import conformance, sys; print([m for m in ('numpy','torch','jax') if m in sys.modules])")()
    print(
        f"start       import conformance {1000 * (own - bare):.1f} ms beyond Python's start; frameworks: {seen.strip()}"
    )
    print(f"            import numpy       {1000 * (numpy - bare):.1f} ms")


def reading() -> None:
    """Reading and checking case files."""
    with tempfile.TemporaryDirectory() as folder:
        for label, root in (("the suite's own", default_root()), ("2,000 generated", write_cases(Path(folder), 334))):
            cases = len(load(root).cases)
            own = timed(lambda root=root: load(root), 3) / cases
            texts = [p.read_text(encoding="utf-8") for p in ([root] if root.is_file() else root.rglob("*.yaml"))]
            loader = timed(lambda texts=texts: [yaml.load(t, yaml.CSafeLoader) for t in texts], 3) / cases
            print(
                f"reading     {label} cases ({cases:,}): {1e6 * own:.0f} µs a case, "
                f"{own / loader:.2f} times PyYAML's C loader alone ({1e6 * loader:.0f} µs)"
            )


def throughput() -> None:
    """Variants a second after start-up, truth and records included."""
    with tempfile.TemporaryDirectory() as folder:
        selection = select(write_cases(Path(folder), 60))
        count = len(selection.variants)
        for name in ("numpy", "torch"):
            if backends.load(name).not_installed():
                print(f"throughput  {name} is not installed")
                continue
            rates, bare = [], []
            for _ in range(REPEATS):
                session = BackendSession(name, selection, modes=["eager"])
                session.record_to(Path(folder, "run.jsonl"), [("eager", case.id) for case in selection.cases])
                started = time.perf_counter()
                for case in selection.cases:
                    session.run_case(case, "eager")
                rates.append(count / (time.perf_counter() - started))
                session.finish(complete=True)
                bare.append(count / bare_calls(name, selection.variants))
            print(
                f"throughput  {name} eager: {median(rates):,.0f} variants a second (best {max(rates):,.0f}); "
                f"calls and conversions alone {median(bare):,.0f}, {median(bare) / median(rates):.1f} times as many"
            )


def bare_calls(name: str, variants: list) -> float:
    """Seconds to convert, call and convert back, for prepared variants."""
    backend = backends.load(name)()
    backend.start()
    executor = Executor(backend)
    prepared = [(compile_variant(v), list(materialise(v).values())) for v in variants]
    started = time.perf_counter()
    for program, inputs in prepared:
        executor.run(program, inputs, "eager")
    return time.perf_counter() - started


def whole_process() -> None:
    """A whole process for 2,000 NumPy variants, as `conformance run` starts it."""
    with tempfile.TemporaryDirectory() as folder:
        request = Request(["numpy"], Path(folder), cases=write_cases(Path(folder), 59))
        empty = Path(folder, "test_nothing.py")
        empty.write_text("def test_nothing(): pass\n", encoding="utf-8")
        own = timed(process(*request.command("numpy")[1:]))
        pytest = timed(process("-m", "pytest", "-q", "-p", "no:cacheprovider", str(empty)))
        print(
            f"process     2,006 NumPy variants: {own:.2f} s; pytest on one empty test: {pytest:.2f} s; "
            f"{own / pytest:.1f} times"
        )


def whole() -> None:
    """`conformance run` against what can't be avoided."""
    total = 0.0
    names = backends.installed()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            imported, spent, calls = process(str(FLOOR), name)().split()
            total += float(imported) + float(spent)
            parts = f"import {float(imported):.1f} s, compile and call {float(spent):.1f} s, {calls} calls"
            print(f"whole       {name}: {parts}")
        for jobs in ("1", "2"):
            run = ("-m", "conformance", "run", "--output", folder, "--jobs", jobs)
            seconds = timed(process(*run), 1)
            print(
                f"whole       conformance run --jobs {jobs}: {seconds:.1f} s, {seconds / total:.2f} times the sum of "
                f"what can't be avoided ({total:.1f} s)"
            )


SECTIONS = {"start": start, "reading": reading, "throughput": throughput, "process": whole_process, "whole": whole}


def main() -> None:
    """Run the sections named on the command line, or all."""
    for name in sys.argv[1:] or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    main()
