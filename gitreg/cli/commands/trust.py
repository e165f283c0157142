"""``gitreg trust``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry
from gitreg.cli.output import print_line


@click.command("trust")
@click.argument("urls", metavar="[URL]...", nargs=-1)
def command(urls: tuple[str, ...]) -> None:
    """Approve the stores that this registry's gitreg.yaml names; none is opened before.

    With URLs, exactly these: what CI runs, where a pull request may say what it likes of stores.
    """
    if urls:
        from gitreg.sdk.stores import approve

        approved = approve(urls)
    else:
        approved = open_registry().trust()
    for url in approved:
        print_line(f"Approved {url}")
    if not approved:
        print_line("Nothing to approve: the weights lie in the clone's own folder")
