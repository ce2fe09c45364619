"""NumPy, with SciPy's special functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.backends import kernels
from conformance.backends.base import Backend, foreign
from conformance.backends.idioms.numpy import idiom
from conformance.backends.kernels import Choice
from conformance.backends.scripts import ModeScript, pinned, source_of
from conformance.backends.scripts import numpy as pieces
from conformance.ground.dtypes import DTYPES


class NumpyBackend(Backend):
    """Plain NumPy on the CPU. bfloat16 is ml_dtypes' extension type."""

    name = "numpy"
    package = "numpy"
    distributions = ("numpy", "scipy", "ml-dtypes", "keras")
    idioms = idiom

    @classmethod
    def script(cls, mode: str, device: str = "cpu") -> ModeScript:
        return ModeScript(
            pieces.OPENING,
            pinned("numpy", "ml-dtypes"),
            source_of(pieces.native),
            source_of(pieces.numbers_of),
            source_of(pieces.in_mode),
            source_of(pieces.dtype_named),
            fill=source_of(pieces.fill),
        )

    def devices(self) -> list[str]:
        return ["cpu"]

    def device_of(self, array: Any) -> str:
        # A subclass (a matrix, a masked array) has rules of its own: it is no array of NumPy as users mean it.
        if type(array) is not np.ndarray and not isinstance(array, np.generic):
            raise foreign(array, self)
        return "cpu"

    def limit_threads(self, count: int) -> str:
        return "" if count == 1 else "NumPy computes element by element with one thread"

    def scope(self, mode: str) -> Any:
        # log(0), exp(1000) and their like are part of what is tested; NumPy would warn.
        return np.errstate(all="ignore")

    def from_numpy(self, array: np.ndarray) -> np.ndarray:
        return array

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def kernels(self) -> str:
        """The vector instructions of the widest code that NumPy has and chose, or 'baseline' for its least."""
        names = {own: name for name, every in kernels.WIDTHS.items() for own in every}
        chosen = [names.get(own, own) for own in kernels.dispatched() if own in kernels.features()]
        return chosen[-1] if chosen else "baseline"

    @classmethod
    def kernel_choices(cls) -> dict[str, Choice]:
        others = kernels.dispatched()
        about = "the code for the least processor that this build of NumPy runs on"
        least = Choice(
            about, {"NPY_DISABLE_CPU_FEATURES": " ".join(others)}, bool(kernels.features().intersection(others))
        )
        return {"baseline": least} if others else {}

    def fill(self, array: Any, value: int) -> bool:
        array.fill(value)
        return True

    def dtype(self, name: str) -> Any:
        return DTYPES[name].numpy
