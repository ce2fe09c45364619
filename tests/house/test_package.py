"""What importing costs: no framework, and nothing slow."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

FRAMEWORKS = {"torch", "tensorflow", "jax", "keras", "optax"}


@pytest.mark.parametrize(
    "modules",
    [
        "conformance",
        "conformance.cli, conformance.suite.options",
        "conformance.backends.torch, conformance.backends.tensorflow, conformance.backends.jax",
        "conformance.suite.session, conformance.suite.explaining, conformance.checking.checking, conformance.reports.parity.rendering",
    ],
)
def test_importing_imports_no_framework(modules: str, python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = python("-c", f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})")
    assert done.returncode == 0, done.stderr
    assert "conformance" in done.stdout.split()
    assert not FRAMEWORKS & set(done.stdout.split())


def test_importing_the_package_or_its_options_loads_neither_numpy_nor_anything_else_that_is_slow(
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = python("-c", "import sys, conformance; print(*sys.modules)")
    assert not {"numpy", "flint", "msgspec", "scipy", "rich"} & set(done.stdout.split())
    done = python("-c", "import sys, conformance.suite.options; print(*sys.modules)")
    assert not {"numpy", "flint", "msgspec", "scipy"} & set(done.stdout.split())


def test_listing_backends_and_reading_their_idioms_imports_no_framework(
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    code = """
import sys
from conformance import backends
for name in backends.names():
    kind = backends.load(name)
    kind.not_installed(), kind.versions(), [kind.idioms.source(o) for o in kind.idioms]
backends.installed()
print(*{name.partition('.')[0] for name in sys.modules})
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert not FRAMEWORKS & set(done.stdout.split())
