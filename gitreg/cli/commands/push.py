"""``gitreg push``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry, output_option
from gitreg.cli.results import report_moved
from gitreg.sdk import verbs


@click.command("push")
@output_option
def command(output: str) -> None:
    """Publish what was committed with --local: commits, tags, stages and aliases."""
    session = open_registry().session
    report_moved(session, verbs.remotes.push(session), output, verb="Pushed")
