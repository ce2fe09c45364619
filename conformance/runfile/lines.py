"""The lines of a run file, and arrays as they hold them."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import sys
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from conformance.backends.scripts import ModeScript
from conformance.ground import dtypes
from conformance.ground.dtypes import DTYPES
from conformance.judging.accuracy import Profile

FORMAT = 2
LARGEST_STORED = 4096
"""Arrays of more elements are stored as their digest and first elements."""

Count = Annotated[int, Meta(ge=0, lt=2**53)]
Length = Annotated[int, Meta(ge=-(2**62), le=2**62)]

_SHOWN_OF_LARGE = 16
_MOST_AXES = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    shape: list[Length]
    data: str
    sha256: str = ""

    @classmethod
    def of(cls, array: np.ndarray, whole: bool = False) -> Stored:
        """Store an array of a dtype the suite knows; with `whole`, all elements however many they are."""
        shape, name = list(array.shape), dtypes.of(array).name
        if sys.byteorder == "big":
            array = array.byteswap()
        if array.size > LARGEST_STORED and not whole:
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            return cls(name, shape, _base64(array.ravel()[:_SHOWN_OF_LARGE]), digest)
        return cls(name, shape, _base64(array))

    def array(self) -> np.ndarray:
        """The elements that are stored: the whole array in its shape, or the first few of a large one.

        Raises:
            ValueError: the data is no array of that dtype and shape.
        """
        dtype = DTYPES.get(self.dtype)
        if dtype is None:
            raise ValueError(f"unknown dtype '{self.dtype}'")
        if len(self.shape) > _MOST_AXES or any(length < 0 for length in self.shape):
            raise ValueError(f"expected a shape of up to {_MOST_AXES} lengths, none of them negative")
        size = math.prod(self.shape)
        if size * dtype.numpy.itemsize >= 2**63:
            raise ValueError(f"the shape {self.shape[:3]}… has more elements than any array")
        if self.sha256 and not (size > LARGEST_STORED and _SHA256.fullmatch(self.sha256)):
            raise ValueError("expected a SHA-256 digest of more than 4,096 elements, or none")
        try:
            data = base64.b64decode(self.data, validate=True)
        except ValueError as error:
            raise ValueError(f"its data is no base64: {error}") from None
        stored = _SHOWN_OF_LARGE if self.sha256 else size
        if len(data) != stored * dtype.numpy.itemsize:
            raise ValueError(f"{len(data):,} bytes are not {stored:,} elements of {self.dtype}")
        if dtype.kind == "bool" and data.strip(b"\0\1"):
            raise ValueError("a bool that is neither 0 nor 1")
        flat = np.frombuffer(data, dtype=dtype.numpy)
        if sys.byteorder == "big":
            flat = flat.byteswap()
        return flat if self.sha256 else flat.reshape(self.shape)

    @property
    def whole(self) -> bool:
        """Whether all elements are stored."""
        return not self.sha256


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def encoded(value: Any) -> Any:
    """A plain value of a case as JSON can hold it: an infinity or a NaN, which it lacks, as a mapping of its name."""
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return {"float": str(value)} if isinstance(value, float) and value - value != 0 else value


def plain(value: Any) -> Any:
    """What `encoded` was given; cases have no mappings as values, so nothing else can look like that."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict) and value.get("float") in ("nan", "inf", "-inf"):
        return float(value["float"])
    return value


class Made(Struct, frozen=True, omit_defaults=True):
    """How an input was made, where that says more than its elements.

    Attributes:
        source: the generator of its numbers (`conformance.casefile.generators.MAKERS`); empty for one that the case
            writes out.
        arguments: what the generator took, by name (see `encoded`).
        put: of an element that was replaced, its place in row-major order, and by what (see `encoded`).
        layout: how it lies in memory, if not contiguously.
    """

    source: str = ""
    arguments: dict[str, Any] = {}
    put: list[Any] = []
    layout: str = ""


class IdiomSource(Struct, frozen=True, omit_defaults=True):
    """How the backend spells an operation.

    Attributes:
        operation: which.
        source: the function's source.
        name: of a spelling beside the primary one; empty for that.
        needs: the distribution it uses beyond the framework, with its version where it is installed.
        imports: the module of it that must be imported.
        setting: an environment variable that must be set before that is imported (``KERAS_BACKEND=numpy``).
    """

    operation: str
    source: str
    name: str = ""
    needs: str = ""
    imports: str = ""
    setting: str = ""


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
        digest: of these variants (`conformance.runfile.manifest`); empty in files of before there were such.
    """

    name: str
    variants: Count
    left_out: Count = 0
    because: str = ""
    unsupported: str = ""
    flushes_subnormals: bool | None = None
    subset: tuple[str, ...] = ()
    digest: str = ""


class Shard(Struct, frozen=True):
    """The share of one machine of several: a run file of a shard is whole when all of that share is recorded.

    Attributes:
        number: which, from 1.
        of: how many shards there are.
        whole: the modes as a run of all shards has them.
    """

    number: Count
    of: Count
    whole: list[ModeSummary]

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"


class Part(Struct, frozen=True, omit_defaults=True):
    """One of the run files that a merged one was made of.

    Attributes:
        environment: as its header has it.
        started, finished: UTC, ISO 8601; no end where it had no footer.
        records: how many records it held.
        shard: which of how many, '3/8'; empty where it was no shard.
    """

    environment: dict[str, str]
    started: str
    finished: str
    records: Count
    shard: str = ""


class Header(Struct, frozen=True, tag="header", tag_field="kind"):
    """The first line: what is run, and on what.

    Attributes:
        format: version of the format.
        suite: version of this package.
        backend: its name.
        device: 'cpu' or 'gpu'.
        versions: of the backend's distributions, the framework's own first.
        environment: Python, operating system, processor, and the framework's settings. Of a merged file: what its
            parts say, all of it where they differ.
        cases_digest: SHA-256 over all case files.
        manifest_digest: SHA-256 over the IDs of the manifest's variants; of a shard, over those of all shards.
        modes: in the backend's order; of a shard, its own share of each.
        operations: those of the cases, each with its family, the document's (or torch's) spelling, a summary, the
            source of its budget, and why that is wide where it is.
        idioms: the backend's.
        started: UTC, ISO 8601.
        selection: what of the corpus was asked for (``-k``, ``--variant``), empty for all of it.
        order: 'random, seed 7' where the variants ran in another order than that of the files.
        commit: of the cases, where they are in a Git checkout; '+' after it where files differ from it.
        scripts: the backend's share of scripts that repeat a result without the suite, by mode.
        shard: where the run is one of several that share the manifest.
        parts: what a merged file was made of; empty for one that was written by one run.
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
    order: str = ""
    commit: str = ""
    scripts: dict[str, ModeScript] = {}
    shard: Shard | None = None
    parts: list[Part] = []

    @property
    def part_of_cases(self) -> str:
        """What part of the cases the run is about, in words; empty where it is about all of them."""
        return ", ".join(text for text in (self.selection, str(self.shard or "")) if text)


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
        draw: 'curve' where the report draws the result, 'accuracy' where it draws the errors.
        line: where in its file it begins. Cases are in the order of the corpus by path and line, whoever ran them when.
    """

    id: str
    operation: str
    path: str
    text: str
    about: str
    call: str
    claim: bool
    draw: str = ""
    line: Count = 0


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
        bindings: the names that stand for other things than inputs in the case's call, with their values (see
            `encoded`): its grid's.
        truth: what the answer rests on: 'arithmetic'; 'document', its printed output as well; 'convention', at least
            for some elements; 'stated' by the case, with its reason; 'refusal', since the call must be refused;
            'claim', a relation between computed values.
        curve: where the accuracy of an elementwise operation on one input is drawn, points of its exact curve: input
            and result, a pair for each sign and exponent of the input.
        made: how inputs were made, where that says more than their elements.
        aliases: whether the result is expected to share the memory of the first input, where that is asked.
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
    bindings: dict[str, Any] = {}
    truth: str = ""
    curve: list[tuple[float, float]] = []
    made: dict[str, Made] = {}
    aliases: bool | None = None


class FindingLine(Struct, frozen=True, omit_defaults=True):
    """A channel that differs (see `conformance.judging.judge.Finding`)."""

    channel: str
    expected: str
    got: str
    detail: str = ""
    non_finite: Count = 0


class Record(Struct, frozen=True, tag="record", tag_field="kind", omit_defaults=True):
    """What came of a variant in a mode.

    Attributes:
        variant, mode: which.
        idiom: in mode 'idioms', the spelling.
        picture: where each element of a result that is off that is too large to be stored (`runfile.picture`).
        verdict: one of `conformance.ground.verdicts.VERDICTS`.
        reason: one line, for everything that did not pass.
        findings: the channels that differ.
        got: the result of the last step (for a gradient variant, the gradients).
        raised: type and message of the error that came.
        ulp, budget, at, step: error and budget in ULP of the element nearest its budget, its index, and, of several
            steps, the one it is a result of ('2, sigmoid').
        end_to_end: error in ULP against the whole composition in exact arithmetic.
        link: of a divergence.
        profile: where the case's accuracy is drawn and errors could be measured, they by exponent.
        exact: the exact value of that element in up to 20 digits, on the inputs that its step received.
        quantum: the exponent of one ULP there.
        wrt: the argument that it belongs to the gradient of.
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
    at: list[Length] = []
    step: str = ""
    end_to_end: float | None = None
    link: str = ""
    idiom: str = ""
    picture: str = ""
    profile: Profile | None = None
    exact: str = ""
    quantum: int | None = None
    wrt: str = ""


class Footer(Struct, frozen=True, tag="footer", tag_field="kind", omit_defaults=True):
    """The last line: how many records of each verdict there are, by mode. They add up to the manifest.

    Attributes:
        counts: by mode and verdict, without zeros.
        finished: UTC, ISO 8601.
        records: how many there are.
        stopped: why the run was ended before it had recorded its manifest; empty where it came to its end.
    """

    counts: dict[str, dict[str, Count]]
    finished: str
    records: Count
    stopped: str = ""


Line = Header | CaseLine | VariantLine | Record | Footer
