"""What several commands take: their options, and what those stand for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from conformance.cli.application import err, fail

if TYPE_CHECKING:
    from conformance.suite.selection import Selection

Backends = Annotated[
    list[str] | None,
    typer.Option("--backend", "-b", metavar="NAME", help="A backend; again for more. Default: all installed."),
]
Modes = Annotated[
    list[str] | None,
    typer.Option("--mode", "-m", metavar="NAME", help="A mode; again for more. Default: all of each backend."),
]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="cpu, gpu, or one of several: gpu:1.")]
Cases = Annotated[
    Path | None,
    typer.Option("--cases", metavar="PATH", help="Case files. Default: those that come with the suite."),
]
Keyword = Annotated[str, typer.Option("-k", metavar="WORDS", help="Cases whose name matches, as pytest's -k takes it.")]
Variants = Annotated[
    list[str] | None,
    typer.Option("--variant", metavar="ID", help="A variant's ID; * and ? match; again for more."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Where to write. Default: reports/, or reports/selected/ for a part of the cases or modes.",
    ),
]


def selected(cases: Path | None, patterns: list[str], keyword: str = "", beyond_subsets: bool = False) -> Selection:
    """What is asked for, of the case files; ends with status 2 where they have mistakes, or nothing matches."""
    from conformance.casefile.errors import CaseFileError
    from conformance.suite.selection import SelectionError, check_keyword, select

    if cases is not None and not os.path.exists(cases):
        fail(f"{cases}: no such file or folder")
    try:
        check_keyword(keyword)
        return select(cases, patterns, beyond_subsets)
    except (CaseFileError, SelectionError) as error:
        fail(str(error))


def named_backends(wanted: list[str] | None) -> list[str]:
    """The backends asked for, or all installed ones, without broken adapters; ends with status 2 where none is left."""
    from conformance import backends

    known = backends.names()
    for name in wanted or []:
        if name not in known:
            fail(f"no backend '{name}'; there are {', '.join(known)}")
    broken = backends.broken(wanted or ())
    names = [name for name in dict.fromkeys(wanted or backends.installed()) if name not in broken]
    if not names:
        fail("\n".join(broken.values()))
    return names


def named_device(name: str) -> str:
    """The device's name as it is written everywhere; ends with status 2 where it is none."""
    from conformance.ground import devices

    try:
        return devices.device(name)
    except ValueError as error:
        fail(str(error))


def able(names: list[str], device: str, by_name: bool) -> list[str]:
    """The backends, without those that can't run on the device, unless they were asked for by name.

    Ends with status 3 where none can, its framework not being installed or the device not there: older results stay as
    they are.

    Args:
        names: of backends.
        device: where they are to run.
        by_name: whether they were asked for: then they run where another one can, and are `unsupported`.
    """
    from conformance import backends
    from conformance.running import probing

    reasons = {name: reason for name in names if (reason := backends.load(name).not_installed())}
    if device != "cpu":
        reasons |= probing.lacking([name for name in names if name not in reasons], device)
    if len(reasons) == len(names):
        for name, reason in reasons.items():
            err.print(f"error: {name}: nothing can run: {reason}")
        raise typer.Exit(3)
    if by_name:
        return names
    for name, reason in reasons.items():
        err.print(f"note: {name} is left out: {reason}")
    return [name for name in names if name not in reasons]


def tell_of_broken(wanted: list[str] | None = None) -> None:
    """A line for each adapter that can't be used, of those asked for or of all: the others go on without it."""
    from conformance import backends

    for line in backends.broken(wanted or ()).values():
        err.print(f"error: {line}")


def chosen(
    having: Callable[[list[str], list[str], str], list[str]],
    what: str,
    asked: list[str],
    modes: list[str],
    device: str,
    by_name: bool,
) -> list[str]:
    """The backends that have one of the modes, and the device; ends where nobody has a mode, or none can run.

    Args:
        having: of backends, those that have at least one of some modes on a device.
        what: such a mode is called.
        asked: the backends asked for.
        modes: those asked for; all where none is.
        device: where.
        by_name: whether the backends were asked for.
    """
    for one in modes:
        if not having(asked, [one], device):
            fail(f"none of {', '.join(asked)} has {what} '{one}' on {device}; 'conformance backends' shows them")
    return able(having(asked, modes, device), device, by_name)
