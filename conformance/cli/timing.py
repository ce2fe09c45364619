"""The command `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformance.cli.application import app, err, examples, fail, out, to_its_end
from conformance.cli.arguments import (
    Backends,
    Device,
    Modes,
    Output,
    chosen,
    named_backends,
    named_device,
    tell_of_broken,
)
from conformance.cli.pages import write_timing


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
    names = chosen(benching.with_modes, "a timed mode", asked, mode or [], device, backend is not None)
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
