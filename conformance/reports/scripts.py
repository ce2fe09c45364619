"""The scripts that repeat results, for a page that joins them in the browser: every distinct part once."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.reproduction import Composer, NoScriptError
from conformance.runfile import CaseLine, Record, Run, VariantLine

TITLE = -1
"""Stands for the part that says which variant it is: see `conformance.reproduction.title`."""


class Scripts:
    """The parts of the scripts of some runs.

    A script is a list of numbers: of its parts in `texts`, with `TITLE` among them. Joined by newlines, and with one
    at the end, the parts are the script.

    Args:
        runs: as read; `add` takes their indices.

    Attributes:
        texts: the distinct parts.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._composers = [Composer(run.header) for run in runs]
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """The distinct parts, by number."""
        return list(self._numbers)

    def add(self, run: int, case: CaseLine, variant: VariantLine, record: Record) -> list[int] | str:
        """The script of a result as numbers of parts; or, in words, why there is none."""
        try:
            script = self._composers[run].compose(case, variant, record.mode, record.idiom, record)
        except NoScriptError as reason:
            return str(reason)
        return [TITLE if part is script.title else self._number(part) for part in script.parts]

    def _number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))


def joined(numbers: Sequence[int], texts: Sequence[str], title: str) -> str:
    """A script from its parts, as a page has to join them."""
    return "\n".join(title if number == TITLE else texts[number] for number in numbers) + "\n"
