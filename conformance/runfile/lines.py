"""The lines of a run file."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from conformance.backends.scripts import ModeScript
from conformance.judging.accuracy import Profile
from conformance.runfile.made import Made
from conformance.runfile.stored import Length, Stored

FORMAT = 2

Count = Annotated[int, Meta(ge=0, lt=2**53)]


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


class Held(Struct, frozen=True):
    """Other kernels than a framework chooses on this processor, which a run was held to.

    Attributes:
        name: as the backend calls them (`Backend.kernel_choices`).
        variables: of the environment, by which its process was held to them.
    """

    name: str
    variables: dict[str, str]


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
        held: the kernels that it was held to; None where the framework had its own choice.
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
    held: Held | None = None

    @property
    def held_to(self) -> str:
        """The name of the kernels that it was held to; empty where the framework had its own choice."""
        return self.held.name if self.held else ""

    @property
    def place(self) -> str:
        """Where it ran: the device, and the kernels that it was held to, if it was."""
        return f"{self.device} {self.held_to}".strip()

    @property
    def kernels(self) -> str:
        """What the framework computed with (`Backend.kernels`), where it said so."""
        return self.environment.get("kernels", "")

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
    """A channel that differs (see `conformance.judging.findings.Finding`)."""

    channel: str
    expected: str
    got: str
    detail: str = ""
    non_finite: Count = 0
    zeros: Count = 0
    ulp: float | None = None


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
