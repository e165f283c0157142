"""``gitreg pull``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry, output_option
from gitreg.cli.results import report_moved
from gitreg.sdk import verbs


@click.command("pull")
@click.option("--accept-rewrite", is_flag=True, help="Follow a history that was rewritten, or another registry.")
@output_option
def command(accept_rewrite: bool, output: str) -> None:
    """Follow the remote: branch, tags, stages and aliases.

    Commits are never merged or rebased: where both sides have some that the other lacks, it says so. A remote whose
    history was rewritten is followed with --accept-rewrite alone, which prints the commits that go and the stages that
    move, and gives up no work of this clone's own.
    """
    session = open_registry(accept_rewrite=accept_rewrite).session
    moved = verbs.remotes.pull(session, accept_rewrite)
    report_moved(session, moved, output, verb="Pulled")
