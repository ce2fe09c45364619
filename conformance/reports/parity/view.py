"""What the parity page says, worked out from run files, with no HTML in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.backends.base import IDIOMS
from conformance.ground.verdicts import FAILURES, VERDICTS
from conformance.reports.parity.accuracy import Accuracies, Accuracy
from conformance.reports.parity.agreement import Agreement, Agreements
from conformance.reports.parity.blame import Blame, BlameSeen
from conformance.reports.parity.budgets import Budgets, BudgetsSeen
from conformance.reports.parity.curve import Figures
from conformance.reports.parity.details import PACKET, Details
from conformance.reports.parity.index import Index
from conformance.reports.parity.matrix import Family, Matrix
from conformance.reports.parity.porting import Function, Porting
from conformance.reports.shared.columns import Column
from conformance.reports.shared.issues import IssueGroup, Issues
from conformance.reports.shared.material import Material, gather
from conformance.reports.shared.plot import Figure
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
        commit: of the cases, where it is known.
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
    commit: str
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
class Page:
    """Everything on the parity page.

    `counts` has a row for each mode and for the other spellings of each backend; `verdicts` sums up the modes,
    `other_verdicts` the other spellings, of which there are `spellings`. Agreement, matrix, budgets and curves are
    about the primary spellings. `index`, `packets` and `shared` make up the list of variants (see `details`).
    """

    backends: list[str]
    columns: list[Column]
    cases: int
    variants: int
    spellings: int
    warnings: list[str]
    environments: list[Environment]
    subsets: list[str]
    counts: list[CountRow]
    verdicts: dict[str, int]
    other_verdicts: dict[str, int]
    matrix: list[Family]
    failures: list[IssueGroup]
    divergences: list[IssueGroup]
    unsupported: list[IssueGroup]
    blames: list[Blame]
    compared: int
    agreements: list[Agreement]
    functions: list[Function]
    budgets: Budgets
    figures: list[Figure]
    accuracies: list[Accuracy]
    index: dict[str, Any]
    packets: list[str]
    shared: dict[str, list[Any]]


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
    every = sorted([*material.columns, *material.beside], key=lambda column: (column.run, column.number))
    counts = [_count_row(material, column) for column in every]
    told = _operations(material)
    matrix, issues, blame = Matrix(material), Issues(material), BlameSeen(material.columns)
    agreements, porting, budgets = Agreements(material.columns), Porting(material), BudgetsSeen(material.columns)
    figures, index = Figures(material.columns), Index(material)
    details, accuracies = Details(material, index), Accuracies(material.columns)
    for part in material.parts():
        for gathering in (matrix, issues, blame, agreements, porting, budgets, figures, accuracies, index, details):
            gathering.add(part)
    shared = details.finish()
    return Page(
        backends=material.labels,
        columns=material.columns,
        cases=len(material.cases),
        variants=matrix.total,
        spellings=len(material.spellings),
        warnings=_warnings(material, counts),
        environments=[_environment(material, index) for index in range(len(runs))],
        subsets=[
            f"{column.label}: {column.mode.left_out:,} variants not in this mode's subset"
            + (f", because {column.mode.because}" if column.mode.because else "")
            + (f"; it runs {', '.join(column.mode.subset)}" if column.mode.subset else "")
            for column in every
            if column.mode.left_out
        ],
        counts=counts,
        verdicts=_sum(row for row in counts if not row.column.beside),
        other_verdicts=_sum(row for row in counts if row.column.beside),
        matrix=matrix.families(told),
        failures=issues.groups(FAILURES),
        divergences=issues.groups(("divergent",)),
        unsupported=issues.groups(("unsupported",)),
        blames=blame.all(),
        compared=blame.compared,
        agreements=agreements.pairs,
        functions=porting.functions(told),
        budgets=budgets.all(material.operations, told),
        figures=figures.all,
        accuracies=accuracies.all(figures.all),
        index=index.data() | {"perPacket": PACKET},
        packets=details.packets,
        shared=shared,
    )


def _count_row(material: Material, column: Column) -> CountRow:
    counts = material.runs[column.run].counts()[column.mode.name]
    return CountRow(column, counts, sum(counts.values()), column.mode.variants)


def _sum(rows: Iterable[CountRow]) -> dict[str, int]:
    chosen = list(rows)
    return {verdict: sum(row.counts[verdict] for row in chosen) for verdict in VERDICTS}


def _warnings(material: Material, counts: list[CountRow]) -> list[str]:
    found = []
    for name, run in zip(material.labels, material.runs, strict=True):
        missing = run.missing()
        if run.footer is None or missing:
            how = "it did finish" if run.footer else "it has no footer, so it did not come to its end"
            how = run.footer.stopped if run.footer and run.footer.stopped else how
            what = ", ".join(f"{lacking:,} {_in(mode)}" for mode, lacking in missing.items()) or "no record"
            found.append(f"The run of {name} is incomplete: {how}; missing: {what}. They count as not-run.")
        if part := run.header.part_of_cases:
            found.append(f"The run of {name} was asked for a part of the corpus only: {part}")
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
    return found


def _in(mode: str) -> str:
    return "of other spellings" if mode == IDIOMS else f"in mode {mode}"


def _environment(material: Material, index: int) -> Environment:
    run = material.runs[index]
    header = run.header
    policy = {None: "subnormals: not tried", True: "flushes subnormals to zero", False: "preserves subnormals"}
    return Environment(
        backend=material.labels[index],
        device=header.place,
        versions=[f"{name} {version}" for name, version in header.versions.items()],
        modes=[f"{mode.name}: {policy[mode.flushes_subnormals]}" for mode in header.modes if mode.name != IDIOMS],
        python=header.environment.get("python", "unknown"),
        system=header.environment.get("system", "unknown"),
        processor=header.environment.get("processor", "unknown"),
        settings=[f"{key}: {value}" for key, value in header.environment.items() if key not in _NAMED_SETTINGS],
        started=header.started,
        finished=run.footer.finished if run.footer else "",
        suite=header.suite,
        digest=header.cases_digest[:_DIGEST_SHOWN],
        commit=header.commit,
        complete=run.complete,
    )


def _operations(material: Material) -> dict[str, dict[str, str]]:
    merged: dict[str, dict[str, str]] = {}
    for run in material.runs:
        for name, told in run.header.operations.items():
            merged.setdefault(name, told)
    return merged
