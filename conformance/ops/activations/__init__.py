"""Activation functions."""

from conformance.ops.activations import (  # noqa: F401 - for their registration
    log_sigmoid,
    log_softmax,
    sigmoid,
    softmax,
)
