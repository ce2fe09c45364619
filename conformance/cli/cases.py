"""The commands about cases: `check`, `list`, `explain`, `repro`, `divergences` and `audit`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from conformance.cli.application import app, err, examples, fail, out
from conformance.cli.arguments import (
    Backends,
    Cases,
    Device,
    Variants,
    named_backends,
    named_device,
    selected,
    tell_of_broken,
)
from conformance.ground.files import files_in
from conformance.words.terminal import write


@app.command(
    short_help="Check the case files.", epilog=examples("conformance check", "conformance check --cases my-cases/")
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
    from conformance.checking import checking

    selection = selected(cases, [])
    corpus = selection.corpus
    tell_of_broken()
    if write_schemas:
        for path, text in checking.schema_files(corpus.root).items():
            path.write_text(text, encoding="utf-8")
    problems = checking.stray_entries(corpus) + checking.dead_entries(corpus)
    if cases is None:
        problems += [
            f"{path} is not current; conformance check --write-schemas" for path in checking.stale_schemas(corpus.root)
        ]
    if document is not None:
        if not os.path.exists(document):
            fail(f"{document}: no such file")
        try:
            found, printed = checking.check_document(corpus, document)
        except OSError as error:
            fail(f"{document}: can't be read: {error.strerror}")
        problems += [str(problem) for problem in found]
        if not corpus.documents:
            problems.append("no case file states a document")
        out.print(f"{len(corpus.documents)} files state their document; {printed} printed arrays stand in it verbatim")
    for problem in problems:
        err.print(f"error: {problem}")
    out.print(
        f"{len(corpus.cases):,} cases, {len(selection.variants):,} variants, "
        f"{len(corpus.divergences)} registered divergences   cases {corpus.digest[:8]}"
    )
    raise typer.Exit(2 if problems else 0)


@app.command(
    "list",
    short_help="List the manifest: every variant.",
    epilog=examples("conformance list --variant '*bce*float16*'"),
)
def list_(
    cases: Cases = None,
    variant: Variants = None,
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """List the manifest: every variant, and how many of them each mode of each backend runs."""
    from conformance import backends
    from conformance.suite.selection import manifest_digest

    selection = selected(cases, variant or [])
    variants = selection.variants
    if not as_json:
        for item in variants:
            out.print(item.id)
        return
    tell_of_broken()
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
    short_help="Explain one variant, with every backend's answer.",
    epilog=examples("conformance explain 'document/bce-loss/loss-of-the-printed-example[float32]' -b torch"),
)
def explain(
    variant: Annotated[str, typer.Argument(metavar="ID", help="A variant's ID, or a pattern that matches one.")],
    backend: Backends = None,
    device: Device = "cpu",
    cases: Cases = None,
) -> None:
    """Explain a variant: the case, its exact answer, its budget, and every backend's answer and idiom."""
    from conformance.suite.explaining import explain as lines

    selection = selected(cases, [variant])
    found = selection.variants
    if len(found) > 1:
        fail(f"'{variant}' matches {len(found)} variants; the first are {', '.join(v.id for v in found[:3])}")
    names = named_backends(backend)
    tell_of_broken(backend)
    for line in lines(selection, found[0], names, named_device(device)):
        out.print(line)


@app.command(
    short_help="Print a script that repeats one result.",
    epilog=examples("conformance repro 'document/sigmoid/midpoint[float32]' -b jax -m jit > script.py"),
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
        fail("which backend? Name it with --backend; 'conformance backends' shows them")
    try:
        if run_file is not None:
            script = repeating.from_run(run_file, variant, backend, mode, idiom)
        else:
            (name,) = named_backends([backend])
            script = repeating.from_cases(
                selected(cases, [variant], beyond_subsets=True), name, mode, idiom, named_device(device)
            )
    except (NoScriptError, RunFileError) as error:
        fail(str(error))
    sys.stdout.write(script.text)


@app.command(
    short_help="List registered divergences, or propose some.",
    epilog=examples("conformance divergences -b torch", "conformance divergences --propose after/torch-cpu.jsonl"),
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
    from conformance import runfile
    from conformance.checking import checking, proposing
    from conformance.running import running

    if not propose:
        for line in checking.registered(selected(cases, []).corpus, backend and named_backends(backend)):
            out.print(line)
        return
    paths = run_files or files_in(Path("reports"), ".jsonl")
    if not paths:
        fail("no run files in reports; 'conformance run' writes them")
    try:
        runs = [runfile.read(path) for path in paths]
    except runfile.RunFileError as error:
        fail(str(error))
    there = list(dict.fromkeys(run_.header.backend for run_ in runs))
    for name in backend or []:
        if name not in there:
            fail(f"no run of '{name}' in these run files; there are runs of {', '.join(there)}")
    runs = [run_ for run_ in runs if not backend or run_.header.backend in backend]
    found = [(run_.header, proposing.propose(run_), proposing.contradicted(run_)) for run_ in runs]
    for header, entries, contradicted in found:
        if entries or contradicted:
            write(proposing.as_yaml(header, entries, contradicted))
    if not any(entries or contradicted for _, entries, contradicted in found):
        err.print("nothing fails in these run files: there is nothing to propose")
    problems = [text for run_ in runs for text in running.shortcomings(run_)]
    for problem in problems:
        err.print(f"error: {problem}")
    raise typer.Exit(3 if problems else 0)


@app.command(
    short_help="Show which case catches which defect.", epilog=examples("conformance audit -b numpy --defect '*axis*'")
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

    names = named_backends(backend)
    tell_of_broken(backend)
    chosen = auditing.choose(names, defect)
    if not chosen:
        fail(f"no defect '{defect or '*'}' for {', '.join(names)}")
    result = auditing.audit(selected(cases, []), chosen)
    telling.print_audit(out, result)
    if as_json is not None:
        try:
            as_json.write_text(
                json.dumps(telling.as_json(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        except OSError as error:
            fail(f"{as_json}: can't be written to: {error.strerror}")
    for problem in telling.problems(result):
        err.print(problem)
    out.print(telling.closing_line(result))
    raise typer.Exit(0 if result.passed else 1)
