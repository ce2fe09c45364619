"""How PyTorch spells the arithmetic that Python has no operator for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.torch.registry import idiom

if TYPE_CHECKING:
    import torch


@idiom("exp")
def exp(x):
    return torch.exp(x)


@idiom("log")
def log(x):
    return torch.log(x)
