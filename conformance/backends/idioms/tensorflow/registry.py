"""Where the families of operations register how TensorFlow spells them."""

from __future__ import annotations

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms

idiom = Idioms(operators.idiom)

KERAS = "KERAS_BACKEND=tensorflow"
"""Keras runs on several frameworks: on this one if that was set before it was imported."""
