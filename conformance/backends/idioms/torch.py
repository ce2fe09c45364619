"""How PyTorch spells the operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms

if TYPE_CHECKING:
    import torch

idiom = Idioms(operators.idiom)


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


@idiom("softmax", "formula: exp(x) / sum(exp(x))")
def softmax_unshifted(x, *, axis=None):
    e = torch.exp(x)
    return e / torch.sum(e, dim=axis, keepdim=True)


@idiom("log_softmax")
def log_softmax(x, *, axis=None):
    return torch.nn.functional.log_softmax(x, dim=axis)


@idiom("log_softmax", "torch.nn.LogSoftmax")
def log_softmax_module(x, *, axis=None):
    return torch.nn.LogSoftmax(dim=axis)(x)


@idiom("log_softmax", "formula: log(softmax(x))")
def log_softmax_of_softmax(x, *, axis=None):
    return torch.log(torch.nn.functional.softmax(x, dim=axis))


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


@idiom("sigmoid", "formula: 1 / (1 + exp(-x))")
def sigmoid_textbook(x):
    return 1 / (1 + torch.exp(-x))


@idiom("log_sigmoid")
def log_sigmoid(x):
    return torch.nn.functional.logsigmoid(x)


@idiom("log_sigmoid", "torch.nn.LogSigmoid")
def log_sigmoid_module(x):
    return torch.nn.LogSigmoid()(x)


@idiom("log_sigmoid", "formula: log(sigmoid(x))")
def log_sigmoid_of_sigmoid(x):
    return torch.log(torch.sigmoid(x))


@idiom("log_sigmoid", "formula: -softplus(-x)")
def log_sigmoid_of_softplus(x):
    return -torch.nn.functional.softplus(-x)  # which returns its argument above its threshold of 20


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


@idiom("sum")
def sum_(x, *, axis=None, keepdims=False):
    return torch.sum(x, dim=axis, keepdim=keepdims)


@idiom("sum", "Tensor.sum")
def sum_method(x, *, axis=None, keepdims=False):
    return x.sum(dim=axis, keepdim=keepdims)


@idiom("sum", "torch.sum, NumPy's parameter names")
def sum_like_numpy(x, *, axis=None, keepdims=False):
    return torch.sum(x, axis=axis, keepdims=keepdims)


@idiom("mean")
def mean(x, *, axis=None, keepdims=False):
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


@idiom("binary_cross_entropy")
def binary_cross_entropy(p, target, *, weight=None, reduction="mean"):
    return torch.nn.functional.binary_cross_entropy(p, target, weight, reduction=reduction)


@idiom("binary_cross_entropy", "torch.nn.BCELoss")
def binary_cross_entropy_module(p, target, *, weight=None, reduction="mean"):
    return torch.nn.BCELoss(weight, reduction=reduction)(p, target)


@idiom("binary_cross_entropy", "formula: -(t * log(p) + (1 - t) * log(1 - p))")
def binary_cross_entropy_textbook(p, target, *, reduction="mean"):
    loss = -(target * torch.log(p) + (1 - target) * torch.log(1 - p))
    if reduction == "none":
        return loss
    return torch.mean(loss) if reduction == "mean" else torch.sum(loss)


@idiom("binary_cross_entropy", "formula: -(t * log(p + 1e-8) + (1 - t) * log(1 - p + 1e-8))")
def binary_cross_entropy_with_epsilon(p, target, *, reduction="mean"):
    loss = -(target * torch.log(p + 1e-8) + (1 - target) * torch.log(1 - p + 1e-8))
    if reduction == "none":
        return loss
    return torch.mean(loss) if reduction == "mean" else torch.sum(loss)


@idiom("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    return torch.nn.functional.binary_cross_entropy_with_logits(
        x, target, weight, pos_weight=pos_weight, reduction=reduction
    )


@idiom("binary_cross_entropy_with_logits", "torch.nn.BCEWithLogitsLoss")
def binary_cross_entropy_with_logits_module(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    return torch.nn.BCEWithLogitsLoss(weight, pos_weight=pos_weight, reduction=reduction)(x, target)


@idiom("binary_cross_entropy_with_logits", "torch.nn.BCELoss after torch.sigmoid")
def binary_cross_entropy_of_sigmoid(x, target, *, weight=None, reduction="mean"):
    return torch.nn.BCELoss(weight, reduction=reduction)(torch.sigmoid(x), target)


@idiom("binary_cross_entropy_with_logits", "torch.nn.MultiLabelSoftMarginLoss")
def multi_label_soft_margin_loss(x, target, *, weight=None, reduction="mean"):
    # Takes the mean over the last axis, whatever the reduction.
    return torch.nn.MultiLabelSoftMarginLoss(weight, reduction=reduction)(x, target)


@idiom("binary_cross_entropy_with_logits", "formula: max(x, 0) - x * t + log1p(exp(-|x|))")
def binary_cross_entropy_with_logits_textbook(x, target, *, reduction="mean"):
    loss = torch.clamp(x, min=0) - x * target + torch.log1p(torch.exp(-torch.abs(x)))
    if reduction == "none":
        return loss
    return torch.mean(loss) if reduction == "mean" else torch.sum(loss)


@idiom("exp")
def exp(x):
    return torch.exp(x)


@idiom("log")
def log(x):
    return torch.log(x)
