"""Run files -> files for other programs: JUnit XML, a summary as JSON and as Markdown, a badge, a table as CSV.

All of them are written in one pass over the run files, a case at a time, so that memory does not grow with the records.
"""

from __future__ import annotations

from conformance.reports.machines.writing import NAMES, write

__all__ = ["NAMES", "write"]
