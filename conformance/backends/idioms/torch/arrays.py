"""How PyTorch spells the making and shaping of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.torch.registry import idiom

if TYPE_CHECKING:
    import torch


@idiom("asarray")
def asarray(data, *, dtype=None):
    return torch.tensor(data, dtype=dtype)


@idiom("asarray", "torch.as_tensor")
def asarray_as_tensor(data, *, dtype=None):
    return torch.as_tensor(data, dtype=dtype)


@idiom("asarray", "torch.FloatTensor", cases="*/float-tensor-of-ints")
def asarray_float_tensor(data, *, dtype):
    return torch.FloatTensor(data)  # always float32


@idiom("asarray", "torch.tensor(data).to(dtype)", cases="*/rounds-to-the-nearest")
def asarray_to(data, *, dtype):
    return torch.tensor(data).to(dtype)  # by way of float32


@idiom("stack")
def stack(arrays, *, axis=0):
    return torch.stack(arrays, dim=axis)


@idiom("stack", "torch.cat of unsqueezed tensors")
def stack_cat(arrays, *, axis=0):
    return torch.cat([a.unsqueeze(axis) for a in arrays], dim=axis)


@idiom("reshape")
def reshape(x, shape):
    return x.view(shape)


@idiom("reshape", "Tensor.reshape")
def reshape_method(x, shape):
    return x.reshape(shape)


@idiom("reshape", "torch.reshape")
def reshape_function(x, shape):
    return torch.reshape(x, shape)


@idiom("reshape", "Tensor.contiguous().view")
def reshape_contiguous(x, shape):
    return x.contiguous().view(shape)


@idiom("reshape", "torch.flatten", cases="*/flattening-the-stack-*")
def reshape_flatten(x, shape):
    return torch.flatten(x)  # to the shape [-1]
