"""The `conformance` command. Commands only: what they do lives in the modules they call."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec

import typer

from conformance.files import files_in
from conformance.terminal import CLOSED_PIPE, Terminal, end, open_closed_streams, write

if TYPE_CHECKING:
    from conformance.corpus import Selection
    from conformance.runfile import Run
    from conformance.running import Request
    from conformance.timing.model import TimingRun

app = typer.Typer(
    help="Runs one set of cases through PyTorch, TensorFlow, JAX and NumPy, and judges every result against exact "
    "arithmetic.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
_out = Terminal()
_err = Terminal(stderr=True)

Backends = Annotated[
    list[str] | None,
    typer.Option("--backend", "-b", metavar="NAME", help="A backend; again for more. Default: all installed."),
]
Modes = Annotated[
    list[str] | None,
    typer.Option("--mode", "-m", metavar="NAME", help="A mode; again for more. Default: all of each backend."),
]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="cpu, gpu, or one of several: gpu:1.")]
Cases = Annotated[
    Path | None,
    typer.Option("--cases", metavar="PATH", help="Case files. Default: those that come with the suite."),
]
Keyword = Annotated[str, typer.Option("-k", metavar="WORDS", help="Cases whose name matches, as pytest's -k takes it.")]
Variants = Annotated[
    list[str] | None,
    typer.Option("--variant", metavar="ID", help="A variant's ID; * and ? match; again for more."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Where to write. Default: reports/, or reports/selected/ for a part of the cases or modes.",
    ),
]

_MOST_KINDS_SHOWN = 20
_GIVEN = ParamSpec("_GIVEN")


def _examples(*commands: str) -> str:
    """What stands under a command's help: lines to copy."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)  # '\b': as they stand


def _to_its_end(kept: str) -> Callable[[Callable[_GIVEN, None]], Callable[_GIVEN, None]]:
    """A command that is there for the files it writes: it goes on where what it prints does not arrive.

    Only then does its status tell that. Ctrl-C ends it with a word and status 130, wherever it is.

    Args:
        kept: what an interrupted one leaves.
    """

    def decorate(command: Callable[_GIVEN, None]) -> Callable[_GIVEN, None]:
        @wraps(command)
        def to_its_end(*given: _GIVEN.args, **named: _GIVEN.kwargs) -> None:
            try:
                with _out.going_on(), _err.going_on():
                    command(*given, **named)
            except KeyboardInterrupt:
                _err.print(f"interrupted; {kept}")
                raise typer.Exit(130) from None
            except typer.Exit:
                if lost := _out.lost or _err.lost:
                    _unheard(lost)
                raise

        return to_its_end

    return decorate


def _say_version(wanted: bool) -> None:
    if wanted:
        from conformance import __version__

        _out.print(f"conformance {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What is asked of no command."""


@app.command(
    epilog=_examples(
        "conformance run",
        "conformance run -b torch -b jax -k softmax -o before",
        "conformance run --variant 'ops/softmax/*[float16*' -b torch -m compile",
        "conformance run --resume",
    )
)
@_to_its_end("what was recorded until then is in the run files: --resume goes on from there")
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
    ] = min(os.cpu_count() or 1, 4),
    workers: Annotated[
        int, typer.Option("--workers", "-n", metavar="N", min=1, help="Processes that share the cases of a backend.")
    ] = 1,
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
    from conformance import backends, running, sharding
    from conformance.locking import LockedError, locked

    asked, device = _backends(backend), _device(device)
    for one in mode or []:
        if not running.with_modes(asked, [one], device):
            _fail(f"none of {', '.join(asked)} has the mode '{one}' on {device}; 'conformance backends' shows them")
    names = running.with_modes(asked, mode or [], device)
    _end_if_absent(names)
    try:
        if shard:
            sharding.parse(shard)
    except ValueError as error:
        _fail(f"--shard: {error}")
    broken = list(backends.broken(backend or ()).values())
    selection = _select(cases, variant or [], keyword)
    _refuse_unmatched(selection)
    # Results of a part must not take the place of those of the whole.
    part = "selected" if keyword or variant or mode else "shards" if shard else ""
    folder = output or Path("reports", part)
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
    _out.print(_headline(selection, names))
    again = None if random_order is None else running.in_another_order(request, random_order)
    try:
        with ExitStack() as held:
            locks = [held.enter_context(locked(one.output)) for one in (request, again) if one is not None]
            status = _run(request, again, selection, broken, locks, not no_report)
    except LockedError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or folder}: can't be written to: {error.strerror}")
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
    from conformance import running
    from conformance.console import print_summary
    from conformance.failure import record_text
    from conformance.kinds import kinds

    runs, problems = _made(request, locks)
    problems += broken
    failed = kinds(running.failures(runs))
    for kind in failed[:_MOST_KINDS_SHOWN]:
        _out.print(record_text(kind.run.header, kind.case, kind.record, request.cases, kind.likewise) + "\n")
    if more := sum(kind.variants for kind in failed[_MOST_KINDS_SHOWN:]):
        _out.print(f"… and {more:,} more of other kinds; the report has them all\n")
    print_summary(_out, runs)
    for problem in problems:
        _err.print(f"error: {problem}")
    for text in running.rechecks(selection.corpus, request.backends, request.device):
        _err.print(text)
    if request.keyword and not problems and not any(run_.size for run_ in runs):
        _fail(f"no case matches '{request.keyword}', of those in {selection.folder}")
    written = not (runs and report) or _write_reports(runs, request.output, problems, request.cases)
    status = running.exit_status(runs, problems)
    if again is not None:
        if again.resume:
            running.forget_older(again, runs)
        shuffled, problems = _made(again, locks)
        lines = running.coupled_outcomes(runs, shuffled)
        for line in [*(f"coupled: {line}" for line in lines), *(f"error: {problem}" for problem in problems)]:
            _err.print(line)
        status = 3 if problems else status or int(bool(lines))
    if not written:
        _err.print(f"'conformance report -o {request.output}' makes the reports of the run files")
    return status if written else 2


def _made(request: Request, locks: Sequence[int]) -> tuple[list[Run], list[str]]:
    """The runs that were asked for, and a line for everything that kept one from being whole."""
    from conformance import running
    from conformance.console import Watch

    with Watch(_err) as watch:
        children, refused = running.run(request, watch, locks)
    if mistakes := running.mistakes(children):  # a '-k' that can't be read, a stale --resume
        _fail("\n".join(mistakes))
    runs, problems = running.collect(children)
    return runs, refused + problems


@app.command(
    short_help="Time the operations on every backend.",
    epilog=_examples("conformance bench", "conformance bench -b numpy -b torch --size 2x20 --dtype float32"),
)
@_to_its_end("what was timed until then is in the timing files of the backends that had finished")
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
    from conformance.console import Watch
    from conformance.locking import LockedError, locked
    from conformance.timing import benching
    from conformance.timing.model import FOLDER
    from conformance.timing.plan import PlanError, parse_plan

    try:
        parse_plan(dtype or [], size or [], full)
    except PlanError as error:
        _fail(str(error))
    names, device = _backends(backend), _device(device)
    for one in mode or []:
        if not benching.with_modes(names, [one], device):
            _fail(f"none of {', '.join(names)} has a timed mode '{one}' on {device}; 'conformance backends' shows them")
    names = benching.with_modes(names, mode or [], device)
    _end_if_absent(names)
    _tell_of_broken(backend)
    # Times of a part must not take the place of those of the whole.
    part = keyword or mode or dtype or size
    folder = output or (Path("reports", "selected") if part else Path("reports"))
    request = benching.Request(names, folder, mode or [], device, keyword, dtype or [], size or [], full, threads)
    try:
        with locked(folder / FOLDER), Watch(_err, "cells") as watch:
            children = benching.run(request, watch)
    except LockedError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or folder}: can't be written to: {error.strerror}")
    timings, problems = benching.collect(request, children)
    for line in benching.summary(timings):
        _out.print(line)
    for problem in problems:
        _err.print(f"error: {problem}")
    if not problems and not timings:
        _fail(f"no cell matches '{keyword}'")
    written = not timings or _write_timing(timings, folder)
    raise typer.Exit((3 if problems else 0) if written else 2)


@app.command(
    short_help="Check the case files.", epilog=_examples("conformance check", "conformance check --cases my-cases/")
)
def check(
    cases: Cases = None,
    document: Annotated[
        Path | None, typer.Option("--document", metavar="PATH", help="The document: checks what case files say of it.")
    ] = None,
    write_schemas: Annotated[
        bool, typer.Option("--write-schemas", help="Write the JSON Schemas beside the cases anew.")
    ] = False,
) -> None:
    """Check the case files: every mistake, patterns that match nothing, stale schemas, the document's provenance."""
    from conformance import checking

    selection = _select(cases, [])
    corpus = selection.corpus
    _tell_of_broken()
    if write_schemas:
        for path, text in checking.schema_files(corpus.root).items():
            path.write_text(text, encoding="utf-8")
    problems = checking.unmatched_patterns(corpus)
    if cases is None:
        problems += [
            f"{path} is not current; conformance check --write-schemas" for path in checking.stale_schemas(corpus.root)
        ]
    if document is not None:
        if not os.path.exists(document):
            _fail(f"{document}: no such file")
        try:
            found, printed = checking.check_document(corpus, document)
        except OSError as error:
            _fail(f"{document}: can't be read: {error.strerror}")
        problems += [str(problem) for problem in found]
        if not corpus.documents:
            problems.append("no case file states a document")
        _out.print(f"{len(corpus.documents)} files state their document; {printed} printed arrays stand in it verbatim")
    for problem in problems:
        _err.print(f"error: {problem}")
    _out.print(
        f"{len(corpus.cases):,} cases, {len(selection.variants):,} variants, "
        f"{len(corpus.divergences)} registered divergences   cases {corpus.digest[:8]}"
    )
    raise typer.Exit(2 if problems else 0)


@app.command(
    "list",
    short_help="List the manifest: every variant.",
    epilog=_examples("conformance list --variant '*bce*float16*'"),
)
def list_(
    cases: Cases = None,
    variant: Variants = None,
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """List the manifest: every variant, and how many of them each mode of each backend runs."""
    from conformance import backends
    from conformance.corpus import manifest_digest

    selection = _select(cases, variant or [])
    variants = selection.variants
    if not as_json:
        for item in variants:
            _out.print(item.id)
        return
    _tell_of_broken()
    shares = {
        name: {mode: selection.share(name, mode).count for mode in kind.run_modes()}
        for name, kind in backends.usable().items()
    }
    manifest = {
        "cases_digest": selection.corpus.digest,
        "manifest_digest": manifest_digest([v.id for v in variants]),
        "modes": shares,
        "variants": [
            {
                "id": v.id,
                "case": v.case.id,
                "operation": v.case.headline,
                "operations": sorted(v.case.operations),
                "dtype": v.dtype.name,
                "check": v.check,
                "expression": v.case.case.claim or v.case.case.call,
            }
            for v in variants
        ],
    }
    write(json.dumps(manifest, indent=1) + "\n")


@app.command(
    short_help="Write the reports of run files.",
    epilog=_examples("conformance report", "conformance report linux/*.jsonl macos/*.jsonl -o both"),
)
@_to_its_end("each report that was written until then is whole, and the others are those of before")
def report(
    run_files: Annotated[
        list[Path] | None, typer.Argument(metavar="RUNFILE", help="Run files. Default: all in the output folder.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of the reports.")] = Path(
        "reports"
    ),
) -> None:
    """Write the reports of run files, and of the timing files in the output folder. Needs no cases and no framework."""
    from conformance import merging, runfile, running
    from conformance.console import print_summary

    paths = run_files or files_in(output, ".jsonl")
    timings = _timings(output)
    if not paths and not timings:
        _fail(f"no run files in {output}; 'conformance run' writes them")
    timed = not timings or _write_timing(timings, output)
    if not paths:
        raise typer.Exit(0 if timed else 2)
    try:
        with merging.gathered(paths) as gathered:
            runs = running.in_order(gathered)
            print_summary(_out, runs)
            problems = [text for run_ in runs for text in running.shortcomings(run_)]
            for problem in problems:
                _err.print(f"error: {problem}")
            written = _write_reports(runs, output, problems)
            status = running.exit_status(runs, problems) if written and timed else 2
    except runfile.RunFileError as error:
        _fail(str(error))
    raise typer.Exit(status)


@app.command(
    short_help="Join the run files of shards and of machines.",
    epilog=_examples("conformance merge shards/*.jsonl -o whole"),
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
    from conformance import merging, runfile, running
    from conformance.console import print_summary
    from conformance.locking import LockedError, locked

    try:
        with locked(output):
            runs = running.in_order([runfile.read(path) for path in merging.merge(run_files, output)])
    except (runfile.RunFileError, LockedError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or output}: can't be written to: {error.strerror}")
    print_summary(_out, runs)
    problems = [text for run_ in runs for text in running.shortcomings(run_)]
    for problem in problems:
        _err.print(f"error: {problem}")
    for run_ in runs:
        _out.print(str(run_.path))
    raise typer.Exit(3 if problems else 0)


@app.command(
    short_help="Compare two runs.",
    epilog=_examples(
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
        int, typer.Option("--show", metavar="N", min=0, help="How many changes of each sort to print.")
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
        _fail(str(error))
    for line in telling.lines(comparison, show):
        _out.print(line)
    for line in comparison.incomplete:
        _err.print(f"error: {line}")
    _out.print(telling.closing_line(comparison, causes))
    try:
        diff_page.write(comparison, str(a), str(b), causes, output)
    except OSError as error:
        _fail(f"{output}: can't be written to: {error.strerror}")
    _out.print(str(output))
    raise typer.Exit(comparison.exit_status(causes))


@app.command(
    short_help="Explain one variant, with every backend's answer.",
    epilog=_examples("conformance explain 'document/bce-loss/loss-of-the-printed-example[float32]' -b torch"),
)
def explain(
    variant: Annotated[str, typer.Argument(metavar="ID", help="A variant's ID, or a pattern that matches one.")],
    backend: Backends = None,
    device: Device = "cpu",
    cases: Cases = None,
) -> None:
    """Explain a variant: the case, its exact answer, its budget, and every backend's answer and idiom."""
    from conformance.explaining import explain as lines

    selection = _select(cases, [variant])
    found = selection.variants
    if len(found) > 1:
        _fail(f"'{variant}' matches {len(found)} variants; the first are {', '.join(v.id for v in found[:3])}")
    names = _backends(backend)
    _tell_of_broken(backend)
    for line in lines(selection, found[0], names, _device(device)):
        _out.print(line)


@app.command(
    short_help="Print a script that repeats one result.",
    epilog=_examples("conformance repro 'document/sigmoid/midpoint[float32]' -b jax -m jit > script.py"),
)
def repro(
    variant: Annotated[str, typer.Argument(metavar="ID", help="A variant's ID, or a pattern that matches one.")],
    backend: Annotated[
        str, typer.Option("--backend", "-b", metavar="NAME", help="The backend. Not needed with --run-file.")
    ] = "",
    mode: Annotated[str, typer.Option("--mode", "-m", metavar="NAME", help="Its mode. Default: the plain one.")] = "",
    idiom: Annotated[str, typer.Option("--idiom", metavar="NAME", help="Another spelling than the primary one.")] = "",
    device: Device = "cpu",
    cases: Cases = None,
    run_file: Annotated[
        Path | None,
        typer.Option("--run-file", metavar="PATH", help="Take it from a run file: needs no cases, and no framework."),
    ] = None,
) -> None:
    """Print a script that repeats one result with nothing but the framework: conformance repro ID -b torch > script.py.

    It holds the exact inputs, the call in its mode, the exact answer and the pinned versions. With --run-file its code
    is what that file holds: read it before you run it.
    """
    from conformance.reproduction import NoScriptError, repeating
    from conformance.runfile import RunFileError

    if not backend and run_file is None:
        _fail("which backend? Name it with --backend; 'conformance backends' shows them")
    try:
        if run_file is not None:
            script = repeating.from_run(run_file, variant, backend, mode, idiom)
        else:
            (name,) = _backends([backend])
            script = repeating.from_cases(
                _select(cases, [variant], beyond_subsets=True), name, mode, idiom, _device(device)
            )
    except (NoScriptError, RunFileError) as error:
        _fail(str(error))
    sys.stdout.write(script.text)


@app.command(
    short_help="List registered divergences, or propose some.",
    epilog=_examples("conformance divergences -b torch", "conformance divergences --propose after/torch-cpu.jsonl"),
)
def divergences(
    run_files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUNFILE", help="With --propose: run files. Default: all in reports/."),
    ] = None,
    backend: Backends = None,
    cases: Cases = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Print entries for what fails in the run files, to be given reasons.")
    ] = False,
) -> None:
    """List the registered divergences, or propose entries for what fails.

    A proposed entry lacks its reason, and a registry with such an entry does not load: find out why it deviates, write
    that down, add a link that you have read, and put the entry into cases/divergences/.
    """
    from conformance import checking, proposing, runfile, running

    if not propose:
        for line in checking.registered(_select(cases, []).corpus, backend and _backends(backend)):
            _out.print(line)
        return
    paths = run_files or files_in(Path("reports"), ".jsonl")
    if not paths:
        _fail("no run files in reports; 'conformance run' writes them")
    try:
        runs = [runfile.read(path) for path in paths]
    except runfile.RunFileError as error:
        _fail(str(error))
    there = list(dict.fromkeys(run_.header.backend for run_ in runs))
    for name in backend or []:
        if name not in there:
            _fail(f"no run of '{name}' in these run files; there are runs of {', '.join(there)}")
    runs = [run_ for run_ in runs if not backend or run_.header.backend in backend]
    found = [(run_, proposing.propose(run_)) for run_ in runs]
    for run_, entries in found:
        if entries:
            write(proposing.as_yaml(run_.header, entries))
    if not any(entries for _, entries in found):
        _err.print("nothing fails in these run files: there is nothing to propose")
    problems = [text for run_ in runs for text in running.shortcomings(run_)]
    for problem in problems:
        _err.print(f"error: {problem}")
    raise typer.Exit(3 if problems else 0)


@app.command(
    short_help="Show which case catches which defect.", epilog=_examples("conformance audit -b numpy --defect '*axis*'")
)
def audit(
    backend: Backends = None,
    defect: Annotated[
        str, typer.Option("--defect", metavar="NAME", help="Defects of that name; * stands for anything.")
    ] = "",
    cases: Cases = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="PATH", help="Also write everything to this file.")
    ] = None,
) -> None:
    """Audit the cases: run backends that are wrong on purpose, and show which case catches which defect.

    Exit status: 0, every defect was caught and every harmless one passed; 1, not so, or a backend fails without any
    defect; 2, usage or case-file error.
    """
    from conformance.audit import auditing, telling

    names = _backends(backend)
    _tell_of_broken(backend)
    chosen = auditing.choose(names, defect)
    if not chosen:
        _fail(f"no defect '{defect or '*'}' for {', '.join(names)}")
    result = auditing.audit(_select(cases, []), chosen)
    telling.print_audit(_out, result)
    if as_json is not None:
        try:
            as_json.write_text(
                json.dumps(telling.as_json(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        except OSError as error:
            _fail(f"{as_json}: can't be written to: {error.strerror}")
    for problem in telling.problems(result):
        _err.print(problem)
    _out.print(telling.closing_line(result))
    raise typer.Exit(0 if result.passed else 1)


@app.command("backends", short_help="Show the backends, and what they have.")
def backends_() -> None:
    """Show the backends: versions, devices, modes, and whether they flush subnormals."""
    from conformance.explaining import backend_rows

    for name, versions, devices, modes, flushed in backend_rows():
        _out.print(name)
        for label, text in (("versions", versions), ("devices", devices), ("modes", modes), ("subnormals", flushed)):
            if text:
                _out.print(f"  {label:<11}{text}")


@app.command(short_help="Tell a broken adapter from a broken framework.", epilog=_examples("conformance smoke torch"))
def smoke(
    backend: Annotated[str, typer.Argument(metavar="NAME", help="A backend's name.")],
    device: Device = "cpu",
) -> None:
    """Tell a broken adapter from a broken framework: its contract first, then calls whose results anybody knows.

    Exit status: 0, both are sound; 1, the framework is at fault; 2, the adapter is, or a usage error; 3, the framework
    is not installed or has no such device.
    """
    from conformance import backends
    from conformance.smoke import smoking

    lines = []
    try:
        for line in smoking.smoke(backend, _device(device)):
            _out.print(str(line))
            lines.append(line)
    except backends.UnknownBackendError as error:
        _fail(str(error))
    except smoking.NotHereError as error:
        _err.print(f"error: {error}")
        raise typer.Exit(3) from None
    _out.print(smoking.closing_line(backend, lines))
    raise typer.Exit(smoking.exit_status(lines))


def _select(cases: Path | None, patterns: list[str], keyword: str = "", beyond_subsets: bool = False) -> Selection:
    from conformance.casefile.errors import CaseFileError
    from conformance.corpus import SelectionError, check_keyword, select

    if cases is not None and not os.path.exists(cases):
        _fail(f"{cases}: no such file or folder")
    try:
        check_keyword(keyword)
        return select(cases, patterns, beyond_subsets)
    except (CaseFileError, SelectionError) as error:
        _fail(str(error))


def _backends(wanted: list[str] | None) -> list[str]:
    from conformance import backends

    known = backends.names()
    for name in wanted or []:
        if name not in known:
            _fail(f"no backend '{name}'; there are {', '.join(known)}")
    broken = backends.broken(wanted or ())
    names = [name for name in dict.fromkeys(wanted or backends.installed()) if name not in broken]
    if not names:
        _fail("\n".join(broken.values()))
    return names


def _end_if_absent(names: list[str]) -> None:
    """End with status 3 where none of the backends' frameworks is installed: older results stay as they are."""
    from conformance import backends

    reasons = [backends.load(name).not_installed() for name in names]
    if all(reasons):
        for name, reason in zip(names, reasons, strict=True):
            _err.print(f"error: {name}: nothing can run: {reason}")
        raise typer.Exit(3)


def _tell_of_broken(wanted: list[str] | None = None) -> None:
    """A line for each adapter that can't be used, of those asked for or of all: the others go on without it."""
    from conformance import backends

    for line in backends.broken(wanted or ()).values():
        _err.print(f"error: {line}")


def _refuse_unmatched(selection: Selection) -> None:
    from conformance import checking

    if not selection.patterns:
        lines = checking.unmatched_patterns(selection.corpus)
        if lines:
            _fail("\n".join(lines))


def _headline(selection: Selection, names: list[str]) -> str:
    counts = ((len(selection.cases), "case"), (len(selection.variants), "variant"), (len(names), "backend"))
    words = ", ".join(f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts)
    return f"{words}   cases {selection.corpus.digest[:8]}"


def _write_reports(runs: list[Run], folder: Path, problems: list[str], cases: Path | None = None) -> bool:
    """Write all reports; whether they could be written, and a line where not."""
    from conformance.reports import machines, parity

    page = folder / "parity.html"
    try:
        parity.write(runs, page)
        written = machines.write(runs, folder, problems, cases)
    except OSError as error:
        _err.print(f"error: {error.filename or page}: can't be written to: {error.strerror}")
        return False
    _out.print(f"{page}; for machines {', '.join(path.name for path in written)}")
    return True


def _timings(folder: Path) -> list[TimingRun]:
    from conformance.timing import benching, timingfile

    try:
        return benching.in_order(timingfile.read_all(timingfile.paths_in(folder)))
    except timingfile.TimingFileError as error:
        _fail(str(error))


def _write_timing(timings: Sequence[TimingRun], folder: Path) -> bool:
    """Write the page of timings; whether it could be written, and a line where not."""
    from conformance.reports import timing

    page = folder / "timing.html"
    try:
        timing.write(timings, page)
    except OSError as error:
        _err.print(f"error: {error.filename or page}: can't be written to: {error.strerror}")
        return False
    _out.print(str(page))
    return True


def _device(name: str) -> str:
    from conformance import devices

    try:
        return devices.device(name)
    except ValueError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    _err.print(f"error: {message}")
    raise typer.Exit(2)


def main() -> None:
    """The entry point of the ``conformance`` command."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # of what the terminal's encoding has no character for
    output = sys.stdout
    try:
        app()
    except SystemExit:
        if sys.stdout is not output:  # typer's sign that what it printed itself, a help text, went into a closed pipe
            end(CLOSED_PIPE)
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG):
            raise
        _unheard(error)


def _unheard(error: OSError) -> NoReturn:
    """End, for what was printed did not arrive."""
    if error.errno == errno.EPIPE:
        end(CLOSED_PIPE)
    _err.print(f"error: the output can't be written: {error.strerror}")
    end(2)
