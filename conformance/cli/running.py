"""The command `run`."""

from __future__ import annotations

from collections.abc import Sequence
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
    chosen,
    named_backends,
    named_device,
    selected,
)
from conformance.cli.pages import write_reports
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
        "conformance run -b numpy --kernels all",
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
    kernels: Annotated[
        list[str] | None,
        typer.Option(
            "--kernels",
            metavar="NAME",
            help="Run everything once more, frameworks held to other kernels (vector instructions, oneDNN on or off), "
            "each a column of its own; again for more, 'all' for those that other processors would choose. "
            "'conformance backends' shows them.",
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
    names = chosen(running.with_modes, "the mode", asked, mode or [], device, backend is not None)
    try:
        if shard:
            sharding.parse(shard)
    except ValueError as error:
        fail(f"--shard: {error}")
    broken = list(backends.broken(backend or ()).values())
    selection = selected(cases, variant or [], keyword)
    _refuse_strays(selection)
    # Results of a part must not take the place of those of the whole.
    part = "selected" if keyword or variant or mode else "shards" if shard else "kernels" if kernels else ""
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
    again = None if random_order is None else running.in_another_order(request, random_order)
    held_to = _held_to_others(request, kernels or [], again)
    out.print(_headline(selection, names))
    try:
        with ExitStack() as held:
            # Runs of other backends that make no reports, as under tox, may go on beside one that makes none either.
            files = [one.run_file(name).name for one in (request, *held_to) for name in one.backends]
            files = files if no_report else []
            folders = [one.output for one in (request, again) if one is not None]
            locks = [lock for one in folders for lock in held.enter_context(locked(one, files))]
            status = _run(request, held_to, again, selection, broken, locks, not no_report)
    except LockedError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or folder}: can't be written to: {error.strerror}")
    raise typer.Exit(status)


def _held_to_others(request: Request, kernels: list[str], again: Request | None) -> list[Request]:
    """The runs with the frameworks held to other kernels."""
    from conformance.running import running

    if kernels and again is not None:
        fail("--kernels and --random-order: one of them at a time")
    if kernels and request.device != "cpu":
        fail("--kernels: they are chosen by the processor; on another device there are none to be held to")
    try:
        return running.held_to_others(request, kernels)
    except ValueError as error:
        fail(f"--kernels: {error}")


def _run(
    request: Request,
    held_to: list[Request],
    again: Request | None,
    selection: Selection,
    broken: list[str],
    locks: Sequence[int],
    report: bool,
) -> int:
    """Run, tell what came of it, write the reports; then run `again`, and tell what depends on the order.

    Runs that are held to other kernels come in between, and what they changed is told.
    """
    from conformance.diffing import kernels
    from conformance.runfile.failure import record_text
    from conformance.runfile.kinds import kinds
    from conformance.running import running
    from conformance.running.console import print_summary

    plain, problems = _made(request, locks)
    runs = list(plain)
    for one in held_to:
        more, lacking = _made(one, locks)
        runs, problems = runs + more, problems + lacking
    runs = running.in_order(runs)
    problems += broken
    failed = kinds(running.failures(runs))
    for kind in failed[:_MOST_KINDS_SHOWN]:
        out.print(record_text(kind.run.header, kind.case, kind.record, request.cases, kind.likewise) + "\n")
    if further := sum(kind.variants for kind in failed[_MOST_KINDS_SHOWN:]):
        out.print(f"… and {further:,} more of other kinds; the report has them all\n")
    print_summary(out, runs)
    if held_to:
        for line in kernels.lines(plain, runs):
            out.print(line)
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
