"""The options of the suite under pytest. Loaded with every pytest run, so it must be light and never in the way."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from conformance.ground import devices


def _device(text: str) -> str:
    try:
        return devices.device(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    "device": {"default": "cpu", "type": _device, "metavar": "NAME", "help": "cpu, gpu, gpu:1, …; default: cpu"},
    "kernels": {
        "default": "",
        "metavar": "NAME",
        "help": "the kernels that the framework is held to, as 'conformance run --kernels' starts it",
    },
    "variant": {"action": "append", "default": [], "metavar": "ID", "help": "run this variant only (* and ? match)"},
    "cases": {"default": None, "metavar": "PATH", "help": "case files; default: those that come with the suite"},
    "random-order": {
        "default": None,
        "metavar": "SEED",
        "type": int,
        "help": "run cases, their modes and their variants in another order, each seed's its own",
    },
    "run-file": {"default": None, "metavar": "PATH", "help": "write a run file (needs exactly one --backend)"},
    "shard": {"default": None, "metavar": "K/N", "help": "run the K-th of N shares of the cases"},
    "resume": {"action": "store_true", "help": "go on with the run file where it was cut off"},
    "supervise": {
        "type": float,
        "default": None,
        "metavar": "SECONDS",
        "help": "run in processes that may crash, or hang for so long: it costs a variant (needs --run-file, -s)",
    },
    "workers": {
        "type": int,
        "default": 1,
        "metavar": "N",
        "help": "with --supervise: share the cases among N processes",
    },
    "dtype": {"action": "append", "default": [], "metavar": "NAME", "help": "timing: a dtype; default: all"},
    "size": {"action": "append", "default": [], "metavar": "SHAPE", "help": "timing: a size, such as 2x20"},
    "full": {"action": "store_true", "help": "timing: every dtype at every size in every mode"},
    "threads": {"default": 1, "type": int, "metavar": "N", "help": "timing: threads of the framework; default: 1"},
    "progress": {"default": None, "metavar": "PATH", "help": "timing: write a mark for each cell to this file"},
}

LONG_ONLY = ("random-order",)
"""Options whose short names belong to well-known plugins, which could not be loaded after this one."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the options under long names that can't clash with another plugin's, and short ones where they are due."""
    group = parser.getgroup("conformance", "conformance of array frameworks (pytest --pyargs conformance.suite)")
    short = _about_the_suite(pluginmanager)
    for name, settings in OPTIONS.items():
        dest = f"conformance_{name.replace('-', '_')}"
        names = [f"--{name}", f"--conformance-{name}"]
        try:
            group.addoption(*names if short and name not in LONG_ONLY else names[1:], dest=dest, **settings)
        except (ValueError, argparse.ArgumentError):  # another plugin has the short name
            group.addoption(names[1], dest=dest, **settings)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Of pytest-xdist's processes the one that runs no test sees to what the others record."""
    config = session.config
    path = getattr(config.option, "conformance_run_file", None)
    if path and config.pluginmanager.has_plugin("dsession"):
        from conformance.suite.joining import Joining  # noqa: PLC0415 - this module is loaded with every pytest run

        config.pluginmanager.register(Joining(Path(path), config.option.conformance_resume))


def _about_the_suite(pluginmanager: pytest.PytestPluginManager) -> bool:
    """Whether the command line names a suite. In every other run the short names are left to other plugins."""
    config: pytest.Config | None = pluginmanager.get_plugin("pytestconfig")
    arguments = config.invocation_params.args if config is not None else ()
    dotted = [str(argument).replace("\\", ".").replace("/", ".") for argument in arguments]
    return any(suite in argument for argument in dotted for suite in ("conformance.suite", "conformance.timing.suite"))
