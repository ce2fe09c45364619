"""Idioms that every framework spells alike: Python's own operators. An adapter starts from them."""

from __future__ import annotations

from conformance.backends.spelling import Idioms

idiom = Idioms()


@idiom("negative")
def negative(x):
    return -x


@idiom("add")
def add(a, b):
    return a + b


@idiom("subtract")
def subtract(a, b):
    return a - b


@idiom("multiply")
def multiply(a, b):
    return a * b


@idiom("divide")
def divide(a, b):
    return a / b


def is_sign(operation: str, source: str) -> bool:
    """Whether an idiom's source is Python's own operator, which needs no function around it."""
    return operation in idiom and source == idiom.source(operation)
