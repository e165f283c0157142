"""``gitreg trust``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry


@click.command("trust")
def command() -> None:
    """Approve the store that this registry's gitreg.yaml names; none is opened before."""
    click.echo(f"Approved {open_registry().trust()}")
