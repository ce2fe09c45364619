"""What goes wrong on purpose, and what that costs: faults, supervision, resuming, merging. See README.md here."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np
from harness import process, write_cases

from conformance import runfile
from conformance.runfile import FORMAT, CaseLine, Header, ModeSummary, Record, Shard, Stored, VariantLine, Writer
from conformance.running.running import Request

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))
import faulty

FAULTS = 500
IN_A_CASE = 5
LIMIT = 3
SEED = 20

# How often each comes, of all faults; a hang costs the time limit.
HANGS = ("hang", "hang_in_c")
HANGS_EACH = 6
EXPECTED = {
    "segfault": ("crashed", "SIGSEGV"),
    "abort": ("crashed", "SIGABRT"),
    "leave": ("crashed", "exit status 3"),
    "leave_with_success": ("crashed", "exit status 0"),
    "be_killed": ("crashed", "SIGKILL"),
    "overflow_the_stack": ("crashed", "SIGSEGV"),
    "leave_a_child_and_crash": ("crashed", "SIGSEGV"),
    "interrupt": ("crashed", "exit status 2"),
    "close_every_file": ("crashed", "it closed the run file"),
    "hang": ("timed-out", f"no result within {LIMIT} s"),
    "hang_in_c": ("timed-out", f"no result within {LIMIT} s"),
    "recurse": ("failed", "status: expected a result, got RecursionError"),
    "want_memory": ("failed", "status: expected a result, got MemoryError"),
    "storm": ("failed", "status: expected a result, got RuntimeError"),
    "leave_politely": ("failed", "status: expected a result, got SystemExit"),
    "raise_no_exception": ("failed", "status: expected a result, got Farewell"),
    "assert_in_a_kernel": ("failed", "status: expected a result, got RuntimeError: CUDA error"),
    "make_noise": ("passed", ""),
    "fork_and_go_on": ("passed", ""),
    "close_stdout": ("passed", ""),
}


def plan(path: Path) -> dict[str, str]:
    """Write cases of five variants each, one of which asks for a fault; the faults by the ID of their variant."""
    chance = random.Random(SEED)
    others = [name for name in EXPECTED if name not in HANGS]
    kinds = [kind for kind in HANGS for _ in range(HANGS_EACH)]
    kinds += [others[i % len(others)] for i in range(FAULTS - len(kinds))]
    chance.shuffle(kinds)
    found, lines = {}, ["cases:"]
    for number, kind in enumerate(kinds):
        values = [(number * IN_A_CASE + i) / 64 for i in range(IN_A_CASE)]  # no input comes twice
        at = chance.randrange(IN_A_CASE)
        values[at] = float(faulty.CODES[kind])
        found[f"faults/case-{number}[float32,k={values[at]}]"] = kind
        given = "{x: {full: {shape: [2, 20], value: k}}}"
        lines.append(f"  - {{name: case-{number}, given: {given}, for: {{k: {values}}}, call: sigmoid(x)}}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return found


def run(backend: str, cases: Path, folder: Path, *arguments: str) -> float:
    """Seconds of `conformance run` of a backend."""
    command = [sys.executable, "-m", "conformance", "run", "--backend", backend, "--mode", "eager", "--no-report"]
    command += ["--cases", str(cases), "-o", str(folder), "--timeout", str(LIMIT), *arguments]
    started = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, env=os.environ | faulty.environment(folder))
    return time.perf_counter() - started


def faults() -> None:
    """Five hundred faults in one run: what was said of each, and of everything else."""
    with tempfile.TemporaryDirectory() as name:
        folder, cases = Path(name), Path(name, "faults.yaml")
        planned = plan(cases)
        run("numpy", cases, folder / "right")
        seconds = run("faulty", cases, folder / "faulty")
        right = {r.variant: r for r in runfile.read(folder / "right" / "numpy-cpu.jsonl").records}
        broken = runfile.read(folder / "faulty" / "faulty-cpu.jsonl")
        records = {r.variant: r for r in broken.records}
        told = Counter(
            kind
            for variant, kind in planned.items()
            if (record := records.get(variant)) is not None
            and record.verdict == EXPECTED[kind][0]
            and record.reason.startswith(EXPECTED[kind][1])
        )
        others = right.keys() - planned.keys()
        wrong = [v for v in others if v in records and records[v] != right[v]]
        restarts = sum(r.verdict in ("crashed", "timed-out") for r in records.values())
        restarts += list(planned.values()).count("assert_in_a_kernel")  # an error, and the end of its process
        left = [pid for pid in (folder / "faulty" / "children").read_text().split() if Path("/proc", pid).exists()]
        executed = Counter((folder / "faulty" / "log").read_text().splitlines())
        print(f"faults      {len(planned)} injected, {sum(told.values())} reported as what they were")
        print(f"            {', '.join(f'{n} {kind}' for kind, n in sorted(told.items()))}")
        print(f"            other variants: {len(others)}; lost {len(others - records.keys())}, wrong {len(wrong)}")
        print(f"            processes left behind by a crash: {len(left)}")
        repeated = sum(n - 1 for line, n in executed.items() if n > 1 and not _is_fault(line))
        print(f"            variants executed a second time: {repeated}")
        beyond = (seconds - 2 * HANGS_EACH * LIMIT) / max(restarts, 1)
        fresh = process("-c", "import pytest, conformance.suite.conftest")
        started = time.perf_counter()
        fresh()
        print(
            f"            {restarts} new processes in {seconds:.1f} s: at most {1000 * beyond:.0f} ms each; "
            f"a fresh Python with pytest and the suite alone takes {1000 * (time.perf_counter() - started):.0f} ms"
        )


def _is_fault(line: str) -> bool:
    number = memoryview(bytes.fromhex(line.split()[1])[:4]).cast("f")[0]
    return number in faulty.FAULTS


def cost() -> None:
    """The supervised run against the plain pytest process, in turns: by the clock, and in processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = Request(["numpy"], folder, ["eager"], cases=write_cases(folder, 250))
        supervised = request.command("numpy")[1:]
        plain = supervised[: supervised.index("-s")]
        by_clock, by_processor = [], []
        for _ in range(7):
            clock, processor = [], []
            for arguments in (plain, supervised):
                before, started = _processor_time(), time.perf_counter()
                process(*arguments)()
                clock.append(time.perf_counter() - started)
                processor.append(_processor_time() - before)
            by_clock.append(clock)
            by_processor.append(processor)
        for what, pairs in (("clock", by_clock), ("processor time", by_processor)):
            ratios = sorted(second / first for first, second in pairs)
            print(
                f"cost        8,500 NumPy variants, {what}: plain {median(p[0] for p in pairs):.2f} s, supervised "
                f"{median(p[1] for p in pairs):.2f} s; ratio of neighbours {median(ratios):.3f} "
                f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
            )


def _processor_time() -> float:
    """Seconds that processes used which have ended, with all they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resuming() -> None:
    """A run that is killed again and again, every process in turn, and resumed."""
    with tempfile.TemporaryDirectory() as name:
        folder, cases = Path(name), Path(name, "cases.yaml")
        values = [[(n * IN_A_CASE + i) / 64 for i in range(IN_A_CASE)] for n in range(1200)]
        given = "{x: {full: {shape: [2, 20], value: k}}}"
        lines = [
            f"  - {{name: case-{n}, given: {given}, for: {{k: {k}}}, call: sigmoid(x)}}" for n, k in enumerate(values)
        ]
        cases.write_text("cases:\n" + "\n".join(lines) + "\n", encoding="utf-8")
        chance, path, kills = random.Random(SEED), folder / "out" / "faulty-cpu.jsonl", 0
        command = [sys.executable, "-m", "conformance", "run", "--backend", "faulty", "--mode", "eager", "--no-report"]
        command += ["--cases", str(cases), "-o", str(path.parent), "--resume"]
        environment = os.environ | faulty.environment(path.parent)
        while not (path.exists() and runfile.read(path).complete):
            running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = path.stat().st_size if path.exists() else 0
            while running.poll() is None and kills < 12:
                if path.exists() and path.stat().st_size > before + 200_000:
                    time.sleep(chance.random() / 20)
                    running.send_signal(signal.SIGKILL)
                    kills += 1
                    break
                time.sleep(0.001)
            running.wait()
            _wait_for_the_lock(path.parent)
        executed = Counter((path.parent / "log").read_text().splitlines())
        repeated = sum(n - 1 for n in executed.values())
        print(
            f"resuming    {len(executed):,} variants, killed {kills} times: {repeated} executed again "
            f"(at most the one in hand each time)"
        )


def _wait_for_the_lock(folder: Path) -> None:
    from conformance.running.locking import LockedError, locked  # noqa: PLC0415 - there are systems without it

    while True:
        try:
            with locked(folder):
                return
        except LockedError:
            time.sleep(0.01)


def merging() -> None:
    """Memory and time of `conformance merge` of four shards, by the number of records."""
    for size in (10_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paths = [_shard(folder / f"{n}.jsonl", n, 4, size // 4) for n in range(1, 5)]
            arguments = ["-m", "conformance", "merge", *map(str, paths), "-o", str(folder / "out")]
            started = time.perf_counter()
            merger = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(merger.pid, 0)
            merger.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - started
            if merger.returncode:
                raise SystemExit(f"merging failed with status {merger.returncode}")
            read = time.perf_counter()
            complete = runfile.read(folder / "out" / "numpy-cpu.jsonl").complete
            read = time.perf_counter() - read
            print(
                f"merging     {size:>9,} records in 4 shards: {seconds:.1f} s, {1e6 * seconds / size:.0f} µs a record, "
                f"{used.ru_maxrss / 1024:.0f} MB at most; {'complete' if complete else 'INCOMPLETE'}, "
                f"checked again in {read:.1f} s"
            )


def _shard(path: Path, number: int, of: int, records: int) -> Path:
    """A shard with cases of twenty variants, each with one record of ten numbers."""
    whole = Shard(number, of, [ModeSummary("eager", records * of)])
    header = Header(
        FORMAT, "0", "numpy", "cpu", {}, {}, "c", "m", [ModeSummary("eager", records)], {}, [], "t", shard=whole
    )
    stored = Stored.of(np.zeros(10, dtype=np.float32))
    writer = Writer(path, header)
    for i in range(records):
        case = f"ops/softmax/case-{number}-{i // 20}"
        variant = f"{case}[float32,axis={i % 20},shape=2x5]"
        writer.case(lambda case=case: CaseLine(case, "softmax", "ops/softmax.yaml", "", "", "softmax(x)", False), case)
        line = VariantLine(variant, case, "float32", {"x": stored}, stored, [0.0] * 8)
        writer.variant(lambda line=line: line, variant)
        writer.record(Record(variant, "eager", "passed", got=[stored], ulp=0.5, budget=8.0, at=[1]))
    writer.finish("t")
    return path


SECTIONS = {"faults": faults, "cost": cost, "resuming": resuming, "merging": merging}


def main() -> None:
    """Run the sections named on the command line, or all."""
    for name in sys.argv[1:] or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    main()
