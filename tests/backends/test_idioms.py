"""Every backend spells every operation, with the operation's own signature. No framework is needed to see that."""

from __future__ import annotations

import ast
import inspect

import pytest

from conformance import backends
from conformance.ops import OPERATIONS

OWN = ("numpy", "torch", "tensorflow", "jax")


@pytest.mark.parametrize("name", OWN)
def test_every_operation_has_an_idiom_and_every_idiom_an_operation(name: str) -> None:
    assert sorted(backends.load(name).idioms) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", OWN)
def test_an_idiom_takes_what_its_operation_takes(name: str, operation: str) -> None:
    found = inspect.signature(backends.load(name).idioms[operation]).parameters
    due = OPERATIONS[operation].parameters
    assert [(p.name, p.default, p.kind is p.KEYWORD_ONLY) for p in found.values()] == [
        (p.name, p.default, p.keyword_only) for p in due.values()
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", OWN)
def test_the_source_of_an_idiom_is_one_plain_function(name: str, operation: str) -> None:
    (function,) = ast.parse(backends.load(name).idioms.source(operation)).body
    assert isinstance(function, ast.FunctionDef)
    assert function.decorator_list == []
    assert function.name.rstrip("_") == operation
