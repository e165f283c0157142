"""``gitreg pull``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry, output_option
from gitreg.cli.results import report_moved


@click.command("pull")
@output_option
def command(output: str) -> None:
    """Follow the remote: branch, tags, stages and aliases.

    Commits are never merged or rebased: where both sides have some that the other lacks, it says so.
    """
    from gitreg.sdk.remotes import pull

    report_moved(pull(open_registry()), output, nothing="has nothing new")
