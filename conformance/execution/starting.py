"""A backend made and started, and what that left changed of the process."""

from __future__ import annotations

from collections.abc import Callable

from conformance.backends.base import Backend
from conformance.backends.spelling import Unsupported
from conformance.backends.state import AT_START, Change, Watch


def started(
    kind: type[Backend], device: str, before: Callable[[Backend], object] | None = None
) -> tuple[Backend, list[Change]]:
    """A backend on a device, made and started, and what its start left changed of the process.

    That is put back, and so is what importing the framework changes, which is none of its adapter's doing (importing
    JAX 0.10 draws from NumPy's generator).

    Args:
        kind: the adapter's class.
        device: where.
        before: called with the adapter before anything else is asked of it (to limit its threads, say).

    Raises:
        Unsupported: it can't run here, or there is no such device.
        ImportError: the framework can't be imported.
    """
    watch = Watch(AT_START)
    with watch:
        backend = kind(device)
    if before is not None:
        before(backend)
    with watch:
        if device not in backend.devices():
            raise Unsupported(f"no {device} here; {kind.name} sees {', '.join(backend.devices())}")
        backend.start()
    return backend, watch.changes


def obstacle(kind: type[Backend], error: BaseException) -> str:
    """Why a backend can't run here, from what `started` raised."""
    if isinstance(error, Unsupported):
        return str(error)
    if isinstance(error, ImportError):
        return f"{kind.package} can't be imported: {error}"
    return f"its adapter does not start: {type(error).__name__}: {' '.join(str(error).split())}"
