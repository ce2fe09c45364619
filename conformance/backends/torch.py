"""PyTorch."""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import ml_dtypes
import numpy as np

from conformance.backends import kernels
from conformance.backends.base import GPU_FAST, Backend, foreign
from conformance.backends.idioms.torch import idiom
from conformance.backends.kernels import Choice
from conformance.backends.scripts import ModeScript, pinned, renamed, source_of
from conformance.backends.scripts import torch as pieces
from conformance.backends.spelling import Function
from conformance.ground.devices import kind_of, named, number_of
from conformance.ground.layouts import copied

if TYPE_CHECKING:
    import torch


class TorchBackend(Backend):
    """PyTorch, eagerly and through ``torch.compile`` (with its default compiler, Inductor)."""

    name = "torch"
    package = "torch"
    distributions = ("torch",)
    modes = ("eager", "compile")
    gpu_modes = (GPU_FAST,)
    idioms = idiom
    imports: ClassVar = {"torch": "torch"}
    own_variables = ("_TORCHINDUCTOR_", "TORCHINDUCTOR_")
    _defaults: ClassVar[dict[str, bool]] = {}
    """What `_switches` were before the first `start` of this process."""

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        on_gpu, opening = kind_of(device) == "gpu", pieces.OPENING
        if on_gpu:
            opening += pieces.PRECISE_ON_GPU if mode != GPU_FAST else ""
            opening += pieces.ON_GPU.format(number=number_of(device))
        return ModeScript(
            opening,
            pinned("torch", "numpy", "ml-dtypes"),
            renamed(pieces.native_on_gpu, "native") if on_gpu else source_of(pieces.native),
            source_of(pieces.numbers_of),
            renamed(pieces.compiled if mode == "compile" else pieces.eager, "in_mode"),
            source_of(pieces.dtype_named),
            source_of(pieces.gradients),
            source_of(pieces.fill),
        )

    def devices(self) -> list[str]:
        return ["cpu", *(named("gpu", i) for i in range(torch.cuda.device_count()))]

    def device_of(self, array: Any) -> str:
        if not isinstance(array, torch.Tensor):
            raise foreign(array, self)
        place = array.device
        return named("gpu" if place.type == "cuda" else place.type, place.index or 0)

    def start(self) -> None:
        self._place = torch.device("cpu" if self.device == "cpu" else f"cuda:{number_of(self.device)}")
        if kind_of(self.device) == "gpu":
            for name, (where, attribute) in self._switches().items():
                self._defaults.setdefault(name, getattr(where, attribute))
                setattr(where, attribute, False)
        torch.set_num_threads(self.threads)
        # Inductor keeps what it has compiled, and takes kernels for other vector instructions for its own (2.13, after
        # ATEN_CPU_CAPABILITY had changed: errors of 1e80 ULP). Results must not depend on what ran here before.
        user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
        kept = f"torchinductor_{user}_{torch.backends.cpu.get_cpu_capability().replace(' ', '_')}"
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(tempfile.gettempdir(), kept))
        # What torch logs of tracing and compiling (that a call it will refuse has failed, say) goes to
        # stderr, where a call of the cases must print nothing.
        if "TORCH_LOGS" not in os.environ:
            logging.getLogger("torch").setLevel(logging.CRITICAL)
        # Every program is compiled through one function of this package; the default limit counts those together.
        torch._dynamo.config.recompile_limit = 100_000
        torch._dynamo.config.accumulated_recompile_limit = 100_000

    def kernels(self) -> str:
        """The vector instructions that PyTorch's own kernels were compiled for, as it says: 'AVX2', 'DEFAULT'."""
        return str(torch.backends.cpu.get_cpu_capability()) if kind_of(self.device) == "cpu" else ""

    @classmethod
    def kernel_choices(cls) -> dict[str, Choice]:
        if platform.machine() not in ("x86_64", "AMD64"):
            return {}
        switch = "ATEN_CPU_CAPABILITY"
        return {
            "avx2": Choice("PyTorch's kernels for AVX2", {switch: "avx2"}, kernels.wider_than("AVX2")),
            "default": Choice("PyTorch's kernels for any processor", {switch: "default"}, kernels.wider_than("AVX")),
        }

    def _switches(self) -> dict[str, tuple[Any, str]]:
        """What a GPU may round away for speed: where each is switched, and the attribute."""
        products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
        found = {
            "TF32 in matrix products": (products, "allow_tf32"),
            "TF32 in convolutions": (convolutions, "allow_tf32"),
            "float16 sums in float16": (products, "allow_fp16_accumulation"),
            "float16 sums split in float16": (products, "allow_fp16_reduced_precision_reduction"),
            "bfloat16 sums split in bfloat16": (products, "allow_bf16_reduced_precision_reduction"),
        }
        # Older versions have no switch for sums in float16, and don't do them.
        return {name: place for name, place in found.items() if hasattr(*place)}

    def scope(self, mode: str) -> Any:
        return self._fast() if mode == GPU_FAST else contextlib.nullcontext()

    @contextlib.contextmanager
    def _fast(self) -> Iterator[None]:
        """PyTorch's own defaults."""
        switches = self._switches()
        for name, (where, attribute) in switches.items():
            setattr(where, attribute, self._defaults[name])
        try:
            yield
        finally:
            for where, attribute in switches.values():
                setattr(where, attribute, False)

    def placing(self) -> Any:
        # Constructors put their tensors on the CPU unless told. This way of telling them costs microseconds a call.
        return contextlib.nullcontext() if self.device == "cpu" else self._place

    def missing_mode(self, mode: str) -> str:
        if mode != "compile":
            return ""
        if not torch._dynamo.is_dynamo_supported():
            return "torch.compile does not support this version of Python or of the operating system"
        try:
            torch._inductor.cpp_builder.get_cpp_compiler()
        except torch._inductor.exc.InvalidCxxCompiler:
            return "torch.compile needs a C++ compiler, and none is installed"
        if kind_of(self.device) == "gpu" and not torch.utils._triton.has_triton():
            return "torch.compile needs Triton on a GPU, and it is not installed, or does not know this one"
        return ""

    def from_numpy(self, array: np.ndarray) -> Any:
        if min(array.strides, default=0) < 0:  # no tensor steps backwards: the same numbers, contiguous
            array = np.array(array, order="C")
        if array.dtype == ml_dtypes.bfloat16:  # NumPy has no bfloat16 of its own; the bits go over as they are
            tensor = torch.from_numpy(copied(array).view(np.int16)).view(torch.bfloat16)
        else:
            tensor = torch.from_numpy(copied(array))
        return tensor if self.device == "cpu" else tensor.to(self._place)

    def to_numpy(self, array: Any) -> np.ndarray:
        if array.dtype == torch.bfloat16:
            bits = array.detach().cpu().contiguous().view(torch.int16)
            return np.asarray(bits.numpy().view(ml_dtypes.bfloat16))
        return np.asarray(array.numpy(force=True))

    def fill(self, array: Any, value: int) -> bool:
        array.fill_(value)
        return True

    def dtype(self, name: str) -> Any:
        return getattr(torch, name)

    def compile(self, function: Function, mode: str) -> Function:
        if mode in ("eager", GPU_FAST):
            return function
        return torch.compile(function, fullgraph=True, dynamic=False)

    def gradient(self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any) -> list[Any]:
        leaves = list(inputs)
        for index in wrt:
            leaves[index] = inputs[index].clone().requires_grad_()
        output = function(*leaves)
        return list(torch.autograd.grad(output, [leaves[i] for i in wrt], cotangent, materialize_grads=True))

    def training_step(
        self, function: Function, mode: str, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any
    ) -> Callable[[], tuple[Any, ...]]:
        leaves = list(inputs)
        for index in wrt:
            leaves[index] = inputs[index].detach().requires_grad_()
        wanted = [leaves[index] for index in wrt]
        forward = self.compile(function, mode)  # which compiles the way back too

        def step() -> tuple[Any, ...]:
            output = forward(*leaves)
            return (output, *torch.autograd.grad(output, wanted, cotangent, materialize_grads=True))

        return step

    def release(self) -> None:
        torch._dynamo.reset()

    def synchronise(self, result: Any) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize(self._place)

    def waiter(self) -> Callable[[Any], Any] | None:
        return self.synchronise if kind_of(self.device) == "gpu" else None

    def copier(self, array: Any) -> Callable[[], Any] | None:
        if self.device == "cpu":
            return None
        target = torch.empty_like(array)
        return lambda: target.copy_(array)

    def settings(self) -> dict[str, str]:
        found = {
            "threads": str(torch.get_num_threads()),
            "float32 matmul precision": torch.get_float32_matmul_precision(),
            "cpu capability": torch.backends.cpu.get_cpu_capability(),
        }
        if kind_of(self.device) == "gpu":
            found["gpu"] = f"{torch.cuda.get_device_name(self._place)}, CUDA {torch.version.cuda}"
            words = {True: "on", False: "off"}
            found |= {
                name: f"{words[bool(getattr(where, attribute))]}; in {GPU_FAST}: {words[bool(self._defaults[name])]}"
                for name, (where, attribute) in self._switches().items()
            }
        return found

    def state(self) -> Mapping[str, Any]:
        return {
            "the default dtype": torch.get_default_dtype(),
            "gradients": torch.is_grad_enabled(),
            "float32 matmul precision": torch.get_float32_matmul_precision(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        torch.set_default_dtype(state["the default dtype"])
        torch.set_grad_enabled(state["gradients"])
        torch.set_float32_matmul_precision(state["float32 matmul precision"])
