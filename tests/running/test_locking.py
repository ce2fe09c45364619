"""A folder is held by one process at a time, and by nobody once that is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.running.locking import NAME, LockedError, locked

HOLD = "import sys, time; from pathlib import Path; from conformance.running.locking import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def test_a_second_run_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "out"):
        with pytest.raises(LockedError) as caught, locked(tmp_path / "out"):
            pass
        assert f"{tmp_path / 'out'}: another run writes here (process {os.getpid()}, begun at 20" in str(caught.value)
        with locked(tmp_path / "elsewhere"):
            pass
    with locked(tmp_path / "out"):
        pass


def test_a_lock_file_that_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    with pytest.raises(LockedError, match=f"process {holder.pid}, "), locked(tmp_path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert f"process {holder.pid}, " in (tmp_path / NAME).read_text()
    with locked(tmp_path):
        assert f"process {os.getpid()}, " in (tmp_path / NAME).read_text()


def test_a_process_that_inherits_the_lock_holds_it(tmp_path: Path) -> None:
    with locked(tmp_path) as locks:
        heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=locks)
    with pytest.raises(LockedError), locked(tmp_path):
        pass
    heir.kill()
    heir.wait()
    with locked(tmp_path):
        pass


def test_other_files_of_a_folder_may_be_held_beside_but_neither_the_same_nor_the_folder(tmp_path: Path) -> None:
    with locked(tmp_path, ["a", "b"]):
        with locked(tmp_path, ["c"]):
            pass
        with (
            pytest.raises(LockedError, match=f"{tmp_path / 'b'}: another run writes here"),
            locked(tmp_path, ["c", "b"]),
        ):
            pass
        with pytest.raises(LockedError, match=f"{tmp_path}: another run writes here"), locked(tmp_path):
            pass
        with locked(tmp_path, ["c"]):  # what was refused holds nothing
            pass
    refused = pytest.raises(LockedError, match=f"{tmp_path}: another run writes here")
    with locked(tmp_path), refused, locked(tmp_path, ["a"]):
        pass
    with locked(tmp_path, ["a"]):
        pass


def test_a_folder_that_can_not_be_made_or_written_to_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError), locked(tmp_path / "file" / "out"):
        pass
