"""Kernels: which of its own code a framework runs on a processor, and what can hold it to other code.

Frameworks have code for several sets of vector instructions, and take the widest that the processor has when they are
loaded. Environment variables of a fresh process hold them to less. So one machine can show what another one will say.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTHS = {
    "SSE4.2": ("SSE42", "X86_V2"),
    "AVX": ("AVX",),
    "AVX2": ("AVX2", "X86_V3"),
    "AVX512": ("AVX512_SKX", "X86_V4"),
}
"""Sets of vector instructions of x86-64, from the least, and what NumPy calls them: older versions and newer ones."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Kernels that a framework can be held to.

    Attributes:
        about: which they are, in a few words.
        variables: of the environment of a fresh process, by which it is held to them.
        other: whether they are others than those that run here anyway, as far as that can be told beforehand.
    """

    about: str
    variables: Mapping[str, str]
    other: bool


def features() -> set[str]:
    """The features of this processor that NumPy looks for and finds, by its names for them.

    A group of them (``X86_V3``) that ``NPY_DISABLE_CPU_FEATURES`` names is not there, its members are.
    """
    return {name for name, there in _told("__cpu_features__", {}).items() if there}


def dispatched() -> list[str]:
    """The features for which this build of NumPy has code of its own, beside what it takes for granted."""
    return list(_told("__cpu_dispatch__", ()))


def _told(name: str, otherwise: Any) -> Any:
    """What NumPy's core says under a name that is no part of its public interface."""
    return getattr(sys.modules.get("numpy._core._multiarray_umath"), name, otherwise)


def widest(limit: str = "", names: Mapping[str, Sequence[str]] = WIDTHS, more: Collection[str] = ()) -> str:
    """The widest of some sets of vector instructions that this processor has.

    Args:
        limit: no wider than this one; empty for no limit.
        names: the sets, from the least, and the features of which each one needs any.
        more: features that it has beside those that NumPy looks for.

    Returns:
        One of `names`; empty where it has none of them, as processors of other kinds.
    """
    has, found = features().union(more), ""
    for name, needed in names.items():
        if has.intersection(needed):
            found = name
        if name == limit:
            break
    return found


def wider_than(name: str) -> bool:
    """Whether this processor has a wider set of vector instructions than the one of this name in `WIDTHS`."""
    order = list(WIDTHS)
    here = widest()
    return here in order and order.index(here) > order.index(name)


_MAX_ISA = re.compile(r"--xla_cpu_max_isa=(\S+)")
_XLA_NAMES = {"SSE4.2": "SSE4_2", "AVX": "AVX", "AVX2": "AVX2", "AVX512": "AVX512"}


def of_xla() -> str:
    """What XLA compiles for on this processor, as ``XLA_FLAGS`` allows it: 'XLA AVX2'; empty on other processors."""
    told = _MAX_ISA.findall(os.environ.get("XLA_FLAGS", ""))
    asked = told[-1].upper() if told else ""
    # Beyond AVX512 it has sets of its own (AVX512_BF16, AMX_FP16), all of which have those vectors.
    limit = next((name for name, own in _XLA_NAMES.items() if own == asked), "AVX512" if asked else "")
    found = widest(limit)
    return f"XLA {found}" if found else ""


def choices_of_xla() -> dict[str, Choice]:
    """What XLA's CPU compiler can be held to on x86-64."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return {}
    return {
        f"xla-{name.lower()}": Choice(
            f"XLA compiles for {name} and no wider vector instructions",
            {"XLA_FLAGS": _with_max_isa(_XLA_NAMES[name])},
            wider_than(name),
        )
        for name in ("AVX2", "SSE4.2")
    }


def _with_max_isa(isa: str) -> str:
    """The flags of XLA that are set already, and this limit in place of any other."""
    rest = _MAX_ISA.sub("", os.environ.get("XLA_FLAGS", "")).split()
    return " ".join([*rest, f"--xla_cpu_max_isa={isa}"])
