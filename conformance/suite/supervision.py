"""Attempts run in processes of their own: what crashes, hangs or is killed costs one attempt, which is said.

The keeper is the pytest process that has collected the items. It imports no framework. It forks a worker, which runs
them; when that dies, the keeper records the attempt in hand as lost, and forks another for the rest. A fork costs some
milliseconds, where a new pytest process would cost most of a second; the framework itself is started anew each time.
"""

from __future__ import annotations

import math
import os
import selectors
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance import runfile
from conformance.ground import processes
from conformance.ground.verdicts import FAILURES, Verdict
from conformance.runfile import CANT_WRITE, Reader, RunFileError, UnwritableError, Writer, now
from conformance.suite.board import End
from conformance.suite.filing import Filing, drop_parts
from conformance.suite.worker import CLOSED_ITS_FILE, GAVE_UP, START_FAILED, STARTS_WITHIN, Worker

IN_A_ROW = 3
"""So many attempts in a row that are lost in the same way end a run: the framework is broken, not the attempts."""

_TICK_SECONDS = 0.05
_REFUSED_SECONDS = 5.0


@dataclass(slots=True)
class _Row:
    """Attempts lost in a row, with nothing recorded in between."""

    how: str = ""
    size: int = -1
    length: int = 0

    def add(self, how: str, before: int, after: int) -> int:
        """Add one: how it was lost, and how many records there were before and after that; the row's length now."""
        self.length = self.length + 1 if (how, before) == (self.how, self.size) else 1
        self.how, self.size = how, after
        return self.length


class Keeper:
    """Sees to it that every attempt is recorded, whatever becomes of the processes that make them.

    Args:
        filing: what is run, and the run file.
        workers: the shares of it; the first writes the run file itself, the others parts that are joined to it.
        limit: seconds that an attempt may take; 0 for any time.

    Attributes:
        stopped: why the run was ended before its end, if it was.
        unwritable: why a run file could not be written to, if it could not.
        failed: how many records there are of failures, at the end.
    """

    def __init__(self, filing: Filing, workers: Sequence[Worker], limit: float) -> None:
        self._filing = filing
        self._workers = workers
        self._limit = limit or math.inf
        self._rows = {worker.path: _Row() for worker in workers}
        self._selector = selectors.DefaultSelector()
        self._refused = 0.0
        self._gave_up = False
        self._parent = int(os.environ.get(processes.PARENT, os.getppid()))
        self.stopped = ""
        self.unwritable: UnwritableError | None = None
        self.failed = 0

    def run(self) -> Worker | None:
        """Run all attempts. Returns in every worker's process, with that, and in the keeper at the end, with None.

        Raises:
            KeyboardInterrupt: the keeper was interrupted, or the process that started it is gone.
            RunFileError: somebody removed a run file, or wrote to it.
        """
        processes.adopt_orphans()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            new = self._tend()
            if new is None:
                self._end_all()
                self._conclude()
        except RunFileError:
            for worker in self._workers:
                if worker.pid:
                    worker.kill()
            processes.end_children()
            raise
        return new

    def _tend(self) -> Worker | None:
        """Begin workers and watch them until there is nothing more to do, or no way to. Returns as `run` does."""
        try:
            while not self.stopped and self.unwritable is None and not all(worker.done for worker in self._workers):
                for worker in self._workers:
                    if not worker.done and not worker.pid and self._begin(worker):
                        return worker
                self._watch()
        except RunFileError:
            raise
        except BaseException:
            self._end_all()
            self._join()
            raise
        return None

    def _begin(self, worker: Worker) -> bool:
        """Begin, or try again later: others may end in the meantime. Returns in both processes: True in the new one."""
        try:
            new = worker.begin(self._open)
        except OSError as error:
            self._refused = self._refused or time.monotonic()
            if time.monotonic() - self._refused > _REFUSED_SECONDS:
                self.stopped = f"the system gives no process: {error.strerror}"
            return False
        self._refused = 0.0
        if new:
            self._filing.session.announce_to(worker.announce)
            self._filing.session.give_up_by(worker.give_up)
        else:
            worker.register(self._selector)
        return new

    def _open(self, path: Path, recorded: Reader | None) -> None:
        """In a worker's process: start the framework, and open the run file."""
        self._filing.open(path, recorded)
        if self._gave_up and not self._filing.session.subject.computes:
            raise RuntimeError("after an error it computes nothing any more, in a new process neither")

    def _watch(self) -> None:
        for key, _ in self._selector.select(_TICK_SECONDS):
            if key.data is not None and key.data.drain():
                self._selector.unregister(key.fileobj)
        if os.getppid() != self._parent:
            raise KeyboardInterrupt("the process that started this one is gone")
        for worker in self._workers:
            if worker.pid:
                status = worker.bury(self._selector)
                if status is not None:
                    try:
                        self._ended(worker, status)
                    except UnwritableError as error:
                        self.unwritable = error
                else:
                    worker.hurry(self._limit)

    def _ended(self, worker: Worker, status: int) -> None:
        """What is to be done after a process of a worker has ended."""
        board = worker.board
        if board.unwritable:
            self.unwritable = UnwritableError.of_status(worker.path, CANT_WRITE + board.unwritable)
        elif board.ended:
            worker.done = True
            worker.whole = board.ended == End.ALL_RAN
        elif not board.recording:
            words = [word.strip() for word in worker.words]
            how = f"nothing within {self._limit * STARTS_WITHIN:g} s" if worker.timed_out else processes.ending(status)
            cause = words[-1] if status == START_FAILED << 8 and words else "; ".join([how, *words])
            self.stopped = f"{self._filing.session.name} does not start: {cause}"
        elif status == GAVE_UP << 8 and worker.in_hand is None:
            self._gave_up = True
            worker.done = worker.whole = not worker.left
        else:
            self._lost(worker, status)

    def _lost(self, worker: Worker, status: int) -> None:
        verdict: Verdict = "timed-out" if worker.timed_out else "crashed"
        how = f"no result within {self._limit:g} s" if worker.timed_out else _ending(status)
        attempt, before = worker.in_hand, worker.size
        if attempt is not None:
            writer = Writer.go_on(worker.follow())
            words = worker.words
            if worker.timed_out:
                words = [word for word in words if not word.startswith(processes.FAULT)]  # that was the keeper's doing
            self._filing.session.record_loss(writer, attempt, verdict, how, "; ".join(words))
            writer.close()
            worker.follow()
        worker.done = worker.whole = not worker.left
        if self._rows[worker.path].add(how, before, worker.size) == IN_A_ROW and not worker.done:
            self.stopped = f"{IN_A_ROW} in a row {verdict}: {how}"

    def _end_all(self) -> None:
        for worker in self._workers:
            if worker.pid:
                worker.kill()
                while worker.bury(self._selector) is None:
                    time.sleep(0.001)
        processes.end_children()

    def _join(self) -> Reader | None:
        """Bring what all workers recorded into one file; None where there is none of this run."""
        written = [worker.recorded for worker in self._workers if worker.recorded is not None]
        if len(self._workers) == 1 or not written:
            return written[0] if written else None
        runfile.join([reader.path for reader in written], self._filing.path, of_one_run=True)
        drop_parts(self._filing.path)
        joined = Reader(self._filing.path)
        joined.follow()
        return joined

    def _conclude(self) -> None:
        """Write the footer, unless the run was cut short by pytest, or the disk is full."""
        recorded = None
        try:
            recorded = self._join()
            if recorded is None:
                Writer(self._filing.path, self._filing.header).finish(now(), self.stopped)
            elif recorded.run is not None and recorded.run.footer is not None:
                pass  # a run that was whole is resumed
            elif self.unwritable is None and (self.stopped or all(worker.whole for worker in self._workers)):
                Writer.go_on(recorded).finish(now(), self.stopped)
        except UnwritableError as error:
            self.unwritable = error
        if recorded is not None and recorded.run is not None:
            counts = recorded.run.recorded.values()
            self.failed = sum(verdicts[verdict] for verdicts in counts for verdict in FAILURES)


def _ending(status: int) -> str:
    return "it closed the run file" if status == CLOSED_ITS_FILE << 8 else processes.ending(status)
