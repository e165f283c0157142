"""``gitreg pull``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_line


@click.command("pull")
@output_option
def command(output: str) -> None:
    """Follow the remote: branch, tags, stages and aliases.

    Commits are never merged or rebased: where both sides have some that the other lacks, it says so.
    """
    from gitreg.sdk.remotes import pull

    pulled = pull(open_registry())
    if output != "table":
        emit(pulled._asdict(), output)
    elif pulled.before == pulled.after:
        print_line(f"{pulled.branch} has nothing new")
    else:
        print_line(f"{pulled.branch}: {(pulled.before or 'nothing')[:10]} -> {(pulled.after or 'nothing')[:10]}")
