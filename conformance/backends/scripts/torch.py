"""PyTorch's share of scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

OPENING = """\
import numpy as np
import torch

torch.set_num_threads(1)  # sums are split among threads
"""

PRECISE_ON_GPU = """\
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
"""

ON_GPU = """\
torch.cuda.set_device({number})
torch.set_default_device("cuda")
"""


def native(array):
    array = np.array(array, order="C") if min(array.strides, default=0) < 0 else array  # no tensor steps backwards
    if array.dtype.name == "bfloat16":  # goes over as bits
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def native_on_gpu(array):
    array = np.array(array, order="C") if min(array.strides, default=0) < 0 else array  # no tensor steps backwards
    if array.dtype.name == "bfloat16":  # goes over as bits
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).to("cuda")
    return torch.from_numpy(array).to("cuda")


def numbers_of(result):
    if result.dtype == torch.bfloat16:  # comes back as bits
        return result.detach().cpu().contiguous().view(torch.int16).numpy().view("bfloat16")
    return result.numpy(force=True)


def eager(function):
    return function


def compiled(function):
    return torch.compile(function, fullgraph=True, dynamic=False)


def dtype_named(name):
    return getattr(torch, name)


def gradients(function, inputs, wrt, cotangent):
    leaves = [x.clone().requires_grad_() if i in wrt else x for i, x in enumerate(inputs)]
    output = function(*leaves)
    return torch.autograd.grad(output, [leaves[i] for i in wrt], cotangent, materialize_grads=True)


def fill(array, value):
    array.fill_(value)
