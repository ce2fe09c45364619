"""The operations, by family: signature, exact definition and error budget of each.

A family is a file, or a folder of files, whose name the spellings, cases and tests of its operations share. To add an
operation, write it in its family, import a new file in the family's `__init__.py`, write its idiom for each framework,
and give it cases. Knows no framework.

Imports truth, ground.
"""

from conformance.ops import activations, arithmetic, arrays, losses, reductions  # noqa: F401 - for their registration
from conformance.ops.base import Operation, Parameter, registry

OPERATIONS = registry()
FAMILIES = frozenset(operation.family for operation in OPERATIONS.values())

__all__ = ["FAMILIES", "OPERATIONS", "Operation", "Parameter"]
