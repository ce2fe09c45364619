"""The commands that read run files: `report`, `merge` and `diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformance.cli.application import app, err, examples, fail, out, to_its_end
from conformance.cli.pages import read_timings, write_reports, write_timing
from conformance.ground.files import files_in


@app.command(
    short_help="Write the reports of run files.",
    epilog=examples("conformance report", "conformance report linux/*.jsonl macos/*.jsonl -o both"),
)
@to_its_end("each report that was written until then is whole, and the others are those of before")
def report(
    run_files: Annotated[
        list[Path] | None, typer.Argument(metavar="RUNFILE", help="Run files. Default: all in the output folder.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of the reports.")] = Path(
        "reports"
    ),
) -> None:
    """Write the reports of run files, and of the timing files in the output folder. Needs no cases and no framework."""
    from conformance import runfile
    from conformance.runfile import merging
    from conformance.running import running
    from conformance.running.console import print_summary

    paths = run_files or files_in(output, ".jsonl")
    timings = read_timings(output)
    if not paths and not timings:
        fail(f"no run files in {output}; 'conformance run' writes them")
    timed = not timings or write_timing(timings, output)
    if not paths:
        raise typer.Exit(0 if timed else 2)
    try:
        with merging.gathered(paths) as gathered:
            runs = running.in_order(gathered)
            print_summary(out, runs)
            problems = [text for run_ in runs for text in running.shortcomings(run_)]
            for problem in problems:
                err.print(f"error: {problem}")
            written = write_reports(runs, output, problems)
            status = running.exit_status(runs, problems) if written and timed else 2
    except runfile.RunFileError as error:
        fail(str(error))
    raise typer.Exit(status)


@app.command(
    short_help="Join the run files of shards and of machines.",
    epilog=examples("conformance merge shards/*.jsonl -o whole"),
)
def merge(
    run_files: Annotated[
        list[Path], typer.Argument(metavar="RUNFILE", help="Run files: shards, or other parts of runs.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of the joined run files.")
    ] = Path("reports"),
) -> None:
    """Join run files from many machines into one for each backend and device.

    Refused are files of different cases, selections or versions, and the same variant twice. What is missing of a run
    is said, and ends this with status 3.
    """
    from conformance import runfile
    from conformance.runfile import merging
    from conformance.running import running
    from conformance.running.console import print_summary
    from conformance.running.locking import LockedError, locked

    try:
        with locked(output):
            runs = running.in_order([runfile.read(path) for path in merging.merge(run_files, output)])
    except (runfile.RunFileError, LockedError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or output}: can't be written to: {error.strerror}")
    print_summary(out, runs)
    problems = [text for run_ in runs for text in running.shortcomings(run_)]
    for problem in problems:
        err.print(f"error: {problem}")
    for run_ in runs:
        out.print(str(run_.path))
    raise typer.Exit(3 if problems else 0)


@app.command(
    short_help="Compare two runs.",
    epilog=examples(
        "conformance diff before after", "conformance diff reports reports --pair torch:eager=torch:compile"
    ),
)
def diff(
    a: Annotated[
        Path, typer.Argument(metavar="A", help="What it was: a run file, a timing file, or a folder of them.")
    ],
    b: Annotated[Path, typer.Argument(metavar="B", help="What it is.")],
    pair: Annotated[
        list[str] | None,
        typer.Option(
            "--pair",
            metavar="A=B",
            help="Compare just these: A=B, each of them BACKEND, BACKEND/DEVICE, BACKEND:MODE or BACKEND/DEVICE:MODE; "
            "again for more. Default: the same backend on the same device.",
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="WHAT",
            help="verdict, gone, drift or timing; again for more. Default: verdict and gone.",
        ),
    ] = None,
    show: Annotated[
        int, typer.Option("--show", metavar="N", min=0, help="How many kinds of changes of each sort to print.")
    ] = 5,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The page.")] = Path(
        "reports", "diff.html"
    ),
) -> None:
    """Compare two runs: verdicts that changed, errors that drifted, times beyond their noise. Writes a page, too.

    Exit status: 0, nothing to fail on became worse; 1, something did; 2, usage; 3, one of the runs is incomplete, or
    nothing of it could be compared.
    """
    from conformance import diffing
    from conformance.diffing import telling
    from conformance.reports import diff as diff_page
    from conformance.runfile import RunFileError

    try:
        causes = diffing.causes(fail_on or diffing.DEFAULT_CAUSES)
        with diffing.load("A", a) as left, diffing.load("B", b) as right:
            pairing = diffing.pair(left, right, pair or [])
            diffing.refuse_idle(pairing, causes)
            comparison = diffing.compare(pairing)
    except (diffing.SideError, diffing.PairingError, RunFileError) as error:
        fail(str(error))
    for line in telling.lines(comparison, show):
        out.print(line)
    for line in comparison.incomplete:
        err.print(f"error: {line}")
    out.print(telling.closing_line(comparison, causes))
    try:
        diff_page.write(comparison, str(a), str(b), causes, output)
    except OSError as error:
        fail(f"{output}: can't be written to: {error.strerror}")
    out.print(str(output))
    raise typer.Exit(comparison.exit_status(causes))
