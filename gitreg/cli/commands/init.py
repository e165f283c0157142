"""``gitreg init``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete, complete_path
from gitreg.cli.command import Command
from gitreg.cli.options import NamedPath, output_option
from gitreg.cli.output import emit, print_done
from gitreg.cli.results import after_the_work
from gitreg.sdk.registry import Registry


@click.command(
    "init",
    cls=Command,
    examples=[
        "gitreg init",
        "gitreg init ../shop",
        "gitreg init ../shop --store ../weights",
        "gitreg init --remote origin --store ../store",
    ],
    exit_codes={4: "the folder cannot become a registry"},
    guides=["start", "team"],
)
@click.argument("path", required=False, type=NamedPath(file_okay=False))
@click.option(
    "--store",
    metavar="URL",
    shell_complete=complete_path,
    help="Where weights are stored.  [default: a folder inside .git]",
)
@click.option(
    "--branch",
    metavar="NAME",
    shell_complete=complete("branches"),
    help="The registry's branch.  [default: main; in a project's repository: registry]",
)
@click.option(
    "--remote",
    metavar="NAME",
    shell_complete=complete("remotes"),
    help="Git remote to share, such as origin; every write is pushed to it.",
)
@click.option("--store-in-remote-folder", is_flag=True, help="Store weights inside the remote's own folder.")
@click.option("--prefix", metavar="NAME", help="First part of the names of version tags.  [default: models]")
@output_option
def command(
    path: str | None,
    store: str | None,
    branch: str | None,
    remote: str | None,
    store_in_remote_folder: bool,
    prefix: str | None,
    output: str,
) -> None:
    """Make a registry in PATH or this folder: a new repository, or a new branch of the one that is there.

    With --remote, weights go to a store that all clones can reach: --store, or --store-in-remote-folder.
    """
    registry, made = Registry.init(
        path, store=store, branch=branch, prefix=prefix, remote=remote, store_in_remote_folder=store_in_remote_folder
    )
    with registry, after_the_work():
        made_branch = registry.session.branch
        if output != "table":
            data = {"made": made, "folder": str(registry.folder), "branch": made_branch.name, "root": made_branch.root}
            emit({**data, "store": registry.store_url, "remote": registry.session.remote}, output)
            return
        verb = "Made a registry" if made else "There is a registry already"
        inside = f"/{made_branch.root}" if made_branch.root else ""
        print_done(
            f"{verb} in {registry.folder}{inside}, on the branch {made_branch.name}; weights go to {registry.store_url}"
        )
        if remote:
            print_done(f"Published to {remote}")
        if made:
            print_done("Next: gitreg save MODEL PATH")
