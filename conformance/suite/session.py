"""One backend's run over a selection of cases: executes, judges and records."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from msgspec import UNSET

from conformance import backends
from conformance.accuracy import curve
from conformance.backends.base import IDIOMS, Backend, own_version
from conformance.backends.spelling import Idioms, Unsupported
from conformance.backends.state import Change
from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import names_in
from conformance.casefile.inputs import materialise
from conformance.casefile.numbers import to_array
from conformance.casefile.variants import LoadedCase, Variant
from conformance.corpus import Selection, Share
from conformance.divergences import Registry
from conformance.dtypes import DTYPES
from conformance.execution import Executor, Outcome, differentiated, started
from conformance.failure import failure_text
from conformance.findings import Measured
from conformance.judging import Judge, Judgement, Verdict
from conformance.ops import OPERATIONS
from conformance.ordering import place
from conformance.picture import picture
from conformance.program import Program, compile_variant
from conformance.runfile import (
    LARGEST_STORED,
    CaseLine,
    FindingLine,
    Header,
    Reader,
    Record,
    Stored,
    UnwritableError,
    VariantLine,
    Writer,
    encoded,
    now,
)
from conformance.suite.describing import Describing, Item, WholeOfShard
from conformance.suite.recording import bare_variant_line, case_line, expectation, made
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.truth.gradient import default_cotangent
from conformance.truth.rounding import Rounded
from conformance.wording import exact_digits

_RESIDUALS_STORED = 8
_CASES_REMEMBERED = 50
"""Compiled functions are shared by neighbouring cases, and let go after so many: memory is that of a few cases."""
_GRADIENT_BUDGET = "a running error bound over the paths from an input to the result, in the exact definition"


@dataclass(slots=True)
class Prepared:
    """A variant's inputs and program, the same for every mode."""

    variant: Variant
    inputs: dict[str, np.ndarray]
    program: Program


@dataclass(slots=True)
class _CaseInHand:
    """What the variants and modes of one case share; the next case takes its place."""

    id: str
    names_dtype: bool
    programs: dict[str, Program] = field(default_factory=dict)
    prepared: dict[str, Prepared] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A variant in a mode, in a spelling: what one record is about."""

    variant: Variant
    mode: str
    idiom: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other: the variant's ID, the mode, the spelling."""
        return self.variant.id, self.mode, self.idiom


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a variant in a mode."""

    variant: Variant
    mode: str
    judgement: Judgement
    outcome: Outcome
    idiom: str = ""


class BackendSession:
    """A backend, started on a device, and its run over a selection, in another order where a seed says so.

    Attributes:
        name: of the backend.
        modes: those that are run.
        unavailable: why the backend can't run here, if it can't: every variant is then `unsupported`.
    """

    def __init__(
        self,
        name: str,
        selection: Selection,
        device: str = "cpu",
        modes: Sequence[str] = (),
        random_order: int | None = None,
    ) -> None:
        self.name = name
        self.selection = selection
        self._class = backends.load(name)
        known = self._class.run_modes(device)
        for mode in modes:
            if mode not in known:
                where = f" on {device}" if mode in self._class.gpu_modes else ""
                raise backends.UnknownBackendError(
                    f"backend '{name}' has no mode '{mode}'{where}; it has {', '.join(known)}"
                )
        self.modes = [mode for mode in known if not modes or mode in modes]
        self.device = device
        self._seed = random_order
        self.unavailable = self._class.not_installed() or ""
        self._backend: Backend | None = None
        self._executor: Executor | None = None
        self._judge = Judge()
        self._registry = Registry(selection.corpus.divergences, name, own_version(self._class), device)
        self._writer: Writer | None = None
        self._recorded: Reader | None = None
        self._announce: Callable[[Attempt], None] = lambda attempt: None
        self._missing_modes: dict[str, str] = {}
        self._changed_by_start: list[Change] = []
        self._current = _CaseInHand("", False)
        self._last_case = ""
        self._cases_run = 0

    def start(self) -> None:
        """Import the framework and make it ready; an obstacle becomes `unavailable`."""
        if self.unavailable or self._backend is not None:
            return
        try:
            with _quiet():
                self._backend, self._changed_by_start = started(self._class, self.device)
                self._executor = Executor(self._backend)
        except Unsupported as reason:
            self.unavailable = str(reason)
        except ImportError as error:
            self.unavailable = f"{self._class.package} can't be imported: {error}"
        except (Exception, SystemExit) as error:
            self.unavailable = f"its adapter does not start: {type(error).__name__}: {' '.join(str(error).split())}"
        if self._executor is None:
            self._backend = None

    def record_to(
        self,
        path: Path,
        items: Sequence[Item],
        selected: str = "",
        shard: WholeOfShard | None = None,
        recorded: Reader | None = None,
    ) -> None:
        """Write a run file from here on.

        Args:
            path: of the run file.
            items: mode and case ID of everything that will run.
            selected: what was asked for, for the header.
            shard: where `items` are one shard of several: what all of them are.
            recorded: the run file as far as it goes, if it is to be gone on with; what it holds is not run again.

        Raises:
            UnwritableError: it can't be written to.
        """
        self.start()
        self.leave_out(recorded)
        if recorded is None:
            with self._executor.watch if self._executor else nullcontext():
                header = self.header(self.shares(items), selected, shard)
            self._writer = Writer(path, header)
        else:
            self._writer = Writer.go_on(recorded)

    def leave_out(self, recorded: Reader | None) -> None:
        """Don't run what is in a run file already."""
        self._recorded = recorded

    def announce_to(self, announce: Callable[[Attempt], None]) -> None:
        """Call `announce` before each attempt from here on."""
        self._announce = announce

    def shares(self, items: Sequence[Item]) -> dict[str, Share]:
        """What each mode runs, of these items."""
        shares = {}
        for mode in self.modes:
            chosen = [case_id for item_mode, case_id in items if item_mode == mode]
            whole = self.selection.share(self.name, mode)
            # What -k left out is not what the mode's subset leaves out.
            shares[mode] = (
                whole if set(whole.variants) == set(chosen) else self.selection.share(self.name, mode, chosen)
            )
        return shares

    def attempts(self, case: LoadedCase, mode: str) -> list[Attempt]:
        """Everything of a case that the mode's share holds: in the grid's order, or in that of the seed."""
        share = self.selection.share(self.name, mode, [case.id])
        variants = share.variants.get(case.id, [])
        chosen = [Attempt(variant, mode, idiom) for variant in variants for idiom in share.spellings(variant)]
        if self._seed is not None:
            seed = self._seed
            chosen.sort(key=lambda one: place(seed, one.variant.id, one.idiom))
        return chosen

    @property
    def idioms(self) -> Idioms:
        """The backend's spellings."""
        return self._class.idioms

    def run_variant(self, variant: Variant, mode: str, idiom: str = "") -> Result:
        """Run and judge one variant, and record nothing."""
        self.start()
        with _quiet():
            return self._run(variant, mode, idiom)

    def run_case(self, case: LoadedCase, mode: str) -> list[Result]:
        """Run every variant of a case that the mode's share holds, judge each, and record it.

        What is in the run file already is left out.

        Raises:
            UnwritableError: the run file can't be written to.
            Exception: something broke while judging; after all else was run.
        """
        self.start()
        self._forget(case)
        results, broken = [], []
        with _quiet(), self._executor.watch if self._executor else nullcontext():
            for attempt in self.attempts(case, mode):
                if self._recorded is None or not self._recorded.holds(*attempt.key):
                    self._announce(attempt)
                    try:
                        results.append(self._attempt(attempt))
                    except UnwritableError:
                        raise
                    except Exception as error:
                        broken.append(error)
        if broken:
            raise broken[0]
        return results

    def _attempt(self, attempt: Attempt) -> Result:
        """Make an attempt, and record it. Its variant is written before, to be there whatever becomes of it."""
        variant, writer = attempt.variant, self._writer
        if writer is not None:
            self._judge.answers.of_case(variant.case.id)
            writer.case(lambda: self.case_line(variant), variant.case.id)
            writer.variant(lambda: self.variant_line(variant), variant.id)
            writer.flush()
        result = self._run(variant, attempt.mode, attempt.idiom)
        if writer is not None:
            writer.record(self.record_line(result))
        return result

    def record_loss(self, writer: Writer, attempt: Attempt, verdict: Verdict, reason: str, detail: str) -> None:
        """Record an attempt that cost its process; with nothing that would have to be worked out: that may be why."""
        variant = attempt.variant
        writer.case(lambda: self.case_line(variant), variant.case.id)
        writer.variant(lambda: bare_variant_line(variant), variant.id)
        expected = "an error" if variant.case.expect.raises else "a result"
        finding = FindingLine("status", expected, reason, detail)
        writer.record(Record(*attempt.key[:2], verdict, reason, [finding], idiom=attempt.idiom))

    def _forget(self, case: LoadedCase) -> None:
        """Let go, every so many cases, of what was compiled for those before."""
        if self._executor is not None and case.id != self._last_case:
            self._last_case = case.id
            self._cases_run += 1
            if self._cases_run % _CASES_REMEMBERED == 0:
                self._executor.release()

    def finish(self, complete: bool) -> None:
        """Close the run file; with a footer if every item ran.

        Raises:
            UnwritableError: the run file can't be written to.
        """
        if self._writer is not None:
            if complete:
                self._writer.finish(now())
            else:
                self._writer.close()
            self._writer = None

    def _run(self, variant: Variant, mode: str, idiom: str = "") -> Result:
        missing = self.missing(mode)
        if self._executor is None or missing:
            return Result(variant, mode, Judgement("unsupported", missing), Outcome(), idiom)
        prepared = self._prepare(variant)
        inputs, executed = list(prepared.inputs.values()), self._executed(mode)
        if variant.check == "value":
            aliasing = variant.case.expect.aliases is not None
            outcome = self._executor.run(prepared.program, inputs, executed, idiom, aliasing)
        else:
            outcome = self._executor.gradient(prepared.program, inputs, executed, idiom)
        entry = self._registry.find(variant, mode, idiom)
        return Result(variant, mode, self._judge.judge(variant, prepared.program, outcome, entry), outcome, idiom)

    def _executed(self, mode: str) -> str:
        """The mode that other spellings are run in: the plain one."""
        return self._class.modes[0] if mode == IDIOMS else mode

    def missing(self, mode: str) -> str:
        """Why nothing can run in a mode: the backend, the device or the mode is missing."""
        if self._backend is None:
            return self.unavailable
        if mode not in self._missing_modes:
            try:
                self._missing_modes[mode] = self._backend.missing_mode(self._executed(mode))
            except Exception as error:  # a broken adapter
                self._missing_modes[mode] = f"its adapter can't tell whether it runs: {type(error).__name__}: {error}"
        return self._missing_modes[mode]

    def _prepare(self, variant: Variant) -> Prepared:
        case = variant.case
        if self._current.id != case.id:
            self._current = _CaseInHand(case.id, "dtype" in names_in(case.expression))
        known = self._current.prepared
        if variant.id not in known:
            known[variant.id] = Prepared(variant, materialise(variant), self._program(variant))
        return known[variant.id]

    def _program(self, variant: Variant) -> Program:
        """The variant's program; variants that differ only in a dtype which their expression doesn't name share one."""
        current = self._current
        key = repr([(k, v) for k, v in variant.bindings.items() if k != "dtype" or current.names_dtype])
        if key not in current.programs:
            current.programs[key] = compile_variant(variant)
        return current.programs[key]

    def case_line(self, variant: Variant) -> CaseLine:
        """What a run file says of a variant's case."""
        return case_line(variant.case, self.selection.corpus.root)

    def record_line(self, result: Result) -> Record:
        """What a run file says of a result."""
        variant, judgement, outcome = result.variant, result.judgement, result.outcome
        measured = judgement.measured
        got = list(outcome.gradients.values()) if variant.check == "gradient" else outcome.received[-1:]
        steps = self._prepare(variant).program.steps
        entry = self._registry.find(variant, result.mode, result.idiom) if judgement.verdict == "divergent" else None
        return Record(
            variant.id,
            result.mode,
            judgement.verdict,
            judgement.reason,
            [FindingLine(f.channel, f.expected, f.got, f.detail, f.non_finite) for f in judgement.findings],
            [Stored.of(array) for array in got] if not (outcome.raised or outcome.unsupported) else [],
            f"{outcome.raised.type}: {outcome.raised.message}" if outcome.raised else "",
            _finite(measured.ulp) if measured else None,
            _finite(measured.budget) if measured else None,
            list(measured.index) if measured else [],
            f"{measured.step + 1}, {steps[measured.step].operation}" if measured and len(steps) > 1 else "",
            _finite(judgement.end_to_end),
            entry.spec.link if entry else "",
            result.idiom,
            self._picture(variant, got) if variant.check == "value" else "",
            judgement.profile,
            _exact_text(measured),
            measured.exact[2] if measured and measured.exact else None,
            measured.wrt if measured else "",
        )

    def _picture(self, variant: Variant, got: list[np.ndarray]) -> str:
        """Where a result is off that is too large to be stored; reports draw the others by themselves."""
        if not got or got[0].size <= LARGEST_STORED:
            return ""
        exact, _ = self._exact(self._prepare(variant))
        return "" if exact is None else picture(exact, got[0])

    def variant_line(self, variant: Variant) -> VariantLine:
        """What a run file says of a variant."""
        prepared = self._prepare(variant)
        with _quiet():
            array, values = self._exact(prepared)
        return VariantLine(
            variant.id,
            variant.case.id,
            variant.dtype.name,
            {name: Stored.of(value) for name, value in prepared.inputs.items()},
            Stored.of(array) if array is not None else None,
            _finite_only(values.residual.ravel()[:_RESIDUALS_STORED].tolist()) if values is not None else [],
            expectation(variant),
            _budget_source(variant, prepared.program),
            variant.check,
            {n: encoded(v) for n, v in variant.bindings.items() if n in names_in(variant.case.expression)},
            self._truth(prepared),
            _curve(prepared, array),
            made(variant, prepared.inputs),
            variant.case.expect.aliases,
        )

    def _exact(self, prepared: Prepared) -> tuple[np.ndarray | None, Rounded | None]:
        """The answer that does not depend on what any backend received, and its residuals where it has them."""
        variant, program, inputs = prepared.variant, prepared.program, list(prepared.inputs.values())
        stated = variant.case.expect.values
        if stated is not UNSET:
            with suppress(Mistake):  # values that the dtype can't hold; the examination says so
                return to_array(stated, DTYPES[variant.case.expect.dtype or variant.dtype.name]), None
            return None, None
        answers = self._judge.answers.of_program(program, inputs) if program.steps else []
        if len(answers) < len(program.steps) or not answers:
            return None, None
        if variant.check != "gradient" or answers[-1].array is None:
            return answers[-1].array, answers[-1].values
        wrt = [name for name, _ in differentiated(program, inputs)][:1]
        cotangent = default_cotangent(answers[-1].array.shape)
        with suppress(UndefinedError, UndecidedError):
            for exact in self._judge.answers.of_gradient(program.steps[-1], inputs, wrt, cotangent):
                return exact.values.value, exact.values
        return None, None

    def _truth(self, prepared: Prepared) -> str:
        """What a variant's answer rests on, in the words of `VariantLine`."""
        expect = prepared.variant.case.expect
        if expect.raises:
            return "refusal"
        if prepared.program.relations:
            return "claim"
        if expect.values is not UNSET:
            return "stated"
        if expect.prints is not None:
            return "document"
        answers = self._judge.answers.of_program(prepared.program, list(prepared.inputs.values()))
        return "convention" if any(a.special is not None and a.special.any() for a in answers) else "arithmetic"

    def header(self, shares: dict[str, Share], selected: str, shard: WholeOfShard | None = None) -> Header:
        """What a run file says of the run. What only the framework can tell is left out until it was started.

        Args:
            shares: what each mode runs.
            selected: what was asked for.
            shard: where that is one shard of several: what all of them are.
        """
        describing = Describing(
            self.name,
            self._class,
            self._backend,
            self.missing,
            self.selection,
            self.device,
            self.modes,
            self._changed_by_start,
            f"random, seed {self._seed}" if self._seed is not None else "",
        )
        return describing.header(shares, selected, shard, self.shares(shard.items) if shard else shares)


def _curve(prepared: Prepared, exact: np.ndarray | None) -> list[tuple[float, float]]:
    """Points of the exact curve, where the accuracy of an elementwise operation is drawn."""
    if prepared.variant.case.case.draw != "accuracy" or exact is None:
        return []
    (step,) = prepared.program.steps
    return curve(step.bind(list(prepared.inputs.values())), exact) if OPERATIONS[step.operation].elementwise else []


def _budget_source(variant: Variant, program: Program) -> str:
    """Where the budget comes from: of the gradient, or of the last step."""
    if variant.check == "gradient":
        return _GRADIENT_BUDGET
    return OPERATIONS[program.steps[-1].operation].budget_source if program.steps else ""


@contextmanager
def _quiet() -> Iterator[None]:
    """What frameworks warn of (overflow, a truncated dtype) is judged by its result, and not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _finite_only(residuals: list[float]) -> list[float]:
    """Residuals as JSON has them: that of an overflow may be infinite, and stands for nothing more."""
    return [residual if residual - residual == 0 else 0.0 for residual in residuals]


def _exact_text(measured: Measured | None) -> str:
    """The exact value of the measured element, where arithmetic defines one and it does not overflow."""
    if measured is None or measured.exact is None:
        return ""
    value, residual, _ = measured.exact
    (text,) = exact_digits(np.asarray(value), np.array(residual))
    return "" if text == "overflow" else text


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def describe_failure(session: BackendSession, result: Result) -> str:
    """A failing variant as a person wants to read it."""
    case = result.variant.case.case
    call = case.claim or case.call or ""
    findings = result.judgement.findings
    return failure_text(
        result.variant.id,
        session.name,
        result.mode,
        result.idiom,
        session.device,
        call,
        case.claim is not None,
        findings,
        session.selection.root,
    )
