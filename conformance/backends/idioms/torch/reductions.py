"""How PyTorch spells the reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.torch.registry import idiom

if TYPE_CHECKING:
    import torch


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    # An empty list of axes is taken for all of them: where there may be none, x itself is their sum.
    return torch.sum(x, dim=axis, keepdim=keepdims)


@idiom("sum", "Tensor.sum")
def sum_method(x, *, axis=None, keepdims=False):
    return x.sum(dim=axis, keepdim=keepdims)


@idiom("sum", "torch.sum, NumPy's parameter names")
def sum_like_numpy(x, *, axis=None, keepdims=False):
    return torch.sum(x, axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
    # An empty list of axes is taken for all of them: where there may be none, x itself is their mean.
    return torch.mean(x, dim=axis, keepdim=keepdims)


@idiom("mean", "Tensor.mean")
def mean_method(x, *, axis=None, keepdims=False):
    return x.mean(dim=axis, keepdim=keepdims)


@idiom("mean", "torch.mean, NumPy's parameter names")
def mean_like_numpy(x, *, axis=None, keepdims=False):
    return torch.mean(x, axis=axis, keepdims=keepdims)


@idiom("mean", "formula: sum(x) / size")
def mean_of_sum(x):
    return x.sum() / x.numel()
