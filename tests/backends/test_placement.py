"""Arrays, results and gradients live on the device asked for, and what does not is noticed; seen without any GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import backends, runfile
from conformance.backends.base import GPU_FAST, Backend
from conformance.backends.numpy import NumpyBackend
from conformance.casefile.inputs import materialise
from conformance.execution.executor import Executor
from conformance.execution.program import compile_variant
from conformance.suite.session import BackendSession

CASES = """
  - name: softmax
    given: {x: [[1.0, 2.0], [3.0, 5.0]]}
    for: {dtype: [float32, float64]}
    call: softmax(x, axis=0)
    check: [value, gradient]
  - {name: made, for: {dtype: float32}, call: 'asarray([1, 2], dtype=dtype)'}
  - {name: steps, given: {x: [1.0, 2.0], y: [0.0, 1.0]}, call: 'binary_cross_entropy(sigmoid(x), y)'}
"""

PLACEMENT = """
import sys
from pathlib import Path
import numpy as np
from conformance import backends
from conformance.casefile.inputs import materialise
from conformance.execution.executor import Executor
from conformance.execution.program import compile_variant
from conformance.execution.starting import started
from conformance.suite.selection import select

name, cases, how = sys.argv[1:]
if name == "tensorflow":
    import tensorflow as tf
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
kind = backends.load(name)
native = []

class Seen(kind):
    # What the framework itself says of every array, beside what the adapter says.
    def to_numpy(self, array):
        if name == "jax":
            native.extend(f"{device.platform} {device.id}" for device in array.devices())
        else:
            native.append(array.device)
        return super().to_numpy(array)

    def scope(self, mode):
        if how == "right":
            return super().scope(mode)
        if name == "jax":
            import jax
            return jax.enable_x64(True)  # forgets the device
        import contextlib
        return contextlib.nullcontext()  # likewise

backend, _ = started(Seen, "cpu:1")
assert backend.devices() == ["cpu", "cpu:1"], backend.devices()
executor = Executor(backend)
places = set()
for mode in kind.modes:
    for variant in select(Path(cases)).variants:
        ask = executor.run if variant.check == "value" else executor.gradient
        outcome = ask(compile_variant(variant), list(materialise(variant).values()), mode)
        assert outcome.raised is None, outcome.raised
        if how == "right":
            assert outcome.elsewhere == {}, (mode, variant.id, outcome.elsewhere)
        else:
            assert set(outcome.elsewhere.values()) == {"cpu"}, (mode, variant.id, outcome.elsewhere)
print(sorted(set(native)))
"""


@pytest.fixture
def apart(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call Python in a process of its own, with two devices where JAX is asked for them."""

    def call(*arguments: Any) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "COVERAGE"))}
        environment |= {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            "COLUMNS": "200",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
        )

    return call


def needs(name: str) -> None:
    if missing := backends.load(name).not_installed():
        pytest.skip(missing)


@pytest.mark.parametrize(
    ("name", "second"), [("jax", "cpu 1"), ("tensorflow", "/job:localhost/replica:0/task:0/device:CPU:1")]
)
def test_everything_lives_on_the_second_device_where_that_is_asked_for_in_every_mode(
    name: str, second: str, apart: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    needs(name)
    done = apart("-c", PLACEMENT, name, folder(CASES), "right")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"['{second}']"


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_an_adapter_that_forgets_the_device_is_caught_in_every_variant(
    name: str, apart: Callable[..., Any], folder: Callable[..., Path]
) -> None:
    needs(name)
    done = apart("-c", PLACEMENT, name, folder(CASES), "forgetful")
    assert done.returncode == 0, done.stderr


def test_a_run_on_the_second_device_is_recorded_as_that(
    apart: Callable[..., Any], folder: Callable[..., Path], tmp_path: Path
) -> None:
    needs("jax")
    arguments = [
        "run",
        "-b",
        "jax",
        "-m",
        "eager",
        "--device",
        "cpu:1",
        "--cases",
        folder(CASES),
        "-o",
        tmp_path / "out",
    ]
    done = apart("-m", "conformance", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    run = runfile.read(tmp_path / "out" / "jax-cpu1.jsonl")
    assert (run.header.device, {r.verdict for r in run.records}) == ("cpu:1", {"passed"})
    done = apart("-m", "conformance", *[part if part != "cpu:1" else "cpu:2" for part in arguments])
    assert done.returncode == 3
    assert "no cpu:2 here; jax sees cpu, cpu:1" in done.stderr


@pytest.fixture(scope="module")
def torch_backend() -> Any:
    needs("torch")
    backend = backends.load("torch")()
    backend.start()
    return backend


@pytest.mark.filterwarnings("ignore")
def test_a_result_of_torch_on_another_device_is_noticed(
    torch_backend: Any, variants: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device 'meta' has shapes and no numbers; every build has it."""
    import torch  # noqa: PLC0415 - only where it is installed

    (variant,) = variants("  - {name: one, given: {x: [1.0]}, call: exp(x)}")
    kind = type("Astray", (type(torch_backend),), {"compile": lambda self, f, mode: lambda x: (f(x)[0].to("meta"),)})
    backend = kind()
    backend.start()
    outcome = Executor(backend).run(compile_variant(variant), list(materialise(variant).values()), "eager")
    assert outcome.elsewhere == {"the result of exp": "meta"}
    assert torch_backend.device_of(torch.ones(1)) == "cpu"
    from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: PLC0415 - only where it is installed

    with FakeTensorMode():  # tensors without memory, on devices that are not there
        assert torch_backend.device_of(torch.empty(1, device="cuda:0")) == "gpu"
        assert torch_backend.device_of(torch.empty(1, device="cuda:1")) == "gpu:1"


@pytest.mark.filterwarnings("ignore")
def test_constructors_of_torch_put_their_tensors_on_the_device(
    torch_backend: Any, variants: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on 'meta', which stands for a GPU; there are no numbers to read back."""
    import torch  # noqa: PLC0415 - only where it is installed

    (variant,) = variants("  - {name: made, for: {dtype: int64}, call: 'asarray([1, 2], dtype=dtype)'}")

    class Elsewhere(type(torch_backend)):  # type: ignore[misc]
        def to_numpy(self, array: Any) -> Any:
            return np.zeros(array.shape, dtype=np.int64)

        def synchronise(self, result: Any) -> None:
            pass

    backend = Elsewhere()
    backend.start()
    backend.device, backend._place = "meta", torch.device("meta")
    spellings = ("", "torch.as_tensor")
    for spelling in spellings:
        outcome = Executor(backend).run(compile_variant(variant), [], "eager", spelling)
        assert (outcome.raised, outcome.elsewhere) == (None, {})
    assert torch.tensor([1]).device.type == "cpu"
    monkeypatch.setattr(Elsewhere, "placing", Backend.placing)  # an adapter that forgets it
    for spelling in spellings:
        outcome = Executor(backend).run(compile_variant(variant), [], "eager", spelling)
        assert outcome.elsewhere == {"the result of asarray": "cpu"}


@pytest.mark.filterwarnings("ignore")
def test_torch_compile_needs_triton_on_a_gpu_and_says_so(
    torch_backend: Any, on_gpu: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing := torch_backend.missing_mode("compile"):
        pytest.skip(missing)
    backend = on_gpu("torch")
    import torch.utils._triton  # noqa: PLC0415 - only where it is installed

    for has in (False, True):
        monkeypatch.setattr(torch.utils._triton, "has_triton", lambda has=has: has)
        assert ("Triton" in backend.missing_mode("compile")) is not has
        assert backend.missing_mode("eager") == backend.missing_mode(GPU_FAST) == ""
        assert torch_backend.missing_mode("compile") == ""


def test_what_torch_compiles_is_kept_apart_by_the_processors_instructions_unless_told_where(
    apart: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels for others were seen to be taken up, and to give wrong numbers."""
    needs("torch")
    code = """
import os
from conformance import backends
from conformance.execution.starting import started
started(backends.load("torch"), "cpu")
print(os.environ["TORCHINDUCTOR_CACHE_DIR"])
"""
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    folders = []
    for capability in ("default", "avx2"):
        monkeypatch.setenv("ATEN_CPU_CAPABILITY", capability)
        folders.append(apart("-c", code).stdout.strip())
    assert all(folders) and folders[0] != folders[1]
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/told")
    assert apart("-c", code).stdout.strip() == "/told"


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_jax_takes_no_memory_of_a_gpu_in_advance_unless_told_to(device: str, apart: Callable[..., Any]) -> None:
    needs("jax")
    code = """
import os, sys
from conformance import backends
assert "jax" not in sys.modules
backends.load("jax")(sys.argv[1])
print(os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"])
"""
    assert apart("-c", code, device).stdout.splitlines() == ["false"]
    told = "import os; os.environ['XLA_PYTHON_CLIENT_PREALLOCATE'] = 'true'\n" + code
    assert apart("-c", told, device).stdout.splitlines() == ["true"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_tensorflow_takes_no_more_memory_of_a_gpu_than_it_needs(
    device: str, on_gpu: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = on_gpu("tensorflow")
    backend.device = device
    import tensorflow as tf  # noqa: PLC0415 - only where it is installed

    grown = []

    def grow(card: str, enable: bool) -> None:
        grown.append((card, enable))
        if card == "the first":
            raise RuntimeError("Physical devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: {"GPU": ["the first", "the second"]}[kind])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grow)
    backend.start()
    assert grown == [("the first", True), ("the second", True)]


@pytest.mark.filterwarnings("ignore")
def test_what_is_no_array_of_the_framework_has_no_device(framework: Any) -> None:
    with framework.scope("eager"):
        native = framework.from_numpy(np.ones(2, dtype=np.float32))
        assert framework.device_of(native) == "cpu"
        strangers: list[Any] = [None, [1.0], 1.0, np.ma.masked_array([1.0])]
        strangers += [] if framework.name == "numpy" else [np.ones(2, dtype=np.float32)]
        for stranger in strangers:
            with pytest.raises(TypeError, match=f"is no array of {framework.package}"):
                framework.device_of(stranger)


# What a GPU may round away for speed.


def test_the_fast_mode_exists_on_a_gpu_only() -> None:
    for name in ("torch", "tensorflow", "jax"):
        kind = backends.load(name)
        assert GPU_FAST in kind.run_modes("gpu") and GPU_FAST in kind.run_modes("gpu:1")
        assert GPU_FAST not in kind.run_modes() and GPU_FAST not in kind.modes
        assert kind.run_modes("gpu")[-1] == "idioms"
    assert GPU_FAST not in NumpyBackend.run_modes("gpu")


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """An adapter that believes it is on a GPU, its framework's settings as they were afterwards."""
    made: list[Any] = []

    def start(name: str) -> Any:
        needs(name)
        backend = backends.load(name)("gpu")
        made.append((backend, dict(backend.state())))
        return backend

    yield start
    for backend, state in made:
        backend.restore(state)


@pytest.mark.filterwarnings("ignore")
def test_torch_on_a_gpu_rounds_nothing_away_but_in_the_fast_mode_and_records_both(
    on_gpu: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = on_gpu("torch")
    import torch  # noqa: PLC0415 - only where it is installed

    monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: f"A card at {place}")
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn

    def switches() -> tuple[bool, ...]:
        return (
            products.allow_tf32,
            convolutions.allow_tf32,
            products.allow_fp16_reduced_precision_reduction,
            products.allow_bf16_reduced_precision_reduction,
        )

    defaults = switches()
    assert any(defaults)
    try:
        backend.start()
        assert str(backend._place) == "cuda:0"
        assert switches() == (False,) * 4
        for _ in range(2):
            with backend.scope(GPU_FAST):
                assert switches() == defaults
            assert switches() == (False,) * 4
        with backend.scope("eager"):
            assert switches() == (False,) * 4
        settings = backend.settings()
        assert settings["TF32 in convolutions"] == "off; in gpu-fast: on"
        assert settings["TF32 in matrix products"] == "off; in gpu-fast: off"
        assert settings["float16 sums split in float16"] == "off; in gpu-fast: on"
        assert settings["gpu"].startswith("A card at cuda:0, CUDA ")
        assert backend.compile(len, GPU_FAST) is len
        again = backends.load("torch")("gpu")  # the second one of a process must not take 'off' for the default
        again.start()
        with again.scope(GPU_FAST):
            assert switches() == defaults
    finally:
        for name, (where, attribute) in backend._switches().items():
            setattr(where, attribute, backend._defaults[name])


@pytest.mark.filterwarnings("ignore")
def test_tensorflow_on_a_gpu_uses_tf32_in_the_fast_mode_only_and_records_it(
    on_gpu: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = on_gpu("tensorflow")
    import tensorflow as tf  # noqa: PLC0415 - only where it is installed

    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    backend.start()
    assert not enabled()
    with backend.scope("eager"):
        assert not enabled()
    with backend.scope(GPU_FAST):
        assert enabled()
    assert not enabled()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["the card"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda card: {"device_name": card})
    assert {"gpu": "the card", "TF32": "off; in gpu-fast: on"}.items() <= backend.settings().items()
    assert backend._place == "/GPU:0"
    assert backend.compile(len, GPU_FAST) is len


@pytest.mark.filterwarnings("ignore")
def test_jax_on_a_gpu_multiplies_with_full_precision_but_in_the_fast_mode_and_records_it(
    on_gpu: Callable[[str], Any],
) -> None:
    backend = on_gpu("jax")
    import jax  # noqa: PLC0415 - only where it is installed

    backend._place = jax.local_devices(backend="cpu")[0]
    seen = {}
    for mode in backend.run_modes("gpu")[:-1]:
        with backend.scope(mode):
            seen[mode] = jax.config.jax_default_matmul_precision
    assert seen == {"eager": "highest", "jit": "highest", "jit-x32": "highest", GPU_FAST: None}
    assert jax.config.jax_default_matmul_precision is None
    assert backend.settings()["default matmul precision"] == "highest; in gpu-fast: None"
    assert backend.compile(len, GPU_FAST) is len
    cpu = backends.load("jax")()
    cpu.start()
    with cpu.scope("eager"):
        assert jax.config.jax_default_matmul_precision is None


class Card(NumpyBackend):
    """NumPy that pretends to have a GPU."""

    name = "card"
    gpu_modes = (GPU_FAST,)

    def devices(self) -> list[str]:
        return ["cpu", "gpu"]

    def device_of(self, array: Any) -> str:
        super().device_of(array)
        return self.device


@pytest.fixture
def session(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., BackendSession]:
    from conformance.suite.selection import select  # noqa: PLC0415 - only where it is installed

    def made(kind: type[NumpyBackend], device: str, modes: Any = (), **files: str) -> BackendSession:
        point = type("Point", (), {"load": lambda self: kind})()
        monkeypatch.setattr(backends, "entry_points", lambda: {kind.name: point})
        return BackendSession(kind.name, select(folder(CASES, **files)), device, modes)

    return made


def test_on_a_gpu_the_same_cases_run_in_the_fast_mode_too(session: Callable[..., Any], tmp_path: Path) -> None:
    subsets = "subsets:\n  - {backend: card, mode: gpu-fast, because: it is slow, variants: ['things/made*']}\n"
    assert session(Card, "cpu").modes == ["eager", "idioms"]
    made = session(Card, "gpu", **{"subsets.yaml": subsets})
    assert made.modes == ["eager", GPU_FAST, "idioms"]
    items = [(mode, case.id) for case in made.selection.cases for mode in made.modes[:2]]
    made.record_to(tmp_path / "run.jsonl", items)
    for mode, case_id in items:
        made.run_case(next(c for c in made.selection.cases if c.id == case_id), mode)
    made.finish(True)
    run = runfile.read(tmp_path / "run.jsonl")
    assert run.header.device == "gpu"
    assert {m.name: (m.variants, m.left_out) for m in run.header.modes} == {
        "eager": (6, 0),
        GPU_FAST: (1, 5),
        "idioms": (0, 0),
    }
    assert {r.verdict for r in run.records} == {"passed", "unsupported"}  # NumPy has no gradients


def test_the_fast_mode_is_refused_where_there_is_none_and_unsupported_where_there_is_no_gpu(
    session: Callable[..., Any],
) -> None:
    with pytest.raises(backends.UnknownBackendError, match="has no mode 'gpu-fast' on cpu; it has eager, idioms"):
        session(Card, "cpu", [GPU_FAST])
    without = type("Without", (Card,), {"name": "without", "devices": lambda self: ["cpu"]})
    made = session(without, "gpu", [GPU_FAST])
    results = [result for case in made.selection.cases for result in made.run_case(case, GPU_FAST)]
    assert {(r.judgement.verdict, r.judgement.reason) for r in results} == {
        ("unsupported", "no gpu here; without sees cpu")
    }


def test_the_fast_mode_can_be_named_in_the_registry_and_in_subsets(
    folder: Callable[..., Path], apart: Callable[..., Any]
) -> None:
    registry = """backend: torch
divergences:
  - cases: 'things/softmax[float32]'
    modes: [gpu-fast]
    instead: {ulp: [4, 40]}
    because: Exponentials of the fast kind are used there.
    first-seen: torch 2.13.0
"""
    subsets = "subsets:\n  - {backend: jax, mode: gpu-fast, because: it is slow, variants: ['things/made*']}\n"
    cases = folder(CASES, **{"divergences/torch.yaml": registry, "subsets.yaml": subsets})
    done = apart("-m", "conformance", "check", "--cases", cases)
    assert (done.returncode, done.stderr) == (0, "")
    done = apart("-m", "conformance", "run", "-b", "numpy", "-b", "torch", "-m", GPU_FAST, "--cases", cases)
    assert done.returncode == 2
    assert "none of numpy, torch has the mode 'gpu-fast' on cpu" in done.stderr
