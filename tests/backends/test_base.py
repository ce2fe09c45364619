"""What every adapter has from the base class, and how one is found."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conformance import backends
from conformance.backends.base import Backend
from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Idioms, Unsupported


class FakePoint:
    """An entry point that loads what it was made with."""

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded

    def load(self) -> Any:
        return self._loaded


@pytest.fixture
def with_entry_points(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_(**points: Any) -> None:
        monkeypatch.setattr(backends, "entry_points", lambda: {n: FakePoint(p) for n, p in points.items()})

    return set_


def test_the_suites_own_backends_come_first_and_in_order() -> None:
    assert backends.names()[:4] == ["numpy", "torch", "tensorflow", "jax"]
    for name in backends.names()[:4]:
        assert backends.load(name).name == name


def test_an_unknown_backend_is_named_with_those_there_are() -> None:
    with pytest.raises(
        backends.UnknownBackendError, match="no backend 'trch'; there are numpy, torch, tensorflow, jax"
    ):
        backends.load("trch")


@pytest.mark.parametrize("loaded", [object, NumpyBackend.__init__, "a string", Idioms])
def test_an_entry_point_that_is_no_backend_is_refused(loaded: Any, with_entry_points: Callable[..., None]) -> None:
    with_entry_points(wrong=loaded)
    with pytest.raises(backends.BrokenBackendError, match=r"backend 'wrong' .* is no subclass of conformance.backends"):
        backends.load("wrong")


def test_only_backends_whose_framework_is_there_count_as_installed(with_entry_points: Callable[..., None]) -> None:
    class Missing(NumpyBackend):
        name = "missing"
        package = "no_such_framework"

    with_entry_points(numpy=NumpyBackend, missing=Missing)
    assert backends.names() == ["numpy", "missing"]
    assert backends.installed() == ["numpy"]
    assert Missing.not_installed() == ("no_such_framework is not installed: pip install numpy")


def test_versions_are_those_of_the_distributions_that_are_installed_the_frameworks_own_first() -> None:
    class Some(NumpyBackend):
        distributions = ("no-such-distribution", "numpy", "pytest")

    assert next(iter(Some.versions().items())) == ("numpy", np.__version__)
    assert list(Some.versions()) == ["numpy", "pytest"]

    class NotThere(NumpyBackend):
        distributions = ("no-such-distribution",)

    assert NotThere.versions() == {}


def test_an_operation_has_one_idiom() -> None:
    idiom = Idioms()
    idiom("exp")(np.exp)
    with pytest.raises(ValueError, match="a second idiom for 'exp'"):
        idiom("exp")(np.exp2)
    assert dict(idiom) == {"exp": np.exp}


def test_the_source_of_an_idiom_is_its_function_without_decorators() -> None:
    idiom = Idioms()

    @idiom("exp")
    def natural(x, *, base=None):  # type: ignore[no-untyped-def] - as idioms are written
        # a comment
        return np.exp(x)

    assert idiom.source("exp").splitlines()[0].startswith("def natural(x, *, base=None):")
    assert idiom.source("exp").splitlines()[1:] == ["    # a comment", "    return np.exp(x)"]


def module_of(cls: type, name: str) -> types.ModuleType:
    """Make believe that a class was defined in a module of its own."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    cls.__module__ = name
    return module


def test_an_adapter_that_inherits_imports_into_its_own_module_and_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    class Parent(NumpyBackend):
        imports = {"frac": "fractions"}  # noqa: RUF012 - as adapters are written

    class Child(Parent):
        imports = {"dec": "decimal"}  # noqa: RUF012 - as adapters are written

    for name in ("a_parents_module", "a_childs_module"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    parents, childs = module_of(Parent, "a_parents_module"), module_of(Child, "a_childs_module")
    assert not hasattr(parents, "frac")  # nothing before an instance is made
    Child()
    assert parents.frac.__name__ == "fractions"
    assert childs.dec.__name__ == "decimal"


def test_a_backend_without_gradients_says_so(numpy_with: Callable[..., Any]) -> None:
    with pytest.raises(Unsupported, match="numpy has no gradients"):
        NumpyBackend().gradient(lambda x: x, [np.ones(1)], [0], np.ones(1))


def test_flushing_is_found_out_by_halving_the_smallest_normal_number(numpy_with: Callable[..., Any]) -> None:
    assert NumpyBackend().flushes_subnormals("eager") is False

    def flushing(self: Backend, function: Any, mode: str) -> Any:
        tiny = {"float32": 2.0**-126, "float16": 0.0}
        return lambda *some: tuple(
            np.where(np.abs(r) < tiny[r.dtype.name], r.dtype.type(0), r) for r in function(*some)
        )

    backend = numpy_with({"compile": flushing})
    assert backend.flushes_subnormals("eager") is True
    assert backend.flushes_subnormals("eager", "float16") is False


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_numpy_keeps_subnormal_numbers_of_every_dtype(dtype: str) -> None:
    assert NumpyBackend().flushes_subnormals("eager", dtype) is False


def test_numpy_warns_of_nothing_inside_its_scope() -> None:
    backend = NumpyBackend()
    with backend.scope("eager"):
        assert backend.idioms["log"](np.zeros(1))[0] == -np.inf
