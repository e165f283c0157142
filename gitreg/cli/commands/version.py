"""``gitreg version``."""

from __future__ import annotations

import click

import gitreg
from gitreg.cli.command import Command
from gitreg.cli.options import output_option
from gitreg.cli.output import emit


@click.command(
    "version",
    cls=Command,
    examples=[
        "gitreg version",
    ],
)
@output_option
def command(output: str) -> None:
    """Print the version of gitreg."""
    if output == "table":
        click.echo(f"gitreg {gitreg.__version__}")
    else:
        emit({"version": gitreg.__version__}, output)
