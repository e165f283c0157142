"""``gitreg protect``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.hosting import RULES, rules
from gitreg.cli.options import open_registry
from gitreg.cli.output import print_text


@click.command(
    "protect",
    cls=Command,
    examples=[
        "gitreg protect github",
        "gitreg protect gitlab > rules.sh",
    ],
    guides=["team"],
)
@click.argument("host", metavar="github|gitlab|gitea", type=click.Choice(RULES))
def command(host: str) -> None:
    """Print rules for a Git host, each explained, as commands that a person runs.

    The branch changes by pull request only, tags of versions are made once, and CODEOWNERS says who is asked.
    """
    print_text(rules(open_registry(), host))
