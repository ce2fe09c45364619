"""Checks of the case files beyond what reading them finds: provenance, patterns that match nothing, the schemas."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from conformance import backends
from conformance.casefile.errors import Problem
from conformance.casefile.formulas import FORMULAS
from conformance.casefile.loader import Corpus
from conformance.casefile.model import CaseFile, DivergenceFile, Document, Given, SeenOn, SubsetFile
from conformance.casefile.patterns import matches
from conformance.checking.strays import Asked, shadowed, unmatched
from conformance.ground import limits, schemas
from conformance.ground.files import read_file
from conformance.judging.divergences import Entry
from conformance.reports.machines import summary
from conformance.suite.selection import default_root

SCHEMAS: dict[str, tuple[type[msgspec.Struct], str]] = {
    "schema.json": (CaseFile, "Conformance case file"),
    "divergences.schema.json": (DivergenceFile, "Registered divergences of a backend"),
    "subsets.schema.json": (SubsetFile, "Variants that slow modes run"),
}
"""The schema files beside the cases: the model each is generated from, and its title."""


def schema_text(name: str) -> str:
    """The text of a schema file, generated from the model."""
    return schemas.schema_text(*SCHEMAS[name])


def schema_files(root: Path) -> dict[Path, str]:
    """The schema files that come with the cases under `root`, and the text of each.

    That of the summary stands in the folder `docs` beside the suite's own cases; an installed package has none.
    """
    docs = root.parent / "docs"
    own = root == default_root() and docs.is_dir()
    files = {root / name: schema_text(name) for name in SCHEMAS}
    return files | ({docs / summary.SCHEMA: summary.schema_text()} if own else {})


def stale_schemas(root: Path) -> list[Path]:
    """The schema files that are missing or not what the model gives."""
    return [
        path
        for path, text in schema_files(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def stray_entries(corpus: Corpus) -> list[str]:
    """A line for each registered divergence or declared subset that is, in part, about nothing there is.

    That is a pattern that matches no variant, or a package whose version the backend's runs don't record.
    """
    variants = list(corpus.variants())
    kinds = backends.usable()
    modes = {name: kind.run_modes("gpu") for name, kind in kinds.items()}  # those of every device
    lines = [
        f"divergences of {entry.backend}: '{pattern}' matches no variant in its modes, dtypes and idioms; remove the "
        f"entry, or correct its pattern"
        for entry, pattern in unmatched(corpus.divergences, Asked(variants, modes, _spellings))
    ]
    lines += [
        f"divergences of {name}: '{package}' is no package whose version its runs record; those are "
        f"{', '.join(kinds[name].distributions)}"
        for name, spec in corpus.divergences
        if name in kinds
        for package in spec.ranges
        if package and package not in kinds[name].distributions
    ]
    for subset in corpus.subsets:
        if subset.backend in modes and subset.mode not in modes[subset.backend]:
            lines.append(f"subsets: backend '{subset.backend}' has no mode '{subset.mode}'")
        lines.extend(
            f"subsets: '{pattern}' of {subset.backend} {subset.mode} matches no variant"
            for pattern in subset.variants
            if not any(matches(pattern, variant.id) for variant in variants)
        )
    return lines


def dead_entries(corpus: Corpus) -> list[str]:
    """A line for each registered divergence that can decide nothing, because of one before it."""
    modes = {name: kind.run_modes("gpu") for name, kind in backends.usable().items()}
    return [
        f"divergences of {entry.backend}: {_named(entry)} decides nothing: {_named(other)} stands before it; limit "
        f"that one, or remove this one"
        for entry, other in shadowed(corpus.divergences, Asked(corpus.variants(), modes, _spellings))
    ]


def _named(entry: Entry) -> str:
    others = f" and {len(entry.patterns) - 1} more" if len(entry.patterns) > 1 else ""
    return f"'{entry.patterns[0]}'{others} ({entry.summary})"


def registered(corpus: Corpus, names: Sequence[str] | None = None) -> Iterator[str]:
    """The registry in words, an entry a paragraph.

    Args:
        corpus: whose entries.
        names: of the backends; all where None.
    """
    for backend, spec in corpus.divergences:
        if names is not None and backend not in names:
            continue
        entry = Entry(backend, spec)
        place = spec.seen_on or SeenOn()
        seen = [*place.machines, *place.devices, *place.kernels]
        ranges = [f"{package} {range_}".strip() for package, range_ in spec.ranges.items()]
        where = [*spec.modes, *spec.dtypes, *ranges]
        yield f"{backend}  {', '.join(entry.patterns)}{'  ' + ', '.join(where) if where else ''}"
        if spec.idioms:
            yield f"  spelled   {', '.join(spec.idioms)}"
        yield f"  instead   {entry.summary}"
        yield f"  because   {spec.because}"
        on = f" on {', '.join(seen)}" if seen else ""
        yield f"  first     {spec.first_seen}{on}{'   ' + spec.link if spec.link else ''}"


def _spellings(backend: str) -> list[str]:
    """Every name of a spelling beside the primary ones that a backend has."""
    idioms = backends.load(backend).idioms
    return sorted({name for operation in idioms for name in (*idioms.others(operation), *FORMULAS.get(operation, {}))})


def check_document(corpus: Corpus, document: Path) -> tuple[list[Problem], int]:
    """Hold the provenance that case files state against the document itself.

    The document's hash, its title (the first line), the section's heading within its lines, and every printed array
    of the file, which must stand in the document as it is (white space aside).

    Returns:
        What does not hold, and how many printed arrays were found in the document.

    Raises:
        OSError: the document can't be read, or is no file, or has more than `limits.DOCUMENT_BYTES`.
    """
    raw = read_file(document, limits.DOCUMENT_BYTES)
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        return [Problem(str(document), 1, 1, f"not UTF-8: byte {error.start} can't be read")], 0
    digest = hashlib.sha256(raw).hexdigest()
    problems: list[Problem] = []
    for path, stated in corpus.documents.items():
        problems.extend(Problem(path, 1, 1, text) for text in _provenance(stated, lines, digest))
    flat = _without_space(" ".join(lines))
    found = 0
    for case in corpus.cases:
        if case.path not in corpus.documents:
            continue
        for text in _prints(case.case):
            if _without_space(text) in flat:
                found += 1
            else:
                shown = " ".join(text.split())[:60]
                problems.append(Problem(case.path, case.line, 1, f"'{case.id}': the document does not print {shown}…"))
    return problems, found


def _provenance(stated: Document, lines: list[str], digest: str) -> Iterator[str]:
    if stated.sha256 != digest:
        yield f"document.sha256 is {stated.sha256}, the document's is {digest}"
    if not lines or stated.title != lines[0]:
        yield f"document.title is '{stated.title}', the document begins with '{lines[0] if lines else ''}'"
    first, _, last = stated.lines.partition("-")
    if not 1 <= int(first) <= int(last) <= len(lines):
        yield f"document.lines is {stated.lines}, the document has {len(lines)} lines"
    elif not any(stated.section in line for line in lines[int(first) - 1 : int(last)]):
        yield f"document.section '{stated.section}' does not stand in lines {stated.lines}"


def _prints(case: Any) -> Iterator[str]:
    if not isinstance(case.expect, str) and case.expect.prints is not None:
        yield case.expect.prints
    for given in case.given.values():
        if isinstance(given, Given) and isinstance(given.printed, str):
            yield given.printed


def _without_space(text: str) -> str:
    return "".join(text.split())
