"""Case files to checked cases: every mistake of every file in one go."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from conformance.casefile import checks, expressions, yaml_reader
from conformance.casefile.errors import CaseFileError, Mistake, Problem, place_in
from conformance.casefile.integers import check_integers
from conformance.casefile.model import Case, CaseFile, Divergence, DivergenceFile, Document, Expect, Subset, SubsetFile
from conformance.casefile.structure import mistakes
from conformance.casefile.variants import LoadedCase, Variant, expand, grid_of
from conformance.ground import limits
from conformance.ground.files import files_under, read_file
from conformance.ops import FAMILIES

DIVERGENCES = "divergences"
SUBSETS = "subsets.yaml"
OPS = "ops"
_FILE_TYPE = TypeVar("_FILE_TYPE")
_FILE_NAME = re.compile(r"[\w.-]{1,100}")


@dataclass(slots=True)
class Corpus:
    """Everything under a root of cases, checked.

    Attributes:
        root: the folder.
        cases: in the order of their files' paths and, within a file, of the text.
        documents: the provenance a case file states, by the file's path.
        divergences: every registered deviation, with its backend.
        subsets: what slow modes run.
        digest: SHA-256 over all files' paths and bytes.
        arrays: how many inputs all variants have together, those without any counting as one.
    """

    root: Path
    cases: list[LoadedCase] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    divergences: list[tuple[str, Divergence]] = field(default_factory=list)
    subsets: list[Subset] = field(default_factory=list)
    digest: str = ""
    arrays: int = 0

    def variants(self) -> Iterator[Variant]:
        """Every variant of every case."""
        for case in self.cases:
            yield from expand(case)


def load(root: Path) -> Corpus:
    """Read and check all case files under `root` (or the single file `root`).

    Raises:
        CaseFileError: with every mistake found.
    """
    base = root if os.path.isdir(root) else root.parent  # of a name that is too long, Path.is_dir raises
    corpus = Corpus(base)
    problems: list[Problem] = []
    try:
        _load(root, base, corpus, problems)
    except _EnoughError as error:
        problems.append(error.problem)
    problems.extend(_clashes(corpus))
    if problems:
        raise CaseFileError(problems)
    return corpus


class _EnoughError(Exception):
    """A limit of all files together is passed: nothing more is read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _load(root: Path, base: Path, corpus: Corpus, problems: list[Problem]) -> None:
    digest, size = hashlib.sha256(), 0
    for path in _case_files(root, base):
        relative = path.relative_to(base)
        try:
            _check_name(relative)
            raw = read_file(path, limits.CASE_FILE_BYTES)
            text = raw.decode("utf-8")
        except Mistake as mistake:
            problems.append(Problem(str(path), 1, 1, mistake.message))
            continue
        except OSError as error:
            problems.append(Problem(str(path), 1, 1, f"can't be read: {error.strerror}"))
            continue
        except UnicodeDecodeError as error:
            line, column = place_in(raw[: error.start].decode("utf-8"), error.start)
            problems.append(Problem(str(path), line, column, f"not UTF-8: byte {error.start} can't be read"))
            continue
        size += len(raw)
        if size > limits.CORPUS_BYTES:
            raise _EnoughError(Problem(str(path), 1, 1, f"the case files have more than {limits.CORPUS_BYTES:,} bytes"))
        digest.update(relative.as_posix().encode() + b"\0" + hashlib.sha256(raw).digest())
        _File(path, relative, text, problems).add_to(corpus)
    corpus.digest = digest.hexdigest()


def _case_files(root: Path, base: Path) -> list[Path]:
    """The file, or all case files of the folder, in the order of their paths."""
    if root != base:
        return [root]
    try:
        paths = list(itertools.islice(files_under(root, ".yaml"), limits.CASE_FILES + 1))
    except OSError as error:
        raise _EnoughError(Problem(str(error.filename or root), 1, 1, f"can't be read: {error.strerror}")) from None
    other = next(iter(files_under(root, ".yml")), None)
    if other is not None:  # which would be left out without a word
        text = "a name that ends with .yml: case files end with .yaml; rename it, or take it out of this folder"
        raise _EnoughError(Problem(str(other), 1, 1, text))
    if not paths:
        nothing = "no case files (*.yaml) here; expected a case file or a folder of them"
        raise _EnoughError(Problem(str(root), 1, 1, nothing))
    if len(paths) > limits.CASE_FILES:
        raise _EnoughError(Problem(str(root), 1, 1, f"more than {limits.CASE_FILES:,} case files"))
    return sorted(paths, key=lambda p: (stem_of(p.relative_to(base)), p))


def stem_of(relative: Path) -> str:
    """What the IDs of a file's cases begin with: its place among the case files, without its suffix.

    Under `ops`, the folder of an operation's family sorts files, and is no part of it.
    """
    parts = relative.with_suffix("").parts
    sorting = len(parts) > 2 and parts[0] == OPS and parts[1] in FAMILIES
    return "/".join(parts[:1] + parts[2:] if sorting else parts)


def _check_name(relative: Path) -> None:
    """A file's name is part of its variants' IDs, which stand in commands, pages and patterns."""
    for part in relative.parts:
        if not _FILE_NAME.fullmatch(part):
            allowed = "letters, digits, '-', '_' and '.', up to 100 of them"
            raise Mistake(f"the name '{part}' is part of IDs, and may have {allowed}")


def _clashes(corpus: Corpus) -> Iterator[Problem]:
    seen: dict[str, LoadedCase] = {}
    for case in corpus.cases:
        if case.id in seen:
            yield Problem(case.path, case.line, 1, f"the case '{case.id}' a second time")
        seen[case.id] = case


class _File:
    """One file on its way from text to checked cases."""

    def __init__(self, path: Path, relative: Path, text: str, problems: list[Problem]) -> None:
        self._path = path
        self._relative = relative
        self._text = text
        self._problems = problems
        self._places: yaml_reader.Place | None = None

    def add_to(self, corpus: Corpus) -> None:
        before = len(self._problems)
        try:
            data, starts = yaml_reader.read(self._text)
        except yaml_reader.YamlError as error:
            self._problems.append(Problem(str(self._path), error.line, error.column, error.message))
            return
        if self._relative.parts[0] == DIVERGENCES:
            registry = self._decode(data, DivergenceFile, "divergences", Divergence)
            if registry is not None:
                for i, entry in enumerate(registry.divergences):
                    with _Reporting(self, ("divergences", i)):
                        checks.check_divergence(entry)
                corpus.divergences.extend(
                    (
                        registry.backend,
                        entry if entry.seen_on else msgspec.structs.replace(entry, seen_on=registry.seen_on),
                    )
                    for entry in registry.divergences
                )
        elif self._relative.name == SUBSETS:
            subsets = self._decode(data, SubsetFile, "subsets", Subset)
            if subsets is not None:
                corpus.subsets.extend(subsets.subsets)
        else:
            self._add_cases(corpus, data, starts, before)

    def _add_cases(self, corpus: Corpus, data: Any, starts: list[int], before: int) -> None:
        file = self._decode(data, CaseFile, "cases", Case)
        cases: list[Case | None] = list(file.cases) if file else _convertible(data)
        if file is not None and file.document is not None:
            corpus.documents[str(self._path)] = file.document
        lines = self._text.splitlines()
        ends = [*(max(start, after - 1) for start, after in itertools.pairwise(starts)), len(lines)]
        stem = stem_of(self._relative)
        for i, case in enumerate(cases):
            if case is not None:  # an entry with mistakes in its structure had them noted already
                text = "\n".join(lines[starts[i] - 1 : ends[i]]).rstrip()
                loaded = self._check(corpus, case, i, f"{stem}/{case.name}", text, starts[i])
                if loaded is not None and len(self._problems) == before:
                    corpus.cases.append(loaded)

    def _decode(self, data: Any, kind: type[_FILE_TYPE], items: str, item: type[Any]) -> _FILE_TYPE | None:
        """The typed file, or None after every mistake in its structure was noted."""
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            for mistake in mistakes(data, kind, {items: item}, error):
                self.note(mistake)
            return None

    def note(self, mistake: Mistake) -> None:
        if self._places is None:
            self._places = yaml_reader.locate(self._text)
        line, column = self._places.find(mistake.keys, mistake.offset, at_key=mistake.at_key)
        self._problems.append(Problem(str(self._path), line, column, mistake.message))
        if len(self._problems) >= limits.MISTAKES:
            text = f"{limits.MISTAKES:,} mistakes so far; the rest was not looked at"
            raise _EnoughError(Problem(str(self._path), line, column, text))

    def _check(self, corpus: Corpus, case: Case, index: int, case_id: str, text: str, line: int) -> LoadedCase | None:
        """A case whose parts are all checked, or None after every mistake was noted."""
        before = len(self._problems)
        keys = ("cases", index)
        expect = Expect(raises=True) if isinstance(case.expect, str) else case.expect
        grid: dict[str, list[Any]] = {}
        expression: expressions.Expression | expressions.Comparison | None = None
        with _Reporting(self, keys):
            if case.name.endswith("\n"):  # which the end of a regular expression, `$`, lets pass
                raise Mistake("a name of more than one line", ("name",))
            grid = grid_of(case)
        if len(self._problems) > before:
            return None
        corpus.arrays += math.prod(map(len, grid.values())) * len(set(case.check)) * max(len(case.given), 1)
        if corpus.arrays > limits.CORPUS_ARRAYS:
            many = f"the variants so far have more than {limits.CORPUS_ARRAYS:,} inputs in all"
            raise _EnoughError(Problem(str(self._path), line, 1, many))
        for name, given in case.given.items():
            with _Reporting(self, (*keys, "given", name)):
                checks.check_given(given, case, grid)
        which = "claim" if case.claim is not None else "call"
        with _Reporting(self, keys):
            if (case.call is None) == (case.claim is None):
                raise Mistake("expected one of 'call' and 'claim'")
        if case.call is not None or case.claim is not None:
            with _Reporting(self, (*keys, which)):
                parse = expressions.parse_claim if case.claim is not None else expressions.parse_call
                parsed = parse(case.claim or case.call or "")
                expressions.check(parsed, case.given, grid)
                unused = (
                    (case.given.keys() | grid.keys() - {"dtype"})
                    - expressions.names_in(parsed)
                    - checks.names_in_inputs(case)
                )
                if unused:
                    raise Mistake(f"'{min(unused)}' is given but not used")
                expression = parsed
                if len(self._problems) == before:
                    checks.check_results(case, expect, parsed, grid)
                    checks.check_order(case, parsed, grid)
                    checks.check_result_dtypes(case, expect, parsed, grid)
            with _Reporting(self, keys):
                checks.check_expect(case, expect)
                checks.check_drawing(case, expect, grid)
        if expression is None or len(self._problems) > before:
            return None
        loaded = LoadedCase(case_id, case, expression, expect, str(self._path), line, text, grid)
        with _Reporting(self, (*keys, which)):
            check_integers(loaded)
        return loaded


def _convertible(data: Any) -> list[Case | None]:
    """The entries of a file that fit the model, and None for each that does not."""
    entries = data.get("cases") if isinstance(data, dict) else None
    result: list[Case | None] = []
    for entry in entries if isinstance(entries, list) else []:
        try:
            result.append(msgspec.convert(entry, Case))
        except msgspec.ValidationError:
            result.append(None)
    return result


class _Reporting:
    """Notes a `Mistake` raised inside it, placed under the given keys, and goes on."""

    def __init__(self, file: _File, keys: tuple[str | int, ...]) -> None:
        self._file = file
        self._keys = keys

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, Mistake):
            return False
        self._file.note(Mistake(error.message, (*self._keys, *error.keys), error.offset, at_key=error.at_key))
        return True
