"""Run files: what one backend's run recorded, as JSON Lines. A report, a merge or a diff needs nothing else.

The first line is the header, the last the footer; without a footer the run is incomplete, and every reader says so.
Between them stand each case before its first variant (once), each variant's inputs and exact answer before its first
record (once), and a record for each variant in each mode. Lines are told apart by ``kind``, and each ends with a
checksum of itself.
"""

from __future__ import annotations

from conformance.runfile.lines import (
    FORMAT,
    LARGEST_STORED,
    CaseLine,
    FindingLine,
    Footer,
    Header,
    IdiomSource,
    Line,
    Made,
    ModeSummary,
    Record,
    Stored,
    VariantLine,
    encoded,
    plain,
)
from conformance.runfile.reading import CaseLines, Run, RunFileError, read
from conformance.runfile.writing import Writer

__all__ = [
    "FORMAT",
    "LARGEST_STORED",
    "CaseLine",
    "CaseLines",
    "FindingLine",
    "Footer",
    "Header",
    "IdiomSource",
    "Line",
    "Made",
    "ModeSummary",
    "Record",
    "Run",
    "RunFileError",
    "Stored",
    "VariantLine",
    "Writer",
    "encoded",
    "plain",
    "read",
]
