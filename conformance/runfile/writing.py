"""Writing a run file, line by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from conformance.judging import VERDICTS
from conformance.runfile.lines import Footer, Header, Line, Record
from conformance.runfile.sealing import encode


class Writer:
    """Writes a run file line by line; what was written stays readable whenever the process dies."""

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: BinaryIO = path.open("wb")
        self._counts: dict[str, dict[str, int]] = {mode.name: dict.fromkeys(VERDICTS, 0) for mode in header.modes}
        self._seen: set[str] = set()
        self._write(header)
        self._file.flush()

    def case(self, make: Any, case_id: str) -> None:
        """Write the case that `make` gives, unless one of that ID was written."""
        self._once("case " + case_id, make)

    def variant(self, make: Any, variant_id: str) -> None:
        """Write the variant that `make` gives, unless one of that ID was written."""
        self._once("variant " + variant_id, make)

    def _once(self, key: str, make: Any) -> None:
        if key not in self._seen:
            self._seen.add(key)
            self._write(make())

    def record(self, record: Record) -> None:
        """Write a record."""
        self._counts[record.mode][record.verdict] += 1
        self._write(record)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()

    def finish(self, finished: str) -> None:
        """Write the footer and close the file: the run is complete."""
        counts = without_zeros(self._counts)
        self._write(Footer(counts, finished, sum(n for verdicts in counts.values() for n in verdicts.values())))
        self._file.close()

    def close(self) -> None:
        """Close the file without a footer: the run is incomplete."""
        self._file.close()

    def _write(self, line: Line) -> None:
        self._file.write(encode(line))


def without_zeros(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Counts by mode and verdict, as a footer has them."""
    return {mode: {verdict: n for verdict, n in verdicts.items() if n} for mode, verdicts in counts.items()}
