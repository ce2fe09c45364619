"""The options of the suite under pytest. Loaded with every pytest run, so it must be light and never in the way."""

from __future__ import annotations

from typing import Any

import pytest

OPTIONS: dict[str, dict[str, Any]] = {
    "backend": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "a backend to run; default: all installed",
    },
    "mode": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "a mode to run; default: all of each backend",
    },
    "device": {"default": "cpu", "choices": ["cpu", "gpu"], "help": "where to run; default: cpu"},
    "variant": {"action": "append", "default": [], "metavar": "ID", "help": "run this variant only (* and ? match)"},
    "cases": {"default": None, "metavar": "PATH", "help": "case files; default: those that come with the suite"},
    "run-file": {"default": None, "metavar": "PATH", "help": "write a run file (needs exactly one --backend)"},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each also under a long name that can't clash with another plugin's."""
    group = parser.getgroup("conformance", "conformance of array frameworks (pytest --pyargs conformance.suite)")
    for name, settings in OPTIONS.items():
        dest = f"conformance_{name.replace('-', '_')}"
        try:
            group.addoption(f"--{name}", f"--conformance-{name}", dest=dest, **settings)
        except ValueError:  # another plugin has the short name
            group.addoption(f"--conformance-{name}", dest=dest, **settings)
