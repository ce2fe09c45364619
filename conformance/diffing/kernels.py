"""What changes where a framework is held to other kernels than it chooses here: what another processor would say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.diffing.comparing import compare
from conformance.diffing.pairing import Pairing, RunPair
from conformance.diffing.telling import mode_words
from conformance.runfile import Run


def lines(plain: Sequence[Run], runs: Sequence[Run]) -> Iterator[str]:
    """A line for each mode of each run that was held to other kernels, against the same one that was not.

    Args:
        plain: the runs with the frameworks' own choice.
        runs: all of them.
    """
    own = {run.header.backend: run for run in plain}
    for run in runs:
        header = run.header
        if header.held is None or header.backend not in own:
            continue
        modes = [(mode.name, mode.name) for mode in header.modes]
        compared = compare(Pairing([RunPair(own[header.backend], run, modes, [])], [], []))
        chosen = own[header.backend].header.kernels or "its own choice"
        yield f"{header.backend} held to {header.held_to} ({header.kernels or 'not told'}), against {chosen}:"
        for (mode, _), row in zip(modes, compared.modes, strict=True):
            yield f"  {mode:<9} {mode_words(row)}"
