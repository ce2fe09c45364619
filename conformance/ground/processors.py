"""What Linux says of the processor."""

from __future__ import annotations

from contextlib import suppress


def cpuinfo(fact: str) -> str:
    """A fact about the first processor, such as 'model name' or 'flags'; empty where nothing tells."""
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        return next((line.partition(":")[2].strip() for line in lines if line.startswith(fact)), "")
    return ""
