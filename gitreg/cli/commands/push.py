"""``gitreg push``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_line


@click.command("push")
@output_option
def command(output: str) -> None:
    """Publish what was committed with --local: commits, tags, stages and aliases."""
    from gitreg.sdk.remotes import push

    pushed = push(open_registry())
    if output != "table":
        emit(pushed._asdict(), output)
    elif pushed.before == pushed.after:
        print_line(f"{pushed.branch} has all of it")
    else:
        print_line(f"{pushed.branch}: {(pushed.before or 'nothing')[:10]} -> {(pushed.after or 'nothing')[:10]}")
