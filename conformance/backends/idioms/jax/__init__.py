"""How JAX spells the operations: a file a family. Imports no framework."""

from conformance.backends.idioms.jax import (  # noqa: F401, I001 - imported for their registration, in this order
    activations,
    arrays,
    reductions,
    losses,
    arithmetic,
)
from conformance.backends.idioms.jax.registry import idiom

__all__ = ["idiom"]
