"""How PyTorch spells the activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.torch.registry import idiom

if TYPE_CHECKING:
    import torch


@idiom("softmax")
def softmax(x, *, axis=None):
    return torch.nn.functional.softmax(x, dim=axis)


@idiom("softmax", "torch.nn.Softmax")
def softmax_module(x, *, axis=None):
    return torch.nn.Softmax(dim=axis)(x)


@idiom("softmax", "torch.softmax")
def softmax_function(x, *, axis=None):
    return torch.softmax(x, dim=axis)


@idiom("softmax", "Tensor.softmax")
def softmax_method(x, *, axis=None):
    return x.softmax(dim=axis)


@idiom("log_softmax")
def log_softmax(x, *, axis=None):
    return torch.nn.functional.log_softmax(x, dim=axis)


@idiom("log_softmax", "torch.nn.LogSoftmax")
def log_softmax_module(x, *, axis=None):
    return torch.nn.LogSoftmax(dim=axis)(x)


@idiom("log_softmax", "formula: x - logsumexp(x)")
def log_softmax_of_logsumexp(x, *, axis=None):
    return x - torch.logsumexp(x, dim=axis, keepdim=True)


@idiom("sigmoid")
def sigmoid(x):
    return torch.sigmoid(x)


@idiom("sigmoid", "torch.nn.Sigmoid")
def sigmoid_module(x):
    return torch.nn.Sigmoid()(x)


@idiom("sigmoid", "Tensor.sigmoid")
def sigmoid_method(x):
    return x.sigmoid()


@idiom("sigmoid", "torch.special.expit")
def sigmoid_expit(x):
    return torch.special.expit(x)


@idiom("log_sigmoid")
def log_sigmoid(x):
    return torch.nn.functional.logsigmoid(x)


@idiom("log_sigmoid", "torch.nn.LogSigmoid")
def log_sigmoid_module(x):
    return torch.nn.LogSigmoid()(x)


@idiom("log_sigmoid", "formula: -softplus(-x)")
def log_sigmoid_of_softplus(x):
    return -torch.nn.functional.softplus(-x)  # which returns its argument above its threshold of 20
