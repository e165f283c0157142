"""``gitreg trust``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry
from gitreg.cli.output import print_line


@click.command("trust")
def command() -> None:
    """Approve the store that this registry's gitreg.yaml names; none is opened before."""
    print_line(f"Approved {open_registry().trust()}")
