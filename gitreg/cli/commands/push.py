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
    report_moved(verbs.remotes.push(open_registry().session), output, nothing="has all of it")
