"""The backend under test: once started on a device, it executes variants, and what comes is judged."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from conformance.backends.base import IDIOMS, Backend
from conformance.backends.spelling import Idioms
from conformance.backends.state import Change
from conformance.casefile.model import Divergence
from conformance.casefile.variants import LoadedCase, Variant
from conformance.execution.executor import Executor
from conformance.execution.outcome import Outcome
from conformance.execution.starting import obstacle, started
from conformance.judging.divergences import Registry
from conformance.judging.judge import Judge, Judgement
from conformance.suite.attempts import Result
from conformance.suite.preparing import Preparing

_CASES_REMEMBERED = 50
"""Compiled functions are shared by neighbouring cases, and let go after so many: memory is that of a few cases."""


class Subject:
    """A backend under test, on a device.

    Args:
        name: of the backend.
        kind: its adapter.
        device: where.
        divergences: what is registered, each with the name of its backend.

    Attributes:
        unavailable: why the backend can't run here, if it can't: every variant is then `unsupported`.
        backend: the adapter at work; None where it was not started, or can't be.
        computes: whether the framework computed anything when it had started.
        changed_by_start: what its start left changed of the process.
        preparing: of the variants that are run.
        answers: the exact answers of the current case.
    """

    def __init__(
        self, name: str, kind: type[Backend], device: str, divergences: Sequence[tuple[str, Divergence]]
    ) -> None:
        self.name = name
        self.kind = kind
        self.device = device
        self.unavailable = kind.not_installed() or ""
        self.backend: Backend | None = None
        self.computes = False
        self.changed_by_start: list[Change] = []
        self.preparing = Preparing()
        self._divergences = divergences
        self._executor: Executor | None = None
        self._judge = Judge()
        self.answers = self._judge.answers
        self._registry: Registry | None = None  # which entries are demanded hangs on the kernels of what has started
        self._missing_modes: dict[str, str] = {}
        self._last_case = ""
        self._cases_run = 0

    def start(self) -> None:
        """Import the framework and make it ready; an obstacle becomes `unavailable`."""
        if self.unavailable or self.backend is not None:
            return
        try:
            with quiet():
                self.backend, self.changed_by_start = started(self.kind, self.device)
                kernels = self.backend.kernels()
                self._registry = Registry(self._divergences, self.name, self.kind.versions(), self.device, kernels)
                self._executor = Executor(self.backend)
                self.computes = self._executor.computes()
        except (Exception, SystemExit) as error:
            self.unavailable = obstacle(self.kind, error)
        if self._executor is None:
            self.backend = None

    @property
    def idioms(self) -> Idioms:
        """The backend's spellings."""
        return self.kind.idioms

    @property
    def watch(self) -> AbstractContextManager[object]:
        """What looks at the state of the process while it is entered, once the backend has started."""
        return self._executor.watch if self._executor else nullcontext()

    def run(self, variant: Variant, mode: str, idiom: str = "") -> Result:
        """Run and judge one variant."""
        missing = self.missing(mode)
        if self._executor is None or self._registry is None or missing:
            return Result(variant, mode, Judgement("unsupported", missing), Outcome(), idiom)
        prepared = self.preparing.prepared(variant)
        inputs, executed = list(prepared.inputs.values()), self._executed(mode)
        written = self.preparing.written(variant, idiom)
        program, spelled = (prepared.program, idiom) if written is None else (written.program, "")
        if variant.check == "value":
            aliasing = variant.case.expect.aliases is not None
            outcome = self._executor.run(program, inputs, executed, spelled, aliasing)
        else:
            outcome = self._executor.gradient(program, inputs, executed, spelled)
        entries = self._registry.find(variant, mode, idiom)
        if written is None:
            judgement = self._judge.judge(variant, prepared.program, outcome, entries)
        else:
            judgement = self._judge.judge_formula(variant, prepared.program, written, outcome, entries)
        return Result(variant, mode, judgement, outcome, idiom)

    def _executed(self, mode: str) -> str:
        """The mode that other spellings are run in: the plain one."""
        return self.kind.modes[0] if mode == IDIOMS else mode

    def missing(self, mode: str) -> str:
        """Why nothing can run in a mode: the backend, the device or the mode is missing."""
        if self.backend is None:
            return self.unavailable
        if mode not in self._missing_modes:
            try:
                self._missing_modes[mode] = self.backend.missing_mode(self._executed(mode))
            except Exception as error:  # a broken adapter
                self._missing_modes[mode] = f"its adapter can't tell whether it runs: {type(error).__name__}: {error}"
        return self._missing_modes[mode]

    def is_worn_out(self, outcome: Outcome) -> bool:
        """Whether the framework, which computed when it had started, computes nothing any more after an error."""
        return bool(outcome.raised and self.computes and self._executor and not self._executor.computes())

    def forget(self, case: LoadedCase) -> None:
        """Let go, every so many cases, of what was compiled for those before `case`."""
        if self._executor is not None and case.id != self._last_case:
            self._last_case = case.id
            self._cases_run += 1
            if self._cases_run % _CASES_REMEMBERED == 0:
                self._executor.release()


@contextmanager
def quiet() -> Iterator[None]:
    """What frameworks warn of (overflow, a truncated dtype) is judged by its result, and not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
