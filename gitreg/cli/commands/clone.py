"""``gitreg clone``."""

from __future__ import annotations

import click

from gitreg.cli.output import print_line
from gitreg.sdk import verbs


@click.command("clone")
@click.argument("url", metavar="URL")
@click.argument("path", required=False, type=click.Path(file_okay=False))
def command(url: str, path: str | None) -> None:
    """Clone the registry at URL, as `git clone` does, with its stages."""
    with verbs.remotes.clone(url, path) as registry:
        print_line(f"Cloned into {registry.folder}; weights come from {registry.store_url}")
        if registry.upstream is None:
            print_line("gitreg.yaml declares no remote: what you save stays in this clone")
