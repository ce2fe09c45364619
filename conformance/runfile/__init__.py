"""Run files: what one backend's run recorded, as JSON Lines. A report, a merge or a diff needs nothing else.

The first line is the header, the last the footer; without a footer the run is incomplete, and every reader says so.
Between them stand each case before its first variant (once), each variant's inputs and exact answer before its first
record (once), and a record for each variant in each mode. Lines are told apart by ``kind``, and each ends with a
checksum of itself. A run that was cut off is gone on with in the same file: readers need no order beyond this one.

Imports judging, words, backends, truth, ground.
"""

from __future__ import annotations

from conformance.runfile.joining import JoinError, join
from conformance.runfile.lines import (
    FORMAT,
    CaseLine,
    FindingLine,
    Footer,
    Header,
    Held,
    IdiomSource,
    Line,
    ModeSummary,
    Part,
    Record,
    Shard,
    VariantLine,
)
from conformance.runfile.made import Made, encoded, plain
from conformance.runfile.reading import Reader, read, read_header
from conformance.runfile.run import CaseLines, Run, RunFileError
from conformance.runfile.stored import LARGEST_STORED, Stored
from conformance.runfile.writing import CANT_WRITE, LOST_RUN_FILE, UnwritableError, Writer, now

__all__ = [
    "CANT_WRITE",
    "FORMAT",
    "LARGEST_STORED",
    "LOST_RUN_FILE",
    "CaseLine",
    "CaseLines",
    "FindingLine",
    "Footer",
    "Header",
    "Held",
    "IdiomSource",
    "JoinError",
    "Line",
    "Made",
    "ModeSummary",
    "Part",
    "Reader",
    "Record",
    "Run",
    "RunFileError",
    "Shard",
    "Stored",
    "UnwritableError",
    "VariantLine",
    "Writer",
    "encoded",
    "join",
    "now",
    "plain",
    "read",
    "read_header",
]
