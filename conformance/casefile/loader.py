"""Case files to checked cases: every mistake of every file in one go."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from conformance.casefile import expressions, inputs, printed, yaml_reader
from conformance.casefile.errors import CaseFileError, Mistake, Problem, did_you_mean
from conformance.casefile.model import (
    GIVEN_SOURCES,
    Case,
    CaseFile,
    Divergence,
    DivergenceFile,
    Document,
    Expect,
    Full,
    Given,
    Instead,
    Linspace,
    Subset,
    SubsetFile,
    Within,
)
from conformance.casefile.numbers import dtype_named, leaves, literal_shape, to_array
from conformance.casefile.variants import LoadedCase, Variant, expand, grid_of, natural_case_dtype
from conformance.dtypes import DTYPES

DIVERGENCES = "divergences"
SUBSETS = "subsets.yaml"
_UNKNOWN_FIELD = "Object contains unknown field `"
_FILE_TYPE = TypeVar("_FILE_TYPE")


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
    """

    root: Path
    cases: list[LoadedCase] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    divergences: list[tuple[str, Divergence]] = field(default_factory=list)
    subsets: list[Subset] = field(default_factory=list)
    digest: str = ""

    def variants(self) -> Iterator[Variant]:
        """Every variant of every case."""
        for case in self.cases:
            yield from expand(case)


def load(root: Path) -> Corpus:
    """Read and check all case files under `root` (or the single file `root`).

    Raises:
        CaseFileError: with every mistake found.
    """
    single = root.is_file()
    base = root.parent if single else root
    paths = [root] if single else sorted(root.rglob("*.yaml"), key=lambda p: p.relative_to(base).as_posix())
    corpus = Corpus(base)
    problems: list[Problem] = []
    digest = hashlib.sha256()
    if not paths:
        problems.append(Problem(str(root), 1, 1, "no case files (*.yaml) here; expected a case file or a folder of them"))
    for path in paths:
        relative = path.relative_to(base)
        try:
            raw = path.read_bytes()
            text = raw.decode("utf-8")
        except OSError as error:
            problems.append(Problem(str(path), 1, 1, f"can't be read: {error.strerror}"))
            continue
        except UnicodeDecodeError as error:
            problems.append(Problem(str(path), 1, 1, f"not UTF-8: byte {error.start} can't be read"))
            continue
        digest.update(relative.as_posix().encode() + b"\0" + hashlib.sha256(raw).digest())
        _File(path, relative, text, problems).add_to(corpus)
    corpus.digest = digest.hexdigest()
    problems.extend(_clashes(corpus))
    if problems:
        raise CaseFileError(problems)
    return corpus


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
                        _check_divergence(entry)
                corpus.divergences.extend((registry.backend, entry) for entry in registry.divergences)
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
        stem = self._relative.with_suffix("").as_posix()
        for i, case in enumerate(cases):
            if case is not None:  # an entry with mistakes in its structure had them noted already
                loaded = self._check(case, i, f"{stem}/{case.name}", lines[starts[i] - 1 : ends[i]], starts[i])
                if loaded is not None and len(self._problems) == before:
                    corpus.cases.append(loaded)

    def _decode(self, data: Any, kind: type[_FILE_TYPE], items: str, item: type[Any]) -> _FILE_TYPE | None:
        """The typed file, or None after every mistake in its structure was noted."""
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            before = len(self._problems)
            self._diagnose(data, kind, (), {items: item})
            if len(self._problems) == before:  # what fits field by field, and yet not as a whole
                self._note_invalid(error, ())
            return None

    def _diagnose(self, data: Any, kind: type[Any], keys: tuple[str | int, ...], inside: dict[str, type[Any]]) -> None:
        """Note each field that does not fit, one by one: the decoder itself stops at the first."""
        if not isinstance(data, dict):
            self.note(Mistake(f"expected a mapping, found {'nothing' if data is None else type(data).__name__}", keys))
            return
        fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
        for key in data.keys() - fields.keys():
            self.note(Mistake(f"unknown key '{key}'{did_you_mean(key, fields)}", (*keys, key), at_key=True))
        for name, f in fields.items():
            if name not in data:
                if f.required:
                    self.note(Mistake(f"'{name}' is missing", keys))
            elif name in inside and isinstance(data[name], list):
                for i, entry in enumerate(data[name]):
                    self._diagnose(entry, inside[name], (*keys, name, i), {})
            elif get_origin(f.type) is dict and isinstance(data[name], dict):
                key_type, value_type = get_args(f.type)
                for key, value in data[name].items():
                    self._try(key, key_type, (*keys, name, key), at_key=True)
                    self._try(value, value_type, (*keys, name, key))
            else:
                self._try(data[name], f.type, (*keys, name))

    def _try(self, value: Any, kind: Any, keys: tuple[str | int, ...], at_key: bool = False) -> None:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self._note_invalid(error, keys, at_key)

    def _note_invalid(
        self, error: msgspec.ValidationError, keys: tuple[str | int, ...], at_key: bool = False
    ) -> None:
        message, _, path = str(error).partition(" - at `$")
        keys = (*keys, *_path_parts(path.rstrip("`")))
        if message.startswith(_UNKNOWN_FIELD):
            unknown = message[len(_UNKNOWN_FIELD) :].rstrip("`")
            message = f"unknown key '{unknown}'{did_you_mean(unknown, _fields_at(keys))}"
            keys, at_key = (*keys, unknown), True
        self.note(Mistake(message[0].lower() + message[1:], keys, at_key=at_key))

    def note(self, mistake: Mistake) -> None:
        if self._places is None:
            self._places = yaml_reader.locate(self._text)
        line, column = self._places.find(mistake.keys, mistake.offset, at_key=mistake.at_key)
        self._problems.append(Problem(str(self._path), line, column, mistake.message))

    def _check(self, case: Case, index: int, case_id: str, lines: list[str], line: int) -> LoadedCase | None:
        """A case whose parts are all checked, or None after every mistake was noted."""
        before = len(self._problems)
        keys = ("cases", index)
        expect = Expect(raises=True) if isinstance(case.expect, str) else case.expect
        grid: dict[str, list[Any]] = {}
        expression: expressions.Expression | expressions.Comparison | None = None
        with _Reporting(self, keys):
            grid = grid_of(case)
        if len(self._problems) > before:
            return None
        for name, given in case.given.items():
            with _Reporting(self, (*keys, "given", name)):
                _check_given(given, case, grid)
        which = "claim" if case.claim is not None else "call"
        with _Reporting(self, keys):
            if (case.call is None) == (case.claim is None):
                raise Mistake("expected one of 'call' and 'claim'")
        if case.call is not None or case.claim is not None:
            with _Reporting(self, (*keys, which)):
                parse = expressions.parse_claim if case.claim is not None else expressions.parse_call
                parsed = parse(case.claim or case.call or "")
                expressions.check(parsed, case.given, grid)
                unused = (case.given.keys() | grid.keys() - {"dtype"}) - expressions.names_in(parsed) - _shape_names(case)
                if unused:
                    raise Mistake(f"'{min(unused)}' is given but not used")
                expression = parsed
            with _Reporting(self, keys):
                _check_expect(case, expect)
        if expression is None or len(self._problems) > before:
            return None
        text = "\n".join(lines).rstrip()
        return LoadedCase(case_id, case, expression, expect, str(self._path), line, text, grid)


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


def _fields_at(keys: tuple[str | int, ...]) -> list[str]:
    """The keys a mapping may have, of those nested in a file's entries, by the key it stands under."""
    name = next((key for key in reversed(keys) if isinstance(key, str)), "")
    kinds = {"expect": Expect, "document": Document, "within": Within, "instead": Instead}
    sources = {f.encode_name: f.type for f in msgspec.structs.fields(Given) if f.encode_name in GIVEN_SOURCES}
    for source, union in sources.items():
        kinds.update({source: kind for kind in get_args(union) if hasattr(kind, "__struct_config__")})
    return [f.encode_name for f in msgspec.structs.fields(kinds.get(name, Given))]


def _path_parts(path: str) -> Iterator[str | int]:
    """The keys of a decoder's path such as ``.x[2].shape``."""
    for part in path.replace("]", "").replace("[", ".").split("."):
        if part.isdigit():
            yield int(part)
        elif part:
            yield part


def _shape_names(case: Case) -> set[str]:
    """The names under `for` that generators take their shape from."""
    specs = [s for g in case.given.values() if isinstance(g, Given) for s in g.sources.values()]
    return {s.shape for s in specs if isinstance(getattr(s, "shape", None), str)}


def _check_given(given: Any, case: Case, grid: dict[str, list[Any]]) -> None:
    dtypes = grid.get("dtype") or [natural_case_dtype_of(case)]
    if not isinstance(given, Given):
        _check_literal(given, dtypes, ())
        return
    sources = given.sources
    if len(sources) != 1:
        found = " and ".join(sources) or "none"
        raise Mistake(f"expected one of {', '.join(GIVEN_SOURCES)}, found {found}")
    if given.dtype is not None:
        dtypes = [dtype_named(given.dtype, ("dtype",)).name]
    source, spec = next(iter(sources.items()))
    if source == "array":
        _check_literal(spec, dtypes, ("array",))
    elif source == "printed":
        _placed(lambda: printed.parse(spec), ("printed",))
        for name in dtypes:
            inputs.printed_array(printed.parse(spec), DTYPES[name], ("printed",))
    else:
        if isinstance(spec, Full):
            _check_literal(spec.value, dtypes, (source, "value"))
        elif source not in ("integers", "bernoulli"):
            bad = [d for d in dtypes if DTYPES[d].kind != "floating"]
            if bad:
                raise Mistake(f"'{source}' makes real numbers: impossible in an array of dtype {bad[0]}", (source,))
        if not isinstance(spec, Linspace):
            shapes = grid.get(spec.shape, [spec.shape]) if isinstance(spec.shape, str) else [spec.shape]
            for shape in shapes:
                inputs.resolve_shape(shape, {}, (source, "shape"))
        if source == "integers":
            if spec.low > spec.high:
                raise Mistake(f"low {spec.low} is above high {spec.high}", (source,))
            for bound in ("low", "high"):
                _check_literal(getattr(spec, bound), [*dtypes, "int64"], (source, bound))


def natural_case_dtype_of(case: Case) -> str:
    """`natural_case_dtype`, or float32 for a case whose literals are no numbers (which is noted elsewhere)."""
    try:
        return natural_case_dtype(case)
    except Mistake:
        return "float32"


def _check_literal(literal: Any, dtypes: list[str], keys: tuple[str | int, ...]) -> None:
    literal_shape(literal, keys)
    numbers = [number for _, number in leaves(literal)]
    small = all(type(n) in (int, float, bool) and (n - n != 0 or abs(n) <= 127) for n in numbers)
    for name in dtypes:
        # Small plain numbers fit every floating dtype; anything else is tried out.
        if not (small and DTYPES[name].kind == "floating"):
            to_array(literal, DTYPES[name], keys)


def _check_expect(case: Case, expect: Expect) -> None:
    at: tuple[str | int, ...] = ("expect",)
    if case.claim is not None and expect != Expect():
        raise Mistake("a claim says itself what is expected", at)
    if case.within is not None:
        if case.claim is None or "==" not in case.claim:
            raise Mistake("'within' belongs to a claim with ==", ("within",))
        if (case.within.ulp is None) == (case.within.absolute is None):
            raise Mistake("expected one of 'ulp' and 'absolute'", ("within",))
    if "gradient" in case.check:
        if case.claim is not None:
            raise Mistake("a claim has no gradient", ("check",))
        parsed = expressions.parse_call(case.call or "")
        if isinstance(parsed, expressions.Call) and any(expressions.operations_in(a) for _, a in parsed.arguments):
            raise Mistake("the gradient of one operation is checked, not of a composition", ("check",))
        if expect.raises:
            raise Mistake("a call that is refused has no gradient", ("check",))
    if expect.raises and (expect.prints or expect.shape is not None or expect.dtype or expect.values is not msgspec.UNSET):
        raise Mistake("a call that is refused has no other outcome", at)
    if expect.prints is not None:
        _placed(lambda: printed.parse(expect.prints or ""), (*at, "prints"))
    if expect.dtype is not None:
        dtype_named(expect.dtype, (*at, "dtype"))
    if expect.values is not msgspec.UNSET:
        literal_shape(expect.values, (*at, "values"))
        if not expect.because:
            raise Mistake("stated values need a 'because': why does arithmetic not say them?", at)
    if case.draw is not None and len(case.given) != 1:
        raise Mistake("a curve is drawn over exactly one input", ("draw",))


def _check_divergence(entry: Divergence) -> None:
    instead = entry.instead
    if not (
        instead.raises or instead.returns or instead.dtype or instead.shape is not None
        or instead.values is not msgspec.UNSET or instead.ulp
    ):  # fmt: skip
        raise Mistake("expected what comes instead: one of raises, returns, dtype, shape, values, ulp", ("instead",))
    if instead.dtype is not None:
        dtype_named(instead.dtype, ("instead", "dtype"))
    if instead.values is not msgspec.UNSET:
        literal_shape(instead.values, ("instead", "values"))
    if entry.link and not entry.link.startswith("https://"):
        raise Mistake("expected a link that begins with https://", ("link",))
    for i, name in enumerate(entry.dtypes):
        dtype_named(name, ("dtypes", i))
    _placed(lambda: _specifier(entry.versions), ("versions",))


def _specifier(text: str) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise Mistake(f"expected versions such as >=2.0,<3, found '{text}'") from None


def _placed(action: Callable[[], Any], keys: tuple[str | int, ...]) -> None:
    """Run a check whose mistakes don't know where in the case they are."""
    try:
        action()
    except Mistake as mistake:
        raise Mistake(mistake.message, (*keys, *mistake.keys), mistake.offset) from None
