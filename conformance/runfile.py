"""Run files: what one backend's run recorded, as JSON Lines. A report, a merge or a diff needs nothing else.

The first line is the header, the last the footer; without a footer the run is incomplete, and every reader says so.
Between them stand each case before its first variant (once), each variant's inputs and exact answer before its first
record (once), and a record for each variant in each mode. Lines are told apart by ``kind``.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from msgspec import Struct

from conformance import dtypes
from conformance.dtypes import DTYPES
from conformance.judging import VERDICTS

FORMAT = 1
LARGEST_STORED = 4096
"""Arrays of more elements are stored as their digest and first elements."""

_SHOWN_OF_LARGE = 16


class Stored(Struct, frozen=True, omit_defaults=True):
    """An array.

    Attributes:
        dtype: its dtype's name.
        shape: its shape.
        data: base64 of its elements' bytes, little-endian, in row-major order; of the first 16 elements where
            `sha256` is there.
        sha256: of all its bytes, for an array of more than 4,096 elements.
    """

    dtype: str
    shape: list[int]
    data: str
    sha256: str = ""

    @classmethod
    def of(cls, array: np.ndarray) -> Stored:
        """Store an array of a dtype the suite knows."""
        shape, name = list(array.shape), dtypes.of(array).name
        if sys.byteorder == "big":
            array = array.byteswap()
        if array.size > LARGEST_STORED:
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            return cls(name, shape, _base64(array.ravel()[:_SHOWN_OF_LARGE]), digest)
        return cls(name, shape, _base64(array))

    def array(self) -> np.ndarray:
        """The elements that are stored: the whole array in its shape, or the first few of a large one.

        Raises:
            ValueError: the data is no array of that dtype and shape.
        """
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype '{self.dtype}'")
        if any(length < 0 for length in self.shape):
            raise ValueError(f"negative lengths in the shape {self.shape}")
        flat = np.frombuffer(base64.b64decode(self.data, validate=True), dtype=DTYPES[self.dtype].numpy)
        if sys.byteorder == "big":
            flat = flat.byteswap()
        return flat if self.sha256 else flat.reshape(self.shape)

    @property
    def whole(self) -> bool:
        """Whether all elements are stored."""
        return not self.sha256


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


class IdiomSource(Struct, frozen=True, omit_defaults=True):
    """How the backend spells an operation.

    Attributes:
        operation: which.
        source: the function's source.
        name: of a spelling beside the primary one; empty for that.
        needs: the distribution it uses beyond the framework, with its version where it is installed.
    """

    operation: str
    source: str
    name: str = ""
    needs: str = ""


class ModeSummary(Struct, frozen=True, omit_defaults=True):
    """A mode's share of the manifest.

    Attributes:
        name: the mode.
        variants: how many variants apply to it.
        left_out: how many others are not in the mode's declared subset, for the reason in `because`.
        because: why it runs a subset.
        subset: the patterns of variant IDs that make up the subset.
        unsupported: why the mode can't run at all, if it can't.
        flushes_subnormals: whether it does, where that could be tried.
    """

    name: str
    variants: int
    left_out: int = 0
    because: str = ""
    unsupported: str = ""
    flushes_subnormals: bool | None = None
    subset: tuple[str, ...] = ()


class Header(Struct, frozen=True, tag="header", tag_field="kind"):
    """The first line: what is run, and on what.

    Attributes:
        format: version of the format.
        suite: version of this package.
        backend: its name.
        device: 'cpu' or 'gpu'.
        versions: of the backend's distributions, the framework's own first.
        environment: Python, operating system, processor, and the framework's settings.
        cases_digest: SHA-256 over all case files.
        manifest_digest: SHA-256 over the IDs of the manifest's variants.
        modes: in the backend's order.
        operations: those of the cases, each with the document's (or torch's) spelling, a summary, the source of its
            budget, and why that is wide where it is.
        idioms: the backend's.
        started: UTC, ISO 8601.
        selection: what of the corpus was asked for (``-k``, ``--variant``), empty for all of it.
    """

    format: int
    suite: str
    backend: str
    device: str
    versions: dict[str, str]
    environment: dict[str, str]
    cases_digest: str
    manifest_digest: str
    modes: list[ModeSummary]
    operations: dict[str, dict[str, str]]
    idioms: list[IdiomSource]
    started: str
    selection: str = ""


class CaseLine(Struct, frozen=True, tag="case", tag_field="kind"):
    """A case, once.

    Attributes:
        id: of the case.
        operation: the one it is about.
        path: of its file, relative to the root of the cases.
        text: its YAML.
        about: what it shows.
        call: its call or claim.
        claim: whether it is a claim.
        draw: 'curve' where the report draws it.
    """

    id: str
    operation: str
    path: str
    text: str
    about: str
    call: str
    claim: bool
    draw: str = ""


class VariantLine(Struct, frozen=True, tag="variant", tag_field="kind", omit_defaults=True):
    """A variant's inputs and exact answer, once.

    Attributes:
        id: of the variant.
        case: its case's ID.
        dtype: its dtype.
        inputs: by name.
        answer: the result, each step correctly rounded, or the values that the case states; where there is one.
        residuals: of the answer's first elements, what rounding left of the exact value, in ULP of the answer.
        expected: what the case expects in words, where that is not (only) the answer: an error, a print, a claim.
        budget_source: where the budget of the last step comes from; of a gradient variant, that of the gradient.
        check: 'value', or 'gradient': `answer` is then the gradient with respect to the first differentiated argument.
    """

    id: str
    case: str
    dtype: str
    inputs: dict[str, Stored]
    answer: Stored | None = None
    residuals: list[float] = []
    expected: str = ""
    budget_source: str = ""
    check: str = "value"


class FindingLine(Struct, frozen=True, omit_defaults=True):
    """A channel that differs (see `conformance.judging.Finding`)."""

    channel: str
    expected: str
    got: str
    detail: str = ""
    non_finite: int = 0


class Record(Struct, frozen=True, tag="record", tag_field="kind", omit_defaults=True):
    """What came of a variant in a mode.

    Attributes:
        variant, mode: which.
        idiom: in mode 'idioms', the spelling.
        verdict: one of `conformance.judging.VERDICTS`.
        reason: one line, for everything that did not pass.
        findings: the channels that differ.
        got: the result of the last step (for a gradient variant, the gradients).
        raised: type and message of the error that came.
        ulp, budget, at, step: error and budget in ULP of the element nearest its budget, its index, and, of several
            steps, the one it is a result of ('2, sigmoid').
        end_to_end: error in ULP against the whole composition in exact arithmetic.
        link: of a divergence.
    """

    variant: str
    mode: str
    verdict: str
    reason: str = ""
    findings: list[FindingLine] = []
    got: list[Stored] = []
    raised: str = ""
    ulp: float | None = None
    budget: float | None = None
    at: list[int] = []
    step: str = ""
    end_to_end: float | None = None
    link: str = ""
    idiom: str = ""


class Footer(Struct, frozen=True, tag="footer", tag_field="kind"):
    """The last line: how many records of each verdict there are, by mode. They add up to the manifest."""

    counts: dict[str, dict[str, int]]
    finished: str
    records: int


Line = Header | CaseLine | VariantLine | Record | Footer

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Line)


class RunFileError(ValueError):
    """A run file can't be read: where, and why."""


class Writer:
    """Writes a run file line by line; what was written stays readable whenever the process dies."""

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: BinaryIO = path.open("wb")
        self._counts: dict[str, dict[str, int]] = {mode.name: dict.fromkeys(VERDICTS, 0) for mode in header.modes}
        self._seen: set[str] = set()
        self._write(header)
        self._file.flush()

    def case(self, make: Any, case_id: str) -> None:
        """Write the case that `make` gives, unless one of that ID was written."""
        self._once("case " + case_id, make)

    def variant(self, make: Any, variant_id: str) -> None:
        """Write the variant that `make` gives, unless one of that ID was written."""
        self._once("variant " + variant_id, make)

    def _once(self, key: str, make: Any) -> None:
        if key not in self._seen:
            self._seen.add(key)
            self._write(make())

    def record(self, record: Record) -> None:
        """Write a record."""
        self._counts[record.mode][record.verdict] += 1
        self._write(record)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()

    def finish(self, finished: str) -> None:
        """Write the footer and close the file: the run is complete."""
        counts = _without_zeros(self._counts)
        self._write(Footer(counts, finished, sum(n for verdicts in counts.values() for n in verdicts.values())))
        self._file.close()

    def close(self) -> None:
        """Close the file without a footer: the run is incomplete."""
        self._file.close()

    def _write(self, line: Line) -> None:
        self._file.write(_ENCODER.encode(line) + b"\n")


@dataclass(slots=True)
class Run:
    """A run file that was read.

    Attributes:
        path: of the file.
        header: its first line.
        cases, variants: by ID, in order.
        records: in order.
        footer: None where the run is incomplete.
    """

    path: Path
    header: Header
    cases: dict[str, CaseLine] = field(default_factory=dict)
    variants: dict[str, VariantLine] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    footer: Footer | None = None

    @property
    def complete(self) -> bool:
        """Whether the run came to its end, with a record for every variant of its manifest."""
        return self.footer is not None and not self.missing()

    def missing(self) -> dict[str, int]:
        """How many records each mode lacks, by mode; empty where none."""
        have: dict[str, int] = dict.fromkeys((m.name for m in self.header.modes), 0)
        for record in self.records:
            have[record.mode] += 1
        return {m.name: m.variants - have[m.name] for m in self.header.modes if have[m.name] != m.variants}

    def counts(self) -> dict[str, dict[str, int]]:
        """Records of each verdict, by mode, zeros included; what is missing counts as 'not-run'."""
        counts = _counts(self)
        for mode, missing in self.missing().items():
            counts[mode]["not-run"] += max(missing, 0)
        return counts


def _counts(run: Run) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {m.name: dict.fromkeys(VERDICTS, 0) for m in run.header.modes}
    for record in run.records:
        counts[record.mode][record.verdict] += 1
    return counts


def _without_zeros(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {mode: {verdict: n for verdict, n in verdicts.items() if n} for mode, verdicts in counts.items()}


def read(path: Path) -> Run:
    """Read a run file, finished or not. A last line that was cut off is left out, as if it had not been written.

    Raises:
        RunFileError: it is no run file, of a newer format, or contradicts itself.
    """
    try:
        with path.open("rb") as file:
            return _collect(path, _lines(path, file))
    except OSError as error:
        raise RunFileError(f"{path}: can't be read: {error.strerror}") from None


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, Line]]:
    for number, raw in enumerate(file, start=1):
        if not raw.endswith(b"\n"):
            return  # the writer died in the middle of this line
        if number == 1:
            _check_format(path, raw)
        try:
            yield number, _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RunFileError(f"{path}:{number}: not a line of a run file: {error}") from None


def _check_format(path: Path, raw: bytes) -> None:
    class Opening(Struct):
        kind: str
        format: int

    try:
        opening = msgspec.json.decode(raw, type=Opening)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RunFileError(f"{path}:1: not a run file: expected its header") from None
    if opening.kind != "header":
        raise RunFileError(f"{path}:1: not a run file: expected its header, found '{opening.kind}'")
    if opening.format != FORMAT:
        raise RunFileError(
            f"{path}:1: format {opening.format}; this version of the suite reads format {FORMAT}. "
            f"Read it with the version that wrote it, or run again"
        )


def _collect(path: Path, lines: Iterable[tuple[int, Line]]) -> Run:
    run: Run | None = None
    seen: set[tuple[str, str, str]] = set()
    for number, line in lines:
        if run is None:
            if not isinstance(line, Header):
                raise RunFileError(f"{path}:{number}: expected the header")
            run = Run(path, line)
            modes = {mode.name for mode in line.modes}
        elif run.footer is not None:
            raise RunFileError(f"{path}:{number}: a line after the footer")
        elif isinstance(line, CaseLine):
            if line.id in run.cases:
                raise RunFileError(f"{path}:{number}: a second time the case '{line.id}'")
            run.cases[line.id] = line
        elif isinstance(line, VariantLine):
            if line.case not in run.cases:
                raise RunFileError(f"{path}:{number}: a variant of the unknown case '{line.case}'")
            if line.id in run.variants:
                raise RunFileError(f"{path}:{number}: a second time the variant '{line.id}'")
            run.variants[line.id] = line
        elif isinstance(line, Record):
            key = (line.variant, line.mode, line.idiom)
            if line.variant not in run.variants or line.mode not in modes or line.verdict not in VERDICTS:
                raise RunFileError(f"{path}:{number}: a record of an unknown variant, mode or verdict: {key[:2]}")
            if key in seen:
                raise RunFileError(f"{path}:{number}: a second record of '{line.variant}' in mode {line.mode}")
            seen.add(key)
            run.records.append(line)
        elif isinstance(line, Footer):
            if line.records != len(run.records):
                raise RunFileError(
                    f"{path}:{number}: the footer counts {line.records} records, the file holds {len(run.records)}"
                )
            counted = _without_zeros(_counts(run))
            if line.counts != counted:
                raise RunFileError(f"{path}:{number}: the footer counts {line.counts}, the file holds {counted}")
            run.footer = line
        else:
            raise RunFileError(f"{path}:{number}: a second header")
    if run is None:
        raise RunFileError(f"{path}: empty: not even a header was written")
    return run
