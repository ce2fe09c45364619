"""Names of devices: a kind, ``cpu`` or ``gpu``, and a number where it is not the first of its kind: ``gpu:1``."""

from __future__ import annotations

import re

_NAME = re.compile(r"(cpu|gpu)(?::([0-9]{1,3}))?")


def device(text: str) -> str:
    """A device's name as it is written everywhere: ``gpu:0`` is ``gpu``.

    Raises:
        ValueError: it is none.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise ValueError(f"no device '{text}'; there are cpu and gpu, and numbered ones such as gpu:1")
    return named(found[1], int(found[2] or 0))


def named(kind: str, number: int) -> str:
    """The name of a kind's device, counted from 0."""
    return f"{kind}:{number}" if number else kind


def kind_of(name: str) -> str:
    """``cpu`` or ``gpu``."""
    return name.partition(":")[0]


def number_of(name: str) -> int:
    """Which of its kind it is, counted from 0."""
    return int(name.partition(":")[2] or 0)


def file_stem(backend: str, device: str, *more: str) -> str:
    """What the name of a file about a backend on a device begins with, and what else tells it from others.

    No colons and spaces of devices and the rest: ``torch-gpu1``, ``numpy-cpu-baseline``.
    """
    parts = [part.replace(":", "").replace(" ", "-") for part in (device, *more) if part]
    return "-".join((backend, *parts))
