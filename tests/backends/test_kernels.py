"""Which of its own code a framework runs on a processor: said by its adapter, recorded, and known to the registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from conformance import runfile
from conformance.backends import kernels
from conformance.backends.jax import JaxBackend
from conformance.backends.numpy import NumpyBackend
from conformance.backends.tensorflow import TensorflowBackend, _instruction_set
from conformance.backends.torch import TorchBackend
from conformance.ground.processors import cpuinfo
from conformance.suite.selection import select
from conformance.suite.session import BackendSession

OLD = {"SSE41", "SSE42", "AVX", "AVX2"}
NEW = OLD | {"AVX512_SKX", "AVX512_SPR"}
ARM = {"NEON", "ASIMD", "SVE"}


def processor(monkeypatch: pytest.MonkeyPatch, has: set[str], dispatched: Sequence[str] = ()) -> None:
    """Let NumPy say that it found these features, and has code of its own for some."""
    monkeypatch.setattr(kernels, "features", lambda: has)
    monkeypatch.setattr(kernels, "dispatched", lambda: list(dispatched))


@pytest.mark.parametrize(
    ("has", "linux", "limit", "named"),
    [
        (NEW, "", "", "AVX512"),
        (OLD | {"X86_V4"}, "", "", "AVX512"),
        (OLD, "", "", "AVX2"),
        ({"SSE41"}, "", "", "SSE41"),
        (NEW, "", "AVX2", "AVX2"),
        (NEW, "", "avx2_vnni", "AVX2"),
        (NEW, "", "AVX", "AVX"),
        (NEW, "", "AVX512_CORE_VNNI", "AVX512"),
        (NEW, "", "SSE41", "SSE41"),
        (OLD, "", "AVX512_CORE", "AVX2"),  # a limit gives nobody what the processor lacks
        (NEW, "", "ALL", "AVX512"),
        (OLD, "avx avx_ne_convert", "", "AVX2_VNNI_2"),
        (OLD, "avx_ne_convert", "AVX2_VNNI_2", "AVX2_VNNI_2"),
        (OLD, "avx_ne_convert", "AVX2_VNNI", "AVX2"),
        (OLD, "avx", "", "AVX2"),
        (set(), "", "", "of unknown instructions"),
    ],
)
def test_onednn_computes_with_what_the_processor_has_up_to_its_limit(
    has: set[str], linux: str, limit: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, has)
    monkeypatch.setattr("conformance.backends.tensorflow.cpuinfo", lambda fact: linux)
    assert _instruction_set(limit) == named


@pytest.mark.parametrize(
    ("has", "flags", "named"),
    [
        (OLD, "", "XLA AVX2"),
        (NEW, "", "XLA AVX512"),
        ({"SSE41", "SSE42"}, "", "XLA SSE4.2"),
        (NEW, "--xla_cpu_max_isa=AVX2", "XLA AVX2"),
        (NEW, "--xla_a=1 --xla_cpu_max_isa=SSE4_2", "XLA SSE4.2"),
        (NEW, "--xla_cpu_max_isa=AVX2 --xla_cpu_max_isa=AVX", "XLA AVX"),  # the last one holds
        (NEW, "--xla_cpu_max_isa=AMX_FP16", "XLA AVX512"),
        (OLD, "--xla_cpu_max_isa=AVX512", "XLA AVX2"),
        (ARM, "", ""),
    ],
)
def test_xla_compiles_for_what_the_processor_has_up_to_its_limit(
    has: set[str], flags: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, has)
    monkeypatch.setenv("XLA_FLAGS", flags)
    assert kernels.of_xla() == named


@pytest.mark.parametrize(
    ("has", "dispatched", "named"),
    [
        (OLD | {"X86_V3"}, ("X86_V3", "X86_V4", "AVX512_ICL"), "AVX2"),
        (NEW | {"X86_V3", "X86_V4"}, ("X86_V3", "X86_V4"), "AVX512"),
        (NEW | {"X86_V3", "X86_V4", "AVX512_ICL"}, ("X86_V3", "X86_V4", "AVX512_ICL"), "AVX512_ICL"),
        (OLD, ("X86_V3", "X86_V4"), "baseline"),  # it has the instructions, and NumPy was told not to use them
        (ARM, ("ASIMD", "SVE"), "SVE"),
        (OLD, (), "baseline"),
    ],
)
def test_numpy_tells_the_widest_code_that_it_chose(
    has: set[str], dispatched: tuple[str, ...], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, has, dispatched)
    assert NumpyBackend().kernels() == named


def test_choices_are_others_where_the_processor_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    for has, linux, others in (
        ({"SSE41", "SSE42"}, "", {"onednn"}),
        (OLD, "", {"onednn", "xla-sse4.2", "default"}),
        (NEW, "avx512_vnni", {"no-onednn", "xla-sse4.2", "xla-avx2", "default", "avx2"}),
    ):
        processor(monkeypatch, has)
        monkeypatch.setattr("conformance.backends.tensorflow.cpuinfo", lambda fact, linux=linux: linux)
        choices = TensorflowBackend.kernel_choices() | TorchBackend.kernel_choices() | JaxBackend.kernel_choices()
        assert {name for name, choice in choices.items() if choice.other} == others
        assert set(choices) == {"onednn", "no-onednn", "xla-avx2", "xla-sse4.2", "avx2", "default"}
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    processor(monkeypatch, ARM)
    assert not TorchBackend.kernel_choices() | JaxBackend.kernel_choices() | NumpyBackend.kernel_choices()


def test_flags_of_xla_that_are_set_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    monkeypatch.setenv("XLA_FLAGS", "--xla_a=1 --xla_cpu_max_isa=AVX2 --xla_b=2")
    flags = kernels.choices_of_xla()["xla-sse4.2"].variables["XLA_FLAGS"]
    assert flags == "--xla_a=1 --xla_b=2 --xla_cpu_max_isa=SSE4_2"
    monkeypatch.setenv("XLA_FLAGS", flags)  # as the process that was started so has it
    assert kernels.choices_of_xla()["xla-sse4.2"].variables["XLA_FLAGS"] == flags


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


@pytest.mark.parametrize(("chosen", "verdict"), [("ours AVX2", "failed"), ("theirs", "passed"), ("", "passed")])
def test_a_run_records_the_kernels_and_demands_what_was_seen_with_them(
    chosen: str, verdict: str, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(NumpyBackend, "kernels", lambda self: chosen)
    cases = folder(CASES, **{"divergences/numpy.yaml": REGISTRY})
    session = BackendSession("numpy", select(cases, (), True), modes=["eager"])
    items = [("eager", case.id) for case in session.selection.cases]
    session.record_to(tmp_path / "run.jsonl", items)
    for case in session.selection.cases:
        session.run_case(case, "eager")
    session.finish(complete=True)
    run = runfile.read(tmp_path / "run.jsonl")
    assert run.header.environment.get("kernels", "") == chosen
    assert [record.verdict for part in run.parts() for record in part.records] == [verdict]


FLOAT16 = """
import numpy as np
from conformance import backends
backend = backends.load({name!r})()
backend.start()
for dtype in (np.float32, np.float16):
    with backend.scope({mode!r}):
        try:
            array = backend.from_numpy(np.ones(2, dtype))
            print(backend.to_numpy(backend.compile(lambda x: (x + x,), {mode!r})(array)[0]).tolist())
        except backends.spelling.Unsupported as reason:
            print(reason)
"""


@pytest.mark.skipif(kernels.widest() == "", reason="the instruction sets of x86-64")
@pytest.mark.parametrize(("name", "mode"), [("jax", "jit"), ("tensorflow", "xla")])
@pytest.mark.parametrize("isa", ["", "SSE4_2"])
def test_a_dtype_that_can_not_be_compiled_for_a_processor_is_unsupported_there(name: str, mode: str, isa: str) -> None:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    environment = os.environ | {"XLA_FLAGS": f"--xla_cpu_max_isa={isa}" if isa else ""}
    command = [sys.executable, "-c", FLOAT16.format(name=name, mode=mode)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    first, second = done.stdout.splitlines()
    assert first == "[2.0, 2.0]"
    reason = "XLA compiles nothing that computes in float16 for this processor (XLA SSE4.2)"
    assert second == ("[2.0, 2.0]" if "avx2" in cpuinfo("flags") and not isa else reason)
