"""One backend's timings, a cell at a time, and what they were taken on."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

import conformance
from conformance import backends
from conformance.backends.base import IDIOMS, Backend
from conformance.backends.spelling import Unsupported
from conformance.backends.state import Change
from conformance.execution.starting import obstacle, started
from conformance.judging.judge import Judge
from conformance.runfile import now
from conformance.suite.recording import environment
from conformance.timing import copying
from conformance.timing.model import FORMAT, Cell, Circumstances, Copy
from conformance.timing.plan import Job, Plan
from conformance.timing.timed import Rounds, Timed, Withheld


class Bench:
    """A backend on a device, whose cells are timed.

    Args:
        name: of the backend.
        plan: what is to be timed.
        device: its name, as `conformance.ground.devices` has it.
        threads: how many the framework may compute with.
        modes: those that are timed; empty for all.
        selection: what else was asked for, in words.

    Attributes:
        unavailable: why the backend can't run here, if it can't: no cell then has times.
        withheld: cells without times, so far.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        device: str = "cpu",
        threads: int = 1,
        modes: Sequence[str] = (),
        selection: str = "",
    ) -> None:
        self.name = name
        self.device = device
        self.withheld: list[Cell] = []
        self._class = backends.load(name)
        known = [mode for mode in self._class.run_modes(device) if mode != IDIOMS]
        for mode in modes:
            if mode not in known:
                has = ", ".join(known)
                raise backends.UnknownBackendError(f"'{name}' has no timed mode '{mode}' on {device}; it has {has}")
        self.modes = [mode for mode in known if not modes or mode in modes]
        self.unavailable = self._class.not_installed() or ""
        self._plan = plan
        self._threads = threads
        self._threads_note = ""
        self._selection = selection
        self._backend: Backend | None = None
        self._changed_by_start: list[Change] = []
        self._judge = Judge()
        self._obstacles: dict[str, str] = {}
        self._copies: list[Copy] = []
        self._first_use: dict[str, float] = {}
        self._started = now()

    @property
    def backend(self) -> Backend:
        """The backend, once it has started.

        Raises:
            Unsupported: it can't run here.
        """
        if self._backend is None:
            raise Unsupported(self.unavailable or "it has not started")
        return self._backend

    def jobs(self) -> list[Job]:
        """The cells of the plan."""
        return self._plan.jobs(self.modes, self._class.modes[0])

    def start(self) -> None:
        """Import the framework and make it ready; measure memory copies. An obstacle becomes `unavailable`."""
        if self.unavailable or self._backend is not None:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._backend, self._changed_by_start = started(self._class, self.device, self._limit)
        except (Exception, SystemExit) as error:
            self.unavailable = obstacle(self._class, error)
        if self._backend is None:
            return
        gc.collect()
        gc.freeze()  # a framework's own objects live as long as the process: collections before each cell skip them
        self._copies = copying.measure(self._backend, self._threads)

    def _limit(self, backend: Backend) -> None:
        self._threads_note = backend.limit_threads(self._threads)

    def finish(self) -> Circumstances:
        """What was run, on what, and the cells without times. Copies are measured once more, since machines drift."""
        if self._backend is not None:
            again = copying.measure(self._backend, self._threads)
            self._copies = [Copy(a.bytes, a.seconds + b.seconds) for a, b in zip(self._copies, again, strict=True)]
        first = {f"first use of mode {mode}": f"{seconds:.2f} s" for mode, seconds in self._first_use.items()}
        return Circumstances(
            format=FORMAT,
            suite=conformance.__version__,
            backend=self.name,
            device=self.device,
            versions=self._class.versions(),
            environment=environment(self._backend, self._changed_by_start) | first,
            plain=self._class.modes[0],
            threads=self._threads,
            threads_note=self._threads_note,
            copies=self._copies,
            started=self._started,
            finished=now(),
            selection=self._selection,
            left_out=self._plan.left_out(self.modes),
            withheld=self.withheld,
        )

    def time(self, job: Job, rounds: Rounds) -> Cell:
        """Time a cell.

        Args:
            job: which.
            rounds: takes the times, of calls whose first output conforms and that are done when they return.

        Returns:
            The cell's facts. Where no times can be shown, `why_not` says why, and the cell is in `withheld`; times
            that `rounds` has taken all the same must then be thrown away.
        """
        self.start()
        backend = self._backend
        timed = Timed(job, self._judge)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                obstacle = self._obstacle(job.mode)
                if obstacle or backend is None:
                    raise Withheld(obstacle)
                with backend.scope(job.mode):
                    timed.run(backend, rounds)
            except Withheld as reason:
                timed.facts["why_not"] = str(reason)
            except Unsupported as reason:
                timed.facts["why_not"] = f"unsupported: {reason}"
            except MemoryError:
                timed.facts["why_not"] = "there is not enough memory"
            except Exception as error:
                message = " ".join(str(error).split())[:300]
                timed.facts["why_not"] = f"{timed.stage} raised {type(error).__name__}: {message}"
        cell = timed.cell()
        if cell.why_not:
            self.withheld.append(cell)
        return cell

    def _obstacle(self, mode: str) -> str:
        """Why nothing can be timed in a mode. Of a mode that can, what its first use costs is taken out of the way."""
        if self._backend is None:
            return self.unavailable
        if mode not in self._obstacles:
            self._obstacles[mode] = self._backend.missing_mode(mode)
            if not self._obstacles[mode]:
                self._first_use[mode] = _first_use(self._backend, mode)
        return self._obstacles[mode]


def _first_use(backend: Backend, mode: str) -> float:
    """Seconds for compiling and running one negation: a compiler's own modules are loaded by then."""
    start = time.perf_counter()
    with suppress(Exception), backend.scope(mode):  # a broken adapter shows in its cells, not here
        array = backend.from_numpy(np.ones(3, dtype=np.float32))
        backend.to_numpy(backend.compile(lambda x: -x, mode)(array))
        backend.training_step(lambda x: -x, mode, [array], [0], array)()
    return time.perf_counter() - start
