"""What of a run file can't be so, whoever wrote it.

Nobody can tell from a file that a verdict is right: that takes the framework. But a verdict that its own record
contradicts was not given by this suite, and what reads it would show a pass beside the error that denies it.
"""

from __future__ import annotations

import math

from conformance.backends.base import IDIOMS
from conformance.ground import limits
from conformance.ground.verdicts import VERDICTS
from conformance.runfile.lines import Header, Record


def header_problem(header: Header) -> str:
    """Why a header's modes can't be so; empty where they can."""
    names, shard = [mode.name for mode in header.modes], header.shard
    if len(names) > limits.RUN_FILE_MODES:
        return f"{len(names):,} modes; {limits.RUN_FILE_MODES} are allowed"
    if twice := [name for name in names if names.count(name) > 1]:
        return f"the mode '{twice[0]}' a second time"
    if shard is None:
        return ""
    if not 1 <= shard.number <= shard.of:
        return f"there is no {shard}"
    if [mode.name for mode in shard.whole] != names:
        return "all shards together have other modes than this one"
    for share, whole in zip(header.modes, shard.whole, strict=True):
        if share.variants > whole.variants:
            return f"more variants in mode '{share.name}' than all shards together: {share.variants:,}"
    return ""


def record_problem(record: Record) -> str:
    """What in a record contradicts its verdict, or can't be at all; empty where nothing does."""
    if record.verdict not in VERDICTS:
        return f"an unknown verdict '{record.verdict}'"
    if record.verdict == "not-run":
        return "what was not run has no record"
    if bool(record.idiom) != (record.mode == IDIOMS):
        return f"the spelling '{record.idiom}' in mode {record.mode}" if record.idiom else "a spelling without a name"
    if any(number is not None and number < 0 for number in (record.ulp, record.budget, record.end_to_end)):
        return "an error or a budget below zero"
    if record.profile is not None:
        sizes = [math.prod(stored.shape) for stored in record.got]
        if sizes != [record.profile.size]:
            return f"it has errors by exponent of {record.profile.size:,} elements, the results have {sizes}"
        if problem := record.profile.contradiction():
            return f"of its errors by exponent: {problem}"
    return _verdict_problem(record)


def _verdict_problem(record: Record) -> str:
    found = ", ".join(dict.fromkeys(finding.channel for finding in record.findings))
    if record.verdict == "passed":
        if found or record.reason:
            return f"it passed, and yet it says what is wrong: {found or record.reason}"
        if record.ulp is not None and record.budget is not None and record.ulp > record.budget:
            return f"it passed with an error of {record.ulp:g} ULP, where {record.budget:g} were allowed"
        if record.profile is not None and any(one.over or one.lost for one in record.profile.bins):
            return "it passed, and yet elements are over their budgets, or NaN or infinite and must not be"
    elif record.verdict == "unsupported" and (found or record.got or record.raised):
        return f"it is unsupported, and yet something came: {found or record.raised or 'a result'}"
    return ""
