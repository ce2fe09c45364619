"""Whether a call that has returned is done: a result that is still being made takes longer to read.

An adapter that forgets to wait would report the time it takes to hand work over. It is caught by reading the result
right after a call, and again after another call and a pause long enough for any work to end.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

_PAIRS = 5
_EXCEPTIONS = 1
"""Pairs that may say otherwise: a machine that is held up once must not decide."""
_SHARE = 0.5
"""Of a call's time. Handing work over is quick, so that an adapter that does not wait leaves undone many times what its
call took; one that waits leaves nothing. On a machine that is shared, memory alone was seen to make up a third."""
_RESOLUTION = 30e-6
"""Seconds. Reading a small result varies by a few microseconds, with caches and the scheduler; what stays hidden below
this shows at the next larger size."""
_OF_READING = 0.25
"""Of what reading takes by itself, where it copies: by so much it varies with where the copy lands in memory."""


def unfinished(call: Callable[[], Any], read: Callable[[Any], Any], seconds: float) -> float:
    """Seconds of work that a call leaves undone when it returns.

    Args:
        call: makes a result, and waits for it.
        read: brings the result into the machine's memory, and waits for it if nothing else has.
        seconds: that the call takes.

    Returns:
        0 where reading takes no longer right after the call than later, within what can be told.
    """
    least = max(_SHARE * seconds, _RESOLUTION)
    at_once = _read_after(call, read, 0.0)
    if at_once <= least:
        return 0.0
    pause = 2 * at_once + seconds  # whatever was still going on took no longer than reading waited for it
    pairs = [(_read_after(call, read, 0.0), _read_after(call, read, pause)) for _ in range(_PAIRS)]
    hidden = sorted(soon - later for soon, later in pairs)[_EXCEPTIONS]
    reading = statistics.median(later for _, later in pairs)
    return hidden if hidden > max(least, _OF_READING * reading) else 0.0


def _read_after(call: Callable[[], Any], read: Callable[[Any], Any], pause: float) -> float:
    result = call()
    end = time.perf_counter() + pause
    # Not asleep: schedulers let those who slept go first, so that on a busy machine they read faster. Other threads of
    # this process may run meanwhile.
    while time.perf_counter() < end:
        time.sleep(0)
    start = time.perf_counter()
    read(result)
    return time.perf_counter() - start
