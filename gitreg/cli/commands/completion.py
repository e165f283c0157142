"""``gitreg completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gitreg.cli.main import cli


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes models, versions and stages in SHELL.

    For bash: eval "$(gitreg completion bash)" in ~/.bashrc.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    if shell == "bash":
        # Bash takes "@" for the end of a word, so that MODEL@STAGE would reach us in pieces.
        click.echo("COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}")
    click.echo(kind(cli, {}, "gitreg", "_GITREG_COMPLETE").source())
