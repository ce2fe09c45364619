"""PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import ml_dtypes
import numpy as np

from conformance.backends.base import Backend, Function
from conformance.backends.idioms.torch import idiom
from conformance.backends.scripts import ModeScript, pinned, renamed, source_of
from conformance.backends.scripts import torch as pieces
from conformance.layouts import copied

if TYPE_CHECKING:
    import torch


class TorchBackend(Backend):
    """PyTorch, eagerly and through ``torch.compile`` (with its default compiler, Inductor)."""

    name = "torch"
    package = "torch"
    distributions = ("torch",)
    modes = ("eager", "compile")
    idioms = idiom
    imports: ClassVar = {"torch": "torch"}

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        on_gpu = device == "gpu"
        return ModeScript(
            pieces.OPENING + (pieces.OPENING_ON_GPU if on_gpu else ""),
            pinned("torch", "numpy", "ml-dtypes"),
            renamed(pieces.native_on_gpu, "native") if on_gpu else source_of(pieces.native),
            source_of(pieces.numbers_of),
            renamed(pieces.eager if mode == "eager" else pieces.compiled, "in_mode"),
            source_of(pieces.dtype_named),
            source_of(pieces.gradients),
            source_of(pieces.fill),
        )

    def devices(self) -> list[str]:
        return ["cpu", "gpu"] if torch.cuda.is_available() else ["cpu"]

    def start(self) -> None:
        self._place = torch.device("cuda" if self.device == "gpu" else "cpu")
        if self.device == "gpu":
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
        # Sums are split among threads, so results would depend on the machine's cores; and threads cost more than the
        # cases' small arrays take.
        torch.set_num_threads(1)
        # Every program is compiled through one function of this package; the default limit counts those together.
        torch._dynamo.config.recompile_limit = 100_000
        torch._dynamo.config.accumulated_recompile_limit = 100_000

    def missing_mode(self, mode: str) -> str:
        if mode != "compile":
            return ""
        if not torch._dynamo.is_dynamo_supported():
            return "torch.compile does not support this version of Python or of the operating system"
        try:
            torch._inductor.cpp_builder.get_cpp_compiler()
        except torch._inductor.exc.InvalidCxxCompiler:
            return "torch.compile needs a C++ compiler, and none is installed"
        return ""

    def from_numpy(self, array: np.ndarray) -> Any:
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
        if mode == "eager":
            return function
        compiled = torch.compile(function, fullgraph=True, dynamic=False)

        def call(*arrays: Any) -> Any:
            with warnings.catch_warnings():  # about the compiler's own internals, not about the program
                warnings.simplefilter("ignore")
                return compiled(*arrays)

        return call

    def gradient(self, function: Function, inputs: Sequence[Any], wrt: Sequence[int], cotangent: Any) -> list[Any]:
        leaves = list(inputs)
        for index in wrt:
            leaves[index] = inputs[index].clone().requires_grad_()
        output = function(*leaves)
        return list(torch.autograd.grad(output, [leaves[i] for i in wrt], cotangent, materialize_grads=True))

    def synchronise(self, result: Any) -> None:
        if self.device == "gpu":
            torch.cuda.synchronize()

    def settings(self) -> dict[str, str]:
        return {
            "threads": str(torch.get_num_threads()),
            "float32 matmul precision": torch.get_float32_matmul_precision(),
            "cpu capability": torch.backends.cpu.get_cpu_capability(),
        }
