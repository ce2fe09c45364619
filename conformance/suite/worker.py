"""A process that runs attempts, and may die at any of them; seen from the keeper that forked it."""

from __future__ import annotations

import errno
import faulthandler
import os
import resource
import selectors
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from conformance.ground import processes
from conformance.runfile import CANT_WRITE, Reader, UnwritableError
from conformance.suite.attempts import Attempt
from conformance.suite.board import Board, End, Errors, Printed

START_FAILED = 70
"""Exit status of a process whose framework raised an error when it was started; it is the last line of its stderr."""
STARTS_WITHIN = 5
"""So many times the limit of an attempt may a framework take to start: its import reads hundreds of megabytes."""

CLOSED_ITS_FILE = CANT_WRITE + errno.EBADF
"""Exit status of a process in which a call closed files that were not its own: the attempt's doing, not the disk's."""

GAVE_UP = 71
"""Exit status of a process in which the framework computes nothing any more, after an error that is recorded."""

_ORDERLY = (0, 1, 5)  # of pytest's statuses: all passed, some failed, nothing to run
_GRACE_SECONDS = 1.0
_INTERRUPTS = (signal.SIGTERM, signal.SIGINT)


class Worker:
    """A share of the attempts, and the process that is at them; when it dies there will be another.

    Attributes:
        path: of the run file that it writes.
        attempts: what it has to do, in order.
        recorded: its run file as far as the keeper has read it; None before its first process has opened it.
        board: what its process is at.
        words: what its last process printed to stderr in the end.
        late: the number of the attempt that took too long: -1 for the start, -2 for none.
        done: whether there is nothing more to do for it.
        status: with which its process is going to end.
        whole: whether all of it was done, and not cut short by pytest.
    """

    _NOTHING = -2

    def __init__(self, path: Path, attempts: Sequence[Attempt], recorded: Reader | None = None) -> None:
        self.path = path
        self.attempts = attempts
        self.recorded = recorded
        self.board = Board()
        self.done = not self.left
        self.whole = self.done
        self.pid = 0
        self.out: Printed
        self.err: Errors
        self.late = self._NOTHING
        self.words: list[str] = []
        self.status = 0
        self._end = -1
        self._numbers = {attempt.key: number for number, attempt in enumerate(attempts)}
        self._seen, self._since = -1, 0.0

    @property
    def left(self) -> list[Attempt]:
        """The attempts that are not recorded."""
        recorded = self.recorded
        return [a for a in self.attempts if recorded is None or not recorded.holds(*a.key)]

    def begin(self, open_run_file: Callable[[Path, Reader | None], None]) -> bool:
        """Fork a process for what is left, which starts the framework. Returns in both processes: True in the new one.

        Args:
            open_run_file: called in the new process, to start the framework and open the run file.

        Raises:
            OSError: the system gives no process, or not what it needs.
        """
        if self.recorded is not None:
            self.recorded.without_footer()  # which the new process will cut off
        self.board = Board()
        self.out, self.err = Printed(), Errors(self.board)
        self.late = self._NOTHING
        self._seen, self._since = -1, time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            with warnings.catch_warnings():
                # NumPy's OpenBLAS keeps threads, which Python warns of: it stops and starts them around a fork itself.
                warnings.simplefilter("ignore", DeprecationWarning)
                self.pid = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
            self.out.close()
            raise
        if self.pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
            os.close(self.out.sink)
            return False
        try:
            self._settle()
            open_run_file(self.path, self.recorded)
            self.board.recording = True
        except UnwritableError as error:
            self.board.unwritable = error.number
            os._exit(START_FAILED)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(START_FAILED)
        return True

    def _settle(self) -> None:
        """Make the new process one that is ended with all it starts, and whose output goes to the keeper."""
        os.setpgid(0, 0)
        processes.die_with_parent()
        for one in _INTERRUPTS:
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(self.out.sink, 1)
        os.dup2(self.err.file.fileno(), 2)
        os.close(self.out.sink)
        os.close(self.out.source)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        faulthandler.enable(file=2)

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have the selector wake for what the process prints, and for its end where the system can tell."""
        selector.register(self.out.source, selectors.EVENT_READ, self.out)
        if sys.platform == "linux":
            self._end = os.pidfd_open(self.pid)
            selector.register(self._end, selectors.EVENT_READ)

    def announce(self, attempt: Attempt) -> None:
        """In the worker's process: say what is tried next."""
        self.err.mark()
        self.board.current = self._numbers[attempt.key]

    def give_up(self, error: Exception) -> None:
        """In the worker's process: leave the rest to another one."""
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - the last words of a worker
        os._exit(GAVE_UP)

    def end(self, status: int, whole: bool) -> None:
        """In the worker's process: say that pytest has come to its end, with what status, and whether all items ran."""
        self.status = status
        if status >= CANT_WRITE and status != CLOSED_ITS_FILE:
            self.board.unwritable = status - CANT_WRITE
        elif status in _ORDERLY:
            self.board.ended = End.ALL_RAN if whole else End.CUT_SHORT

    def hurry(self, limit: float) -> None:
        """End the process if it is at one thing for too long: first so that Python tells where it is, then for good.

        Args:
            limit: seconds that an attempt may take.
        """
        now = time.monotonic()
        if self.late != self._NOTHING:
            if now > self._since + _GRACE_SECONDS:
                self.kill()
        elif self.board.current != self._seen:
            self._seen, self._since = self.board.current, now
        elif now > self._since + (limit if self.board.recording else limit * STARTS_WITHIN):
            self.late, self._since = self._seen, now
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGABRT)

    @property
    def timed_out(self) -> bool:
        """Whether the process was ended because it took too long."""
        return self.late != self._NOTHING

    @property
    def in_hand(self) -> Attempt | None:
        """The attempt that the process was at, or was late with, and did not record; None where there is none."""
        number = self.board.current
        if number < 0 or self.late not in (self._NOTHING, number):
            return None
        attempt = self.attempts[number]
        return None if self.follow().holds(*attempt.key) else attempt

    def bury(self, selector: selectors.BaseSelector) -> int | None:
        """The status of the process as `os.waitpid` has it, if it has ended; ends what it started with it."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            self.err.pass_on()
            return None
        processes.end_group(self.pid)
        self.pid = 0
        self.out.drain()
        if self.out.source in selector.get_map():
            selector.unregister(self.out.source)
        os.close(self.out.source)
        self.err.pass_on()
        self.words = processes.last_words(self.err.tail())
        self.err.file.close()
        if self._end >= 0:
            selector.unregister(self._end)
            os.close(self._end)
            self.status = 0
        self._end = -1
        if self.board.recording:
            self.follow()
        return status

    def kill(self) -> None:
        """End the process and what it started."""
        processes.end_group(self.pid)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # it may not lead a group yet

    @property
    def size(self) -> int:
        """How many records its run file holds, as far as it was read."""
        return self.recorded.run.size if self.recorded is not None and self.recorded.run is not None else 0

    def follow(self) -> Reader:
        """Read what the process has recorded."""
        if self.recorded is None:
            self.recorded = Reader(self.path)
        self.recorded.follow()
        return self.recorded
