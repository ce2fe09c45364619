"""One backend's run over a selection of cases: what the backend under test makes of them is recorded."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from conformance import backends
from conformance.casefile.variants import LoadedCase, Variant
from conformance.ground.verdicts import Verdict
from conformance.runfile import (
    CaseLine,
    FindingLine,
    Header,
    Reader,
    Record,
    UnwritableError,
    VariantLine,
    Writer,
    now,
)
from conformance.runfile.failure import failure_text
from conformance.suite.attempts import Attempt, Result
from conformance.suite.describing import Describing, Item, WholeOfShard, held_to
from conformance.suite.lines import Lines
from conformance.suite.ordering import place
from conformance.suite.recording import bare_variant_line, case_line
from conformance.suite.selection import Selection, Share
from conformance.suite.subject import Subject, quiet


class GaveUpError(Exception):
    """After an error the framework computes nothing any more in this process; what it has done is recorded."""


def _raise(error: GaveUpError) -> None:
    raise error


class BackendSession:
    """A backend, started on a device, and its run over a selection, in another order where a seed says so.

    Attributes:
        name: of the backend.
        modes: those that are run.
        subject: the backend at work.
        held: the kernels that its process is held to; None where the framework has its own choice.
    """

    def __init__(
        self,
        name: str,
        selection: Selection,
        device: str = "cpu",
        modes: Sequence[str] = (),
        random_order: int | None = None,
        kernels: str = "",
    ) -> None:
        self.name = name
        self.selection = selection
        kind = backends.load(name)
        known = kind.run_modes(device)
        for mode in modes:
            if mode not in known:
                where = f" on {device}" if mode in kind.gpu_modes else ""
                raise backends.UnknownBackendError(
                    f"backend '{name}' has no mode '{mode}'{where}; it has {', '.join(known)}"
                )
        self.modes = [mode for mode in known if not modes or mode in modes]
        self.device = device
        self._seed = random_order
        self.held = held_to(kind, kernels) if kernels else None
        self.subject = Subject(name, kind, device, selection.corpus.divergences)
        self._lines = Lines(self.subject.preparing, self.subject.answers)
        self._writer: Writer | None = None
        self._recorded: Reader | None = None
        self._announce: Callable[[Attempt], None] = lambda attempt: None
        self._give_up: Callable[[GaveUpError], object] = _raise
        self._process = os.getpid()

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
        self.subject.start()
        self._process = os.getpid()
        self.leave_out(recorded)
        if recorded is None:
            with self.subject.watch:
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

    def give_up_by(self, give_up: Callable[[GaveUpError], object]) -> None:
        """Call `give_up`, instead of raising, once the framework computes nothing any more."""
        self._give_up = give_up

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

    def run_variant(self, variant: Variant, mode: str, idiom: str = "") -> Result:
        """Run and judge one variant, and record nothing."""
        self.subject.start()
        with quiet():
            return self.subject.run(variant, mode, idiom)

    def run_case(self, case: LoadedCase, mode: str) -> list[Result]:
        """Run every variant of a case that the mode's share holds, judge each, and record it.

        What is in the run file already is left out.

        Raises:
            UnwritableError: the run file can't be written to.
            GaveUpError: the framework computes nothing any more; what is left must be run in another process.
            Exception: something broke while judging; after all else was run.
        """
        self.subject.start()
        self.subject.forget(case)
        results, broken = [], []
        with quiet(), self.subject.watch:
            for attempt in self.attempts(case, mode):
                if self._recorded is None or not self._recorded.holds(*attempt.key):
                    self._announce(attempt)
                    try:
                        results.append(self._attempt(attempt))
                    except (UnwritableError, GaveUpError):
                        raise
                    except Exception as error:
                        broken.append((attempt, error))
        if broken:
            for attempt, fault in broken:
                broken[0][1].add_note(_not_run(attempt, fault))
            raise broken[0][1]
        return results

    def _attempt(self, attempt: Attempt) -> Result:
        """Make an attempt, and record it. Its variant is written before, to be there whatever becomes of it."""
        variant, writer = attempt.variant, self._writer
        if writer is not None:
            self.subject.answers.of_case(variant.case.id)
            writer.case(lambda: self.case_line(variant), variant.case.id)
            writer.variant(lambda: self.variant_line(variant), variant.id)
            writer.flush()
        result = self.subject.run(variant, attempt.mode, attempt.idiom)
        if os.getpid() != self._process:
            os._exit(0)  # a copy of this process, which the call forked and let go on: it must not record
        if writer is not None:
            writer.record(self.record_line(result))
        if self.subject.is_worn_out(result.outcome):
            self._give_up(GaveUpError(f"after an error in {variant.id}, {self.name} computes nothing any more"))
        return result

    def record_loss(self, writer: Writer, attempt: Attempt, verdict: Verdict, reason: str, detail: str) -> None:
        """Record an attempt that cost its process; with nothing that would have to be worked out: that may be why."""
        variant = attempt.variant
        writer.case(lambda: self.case_line(variant), variant.case.id)
        writer.variant(lambda: bare_variant_line(variant), variant.id)
        expected = "an error" if variant.case.expect.raises else "a result"
        finding = FindingLine("status", expected, reason, detail)
        writer.record(Record(*attempt.key[:2], verdict, reason, [finding], idiom=attempt.idiom))

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

    def case_line(self, variant: Variant) -> CaseLine:
        """What a run file says of a variant's case."""
        return case_line(variant.case, self.selection.corpus.root)

    def record_line(self, result: Result) -> Record:
        """What a run file says of a result."""
        return self._lines.record(result)

    def variant_line(self, variant: Variant) -> VariantLine:
        """What a run file says of a variant."""
        with quiet():
            return self._lines.variant(variant)

    def header(self, shares: dict[str, Share], selected: str, shard: WholeOfShard | None = None) -> Header:
        """What a run file says of the run. What only the framework can tell is left out until it was started.

        Args:
            shares: what each mode runs.
            selected: what was asked for.
            shard: where that is one shard of several: what all of them are.
        """
        describing = Describing(
            self.name,
            self.subject.kind,
            self.subject.backend,
            self.subject.missing,
            self.selection,
            self.device,
            self.modes,
            self.subject.changed_by_start,
            f"random, seed {self._seed}" if self._seed is not None else "",
            self.held,
        )
        return describing.header(shares, selected, shard, self.shares(shard.items) if shard else shares)


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
        session.held.name if session.held else "",
        call,
        case.claim is not None,
        findings,
        session.selection.root,
    )


def _not_run(attempt: Attempt, error: Exception) -> str:
    """Which variant has no record, and why, with the place in the suite that it broke at."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    how = f"{attempt.mode} ({attempt.idiom})" if attempt.idiom else attempt.mode
    return f"not run: {attempt.variant.id} {how}: {type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
