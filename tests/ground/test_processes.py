"""What is said of the end of a process, and what is ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from conformance.ground import processes

FAULT = b"""noise
terminate called after throwing an instance of 'std::bad_alloc'

Fatal Python error: Aborted

Current thread 0x00007fd1 (most recent call first):
  File "/home/somebody/venv/lib/python3.11/site-packages/torch/nn/functional.py", line 5 in softmax
  File "/home/somebody/src/conformance/execution/program.py", line 140 in run
  File "/home/somebody/src/conformance/execution/executor.py", line 90 in run

Extension modules: numpy._core._multiarray_umath, and many more (total: 50)
"""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exit status 0"),
        (3 << 8, "exit status 3"),
        (signal.SIGSEGV, "SIGSEGV (segmentation fault)"),
        (signal.SIGABRT | 0x80, "SIGABRT (aborted)"),
        (signal.SIGKILL, "SIGKILL (killed from outside, as the kernel does for want of memory)"),
        (40, "signal 40"),
    ],
)
def test_an_end_is_told_by_the_name_of_the_signal_or_the_status(status: int, words: str) -> None:
    assert processes.ending(status) == words


def test_of_a_fault_what_came_before_it_and_the_innermost_calls_are_told() -> None:
    assert processes.last_words(FAULT) == [
        "noise",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "Fatal Python error: Aborted",
        "Current thread 0x00007fd1 (most recent call first):",
        '  File "nn/functional.py", line 5 in softmax',
    ]


def test_without_a_fault_the_last_lines_are_told_shortened() -> None:
    output = b"".join(b"%d\n" % i for i in range(20)) + b"x" * 1000 + b"\n\n\xff"
    words = processes.last_words(output)
    assert words == [*(str(i) for i in range(14, 20)), "x" * 300 + "…", "\ufffd"]
    assert processes.last_words(b"") == []


def test_the_children_of_a_child_are_adopted_and_ended_but_those_that_are_spared() -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
    code += " start_new_session=True, stdout=subprocess.DEVNULL).pid)"
    script = f"""
import subprocess, sys, time
from conformance.ground import processes
processes.adopt_orphans()
spared = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
orphan = int(subprocess.run([sys.executable, "-c", {code!r}], stdout=subprocess.PIPE).stdout)
assert processes.children() == {{spared.pid, orphan}}
processes.end_children(spare=[spared.pid])
assert processes.children() == {{spared.pid}} and spared.poll() is None
processes.end_children()
assert processes.children() == set()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_process_dies_with_its_parent() -> None:
    child = "from conformance.ground import processes; processes.die_with_parent(); import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    for _ in range(500):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().split()[2] == "Z":
                    break
        except FileNotFoundError:
            break
        time.sleep(0.01)
    else:
        pytest.fail("it lives on")
    assert os.getpid() != pid
