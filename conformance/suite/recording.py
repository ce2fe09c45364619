"""What a run file says of a case, a variant, an exact answer and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET

from conformance.backends.base import Backend
from conformance.backends.state import Change, in_short
from conformance.casefile.expressions import Comparison
from conformance.casefile.generators import MAKERS, arguments
from conformance.casefile.inputs import index, resolved
from conformance.casefile.model import Full, Given, Put
from conformance.casefile.numbers import to_array
from conformance.casefile.variants import LoadedCase, Variant
from conformance.ground import dtypes
from conformance.ground.processors import cpuinfo
from conformance.runfile import CaseLine, Made, VariantLine, encoded

_LIBRARIES = ("numpy", "ml-dtypes", "python-flint", "pytest")
"""What truth, judging and running are made with, whatever the backend."""


def case_line(case: LoadedCase, root: Path) -> CaseLine:
    """A case as run files hold it."""
    path = Path(case.path)
    relative = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    claim = isinstance(case.expression, Comparison)
    text = (case.case.claim if claim else case.case.call) or ""
    about = case.case.about
    draw = case.case.draw or ""
    return CaseLine(case.id, case.headline, relative.as_posix(), case.text, about, text, claim, draw, case.line)


def bare_variant_line(variant: Variant) -> VariantLine:
    """A variant without inputs and answer: of one that was lost before they were worked out."""
    return VariantLine(variant.id, variant.case.id, variant.dtype.name, {}, check=variant.check)


def expectation(variant: Variant) -> str:
    """What a case states about its outcome, in words; empty where the exact answer is all."""
    expect = variant.case.expect
    parts = []
    if expect.raises:
        parts.append("an error")
    if expect.prints is not None:
        parts.append(f"printed as {' '.join(expect.prints.split())}")
    if expect.shape is not None:
        parts.append(f"shape {expect.shape}")
    if expect.dtype is not None:
        parts.append(f"dtype {expect.dtype}")
    if expect.values is not UNSET:
        parts.append(f"the values {expect.values}")
    if expect.wraps:
        parts.append("integers that don't fit wrap around")
    if expect.because:
        parts.append(f"because {expect.because}")
    return ", ".join(parts)


def made(variant: Variant, inputs: Mapping[str, np.ndarray]) -> dict[str, Made]:
    """How the inputs were made: those that are generated, have an element replaced, or lie in another layout."""
    found = {}
    for name, given in variant.case.case.given.items():
        if not isinstance(given, Given):
            continue
        layout = variant.bindings.get(given.layout or "", given.layout) or "contiguous"
        found[name] = Made(layout=layout if layout != "contiguous" else "")
        source, spec = next(iter(given.sources.items()))
        if source in MAKERS:
            found[name] = _generated(source, spec, given.put, inputs[name], variant.bindings, found[name].layout)
    return {name: how for name, how in found.items() if how != Made()}


def _generated(
    source: str, spec: Any, put: Put | None, array: np.ndarray, bindings: Mapping[str, Any], layout: str
) -> Made:
    dtype = dtypes.of(array)
    numbers = arguments(resolved(spec, dtype, bindings)[0])
    if isinstance(spec, Full):  # max, 0x1p-3 and their like become the number that they stand for
        numbers["value"] = _number(to_array(numbers["value"], dtype))
    replaced = []
    if put is not None:
        at = index(put, array.shape, bindings)
        replaced = [int(np.ravel_multi_index([i % n for i, n in zip(at, array.shape, strict=True)], array.shape))]
        replaced.append(encoded(_number(array[at])))
    return Made(source, {n: encoded(v) for n, v in numbers.items()}, replaced, layout)


_WIDE = {"floating": "float64", "integer": "O", "bool": "bool", "complex": "complex128"}


def _number(element: np.ndarray) -> Any:
    """An element as a plain number. Of a complex one, the real part: cases write no others."""
    number = np.asarray(element).astype(_WIDE[dtypes.of(element).kind]).item()
    return number.real if isinstance(number, complex) else number


def environment(backend: Backend | None, changes: Sequence[Change] = ()) -> dict[str, str]:
    """What a result may depend on beside versions. Nothing that names a person or a machine.

    Args:
        backend: started, if it could be.
        changes: what its start left changed.
    """
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": cpuinfo("model name") or platform.processor() or "unknown",
        "cores": str(os.cpu_count() or "unknown"),
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES),
    }
    if backend is not None and (kernels := backend.kernels()):
        found["kernels"] = kernels
    if changes:
        found["left by its start"] = in_short(changes)
    return found | (_settings(backend) if backend is not None else {})


def _settings(backend: Backend) -> dict[str, str]:
    try:
        return {str(name): str(value) for name, value in backend.settings().items()}
    except Exception as error:  # a broken adapter spoils the record of its settings, and nothing else
        return {"settings": f"its adapter can't say them: {type(error).__name__}: {error}"}


def commit(root: Path) -> str:
    """The commit that a folder of cases is at, with a '+' if its files differ from it; empty outside a Git checkout."""

    def git(*arguments: str) -> str:
        folder = root if root.is_dir() else root.parent
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    with suppress(OSError, subprocess.SubprocessError):
        if git("ls-files", "."):  # installed into somebody's checkout, the cases are no part of it
            return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", ".") else "")
    return ""
