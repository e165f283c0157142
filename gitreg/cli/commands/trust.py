"""``gitreg trust``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry
from gitreg.cli.output import print_line


@click.command("trust")
def command() -> None:
    """Approve the stores that this registry's gitreg.yaml names; none is opened before."""
    urls = open_registry().trust()
    for url in urls:
        print_line(f"Approved {url}")
    if not urls:
        print_line("Nothing to approve: the weights lie in the clone's own folder")
