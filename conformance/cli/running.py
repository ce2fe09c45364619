"""The commands that run something: `run` and `bench`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from conformance.cli.application import app, err, examples, fail, out, to_its_end
from conformance.cli.arguments import (
    Backends,
    Cases,
    Device,
    Keyword,
    Modes,
    Output,
    Variants,
    able,
    named_backends,
    named_device,
    selected,
    tell_of_broken,
)
from conformance.cli.pages import write_reports, write_timing
from conformance.ground import processes

if TYPE_CHECKING:
    from conformance.runfile import Run
    from conformance.running.running import Request
    from conformance.suite.selection import Selection

_MOST_KINDS_SHOWN = 20


@app.command(
    epilog=examples(
        "conformance run",
        "conformance run -b torch -b jax -k softmax -o before",
        "conformance run --variant 'ops/softmax/*[float16*' -b torch -m compile",
        "conformance run --resume",
    )
)
@to_its_end("what was recorded until then is in the run files: --resume goes on from there")
def run(
    backend: Backends = None,
    mode: Modes = None,
    device: Device = "cpu",
    keyword: Keyword = "",
    variant: Variants = None,
    cases: Cases = None,
    output: Output = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Backends to run at once. Default: one a core, at most 4."
        ),
    ] = min(processes.cores(), 4),
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-n",
            metavar="N",
            min=1,
            help="Processes that share the cases of a backend. Default: as many as leave no core idle, at most 4; one "
            "on a GPU or with --random-order.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=0,
            help="Seconds that a variant may take, compiling included; 0 for any time.",
        ),
    ] = 60,
    shard: Annotated[
        str,
        typer.Option(
            "--shard", metavar="N/OF", help="A share of the cases, such as 3/8; 'conformance merge' joins them."
        ),
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run files that are there.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write run files only.")] = False,
    random_order: Annotated[
        int | None,
        typer.Option(
            "--random-order",
            metavar="SEED",
            help="Run everything once more in another order, that of the seed, and show what depends on it.",
        ),
    ] = None,
) -> None:
    """Run the cases on every backend, then write the reports.

    A variant that crashes its process, or takes too long, is lost by itself: 'crashed' or 'timed-out'. Three in a row
    end the run of a backend. Whatever ends a run, --resume goes on from there; so it does in the other order. A run
    whose output nobody reads is made all the same, reports included.

    Exit status: 0, everything passed or deviates as registered; 1, something failed, crashed, timed out, or depends on
    the order; 2, usage or case-file error, another run writes to the same folder, or reports or output can't be
    written; 3, a run is incomplete or nothing of it could run; 130, interrupted by Ctrl-C; 141, nobody reads the
    output.
    """
    from conformance import backends
    from conformance.running import running
    from conformance.running.locking import LockedError, locked
    from conformance.suite import sharding

    asked, device = named_backends(backend), named_device(device)
    names = _chosen(running.with_modes, "the mode", asked, mode or [], device, backend is not None)
    try:
        if shard:
            sharding.parse(shard)
    except ValueError as error:
        fail(f"--shard: {error}")
    broken = list(backends.broken(backend or ()).values())
    selection = selected(cases, variant or [], keyword)
    _refuse_strays(selection)
    # Results of a part must not take the place of those of the whole.
    part = "selected" if keyword or variant or mode else "shards" if shard else ""
    folder = output or Path("reports", part)
    if workers is None:
        # In processes of their own variants can't disturb each other; and a GPU is not divided into cores.
        alone = random_order is not None or device != "cpu"
        workers = 1 if alone else running.fitting_workers(min(jobs, len(names)), len(selection.variants))
    request = running.Request(
        names,
        folder,
        mode or [],
        device,
        keyword,
        variant or [],
        cases,
        jobs,
        timeout=timeout,
        workers=workers,
        shard=shard,
        resume=resume,
    )
    out.print(_headline(selection, names))
    again = None if random_order is None else running.in_another_order(request, random_order)
    try:
        with ExitStack() as held:
            # Runs of other backends that make no reports, as under tox, may go on beside one that makes none either.
            files = [request.run_file(name).name for name in names] if no_report else []
            folders = [one.output for one in (request, again) if one is not None]
            locks = [lock for one in folders for lock in held.enter_context(locked(one, files))]
            status = _run(request, again, selection, broken, locks, not no_report)
    except LockedError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or folder}: can't be written to: {error.strerror}")
    raise typer.Exit(status)


def _run(
    request: Request,
    again: Request | None,
    selection: Selection,
    broken: list[str],
    locks: Sequence[int],
    report: bool,
) -> int:
    """Run, tell what came of it, write the reports; then run `again`, and tell what depends on the order."""
    from conformance.runfile.failure import record_text
    from conformance.runfile.kinds import kinds
    from conformance.running import running
    from conformance.running.console import print_summary

    runs, problems = _made(request, locks)
    problems += broken
    failed = kinds(running.failures(runs))
    for kind in failed[:_MOST_KINDS_SHOWN]:
        out.print(record_text(kind.run.header, kind.case, kind.record, request.cases, kind.likewise) + "\n")
    if more := sum(kind.variants for kind in failed[_MOST_KINDS_SHOWN:]):
        out.print(f"… and {more:,} more of other kinds; the report has them all\n")
    print_summary(out, runs)
    for problem in problems:
        err.print(f"error: {problem}")
    for text in running.registry_notes(selection.corpus, [one.header for one in runs]):
        err.print(text)
    if request.keyword and not problems and not any(run_.size for run_ in runs):
        fail(f"no case matches '{request.keyword}', of those in {selection.folder}")
    written = not (runs and report) or write_reports(runs, request.output, problems, request.cases)
    status = running.exit_status(runs, problems)
    if again is not None:
        if again.resume:
            running.forget_older(again, runs)
        shuffled, problems = _made(again, locks)
        lines = running.coupled_outcomes(runs, shuffled)
        for line in [*(f"coupled: {line}" for line in lines), *(f"error: {problem}" for problem in problems)]:
            err.print(line)
        status = 3 if problems else status or int(bool(lines))
    if not written:
        err.print(f"'conformance report -o {request.output}' makes the reports of the run files")
    return status if written else 2


def _made(request: Request, locks: Sequence[int]) -> tuple[list[Run], list[str]]:
    """The runs that were asked for, and a line for everything that kept one from being whole."""
    from conformance.running import running
    from conformance.running.console import Watch

    with Watch(err) as watch:
        children, refused = running.run(request, watch, locks)
    if mistakes := running.mistakes(children):  # a '-k' that can't be read, a stale --resume
        fail("\n".join(mistakes))
    runs, problems = running.collect(children)
    return runs, refused + problems


@app.command(
    short_help="Time the operations on every backend.",
    epilog=examples("conformance bench", "conformance bench -b numpy -b torch --size 2x20 --dtype float32"),
)
@to_its_end("what was timed until then is in the timing files of the backends that had finished")
def bench(
    backend: Backends = None,
    mode: Modes = None,
    device: Device = "cpu",
    keyword: Annotated[
        str, typer.Option("-k", metavar="WORDS", help="Cells whose name matches, as pytest's -k takes it.")
    ] = "",
    dtype: Annotated[list[str] | None, typer.Option("--dtype", metavar="NAME", help="A dtype; again for more.")] = None,
    size: Annotated[
        list[str] | None, typer.Option("--size", metavar="SHAPE", help="A size, such as 2x20; again for more.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Every dtype at every size in every mode; takes most of an hour.")
    ] = False,
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="Threads each framework may compute with.")
    ] = 1,
    output: Output = None,
) -> None:
    """Time the operations on every backend, one after the other, then write the page of timings.

    A time is shown only if that same call's output conforms. The timing files are pytest-benchmark's:
    'pytest-benchmark compare' reads them.

    Exit status: 0, timed; 2, usage error, another one times into the same folder, or pages or output can't be written;
    3, a backend could not be timed; 130, interrupted by Ctrl-C; 141, nobody reads the output.
    """
    from conformance.running.console import Watch
    from conformance.running.locking import LockedError, locked
    from conformance.timing import benching
    from conformance.timing.model import FOLDER
    from conformance.timing.plan import PlanError, parse_plan

    try:
        parse_plan(dtype or [], size or [], full)
    except PlanError as error:
        fail(str(error))
    asked, device = named_backends(backend), named_device(device)
    names = _chosen(benching.with_modes, "a timed mode", asked, mode or [], device, backend is not None)
    tell_of_broken(backend)
    # Times of a part must not take the place of those of the whole.
    part = keyword or mode or dtype or size
    folder = output or (Path("reports", "selected") if part else Path("reports"))
    request = benching.Request(names, folder, mode or [], device, keyword, dtype or [], size or [], full, threads)
    try:
        with locked(folder / FOLDER), Watch(err, "cells") as watch:
            children, refused = benching.run(request, watch)
    except LockedError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or folder}: can't be written to: {error.strerror}")
    timings, problems = benching.collect(request, children)
    problems = refused + problems
    for line in benching.summary(timings):
        out.print(line)
    for problem in problems:
        err.print(f"error: {problem}")
    if not problems and not timings:
        fail(f"no cell matches '{keyword}'")
    written = not timings or write_timing(timings, folder)
    raise typer.Exit((3 if problems else 0) if written else 2)


def _chosen(
    having: Callable[[list[str], list[str], str], list[str]],
    what: str,
    asked: list[str],
    modes: list[str],
    device: str,
    by_name: bool,
) -> list[str]:
    """The backends that have one of the modes, and the device; ends where nobody has a mode, or none can run.

    Args:
        having: of backends, those that have at least one of some modes on a device.
        what: such a mode is called.
        asked: the backends asked for.
        modes: those asked for; all where none is.
        device: where.
        by_name: whether the backends were asked for.
    """
    for one in modes:
        if not having(asked, [one], device):
            fail(f"none of {', '.join(asked)} has {what} '{one}' on {device}; 'conformance backends' shows them")
    return able(having(asked, modes, device), device, by_name)


def _refuse_strays(selection: Selection) -> None:
    from conformance.checking import checking

    if not selection.patterns:
        lines = checking.stray_entries(selection.corpus)
        if lines:
            fail("\n".join(lines))


def _headline(selection: Selection, names: list[str]) -> str:
    counts = ((len(selection.cases), "case"), (len(selection.variants), "variant"), (len(names), "backend"))
    words = ", ".join(f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts)
    return f"{words}   cases {selection.corpus.digest[:8]}"
