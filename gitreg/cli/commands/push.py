"""``gitreg push``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import open_registry, output_option
from gitreg.cli.results import report_moved
from gitreg.sdk import verbs


@click.command(
    "push",
    cls=Command,
    examples=[
        "gitreg push",
    ],
    exit_codes={4: "the remote has commits that this clone lacks, or refuses"},
    guides=["team"],
)
@output_option
def command(output: str) -> None:
    """Publish what was committed with --local: commits, tags, stages and aliases."""
    session = open_registry().session
    report_moved(session, verbs.remotes.push(session), output, verb="Pushed")
