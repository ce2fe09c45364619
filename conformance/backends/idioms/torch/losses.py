"""How PyTorch spells the losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backends.idioms.torch.registry import idiom

if TYPE_CHECKING:
    import torch


@idiom("binary_cross_entropy")
def binary_cross_entropy(p, target, *, weight=None, reduction="mean"):
    return torch.nn.functional.binary_cross_entropy(p, target, weight, reduction=reduction)


@idiom("binary_cross_entropy", "torch.nn.BCELoss")
def binary_cross_entropy_module(p, target, *, weight=None, reduction="mean"):
    return torch.nn.BCELoss(weight, reduction=reduction)(p, target)


@idiom("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    return torch.nn.functional.binary_cross_entropy_with_logits(
        x, target, weight, pos_weight=pos_weight, reduction=reduction
    )


@idiom("binary_cross_entropy_with_logits", "torch.nn.BCEWithLogitsLoss")
def binary_cross_entropy_with_logits_module(x, target, *, weight=None, pos_weight=None, reduction="mean"):
    return torch.nn.BCEWithLogitsLoss(weight, pos_weight=pos_weight, reduction=reduction)(x, target)


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
