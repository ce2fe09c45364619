"""Another order of cases, modes and variants, and what of a run depends on it: hidden state of a backend.

A cache with too short a key, a global flag, a buffer that is used again: whether such a thing shows depends on what ran
before. A second run in another order has other things before each variant; where its outcome is another one, the
variants are coupled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from conformance.runfile import Record, Run


def place(seed: int, *names: str) -> str:
    """Where something stands in the order of a seed, among others: it depends on nothing but the seed and the names.

    So a part of the cases keeps the order that it has within the whole, on every machine.
    """
    return hashlib.sha256("\n".join([str(seed), *names]).encode()).hexdigest()


def coupled(run: Run, shuffled: Run) -> Iterator[str]:
    """A line for each outcome that is another one in another order, and for each that only one of the runs has.

    Args:
        run: in the order of the files.
        shuffled: of the same variants on the same machine.
    """
    backend, order = run.header.backend, shuffled.header.order
    for case in dict.fromkeys([*run.cases, *shuffled.cases]):
        first = _by_key(run.part(case).records if case in run.cases else ())
        second = _by_key(shuffled.part(case).records if case in shuffled.cases else ())
        for key in dict.fromkeys([*first, *second]):
            one, other = first.get(key), second.get(key)
            variant, mode, idiom = key
            where = f"{variant}   {backend} {mode}{f' ({idiom})' if idiom else ''}"
            if one is None or other is None:
                yield f"{where}: in one order only"
            elif one.verdict != other.verdict:
                yield f"{where}: {one.verdict} in the order of the files, {other.verdict} in the order {order}"
            elif (one.got, one.raised) != (other.got, other.raised):
                yield f"{where}: {one.verdict} in both orders, with another result in the order {order}"


def _by_key(records: Iterable[Record]) -> dict[tuple[str, str, str], Record]:
    return {(record.variant, record.mode, record.idiom): record for record in records}
