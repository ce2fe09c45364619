"""The commands about adapters: `backends` and `smoke`."""

from __future__ import annotations

from typing import Annotated

import typer

from conformance.cli.application import app, err, examples, fail, out
from conformance.cli.arguments import Device, named_device


@app.command("backends", short_help="Show the backends, and what they have.")
def backends_() -> None:
    """Show the backends: versions, devices, modes, whether they flush subnormals, kernels chosen here and others."""
    from conformance.suite.explaining import backend_rows

    labels = ("versions", "devices", "modes", "subnormals", "kernels", "--kernels")
    for name, *told in backend_rows():
        out.print(name)
        for label, text in zip(labels, told, strict=False):
            if text:
                out.print(f"  {label:<11}{text}")


@app.command(short_help="Tell a broken adapter from a broken framework.", epilog=examples("conformance smoke torch"))
def smoke(
    backend: Annotated[str, typer.Argument(metavar="NAME", help="A backend's name.")],
    device: Device = "cpu",
) -> None:
    """Tell a broken adapter from a broken framework: its contract first, then calls whose results anybody knows.

    Exit status: 0, both are sound; 1, the framework is at fault; 2, the adapter is, or a usage error; 3, the framework
    is not installed or has no such device.
    """
    from conformance import backends
    from conformance.smoke import smoking

    lines = []
    try:
        for line in smoking.smoke(backend, named_device(device)):
            out.print(str(line))
            lines.append(line)
    except backends.UnknownBackendError as error:
        fail(str(error))
    except smoking.NotHereError as error:
        err.print(f"error: {error}")
        raise typer.Exit(3) from None
    out.print(smoking.closing_line(backend, lines))
    raise typer.Exit(smoking.exit_status(lines))
