"""``gitreg protect``."""

from __future__ import annotations

import click

from gitreg.cli.hosting import RULES, rules
from gitreg.cli.options import open_registry
from gitreg.cli.output import print_text


@click.command("protect")
@click.argument("host", metavar="github|gitlab|gitea", type=click.Choice(RULES))
def command(host: str) -> None:
    """Print the rules that a Git host should be given, each explained, as commands for a person to run.

    The branch changes by pull request only, tags of versions are made once, and CODEOWNERS says who is asked.
    """
    print_text(rules(open_registry(), host))
