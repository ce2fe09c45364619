"""The case file as typed data. Its JSON Schema, `cases/schema.json`, is generated from here.

Field names in the files have hyphens where these have underscores.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from conformance.ground import limits

CaseName = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Identifier = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=40)]
Pattern = Annotated[str, Meta(max_length=limits.PATTERN_CHARACTERS)]
Shape = Annotated[list[Annotated[int, Meta(ge=0, le=limits.ELEMENTS)]], Meta(max_length=limits.RANK)]
NumberOrName = Annotated[float | str, Meta(description="a number, or the name of one under 'for'")]
IntegerOrName = Annotated[int | str, Meta(description="an integer, or the name of one under 'for'")]
SeedOrName = Annotated[Annotated[int, Meta(ge=0, lt=2**32)] | str, Meta(description="a seed, or the name of one")]
ShapeOrName = Annotated[Shape | str, Meta(description="a shape, or the name of one under 'for'")]


class _Part(Struct, forbid_unknown_fields=True, rename="kebab", frozen=True):
    pass


class Document(_Part, frozen=True):
    """Where a file's cases come from. `conformance check --document` holds this against the document itself."""

    title: str
    section: Annotated[str, Meta(description="the section's heading, as the document has it")]
    lines: Annotated[
        str, Meta(pattern="^[1-9][0-9]{0,8}-[1-9][0-9]{0,8}$", description="first and last line of the section")
    ]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="of the document's bytes")]


class Normal(_Part, frozen=True):
    """Nearly normal numbers: the sum of twelve uniform ones less 6, times `scale`, plus `mean`."""

    shape: ShapeOrName
    seed: SeedOrName
    scale: NumberOrName = 1.0
    mean: NumberOrName = 0.0


class Uniform(_Part, frozen=True):
    """Uniform numbers in [low, high), whatever the dtype: what would round to `high` is the number below it."""

    shape: ShapeOrName
    seed: SeedOrName
    low: NumberOrName = 0.0
    high: NumberOrName = 1.0


class Integers(_Part, frozen=True):
    """Uniform integers in [low, high]."""

    shape: ShapeOrName
    seed: SeedOrName
    low: IntegerOrName
    high: IntegerOrName


class Bernoulli(_Part, frozen=True):
    """Zeros and ones; a one with the given probability."""

    shape: ShapeOrName
    seed: SeedOrName
    probability: NumberOrName = 0.5


class Binades(_Part, frozen=True):
    """Numbers of every magnitude: sign, significand and exponent are each uniform.

    The exponents go from `low` to `high`; by default over all that the dtype has, subnormals included.
    """

    shape: ShapeOrName
    seed: SeedOrName
    low: IntegerOrName | None = None
    high: IntegerOrName | None = None
    sign: Annotated[Literal["both", "positive", "negative"], Meta(description="which signs come")] = "both"


class Linspace(_Part, frozen=True):
    """`count` evenly spaced numbers from `start` to `stop`, both included."""

    start: NumberOrName
    stop: NumberOrName
    count: Annotated[int, Meta(ge=2, le=limits.ELEMENTS)]


class Full(_Part, frozen=True):
    """One number everywhere."""

    shape: ShapeOrName
    value: Annotated[float | int | str | bool, Meta(description="a number, or the name of one under 'for'")]


class Put(_Part, frozen=True):
    """One element that is replaced."""

    at: Annotated[list[int] | str, Meta(description="its index, or the name of one under 'for'")]
    value: Annotated[float | int | str | bool, Meta(description="a number, or the name of one under 'for'")]


class Given(_Part, frozen=True):
    """An input that is not written as a plain nested list: exactly one of its sources, and a dtype if need be."""

    array: Annotated[Any, Meta(description="a nested list of numbers")] = UNSET
    printed: (
        Annotated[str, Meta(description="what a framework printed: each number stands for an interval")] | UnsetType
    ) = UNSET
    normal: Normal | UnsetType = UNSET
    uniform: Uniform | UnsetType = UNSET
    integers: Integers | UnsetType = UNSET
    bernoulli: Bernoulli | UnsetType = UNSET
    binades: Binades | UnsetType = UNSET
    linspace: Linspace | UnsetType = UNSET
    full: Full | UnsetType = UNSET
    put: Annotated[Put, Meta(description="an element that is replaced, by a NaN, say")] | None = None
    layout: (
        Annotated[
            str,
            Meta(
                description="how it lies in memory: contiguous, transposed, stepped, padded, broadcast, or the name of "
                "one under 'for'"
            ),
        ]
        | None
    ) = None
    dtype: Annotated[str, Meta(description="the input's dtype, where it differs from the variant's")] | None = None

    @property
    def sources(self) -> dict[str, Any]:
        """The sources that are there, by name."""
        return {n: getattr(self, n) for n in GIVEN_SOURCES if getattr(self, n) is not UNSET}


GIVEN_SOURCES = ("array", "printed", "normal", "uniform", "integers", "bernoulli", "binades", "linspace", "full")


class Expect(_Part, frozen=True):
    """What must come of a call, beside the exact value."""

    raises: Annotated[bool, Meta(description="the call is refused with an error")] = False
    prints: Annotated[str, Meta(description="what the document printed; each number stands for an interval")] | None = (
        None
    )
    shape: Shape | None = None
    dtype: str | None = None
    values: Annotated[Any, Meta(description="a nested list: the result, where arithmetic does not define it")] = UNSET
    aliases: (
        Annotated[bool, Meta(description="whether the result shares the memory of the first input: a view, or a copy")]
        | None
    ) = None
    wraps: Annotated[bool, Meta(description="integers that don't fit their dtype wrap around, in every step")] = False
    because: Annotated[str, Meta(description="why these values or this dtype, where arithmetic does not say")] = ""


class Within(_Part, frozen=True):
    """How far the two sides of an ``==`` may be apart, instead of what the operations' budgets add up to."""

    because: Annotated[str, Meta(min_length=10, description="where the number comes from")]
    ulp: Annotated[float, Meta(gt=0)] | None = None
    absolute: Annotated[float, Meta(gt=0)] | None = None


class Case(_Part, frozen=True):
    """One entry: given inputs, a call or a claim, and what is expected of it."""

    name: CaseName
    given: Annotated[
        dict[Identifier, float | int | bool | str | list[Any] | Given], Meta(max_length=limits.INPUTS)
    ] = {}
    for_: Annotated[
        dict[Identifier, Any], Meta(description="a grid: one variant for each combination of these values")
    ] = msgspec.field(name="for", default_factory=dict)
    call: Annotated[str, Meta(description="an expression, such as softmax(x, axis=0)")] | None = None
    claim: Annotated[str, Meta(description="a comparison, such as 0 <= sigmoid(x) <= 1")] | None = None
    expect: Literal["raises"] | Expect = Expect()
    check: Annotated[list[Literal["value", "gradient"]], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["value"]
    )
    subnormals: Annotated[
        Literal["flushable", "preserve"],
        Meta(description="whether a subnormal result may come as zero (recorded as divergent), or must not"),
    ] = "flushable"
    within: Within | None = None
    about: Annotated[str, Meta(description="what the case shows, for readers of the report")] = ""
    draw: (
        Annotated[
            Literal["curve", "accuracy"],
            Meta(
                description="what the report draws: 'curve' is the result over the only input, 'accuracy' the error in "
                "ULP over the exponents of the first input"
            ),
        ]
        | None
    ) = None


class CaseFile(_Part, frozen=True):
    """A file of cases."""

    cases: Annotated[list[Case], Meta(min_length=1)]
    document: Document | None = None
    about: str = ""


class Instead(_Part, frozen=True):
    """The deviating outcome that is expected: exactly this, or the divergence is gone."""

    raises: Annotated[str, Meta(description="the name of the exception that comes")] | None = None
    returns: Annotated[bool, Meta(description="a result comes where an error is due")] = False
    dtype: str | None = None
    shape: Shape | None = None
    values: Annotated[Any, Meta(description="a nested list: the result that comes, bit for bit")] = UNSET
    non_finite: Annotated[
        int | list[int],
        Meta(
            description="so many elements are NaN or infinite where they must not be, or the other way; "
            "or the least and the most of them"
        ),
    ] = 0
    zeros: Annotated[
        int | list[int],
        Meta(
            description="so many elements are zero where they must not be, beside others that are off by `ulp`; "
            "or the least and the most of them"
        ),
    ] = 0
    zero_signs: Annotated[bool, Meta(description="zeros come with another sign")] = False
    aliases: Annotated[bool, Meta(description="the result shares the memory of the first input")] | None = None
    claim: Annotated[Literal[False], Meta(description="the claim does not hold, though every step does")] | None = None
    ulp: (
        Annotated[
            list[float], Meta(min_length=2, max_length=2, description="the largest error lies between these, in ULP")
        ]
        | None
    ) = None


class SeenOn(_Part, frozen=True):
    """Where a deviation was seen: there it has to show. Elsewhere it explains what is exactly it, demanding nothing."""

    machines: Annotated[list[str], Meta(description="as Python's platform.machine() names them, such as x86_64")] = []
    devices: list[Literal["cpu", "gpu"]] = []
    kernels: Annotated[
        list[Pattern],
        Meta(description="patterns of what the backend says it computes with, such as 'oneDNN *' or 'no oneDNN'"),
    ] = []


VersionRange = Annotated[str, Meta(max_length=200)]


class Divergence(_Part, frozen=True):
    """A registered deviation."""

    cases: Annotated[
        Pattern | list[Pattern],
        Meta(description="a pattern of variant IDs, or a list of them; * stands for anything, ? for one character"),
    ]
    instead: Instead
    because: Annotated[str, Meta(min_length=10, description="why, in one sentence")]
    first_seen: Annotated[str, Meta(description="framework and version, such as jax 0.10.2")]
    modes: list[str] = []
    dtypes: list[str] = []
    idioms: Annotated[
        list[Pattern], Meta(description="patterns of the spellings it is about; without them, the primary ones")
    ] = []
    versions: Annotated[
        VersionRange | dict[str, VersionRange],
        Meta(description="of the framework, such as >=2.0,<3, or of packages by name, such as {scipy: <1.18}"),
    ] = ""
    seen_on: Annotated[SeenOn | None, Meta(description="where it was seen, if not where the file says")] = None
    link: str = ""

    @property
    def ranges(self) -> dict[str, str]:
        """Its version ranges by package; that of the framework, if it stands alone, under an empty name."""
        if isinstance(self.versions, str):
            return {"": self.versions} if self.versions else {}
        return self.versions


class DivergenceFile(_Part, frozen=True):
    """The registered deviations of one backend."""

    backend: str
    divergences: list[Divergence]
    seen_on: Annotated[SeenOn | None, Meta(description="where its entries were seen; left out, everywhere")] = None


class Subset(_Part, frozen=True):
    """The variants that a slow mode runs."""

    backend: str
    mode: str
    because: Annotated[str, Meta(min_length=10)]
    variants: Annotated[list[Pattern], Meta(min_length=1, description="patterns of variant IDs")]


class SubsetFile(_Part, frozen=True):
    """The modes that run a declared subset."""

    subsets: list[Subset]
