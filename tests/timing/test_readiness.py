"""Whether a call is done when it returns: told from how long its result takes to read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from conformance.timing.readiness import unfinished

NAP = 0.004


def later() -> threading.Thread:
    thread = threading.Thread(target=time.sleep, args=(NAP,))
    thread.start()
    return thread


def test_work_that_goes_on_after_the_call_is_seen() -> None:
    assert unfinished(later, threading.Thread.join, 1e-4) > NAP / 2


def test_work_that_was_waited_for_is_not() -> None:
    def waited() -> threading.Thread:
        thread = later()
        thread.join()
        return thread

    assert unfinished(waited, threading.Thread.join, NAP) == 0


def test_a_result_that_takes_long_to_read_whenever_it_is_read_is_finished() -> None:
    assert unfinished(lambda: None, lambda _: time.sleep(NAP), 1e-4) == 0


@pytest.mark.parametrize("held_up", [[0], [2, 3], [1, 4, 9]])
def test_a_machine_that_is_held_up_now_and_then_is_no_reason(held_up: list[int]) -> None:
    reads = 0

    def read(_: Any) -> None:
        nonlocal reads
        time.sleep(NAP * (10 if reads in held_up else 1))
        reads += 1

    assert unfinished(lambda: None, read, 1e-4) == 0


def test_a_machine_that_is_held_up_once_hides_no_unfinished_work() -> None:
    reads = 0

    def read(thread: threading.Thread) -> None:
        nonlocal reads
        if reads == 4:  # a later reading of a pair
            time.sleep(10 * NAP)
        thread.join()
        reads += 1

    assert unfinished(later, read, 1e-4) > 0


def test_work_that_is_small_beside_the_call_can_not_be_told_and_is_let_be() -> None:
    made: Callable[[], threading.Thread] = later
    assert unfinished(made, threading.Thread.join, 100 * NAP) == 0
