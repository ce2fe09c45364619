"""Time and memory of what is made of run files, at 10 thousand to a million records. See README.md beside this file."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from conformance import diffing, runfile
from conformance.reports import diff, machines
from conformance.runfile import (
    FORMAT,
    CaseLine,
    FindingLine,
    Header,
    IdiomSource,
    ModeSummary,
    Record,
    Stored,
    VariantLine,
    Writer,
)

SIZES = (10_000, 100_000, 1_000_000)
OPERATIONS = ("softmax", "log_softmax", "sigmoid", "log_sigmoid", "sum", "mean", "exp", "log", "stack", "reshape")
DTYPES = ("float16", "float32", "float64")
BACKENDS = {"numpy": ("eager",), "torch": ("eager", "compile"), "jax": ("eager", "jit")}
VARIANTS_A_CASE = 12

_SOURCE = "def {0}(x, *, axis=None):\n    return library.{0}(x, axis)"


def write_runs(folder: Path, records: int, seed: int = 0) -> list[Path]:
    """Run files of made-up results: three backends in five modes, through the suite's own writer.

    Of a hundred records some 90 passed, 6 are divergent for one of forty reasons, 3 are unsupported, 1 failed.

    Args:
        folder: where to.
        records: how many, in all files together.
        seed: runs of different seeds have the same questions and other answers.
    """
    a_mode = max(records // sum(map(len, BACKENDS.values())), 1)
    paths = []
    for number, (backend, modes) in enumerate(BACKENDS.items()):
        generator = np.random.default_rng([seed, number])
        writer = Writer(folder / f"{backend}-cpu.jsonl", _header(backend, modes, a_mode))
        for index in range(a_mode):
            case, line = _question(index)
            writer.case(lambda case=case: case, case.id)
            writer.variant(lambda line=line: line, line.id)
            for mode in modes:
                writer.record(_record(line, mode, generator))
        writer.finish("2030-01-01T00:10:00+00:00")
        paths.append(writer.path)
    return paths


def _header(backend: str, modes: tuple[str, ...], variants: int) -> Header:
    return Header(
        FORMAT,
        "0",
        backend,
        "cpu",
        {backend: "1.0"},
        {"python": "3.11", "system": "Linux", "processor": "made up"},
        "ab" * 32,
        "cd" * 32,
        [ModeSummary(mode, variants, flushes_subnormals=False) for mode in modes],
        {name: {"document": f"torch.{name}(x)", "summary": name, "budget": "made up"} for name in OPERATIONS},
        [IdiomSource(name, _SOURCE.format(name)) for name in OPERATIONS],
        "2030-01-01T00:00:00+00:00",
    )


def _question(index: int) -> tuple[CaseLine, VariantLine]:
    """A case and one of its variants: the same for every backend and seed."""
    number, part = divmod(index, VARIANTS_A_CASE)
    operation, dtype = OPERATIONS[number % len(OPERATIONS)], DTYPES[part % len(DTYPES)]
    name = f"ops/{operation}/case-{number}"
    text = (
        f"- name: case-{number}\n  given: {{x: {{normal: {{shape: [2, 4], seed: {number}}}}}}}\n  call: {operation}(x)"
    )
    case = CaseLine(name, operation, f"ops/{operation}.yaml", text, "", f"{operation}(x)", False)
    x = Stored.of(np.random.default_rng(index).standard_normal(8).astype(dtype).reshape(2, 4))
    return case, VariantLine(f"{name}[{dtype},n={part}]", name, dtype, {"x": x}, x, [0.0] * 8)


def _record(line: VariantLine, mode: str, generator: np.random.Generator) -> Record:
    chance = generator.random()
    verdict = next(
        v for v, end in (("failed", 0.01), ("unsupported", 0.04), ("divergent", 0.1), ("passed", 1)) if chance < end
    )
    if verdict == "unsupported":
        return Record(line.id, mode, verdict, "made-up has no gradients")
    ulp = float(generator.random() * 4)
    got = [Stored.of(generator.standard_normal(8).astype(line.dtype).reshape(2, 4))]
    if verdict == "passed":
        return Record(line.id, mode, verdict, got=got, ulp=ulp, budget=10.0, at=[0, 1])
    finding = FindingLine("value", "0.5", f"{ulp:.6f}", "exact 0.5…; some ULP away")
    reason = f"reason {int(generator.integers(40))}" if verdict == "divergent" else "value: expected 0.5"
    return Record(line.id, mode, verdict, reason, [finding], got, ulp=1e6 * ulp, budget=10.0, at=[0, 1])


def _runs(folder: Path) -> list[runfile.Run]:
    return [runfile.read(path) for path in sorted(folder.glob("*.jsonl"))]


def read_all(folder: Path) -> Iterator[str]:
    """Read and check the run files."""
    runs = _runs(folder / "a")
    yield f"{sum(run.size for run in runs):,} records read"


def write_machines(folder: Path) -> Iterator[str]:
    """Write the files for other programs."""
    written = machines.write(_runs(folder / "a"), folder / "reports")
    yield ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in written)


def compare(folder: Path) -> Iterator[str]:
    """Compare with other answers to the same questions, and write the page."""
    with diffing.load("A", folder / "a") as a, diffing.load("B", folder / "b") as b:
        comparison = diffing.compare(diffing.pair(a, b))
    page = folder / "reports" / "diff.html"
    diff.write(comparison, "A", "B", ["verdict"], page)
    yield f"{comparison.worse.records:,} verdicts worse, diff.html {page.stat().st_size / 1e6:.1f} MB"


SECTIONS: dict[str, Callable[[Path], Iterator[str]]] = {
    "reading": read_all,
    "machines": write_machines,
    "diff": compare,
}


def measured(section: str, folder: Path) -> str:
    """What a section says, its seconds and its peak memory, in a process of its own."""
    return subprocess.run(
        [sys.executable, __file__, "--one", section, str(folder)], check=True, capture_output=True, text=True
    ).stdout.strip()


def one(section: str, folder: Path) -> None:
    """Run a section in this process, and print what it cost."""
    started = time.perf_counter()
    words = " ".join(SECTIONS[section](folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    print(f"{time.perf_counter() - started:7.1f} s  {peak:5.0f} MiB  {words}")


def main() -> None:
    """Run the sections named on the command line, or all, at the sizes that are named there, or at all three."""
    asked = sys.argv[1:]
    sizes = [int(text) for text in asked if text.isdigit()] or SIZES
    names = [text for text in asked if text in SECTIONS] or list(SECTIONS)
    if unknown := [text for text in asked if not text.isdigit() and text not in SECTIONS]:
        sys.exit(f"no section '{unknown[0]}'; there are {', '.join(SECTIONS)}, and numbers of records")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for seed, side in enumerate("ab"):
                write_runs(folder / side, size, seed)
            for section in names:
                print(f"{section:<10}{size:>10,} records  {measured(section, folder)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
