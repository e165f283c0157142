"""``gitreg pull``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import open_registry, output_option
from gitreg.cli.results import report_moved
from gitreg.sdk import verbs


@click.command(
    "pull",
    cls=Command,
    examples=[
        "gitreg pull",
        "gitreg pull --accept-rewrite",
    ],
    exit_codes={4: "both sides have commits, or the history was rewritten", 5: "the remote moved meanwhile"},
    guides=["team"],
)
@click.option("--accept-rewrite", is_flag=True, help="Accept that the remote's history was rewritten.")
@output_option
def command(accept_rewrite: bool, output: str) -> None:
    """Fetch the remote's branch, tags, stages and aliases, and move to them.

    Commits are never merged or rebased: where both sides have some that the other lacks, it says so. A remote whose
    history was rewritten is followed with --accept-rewrite alone, which prints the commits that go and the stages that
    move, and gives up no work of this clone's own.
    """
    session = open_registry(accept_rewrite=accept_rewrite).session
    moved = verbs.remotes.pull(session, accept_rewrite)
    report_moved(session, moved, output, verb="Pulled")
