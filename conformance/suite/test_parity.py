"""Each case in each mode of each backend. A failing item lists its failing variants."""

from __future__ import annotations

import pytest

from conformance.casefile.variants import LoadedCase
from conformance.runfile import UnwritableError
from conformance.suite.session import BackendSession, GaveUpError, describe_failure

_MOST_SHOWN = 10


def test_case(session: BackendSession, mode: str, case: LoadedCase) -> None:
    """Every variant of the case conforms, or deviates exactly as registered."""
    try:
        results = session.run_case(case, mode)
    except UnwritableError as error:
        pytest.exit(str(error), returncode=error.status)
    except GaveUpError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.INTERRUPTED)
    failed = [result for result in results if result.judgement.verdict == "failed"]
    if failed:
        text = "\n\n".join(describe_failure(session, result) for result in failed[:_MOST_SHOWN])
        rest = len(failed) - _MOST_SHOWN
        pytest.fail(text + (f"\n\n… and {rest} more variants of this case" if rest > 0 else ""), pytrace=False)
    if not results:
        pytest.skip("is in the run file already")
    unsupported = [result for result in results if result.judgement.verdict == "unsupported"]
    if len(unsupported) == len(results):
        pytest.skip(unsupported[0].judgement.reason)
