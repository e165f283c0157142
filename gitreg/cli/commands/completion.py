"""``gitreg completion``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gitreg.cli.command import Command
from gitreg.cli.completion import scripts
from gitreg.cli.output import print_line
from gitreg.errors import NotFound


@click.command(
    "completion",
    cls=Command,
    examples=["gitreg completion --install bash", "gitreg completion zsh"],
)
@click.argument("shell", type=click.Choice(list(scripts.SHELLS)), metavar="[bash|zsh|fish]", required=False)
@click.option("--install", is_flag=True, help="Write it into the shell's folder for completions instead.")
@click.option("--uninstall", is_flag=True, help="Remove it from there.")
def command(shell: str | None, install: bool, uninstall: bool) -> None:
    """Print the script that completes commands, options and names in your shell, for `git reg`, too.

    Without a shell's name, it is that of the variable SHELL. With --install no file of yours is edited: where your
    shell needs a line in its own file, that line is printed.
    """
    if install and uninstall:
        raise click.UsageError("give --install or --uninstall")
    name = shell or os.path.basename(os.environ.get("SHELL", ""))
    if name not in scripts.SHELLS:
        raise NotFound(
            f"SHELL names {name!r}, for which there is no script" if name else "SHELL names no shell",
            hint="name one: gitreg completion bash, zsh or fish",
        )
    if not install and not uninstall:
        click.echo(scripts.script(name), nl=False)
        return
    folder = scripts.folder(name, os.environ, Path.home())
    if uninstall:
        removed = scripts.uninstall(name, folder)
        for path in removed:
            print_line(f"Removed {path}")
        if not removed:
            print_line(f"There is nothing of gitreg in {folder}")
        return
    for path in scripts.install(name, folder):
        print_line(f"Wrote {path}")
    for line in scripts.next_steps(name, folder):
        print_line(line)
