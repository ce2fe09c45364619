"""Where the families of operations register how PyTorch spells them."""

from __future__ import annotations

from conformance.backends.idioms import operators
from conformance.backends.spelling import Idioms

idiom = Idioms(operators.idiom)
