"""``gitreg version``."""

from __future__ import annotations

import click

import gitreg


@click.command("version")
def command() -> None:
    """Print the version of gitreg, as --version does."""
    click.echo(f"gitreg {gitreg.__version__}")
