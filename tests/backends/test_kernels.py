"""Which of its own code a framework runs on a processor: said by its adapter, recorded, and known to the registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from conformance import runfile
from conformance.backends.numpy import NumpyBackend
from conformance.backends.tensorflow import _instruction_set
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

OLD = {"SSE41": True, "AVX": True, "AVX2": True}
NEW = OLD | {"AVX512_SKX": True, "AVX512_SPR": True}


@pytest.mark.parametrize(
    ("has", "limit", "named"),
    [
        (NEW, "", "AVX512"),
        (OLD | {"X86_V4": True}, "", "AVX512"),
        (OLD, "", "AVX2"),
        ({"SSE41": True}, "", "SSE41"),
        (NEW, "AVX2", "AVX2"),
        (NEW, "avx2_vnni", "AVX2"),
        (NEW, "AVX", "AVX"),
        (NEW, "AVX512_CORE_VNNI", "AVX512"),
        (NEW, "SSE41", "SSE41"),
        (OLD, "AVX512_CORE", "AVX2"),  # a limit gives nobody what the processor lacks
        (NEW, "ALL", "AVX512"),
        (OLD | {"AVX_NE_CONVERT": True}, "", "AVX2_VNNI_2"),
        (OLD | {"AVX_NE_CONVERT": True}, "AVX2_VNNI_2", "AVX2_VNNI_2"),
        (OLD | {"AVX_NE_CONVERT": True}, "AVX2_VNNI", "AVX2"),
        (OLD | {"AVX_NE_CONVERT": False}, "", "AVX2"),
        ({}, "", "of unknown instructions"),
    ],
)
def test_onednn_computes_with_what_the_processor_has_up_to_its_limit(
    has: dict[str, bool], limit: str, named: str
) -> None:
    assert _instruction_set(has, limit) == named


ASK = """
import json
from conformance.backends.tensorflow import TensorflowBackend
from conformance.suite.recording import environment
backend = TensorflowBackend()
backend.start()
print(json.dumps(environment(backend)))
"""


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="tensorflow is not installed")
@pytest.mark.parametrize(("switch", "begins"), [("0", "no oneDNN"), ("1", "oneDNN ")])
def test_tensorflow_tells_whether_onednn_is_on(switch: str, begins: str) -> None:
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": switch}
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout.splitlines()[-1])["kernels"].startswith(begins)


CASES = "  - {name: one, given: {x: [0.0, 1.0]}, call: exp(x)}"
REGISTRY = """backend: numpy
divergences:
  - cases: things/one*
    seen-on: {kernels: ['ours *']}
    instead: {dtype: float64}
    because: somebody says so
    first-seen: numpy 2.4.6
"""


@pytest.mark.parametrize(("kernels", "verdict"), [("ours AVX2", "failed"), ("theirs", "passed"), ("", "passed")])
def test_a_run_records_the_kernels_and_demands_what_was_seen_with_them(
    kernels: str, verdict: str, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(NumpyBackend, "kernels", lambda self: kernels)
    cases = folder(CASES, **{"divergences/numpy.yaml": REGISTRY})
    session = BackendSession("numpy", select(cases, (), True), modes=["eager"])
    items = [("eager", case.id) for case in session.selection.cases]
    session.record_to(tmp_path / "run.jsonl", items)
    for case in session.selection.cases:
        session.run_case(case, "eager")
    session.finish(complete=True)
    run = runfile.read(tmp_path / "run.jsonl")
    assert run.header.environment.get("kernels", "") == kernels
    assert [record.verdict for part in run.parts() for record in part.records] == [verdict]
