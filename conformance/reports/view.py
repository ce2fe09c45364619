"""What the parity page says, worked out from run files, with no HTML in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.judging import VERDICTS
from conformance.reports import explorer, issues
from conformance.reports.agreement import Agreement, agreements
from conformance.reports.columns import Column
from conformance.reports.curve import Figure, figures
from conformance.reports.issues import FAILURES, IssueGroup
from conformance.reports.material import Material, gather
from conformance.runfile import Run

_DIGEST_SHOWN = 12
_NAMED_SETTINGS = ("python", "system", "processor")


@dataclass(frozen=True, slots=True)
class Environment:
    """What one run ran on.

    Attributes:
        backend: the run's label.
        device: where.
        versions: of the backend's distributions.
        modes: each with its subnormal policy, in words.
        python, system, processor: of the machine.
        settings: the other settings, in words.
        started, finished: UTC; `finished` is empty for a run without a footer.
        suite: the package's version.
        digest: of the cases, shortened.
        complete: whether every variant of the manifest has a record.
    """

    backend: str
    device: str
    versions: list[str]
    modes: list[str]
    python: str
    system: str
    processor: str
    settings: list[str]
    started: str
    finished: str
    suite: str
    digest: str
    complete: bool


@dataclass(frozen=True, slots=True)
class CountRow:
    """A column's verdicts. `total` is their sum, `manifest` how many variants the mode was to run."""

    column: Column
    counts: dict[str, int]
    total: int
    manifest: int

    @property
    def adds_up(self) -> bool:
        """Whether every variant of the manifest is accounted for, and nothing else is."""
        return self.total == self.manifest


@dataclass(frozen=True, slots=True)
class Cell:
    """An operation in a column: how many records of each verdict. `worst` is the one that gives the cell its face."""

    counts: dict[str, int]

    @property
    def worst(self) -> str:
        """The gravest verdict there is; 'none' for no record at all."""
        order = ("failed", "crashed", "timed-out", "not-run", "divergent", "passed", "unsupported")
        return next((verdict for verdict in order if self.counts.get(verdict)), "none")


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An operation with its cells, one a column."""

    operation: str
    summary: str
    variants: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Translation:
    """An operation as the document spells it, and as each backend does (None where it has no idiom)."""

    operation: str
    summary: str
    document: str
    idioms: list[str | None]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the parity page, top to bottom."""

    backends: list[str]
    columns: list[Column]
    cases: int
    variants: int
    warnings: list[str]
    environments: list[Environment]
    subsets: list[str]
    counts: list[CountRow]
    verdicts: dict[str, int]
    matrix: list[MatrixRow]
    failures: list[IssueGroup]
    divergences: list[IssueGroup]
    unsupported: list[IssueGroup]
    agreements: list[Agreement]
    translations: list[Translation]
    figures: list[Figure]
    explorer: dict[str, Any]


def page(runs: Sequence[Run]) -> Page:
    """The parity page of some runs.

    Args:
        runs: one or more; their columns stand in this order.

    Raises:
        ValueError: there are no runs.
    """
    if not runs:
        raise ValueError("no runs to report on")
    material = gather(runs)
    counts = [_count_row(material, column) for column in material.columns]
    return Page(
        backends=material.labels,
        columns=material.columns,
        cases=len(material.cases),
        variants=len(material.variants),
        warnings=_warnings(material, counts),
        environments=[_environment(material, index) for index in range(len(runs))],
        subsets=[
            f"{column.label}: {column.mode.left_out:,} variants not in this mode's subset"
            + (f", because {column.mode.because}" if column.mode.because else "")
            for column in material.columns
            if column.mode.left_out
        ],
        counts=counts,
        verdicts={verdict: sum(row.counts[verdict] for row in counts) for verdict in VERDICTS},
        matrix=_matrix(material),
        failures=issues.groups(material, FAILURES),
        divergences=issues.groups(material, ("divergent",)),
        unsupported=issues.groups(material, ("unsupported",)),
        agreements=agreements(material.columns, material.records),
        translations=_translations(material),
        figures=figures(material),
        explorer=explorer.data(material),
    )


def _count_row(material: Material, column: Column) -> CountRow:
    counts = material.runs[column.run].counts()[column.mode.name]
    return CountRow(column, counts, sum(counts.values()), column.mode.variants)


def _warnings(material: Material, counts: list[CountRow]) -> list[str]:
    found = []
    for name, run in zip(material.labels, material.runs, strict=True):
        missing = {mode: lacking for mode, lacking in run.missing().items() if lacking > 0}
        if run.footer is None or missing:
            how = "it has no footer, so it did not come to its end" if run.footer is None else "it did finish"
            what = ", ".join(f"{lacking:,} in mode {mode}" for mode, lacking in missing.items()) or "no record"
            found.append(f"The run of {name} is incomplete: {how}; missing: {what}. They count as not-run.")
        if run.header.selection:
            found.append(f"The run of {name} was asked for a part of the corpus only: {run.header.selection}")
    digests = {run.header.cases_digest for run in material.runs}
    if len(digests) > 1:
        of = "; ".join(
            f"{name} {run.header.cases_digest[:_DIGEST_SHOWN]}"
            for name, run in zip(material.labels, material.runs, strict=True)
        )
        found.append(
            f"These runs are of different case files ({of}). What stands in one row may not be the same question."
        )
    suites = {run.header.suite for run in material.runs}
    if len(suites) > 1:
        found.append(f"These runs were made with different versions of the suite: {', '.join(sorted(suites))}.")
    for row in counts:
        if row.column.mode.unsupported:
            found.append(f"{row.column.label} could not run: {row.column.mode.unsupported}")
        if not row.adds_up:
            found.append(
                f"{row.column.label}: the verdicts add up to {row.total:,}, the manifest has {row.manifest:,} variants."
            )
    return found


def _environment(material: Material, index: int) -> Environment:
    run = material.runs[index]
    header = run.header
    policy = {None: "subnormals: not tried", True: "flushes subnormals to zero", False: "preserves subnormals"}
    return Environment(
        backend=material.labels[index],
        device=header.device,
        versions=[f"{name} {version}" for name, version in header.versions.items()],
        modes=[f"{mode.name}: {policy[mode.flushes_subnormals]}" for mode in header.modes],
        python=header.environment.get("python", "unknown"),
        system=header.environment.get("system", "unknown"),
        processor=header.environment.get("processor", "unknown"),
        settings=[f"{key}: {value}" for key, value in header.environment.items() if key not in _NAMED_SETTINGS],
        started=header.started,
        finished=run.footer.finished if run.footer else "",
        suite=header.suite,
        digest=header.cases_digest[:_DIGEST_SHOWN],
        complete=run.complete,
    )


def _matrix(material: Material) -> list[MatrixRow]:
    cells: dict[str, list[Counter[str]]] = {o: [Counter() for _ in material.columns] for o in material.operations}
    variants: Counter[str] = Counter()
    for variant, records in material.records.items():
        operation = material.operation_of(variant)
        variants[operation] += 1
        for column, record in records.items():
            cells[operation][column][record.verdict] += 1
    summaries = _operations(material)
    return [
        MatrixRow(
            operation,
            summaries.get(operation, {}).get("summary", ""),
            variants[operation],
            [Cell({v: counter[v] for v in VERDICTS if counter[v]}) for counter in cells[operation]],
        )
        for operation in material.operations
    ]


def _operations(material: Material) -> dict[str, dict[str, str]]:
    merged: dict[str, dict[str, str]] = {}
    for run in material.runs:
        for name, told in run.header.operations.items():
            merged.setdefault(name, told)
    return merged


def _translations(material: Material) -> list[Translation]:
    """Every operation that any run knows, the ones with cases of their own first."""
    told = _operations(material)
    sources: dict[str, dict[str, str]] = {}
    for label, run in zip(material.labels, material.runs, strict=True):
        for idiom in run.header.idioms:
            sources.setdefault(idiom.operation, {}).setdefault(label, idiom.source)
    known = [o for o in material.operations if o in told or o in sources]
    known += sorted(o for o in {*told, *sources} if o not in known)
    return [
        Translation(
            operation,
            told.get(operation, {}).get("summary", ""),
            told.get(operation, {}).get("document", ""),
            [sources.get(operation, {}).get(label) for label in material.labels],
        )
        for operation in known
    ]
